//! Resident tables: Arrow columns in memory, with orders to look rows up.
//!
//! The columns of a fragment stay as they were read. The rows of a file are adjacent, in a run that
//! is found by the file's key; names and paths are looked up by an order, a permutation of the
//! row numbers. Either is a binary search per fragment, without copies: O(fragments · log rows).

mod chunks;
mod edges;
mod extras;
mod files;
mod imports;
mod references;
mod symbols;
mod texts;
mod vectors;

use std::cmp::Ordering;
use std::ops::Range;

use arrow::array::{Array, AsArray as _, PrimitiveArray, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::ArrowPrimitiveType;
use gristmill_pipeline::{RelPath, RowKey, SinkError};
use gristmill_sinks::lance::{Resident, RowFiles, Segment};
use gristmill_sinks::tables::Table;

pub use chunks::ChunkRows;
pub use edges::EdgeRows;
pub use extras::ExtraValues;
pub use files::FileRows;
pub use imports::ImportRows;
pub use references::ReferenceRows;
pub use symbols::SymbolRows;
pub use texts::{TextRows, Texts};
pub use vectors::{NearestRow, VectorRows, nearest, scorer};

/// The rows of one fragment of a table.
pub trait TableRows: Sized + Send + Sync {
    /// The columns to load.
    const COLUMNS: &'static [&'static str];

    /// The table.
    fn table() -> Table;

    /// Builds the rows from the columns.
    ///
    /// # Errors
    /// If a column is missing or has another type.
    fn of(batch: RecordBatch) -> Result<Self, SinkError>;
}

/// A row of a resident table.
pub struct Row<'a, T> {
    /// The fragment.
    pub segment: &'a Segment<T>,
    /// The row number in the fragment.
    pub row: usize,
}

impl<T> Clone for Row<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Row<'_, T> {}

impl<'a, T> Row<'a, T> {
    /// Returns the columns of the fragment.
    #[must_use]
    pub fn table(&self) -> &'a T {
        self.segment.value()
    }

    /// Returns the row address, for `LanceReader::take`.
    #[must_use]
    pub fn address(&self) -> Option<u64> {
        self.segment.address(self.row)
    }
}

/// A table whose rows belong to files.
pub trait OfFile {
    /// Returns the files of the rows.
    fn files(&self) -> &RowFiles;
}

/// A table whose rows are numbered within their file.
pub trait Numbered: OfFile {
    /// Returns the number of each row within its file.
    fn ordinals(&self) -> &UInt32Array;
}

impl<'a, T: OfFile> Row<'a, T> {
    /// Returns the path.
    #[must_use]
    pub fn path(&self) -> &'a RelPath {
        &self.file().0
    }

    /// Returns the key of path and content.
    #[must_use]
    pub fn key(&self) -> RowKey {
        self.file().1
    }

    fn file(&self) -> &'a (RelPath, RowKey) {
        // Every row has a file: both come from the same batch.
        static NONE: std::sync::LazyLock<(RelPath, RowKey)> =
            std::sync::LazyLock::new(|| (RelPath::from(""), RowKey::NONE));
        self.table().files().get(self.row).unwrap_or(&NONE)
    }
}

/// Returns the row at an address.
pub fn at<T>(table: &Resident<T>, address: u64) -> Option<Row<'_, T>> {
    let found = table.segments().iter().find_map(|segment| Some(Row { segment, row: segment.row_at(address)? }));
    found.filter(|found| found.segment.is_live(found.row))
}

/// Adjacent rows of one file, deleted rows included.
pub struct Run<'a, T> {
    /// The file.
    pub path: &'a RelPath,
    /// The key of path and content.
    pub key: RowKey,
    /// The fragment.
    pub segment: &'a Segment<T>,
    /// Row numbers in the fragment.
    pub rows: Range<usize>,
}

impl<'a, T> Run<'a, T> {
    /// Iterates over the rows that are not deleted.
    pub fn live(&self) -> impl Iterator<Item = Row<'a, T>> + use<'a, T> {
        let segment = self.segment;
        self.rows.clone().filter(|row| segment.is_live(*row)).map(move |row| Row { segment, row })
    }
}

/// Iterates over all runs of rows.
pub fn runs<T: OfFile>(table: &Resident<T>) -> impl Iterator<Item = Run<'_, T>> {
    table.segments().iter().flat_map(|segment| {
        let runs = segment.value().files().runs();
        runs.map(move |(path, key, rows)| Run { path, key, segment, rows })
    })
}

/// Iterates over all rows that are not deleted.
pub fn all<T>(table: &Resident<T>) -> impl Iterator<Item = Row<'_, T>> {
    table.segments().iter().flat_map(|segment| {
        let rows = 0..segment.len();
        rows.filter(|row| segment.is_live(*row)).map(move |row| Row { segment, row })
    })
}

/// Looks rows up by an order: `order` returns the order of a fragment, and `compare` compares a row
/// with the wanted value.
pub fn find<'a, T: 'a>(
    table: &'a Resident<T>,
    order: impl Fn(&'a T) -> &'a [u32],
    compare: impl Fn(&'a T, usize) -> Ordering,
) -> impl Iterator<Item = Row<'a, T>> {
    table.segments().iter().flat_map(move |segment| {
        let value = segment.value();
        let order = order(value);
        let start = order.partition_point(|row| compare(value, *row as usize).is_lt());
        let rest = order.get(start..).unwrap_or_default();
        let found = rest.partition_point(|row| compare(value, *row as usize).is_eq());
        let found = rest.get(..found).unwrap_or_default().iter().map(|row| *row as usize);
        found.filter(|row| segment.is_live(*row)).map(move |row| Row { segment, row })
    })
}

/// Iterates over the rows of a file.
pub fn of_file<T: OfFile>(table: &Resident<T>, file: RowKey) -> impl Iterator<Item = Row<'_, T>> {
    table.segments().iter().flat_map(move |segment| {
        let rows = segment.value().files().rows_of(file).flatten();
        rows.filter(|row| segment.is_live(*row)).map(move |row| Row { segment, row })
    })
}

/// Returns the rows of a file, in the order of their numbers.
#[must_use]
pub fn numbered_of_file<T: Numbered>(table: &Resident<T>, file: RowKey) -> Vec<Row<'_, T>> {
    let mut rows: Vec<_> = of_file(table, file).collect();
    // They were written in this order, but a file may be split over two fragments.
    rows.sort_by_key(|row| row.table().ordinals().value(row.row));
    rows
}

/// Returns the row of a file with this number.
#[must_use]
pub fn nth_of_file<T: Numbered>(table: &Resident<T>, file: RowKey, ordinal: u32) -> Option<Row<'_, T>> {
    table.segments().iter().find_map(|segment| {
        let ordinals = segment.value().ordinals().values();
        let row = segment.value().files().rows_of(file).find_map(|rows| {
            // A run is in the order of the numbers, but a file may be split over two fragments.
            let found = ordinals.get(rows.clone())?.binary_search(&ordinal).ok()?;
            Some(rows.start + found).filter(|row| segment.is_live(*row))
        });
        row.map(|row| Row { segment, row })
    })
}

/// Sorts the row numbers by a key.
fn order_by<K: Ord>(rows: usize, key: impl Fn(usize) -> K) -> Box<[u32]> {
    let mut order: Vec<u32> = (0..u32::try_from(rows).unwrap_or(u32::MAX)).collect();
    order.sort_by_key(|row| key(*row as usize));
    order.into()
}

/// The columns of a batch, by name.
struct Columns<'a>(&'a RecordBatch);

impl Columns<'_> {
    fn text(&self, name: &str) -> Result<StringArray, SinkError> {
        self.0
            .column_by_name(name)
            .and_then(|column| column.as_string_opt::<i32>())
            .cloned()
            .ok_or_else(|| missing_column(name))
    }

    fn number<T: ArrowPrimitiveType>(&self, name: &str) -> Result<PrimitiveArray<T>, SinkError> {
        let column = self.0.column_by_name(name).and_then(|column| column.as_primitive_opt::<T>());
        column.cloned().ok_or_else(|| missing_column(name))
    }

    fn other<T: Array + Clone + 'static>(&self, name: &str) -> Result<T, SinkError> {
        let column = self.0.column_by_name(name).and_then(|column| column.as_any().downcast_ref::<T>());
        column.cloned().ok_or_else(|| missing_column(name))
    }
}

fn missing_column(column: &str) -> SinkError {
    let cause =
        format!("column `{column}` is missing or has another type; rebuild the index with `gristmill run --full`");
    SinkError { sink: "lance".into(), action: "cannot load a table".into(), message: cause.into() }
}
