//! The table `imports` in memory.

use arrow::array::{RecordBatch, StringArray, UInt32Array};
use gristmill_pipeline::{Key, SinkError};
use gristmill_sinks::lance::{Resident, RowFiles};
use gristmill_sinks::tables::Table;

use super::{Columns, OfFile, Row, TableRows, find, order_by};

/// Imports, found by file.
pub struct ImportRows {
    files: RowFiles,
    /// What is named, as written.
    pub module: StringArray,
    /// What is taken from it.
    pub name: StringArray,
    /// Its line, counted from 1.
    pub line: UInt32Array,
    by_file: Box<[u32]>,
}

impl TableRows for ImportRows {
    const COLUMNS: &'static [&'static str] = &["path", "content_hash", "module", "name", "line"];

    fn table() -> Table {
        Table::Imports
    }

    fn of(batch: RecordBatch) -> Result<Self, SinkError> {
        let columns = Columns(&batch);
        let files = RowFiles::of(&batch)?;
        let by_file = order_by(batch.num_rows(), |row| files.get(row).map(|file| file.1));
        let (module, name) = (columns.text("module")?, columns.text("name")?);
        Ok(Self { module, name, line: columns.number("line")?, files, by_file })
    }
}

impl OfFile for ImportRows {
    fn files(&self) -> &RowFiles {
        &self.files
    }
}

impl ImportRows {
    /// The imports of a file.
    pub fn of_file(table: &Resident<Self>, file: Key) -> impl Iterator<Item = Row<'_, Self>> {
        let key = |rows: &Self, row: usize| rows.files.get(row).map_or(0, |file| file.1);
        find(table, |rows| &rows.by_file, move |rows, row| key(rows, row).cmp(&file))
    }
}
