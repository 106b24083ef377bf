//! Rows of the `files` table.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, FixedSizeBinaryBuilder, RecordBatch, StringBuilder, UInt32Builder, UInt64Builder,
};
use arrow::datatypes::SchemaRef;
use gristmill_pipeline::{Epoch, Record};

use super::{RowError, Rows, TableSchema};

/// Gathers rows of the `files` table. With `text`, a last column holds the whole text.
pub(crate) struct FileRows {
    schema: SchemaRef,
    path: StringBuilder,
    language: StringBuilder,
    bytes: UInt64Builder,
    lines: UInt32Builder,
    content_hash: FixedSizeBinaryBuilder,
    chunks: UInt32Builder,
    symbols: UInt32Builder,
    quarantined: BooleanBuilder,
    epoch: UInt64Builder,
    text: Option<StringBuilder>,
    rows: usize,
    gathered: usize,
}

impl FileRows {
    pub fn new(schema: &TableSchema) -> Self {
        Self {
            schema: Arc::clone(&schema.arrow),
            path: StringBuilder::new(),
            language: StringBuilder::new(),
            bytes: UInt64Builder::new(),
            lines: UInt32Builder::new(),
            content_hash: FixedSizeBinaryBuilder::new(32),
            chunks: UInt32Builder::new(),
            symbols: UInt32Builder::new(),
            quarantined: BooleanBuilder::new(),
            epoch: UInt64Builder::new(),
            text: schema.arrow.column_with_name("text").map(|_| StringBuilder::new()),
            rows: 0,
            gathered: 0,
        }
    }
}

impl Rows for FileRows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn append(&mut self, record: &Record, epoch: Epoch) -> Result<usize, RowError> {
        let analysis = &*record.analysis;
        self.path.append_value(record.path.as_str());
        self.language.append_value(&analysis.language);
        self.bytes.append_value(analysis.bytes);
        self.lines.append_value(analysis.lines);
        self.content_hash.append_value(analysis.content_hash.as_bytes())?;
        self.chunks.append_value(record.chunks.as_ref().map_or(0, |chunks| count(chunks.chunks.len())));
        self.symbols.append_value(count(analysis.definitions.len()));
        self.quarantined.append_value(analysis.is_quarantined());
        self.epoch.append_value(epoch);
        if let Some(text) = &mut self.text {
            text.append_value(&*analysis.text);
            self.gathered += analysis.text.len();
        }
        self.rows += 1;
        self.gathered += record.path.as_str().len() + 96;
        Ok(1)
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn bytes(&self) -> usize {
        self.gathered
    }

    fn take(&mut self) -> Result<RecordBatch, RowError> {
        (self.rows, self.gathered) = (0, 0);
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.path.finish()),
            Arc::new(self.language.finish()),
            Arc::new(self.bytes.finish()),
            Arc::new(self.lines.finish()),
            Arc::new(self.content_hash.finish()),
            Arc::new(self.chunks.finish()),
            Arc::new(self.symbols.finish()),
            Arc::new(self.quarantined.finish()),
            Arc::new(self.epoch.finish()),
        ];
        if let Some(text) = &mut self.text {
            columns.push(Arc::new(text.finish()));
        }
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

/// A count as stored. Spans are `u32`, so a file has fewer chunks and definitions.
pub(super) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
