//! The resident table `references`.

use arrow::array::{Array as _, RecordBatch, StringArray, UInt32Array};
use gristmill_pipeline::{RowKey, SinkError};
use gristmill_sinks::lance::{Resident, RowFiles};
use gristmill_sinks::tables::Table;

use super::{Columns, OfFile, Row, TableRows, find, of_file, order_by};

/// References, looked up by name and by file.
pub struct ReferenceRows {
    files: RowFiles,
    /// The name.
    pub name: StringArray,
    /// `call`, `implements` or `mention`.
    pub kind: StringArray,
    /// The line, counted from 1.
    pub line: UInt32Array,
    /// What it is bound to, as a path of names; `local`, or empty if unknown.
    pub target: StringArray,
    within: UInt32Array,
    by_name: Box<[u32]>,
}

impl TableRows for ReferenceRows {
    const COLUMNS: &'static [&'static str] = &["path", "content_hash", "name", "kind", "line", "target", "within"];

    fn table() -> Table {
        Table::References
    }

    fn of(batch: RecordBatch) -> Result<Self, SinkError> {
        let columns = Columns(&batch);
        let files = RowFiles::of(&batch)?;
        let name = columns.text("name")?;
        let by_name = order_by(batch.num_rows(), |row| name.value(row));
        Ok(Self {
            kind: columns.text("kind")?,
            line: columns.number("line")?,
            target: columns.text("target")?,
            within: columns.number("within")?,
            files,
            name,
            by_name,
        })
    }
}

impl OfFile for ReferenceRows {
    fn files(&self) -> &RowFiles {
        &self.files
    }
}

impl ReferenceRows {
    /// Iterates over the references to a name.
    pub fn named<'a>(table: &'a Resident<Self>, name: &'a str) -> impl Iterator<Item = Row<'a, Self>> {
        find(table, |rows| &rows.by_name, move |rows, row| rows.name.value(row).cmp(name))
    }

    /// Iterates over the references in a file.
    pub fn of_file(table: &Resident<Self>, file: RowKey) -> impl Iterator<Item = Row<'_, Self>> {
        of_file(table, file)
    }

    /// Returns the ordinal of the definition that encloses a reference.
    #[must_use]
    pub fn within(&self, row: usize) -> Option<u32> {
        self.within.is_valid(row).then(|| self.within.value(row))
    }
}
