//! The table `chunks` in memory, without texts and vectors.

use arrow::array::{RecordBatch, StringArray, UInt32Array};
use gristmill_pipeline::{Key, SinkError};
use gristmill_sinks::lance::{Resident, RowFiles, RowKey};
use gristmill_sinks::tables::Table;

use super::{Columns, Counted, OfFile, Row, TableRows, counted_of_file, nth_of_file};

/// Chunks, found by their file and their place in it.
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
        Ok(Self {
            language: columns.text("language")?,
            kind: columns.text("kind")?,
            symbol: columns.text("symbol")?,
            scope: columns.text("scope")?,
            start_line: columns.number("start_line")?,
            end_line: columns.number("end_line")?,
            ordinal: columns.number("ordinal")?,
            files,
        })
    }
}

impl OfFile for ChunkRows {
    fn files(&self) -> &RowFiles {
        &self.files
    }
}

impl Counted for ChunkRows {
    fn ordinals(&self) -> &UInt32Array {
        &self.ordinal
    }
}

impl ChunkRows {
    /// The chunk of that name.
    #[must_use]
    pub fn named(table: &Resident<Self>, name: RowKey) -> Option<Row<'_, Self>> {
        nth_of_file(table, name.row, name.ordinal)
    }

    /// The chunks of a file, in order.
    #[must_use]
    pub fn of_file(table: &Resident<Self>, file: Key) -> Vec<Row<'_, Self>> {
        counted_of_file(table, file)
    }
}
