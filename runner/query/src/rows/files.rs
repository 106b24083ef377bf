//! The table `files` in memory.

use arrow::array::{BooleanArray, FixedSizeBinaryArray, RecordBatch, StringArray, UInt32Array, UInt64Array};
use gristmill_pipeline::SinkError;
use gristmill_sinks::lance::{Resident, RowFiles};
use gristmill_sinks::tables::Table;

use super::{Columns, OfFile, Row, TableRows, find, order_by};

/// Files, found by path.
pub struct FileRows {
    files: RowFiles,
    /// The language's name.
    pub language: StringArray,
    /// Size in bytes.
    pub bytes: UInt64Array,
    /// Lines.
    pub lines: UInt32Array,
    /// BLAKE3 of the content.
    pub content_hash: FixedSizeBinaryArray,
    /// How many chunks it has.
    pub chunks: UInt32Array,
    /// How many definitions it has.
    pub symbols: UInt32Array,
    /// Whether nothing of its content is indexed.
    pub quarantined: BooleanArray,
    by_path: Box<[u32]>,
}

impl TableRows for FileRows {
    const COLUMNS: &'static [&'static str] =
        &["path", "content_hash", "language", "bytes", "lines", "chunks", "symbols", "quarantined"];

    fn table() -> Table {
        Table::Files
    }

    fn of(batch: RecordBatch) -> Result<Self, SinkError> {
        let columns = Columns(&batch);
        let files = RowFiles::of(&batch)?;
        let by_path = order_by(batch.num_rows(), |row| files.get(row).map(|file| &file.0));
        Ok(Self {
            language: columns.text("language")?,
            bytes: columns.number("bytes")?,
            lines: columns.number("lines")?,
            content_hash: columns.other("content_hash")?,
            chunks: columns.number("chunks")?,
            symbols: columns.number("symbols")?,
            quarantined: columns.other("quarantined")?,
            files,
            by_path,
        })
    }
}

impl OfFile for FileRows {
    fn files(&self) -> &RowFiles {
        &self.files
    }
}

impl FileRows {
    /// The rows of a path: several where several refs hold other contents there.
    pub fn at<'a>(table: &'a Resident<Self>, path: &str) -> impl Iterator<Item = Row<'a, Self>> {
        find(
            table,
            |rows| &rows.by_path,
            move |rows, row| rows.files.get(row).map_or("", |file| file.0.as_str()).cmp(path),
        )
    }
}
