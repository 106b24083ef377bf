//! Tables in memory, as questions need them: columns, and what finds rows of them.
//!
//! A fragment's columns stay as they were read. The rows of a file lie together, in a run that
//! is found by the file's key; names and paths are looked up by an order, a permutation of the
//! row numbers. Either is a binary search per fragment and copies nothing.

mod chunks;
mod edges;
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
use gristmill_pipeline::{Key, RelPath, SinkError};
use gristmill_sinks::lance::{Resident, RowFiles, Segment};
use gristmill_sinks::tables::Table;

pub use chunks::ChunkRows;
pub use edges::EdgeRows;
pub use files::FileRows;
pub use imports::ImportRows;
pub use references::ReferenceRows;
pub use symbols::SymbolRows;
pub use texts::{TextRows, Texts};
pub use vectors::{Near, VectorRows, nearest, nearness};

/// The rows of a fragment of a certain table.
pub trait TableRows: Sized + Send + Sync {
    /// The columns that are loaded.
    const COLUMNS: &'static [&'static str];

    /// The table.
    fn table() -> Table;

    /// Makes them of the columns.
    ///
    /// # Errors
    /// If a column is not there or of another type.
    fn of(batch: RecordBatch) -> Result<Self, SinkError>;
}

/// A row of a table in memory.
pub struct Row<'a, T> {
    /// Its fragment.
    pub segment: &'a Segment<T>,
    /// Its place in the fragment.
    pub row: usize,
}

impl<T> Clone for Row<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Row<'_, T> {}

impl<'a, T> Row<'a, T> {
    /// The columns of its fragment.
    #[must_use]
    pub fn table(&self) -> &'a T {
        self.segment.value()
    }

    /// Its address, for `LanceReader::take`.
    #[must_use]
    pub fn address(&self) -> Option<u64> {
        self.segment.address(self.row)
    }
}

/// Rows of a table that belong to a file.
pub trait OfFile {
    /// The files of the rows.
    fn files(&self) -> &RowFiles;
}

/// Rows that are counted within their file.
pub trait Counted: OfFile {
    /// For each row its number within its file.
    fn ordinals(&self) -> &UInt32Array;
}

impl<'a, T: OfFile> Row<'a, T> {
    /// The path.
    #[must_use]
    pub fn path(&self) -> &'a RelPath {
        &self.file().0
    }

    /// The key of path and content.
    #[must_use]
    pub fn key(&self) -> Key {
        self.file().1
    }

    fn file(&self) -> &'a (RelPath, Key) {
        // Every row has a file: both come from the same batch.
        static NONE: std::sync::LazyLock<(RelPath, Key)> = std::sync::LazyLock::new(|| (RelPath::from(""), 0));
        self.table().files().get(self.row).unwrap_or(&NONE)
    }
}

/// The row at an address.
pub fn at<T>(table: &Resident<T>, address: u64) -> Option<Row<'_, T>> {
    let found = table.segments().iter().find_map(|segment| Some(Row { segment, row: segment.row_at(address)? }));
    found.filter(|found| found.segment.is_live(found.row))
}

/// Rows of one file that lie together, those that were deleted since included.
pub struct Run<'a, T> {
    /// The file.
    pub path: &'a RelPath,
    /// The key of path and content.
    pub key: Key,
    /// The fragment.
    pub segment: &'a Segment<T>,
    /// Places in the fragment.
    pub rows: Range<usize>,
}

impl<'a, T> Run<'a, T> {
    /// Those rows that the epoch has.
    pub fn live(&self) -> impl Iterator<Item = Row<'a, T>> + use<'a, T> {
        let segment = self.segment;
        self.rows.clone().filter(|row| segment.is_live(*row)).map(move |row| Row { segment, row })
    }
}

/// All runs of rows.
pub fn runs<T: OfFile>(table: &Resident<T>) -> impl Iterator<Item = Run<'_, T>> {
    table.segments().iter().flat_map(|segment| {
        let runs = segment.value().files().runs();
        runs.map(move |(path, key, rows)| Run { path, key, segment, rows })
    })
}

/// All rows of an epoch.
pub fn all<T>(table: &Resident<T>) -> impl Iterator<Item = Row<'_, T>> {
    table.segments().iter().flat_map(|segment| {
        let rows = 0..segment.len();
        rows.filter(|row| segment.is_live(*row)).map(move |row| Row { segment, row })
    })
}

/// The rows of an epoch that an order finds: `order` says which of a fragment, and
/// `compare` how a row compares with what is wanted.
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

/// The rows of a file.
pub fn of_file<T: OfFile>(table: &Resident<T>, file: Key) -> impl Iterator<Item = Row<'_, T>> {
    table.segments().iter().flat_map(move |segment| {
        let rows = segment.value().files().rows_of(file).flatten();
        rows.filter(|row| segment.is_live(*row)).map(move |row| Row { segment, row })
    })
}

/// The rows of a file, as they are counted.
#[must_use]
pub fn counted_of_file<T: Counted>(table: &Resident<T>, file: Key) -> Vec<Row<'_, T>> {
    let mut rows: Vec<_> = of_file(table, file).collect();
    // They were written in this order, but a file may lie in two fragments.
    rows.sort_by_key(|row| row.table().ordinals().value(row.row));
    rows
}

/// The row of a file that has that number.
#[must_use]
pub fn nth_of_file<T: Counted>(table: &Resident<T>, file: Key, ordinal: u32) -> Option<Row<'_, T>> {
    table.segments().iter().find_map(|segment| {
        let ordinals = segment.value().ordinals().values();
        let row = segment.value().files().rows_of(file).find_map(|rows| {
            // A run is in the order of the numbers, but a file may lie in two fragments.
            let found = ordinals.get(rows.clone())?.binary_search(&ordinal).ok()?;
            Some(rows.start + found).filter(|row| segment.is_live(*row))
        });
        row.map(|row| Row { segment, row })
    })
}

/// The row numbers in the order of what `key` says of them.
fn order_by<K: Ord>(rows: usize, key: impl Fn(usize) -> K) -> Box<[u32]> {
    let mut order: Vec<u32> = (0..u32::try_from(rows).unwrap_or(u32::MAX)).collect();
    order.sort_by_key(|row| key(*row as usize));
    order.into()
}

/// Columns of a batch, by name.
struct Columns<'a>(&'a RecordBatch);

impl Columns<'_> {
    fn text(&self, name: &str) -> Result<StringArray, SinkError> {
        self.0.column_by_name(name).and_then(|column| column.as_string_opt::<i32>()).cloned().ok_or_else(|| lacks(name))
    }

    fn number<T: ArrowPrimitiveType>(&self, name: &str) -> Result<PrimitiveArray<T>, SinkError> {
        let column = self.0.column_by_name(name).and_then(|column| column.as_primitive_opt::<T>());
        column.cloned().ok_or_else(|| lacks(name))
    }

    fn other<T: Array + Clone + 'static>(&self, name: &str) -> Result<T, SinkError> {
        let column = self.0.column_by_name(name).and_then(|column| column.as_any().downcast_ref::<T>());
        column.cloned().ok_or_else(|| lacks(name))
    }
}

fn lacks(column: &str) -> SinkError {
    let cause = format!("it has no column `{column}` of the type that this version reads; run `gristmill run --full`");
    SinkError { sink: "lance".into(), action: "cannot load a table".into(), message: cause.into() }
}
