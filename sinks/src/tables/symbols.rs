//! Rows of the `symbols` table.

use std::sync::Arc;

use arrow::array::{FixedSizeBinaryBuilder, RecordBatch, StringBuilder, UInt32Builder, UInt64Builder};
use arrow::datatypes::SchemaRef;
use gristmill_pipeline::{Epoch, Record};

use super::files::count;
use super::{RowError, Rows, TableSchema};

/// Gathers rows of the `symbols` table.
pub(crate) struct SymbolRows {
    schema: SchemaRef,
    path: StringBuilder,
    language: StringBuilder,
    name: StringBuilder,
    qualified_name: StringBuilder,
    kind: StringBuilder,
    signature: StringBuilder,
    doc: StringBuilder,
    start_line: UInt32Builder,
    end_line: UInt32Builder,
    start_byte: UInt32Builder,
    end_byte: UInt32Builder,
    extent_start: UInt32Builder,
    parent: UInt32Builder,
    ordinal: UInt32Builder,
    content_hash: FixedSizeBinaryBuilder,
    epoch: UInt64Builder,
    rows: usize,
    gathered: usize,
}

impl SymbolRows {
    pub fn new(schema: &TableSchema) -> Self {
        Self {
            schema: Arc::clone(&schema.arrow),
            path: StringBuilder::new(),
            language: StringBuilder::new(),
            name: StringBuilder::new(),
            qualified_name: StringBuilder::new(),
            kind: StringBuilder::new(),
            signature: StringBuilder::new(),
            doc: StringBuilder::new(),
            start_line: UInt32Builder::new(),
            end_line: UInt32Builder::new(),
            start_byte: UInt32Builder::new(),
            end_byte: UInt32Builder::new(),
            extent_start: UInt32Builder::new(),
            parent: UInt32Builder::new(),
            ordinal: UInt32Builder::new(),
            content_hash: FixedSizeBinaryBuilder::new(32),
            epoch: UInt64Builder::new(),
            rows: 0,
            gathered: 0,
        }
    }
}

impl Rows for SymbolRows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn append(&mut self, record: &Record, epoch: Epoch) -> Result<usize, RowError> {
        let analysis = &*record.analysis;
        for (ordinal, definition) in analysis.definitions.iter().enumerate() {
            self.path.append_value(record.path.as_str());
            self.language.append_value(&analysis.language);
            self.name.append_value(&definition.name);
            self.qualified_name.append_value(&definition.qualified_name);
            self.kind.append_value(definition.kind.as_str());
            self.signature.append_value(&definition.signature);
            self.doc.append_value(&definition.doc);
            self.start_line.append_value(definition.span.start_line);
            self.end_line.append_value(definition.span.end_line);
            self.start_byte.append_value(definition.span.start_byte);
            self.end_byte.append_value(definition.span.end_byte);
            self.extent_start.append_value(definition.extent_start);
            self.parent.append_option(definition.parent);
            self.ordinal.append_value(count(ordinal));
            self.content_hash.append_value(analysis.content_hash.as_bytes())?;
            self.epoch.append_value(epoch);
            self.gathered += record.path.as_str().len() + definition.signature.len() + definition.doc.len() + 128;
        }
        self.rows += analysis.definitions.len();
        Ok(analysis.definitions.len())
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn bytes(&self) -> usize {
        self.gathered
    }

    fn take(&mut self) -> Result<RecordBatch, RowError> {
        (self.rows, self.gathered) = (0, 0);
        Ok(RecordBatch::try_new(
            Arc::clone(&self.schema),
            vec![
                Arc::new(self.path.finish()),
                Arc::new(self.language.finish()),
                Arc::new(self.name.finish()),
                Arc::new(self.qualified_name.finish()),
                Arc::new(self.kind.finish()),
                Arc::new(self.signature.finish()),
                Arc::new(self.doc.finish()),
                Arc::new(self.start_line.finish()),
                Arc::new(self.end_line.finish()),
                Arc::new(self.start_byte.finish()),
                Arc::new(self.end_byte.finish()),
                Arc::new(self.extent_start.finish()),
                Arc::new(self.parent.finish()),
                Arc::new(self.ordinal.finish()),
                Arc::new(self.content_hash.finish()),
                Arc::new(self.epoch.finish()),
            ],
        )?)
    }
}
