//! The resident table `imports`.

use arrow::array::{RecordBatch, StringArray, UInt32Array};
use gristmill_pipeline::{RowKey, SinkError};
use gristmill_sinks::lance::{Resident, RowFiles};
use gristmill_sinks::tables::Table;

use super::{Columns, OfFile, Row, TableRows, of_file};

/// Imports, looked up by file.
pub struct ImportRows {
    files: RowFiles,
    /// The module, as written.
    pub module: StringArray,
    /// The imported name.
    pub name: StringArray,
    /// The line, counted from 1.
    pub line: UInt32Array,
}

impl TableRows for ImportRows {
    const COLUMNS: &'static [&'static str] = &["path", "content_hash", "module", "name", "line"];

    fn table() -> Table {
        Table::Imports
    }

    fn of(batch: RecordBatch) -> Result<Self, SinkError> {
        let columns = Columns(&batch);
        let files = RowFiles::of(&batch)?;
        let (module, name) = (columns.text("module")?, columns.text("name")?);
        Ok(Self { module, name, line: columns.number("line")?, files })
    }
}

impl OfFile for ImportRows {
    fn files(&self) -> &RowFiles {
        &self.files
    }
}

impl ImportRows {
    /// Iterates over the imports of a file.
    pub fn of_file(table: &Resident<Self>, file: RowKey) -> impl Iterator<Item = Row<'_, Self>> {
        of_file(table, file)
    }
}
