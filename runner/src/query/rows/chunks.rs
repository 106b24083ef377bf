//! The table `chunks` in memory, without texts and vectors.

use arrow::array::{RecordBatch, StringArray, UInt32Array};
use gristmill_pipeline::{Key, SinkError};
use gristmill_sinks::lance::{Resident, RowFiles, RowKey};
use gristmill_sinks::tables::Table;

use super::{Columns, OfFile, Row, TableRows, find, order_by};

/// Chunks, found by the key of their file and their ordinal.
pub struct ChunkRows {
    files: RowFiles,
    /// Place among the chunks of the file.
    pub ordinal: UInt32Array,
    /// The language's name.
    pub language: StringArray,
    /// What it holds.
    pub kind: StringArray,
    /// The name of the definition that it holds or belongs to.
    pub symbol: StringArray,
    /// The qualified name of what surrounds it.
    pub scope: StringArray,
    /// Its first line, counted from 1.
    pub start_line: UInt32Array,
    /// Its last line.
    pub end_line: UInt32Array,
    by_key: Box<[u32]>,
}

impl TableRows for ChunkRows {
    const COLUMNS: &'static [&'static str] =
        &["path", "content_hash", "ordinal", "language", "kind", "symbol", "scope", "start_line", "end_line"];

    fn table() -> Table {
        Table::Chunks
    }

    fn of(batch: RecordBatch) -> Result<Self, SinkError> {
        let columns = Columns(&batch);
        let files = RowFiles::of(&batch)?;
        let ordinal: UInt32Array = columns.number("ordinal")?;
        let by_key = order_by(batch.num_rows(), |row| (files.get(row).map(|file| file.1), ordinal.value(row)));
        Ok(Self {
            language: columns.text("language")?,
            kind: columns.text("kind")?,
            symbol: columns.text("symbol")?,
            scope: columns.text("scope")?,
            start_line: columns.number("start_line")?,
            end_line: columns.number("end_line")?,
            files,
            ordinal,
            by_key,
        })
    }
}

impl OfFile for ChunkRows {
    fn files(&self) -> &RowFiles {
        &self.files
    }
}

impl ChunkRows {
    fn name(&self, row: usize) -> (Key, u32) {
        (self.files.get(row).map_or(0, |file| file.1), self.ordinal.value(row))
    }

    /// The chunk of that name.
    #[must_use]
    pub fn named(table: &Resident<Self>, name: RowKey) -> Option<Row<'_, Self>> {
        find(table, |rows| &rows.by_key, move |rows, row| rows.name(row).cmp(&(name.row, name.ordinal))).next()
    }

    /// The chunks of a file, in order.
    #[must_use]
    pub fn of_file(table: &Resident<Self>, file: Key) -> Vec<Row<'_, Self>> {
        let mut found: Vec<_> =
            find(table, |rows| &rows.by_key, move |rows, row| rows.name(row).0.cmp(&file)).collect();
        found.sort_by_key(|chunk| chunk.table().ordinal.value(chunk.row));
        found
    }
}
