//! The resident table `symbols`, without doc comments.

use arrow::array::{Array as _, RecordBatch, StringArray, UInt32Array};
use gristmill_pipeline::{RowKey, SinkError};
use gristmill_sinks::lance::{Resident, RowFiles};
use gristmill_sinks::tables::Table;

use super::{Columns, Numbered, OfFile, Row, TableRows, find, nth_of_file, numbered_of_file, order_by};

/// Definitions, looked up by name and by file.
pub struct SymbolRows {
    files: RowFiles,
    /// The number of the definition within its file.
    pub ordinal: UInt32Array,
    /// The language.
    pub language: StringArray,
    /// The unqualified name.
    pub name: StringArray,
    /// The name with the names of the enclosing definitions.
    pub qualified_name: StringArray,
    /// The kind, such as `function`.
    pub kind: StringArray,
    /// The signature on one line.
    pub signature: StringArray,
    /// The first line, counted from 1.
    pub start_line: UInt32Array,
    /// The last line.
    pub end_line: UInt32Array,
    /// The path of names that leads to it from its file.
    pub key: StringArray,
    parent: UInt32Array,
    by_name: Box<[u32]>,
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
        "key",
        "parent",
    ];

    fn table() -> Table {
        Table::Symbols
    }

    fn of(batch: RecordBatch) -> Result<Self, SinkError> {
        let columns = Columns(&batch);
        let files = RowFiles::of(&batch)?;
        let name = columns.text("name")?;
        let by_name = order_by(batch.num_rows(), |row| name.value(row));
        Ok(Self {
            language: columns.text("language")?,
            qualified_name: columns.text("qualified_name")?,
            kind: columns.text("kind")?,
            signature: columns.text("signature")?,
            start_line: columns.number("start_line")?,
            end_line: columns.number("end_line")?,
            key: columns.text("key")?,
            parent: columns.number("parent")?,
            ordinal: columns.number("ordinal")?,
            files,
            name,
            by_name,
        })
    }
}

impl OfFile for SymbolRows {
    fn files(&self) -> &RowFiles {
        &self.files
    }
}

impl Numbered for SymbolRows {
    fn ordinals(&self) -> &UInt32Array {
        &self.ordinal
    }
}

impl SymbolRows {
    /// Iterates over the definitions with this unqualified name.
    pub fn named<'a, 'n>(
        table: &'a Resident<Self>,
        name: &'n str,
    ) -> impl Iterator<Item = Row<'a, Self>> + use<'a, 'n> {
        find(table, |rows| &rows.by_name, move |rows, row| rows.name.value(row).cmp(name))
    }

    /// Returns the definitions of a file, in order.
    #[must_use]
    pub fn of_file(table: &Resident<Self>, file: RowKey) -> Vec<Row<'_, Self>> {
        numbered_of_file(table, file)
    }

    /// Returns the ordinal of the enclosing definition.
    #[must_use]
    pub fn parent(&self, row: usize) -> Option<u32> {
        self.parent.is_valid(row).then(|| self.parent.value(row))
    }

    /// Returns the definition of a file with this ordinal.
    #[must_use]
    pub fn nth_of(table: &Resident<Self>, file: RowKey, ordinal: u32) -> Option<Row<'_, Self>> {
        nth_of_file(table, file, ordinal)
    }
}
