//! The resident table `chunks`, without texts and vectors.

use arrow::array::{RecordBatch, StringArray, UInt32Array};
use gristmill_pipeline::{RowKey, SinkError};
use gristmill_sinks::lance::{ChunkLocator, Resident, RowFiles};
use gristmill_sinks::tables::Table;

use super::{Columns, Numbered, OfFile, Row, TableRows, nth_of_file, numbered_of_file};

/// Chunks, looked up by file and ordinal.
pub struct ChunkRows {
    files: RowFiles,
    /// The number of the chunk within its file.
    pub ordinal: UInt32Array,
    /// The language.
    pub language: StringArray,
    /// The kind, such as `function`.
    pub kind: StringArray,
    /// The name of the definition that the chunk contains or belongs to.
    pub symbol: StringArray,
    /// The qualified name of the enclosing definition.
    pub scope: StringArray,
    /// The first line, counted from 1.
    pub start_line: UInt32Array,
    /// The last line.
    pub end_line: UInt32Array,
    /// The first byte in the decoded text of the file, counted from 0.
    pub start_byte: UInt32Array,
}

impl TableRows for ChunkRows {
    const COLUMNS: &'static [&'static str] = &[
        "path",
        "content_hash",
        "ordinal",
        "language",
        "kind",
        "symbol",
        "scope",
        "start_line",
        "end_line",
        "start_byte",
    ];

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
            start_byte: columns.number("start_byte")?,
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

impl Numbered for ChunkRows {
    fn ordinals(&self) -> &UInt32Array {
        &self.ordinal
    }
}

impl ChunkRows {
    /// Returns the chunk with this key.
    #[must_use]
    pub fn named(table: &Resident<Self>, name: ChunkLocator) -> Option<Row<'_, Self>> {
        nth_of_file(table, name.row, name.ordinal)
    }

    /// Returns the chunks of a file, in order.
    #[must_use]
    pub fn of_file(table: &Resident<Self>, file: RowKey) -> Vec<Row<'_, Self>> {
        numbered_of_file(table, file)
    }
}
