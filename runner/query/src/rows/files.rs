//! The resident table `files`.

use std::cmp::Ordering;

use arrow::array::{BooleanArray, FixedSizeBinaryArray, RecordBatch, StringArray, UInt32Array, UInt64Array};
use gristmill_pipeline::SinkError;
use gristmill_sinks::lance::{Resident, RowFiles};
use gristmill_sinks::tables::Table;

use super::{Columns, OfFile, Row, TableRows, find, order_by};

/// Files, looked up by path.
pub struct FileRows {
    files: RowFiles,
    /// The language.
    pub language: StringArray,
    /// The size in bytes.
    pub bytes: UInt64Array,
    /// The number of lines.
    pub lines: UInt32Array,
    /// The BLAKE3 hash of the content.
    pub content_hash: FixedSizeBinaryArray,
    /// The number of chunks.
    pub chunks: UInt32Array,
    /// The number of definitions.
    pub symbols: UInt32Array,
    /// Whether the file is quarantined: its content is not indexed.
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
    /// Iterates over the rows of a path. There are several if refs have different contents there.
    pub fn at<'a>(table: &'a Resident<Self>, path: &str) -> impl Iterator<Item = Row<'a, Self>> {
        find(
            table,
            |rows| &rows.by_path,
            move |rows, row| rows.files.get(row).map_or("", |file| file.0.as_str()).cmp(path),
        )
    }

    /// Iterates over the files below a folder, which is not empty and has no slash at its end.
    pub fn below<'a>(table: &'a Resident<Self>, folder: &str) -> impl Iterator<Item = Row<'a, Self>> {
        let prefix = format!("{folder}/");
        find(
            table,
            |rows| &rows.by_path,
            move |rows, row| {
                let path = rows.files.get(row).map_or("", |file| file.0.as_str());
                if path.starts_with(&prefix) { Ordering::Equal } else { path.cmp(&prefix) }
            },
        )
    }
}
