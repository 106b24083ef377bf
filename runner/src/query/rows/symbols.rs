//! The table `symbols` in memory, without doc comments.

use arrow::array::{Array as _, RecordBatch, StringArray, UInt32Array};
use gristmill_pipeline::{Key, SinkError};
use gristmill_sinks::lance::{Resident, RowFiles};
use gristmill_sinks::tables::Table;

use super::{Columns, OfFile, Row, TableRows, find, order_by};

/// Definitions, found by name and by file.
pub struct SymbolRows {
    files: RowFiles,
    /// Place among the definitions of the file.
    pub ordinal: UInt32Array,
    /// The language's name.
    pub language: StringArray,
    /// The name as written.
    pub name: StringArray,
    /// The name with those of the definitions that contain it.
    pub qualified_name: StringArray,
    /// What it is.
    pub kind: StringArray,
    /// Its head on one line.
    pub signature: StringArray,
    /// Its first line, counted from 1.
    pub start_line: UInt32Array,
    /// Its last line.
    pub end_line: UInt32Array,
    parent: UInt32Array,
    by_name: Box<[u32]>,
    by_key: Box<[u32]>,
}

impl TableRows for SymbolRows {
    const COLUMNS: &'static [&'static str] = &[
        "path",
        "content_hash",
        "ordinal",
        "language",
        "name",
        "qualified_name",
        "kind",
        "signature",
        "start_line",
        "end_line",
        "parent",
    ];

    fn table() -> Table {
        Table::Symbols
    }

    fn of(batch: RecordBatch) -> Result<Self, SinkError> {
        let columns = Columns(&batch);
        let files = RowFiles::of(&batch)?;
        let ordinal: UInt32Array = columns.number("ordinal")?;
        let name = columns.text("name")?;
        let by_name = order_by(batch.num_rows(), |row| name.value(row));
        let by_key = order_by(batch.num_rows(), |row| (files.get(row).map(|file| file.1), ordinal.value(row)));
        Ok(Self {
            language: columns.text("language")?,
            qualified_name: columns.text("qualified_name")?,
            kind: columns.text("kind")?,
            signature: columns.text("signature")?,
            start_line: columns.number("start_line")?,
            end_line: columns.number("end_line")?,
            parent: columns.number("parent")?,
            files,
            ordinal,
            name,
            by_name,
            by_key,
        })
    }
}

impl OfFile for SymbolRows {
    fn files(&self) -> &RowFiles {
        &self.files
    }
}

impl SymbolRows {
    /// The definitions of a name, as written and without what contains them.
    pub fn named<'a>(table: &'a Resident<Self>, name: &'a str) -> impl Iterator<Item = Row<'a, Self>> {
        find(table, |rows| &rows.by_name, move |rows, row| rows.name.value(row).cmp(name))
    }

    /// The definitions of a file, in order.
    #[must_use]
    pub fn of_file(table: &Resident<Self>, file: Key) -> Vec<Row<'_, Self>> {
        let key = |rows: &Self, row: usize| rows.files.get(row).map_or(0, |file| file.1);
        let mut found: Vec<_> = find(table, |rows| &rows.by_key, move |rows, row| key(rows, row).cmp(&file)).collect();
        found.sort_by_key(|symbol| symbol.table().ordinal.value(symbol.row));
        found
    }

    /// The ordinal of the definition that contains one.
    #[must_use]
    pub fn parent(&self, row: usize) -> Option<u32> {
        self.parent.is_valid(row).then(|| self.parent.value(row))
    }

    /// The definition of a file with that ordinal.
    #[must_use]
    pub fn nth_of(table: &Resident<Self>, file: Key, ordinal: u32) -> Option<Row<'_, Self>> {
        let name = |rows: &Self, row: usize| (rows.files.get(row).map_or(0, |file| file.1), rows.ordinal.value(row));
        find(table, |rows| &rows.by_key, move |rows, row| name(rows, row).cmp(&(file, ordinal))).next()
    }
}
