//! Rows of the `diagnostics` table.

use std::sync::Arc;

use arrow::array::{FixedSizeBinaryBuilder, RecordBatch, StringBuilder, UInt32Builder, UInt64Builder};
use arrow::datatypes::SchemaRef;
use gristmill_pipeline::{Epoch, Record, Severity};

use super::{RowError, Rows, TableSchema};

/// Gathers rows of the `diagnostics` table.
pub(crate) struct DiagnosticRows {
    schema: SchemaRef,
    path: StringBuilder,
    severity: StringBuilder,
    stage: StringBuilder,
    code: StringBuilder,
    line: UInt32Builder,
    message: StringBuilder,
    content_hash: FixedSizeBinaryBuilder,
    epoch: UInt64Builder,
    rows: usize,
    gathered: usize,
}

impl DiagnosticRows {
    pub fn new(schema: &TableSchema) -> Self {
        Self {
            schema: Arc::clone(&schema.arrow),
            path: StringBuilder::new(),
            severity: StringBuilder::new(),
            stage: StringBuilder::new(),
            code: StringBuilder::new(),
            line: UInt32Builder::new(),
            message: StringBuilder::new(),
            content_hash: FixedSizeBinaryBuilder::new(32),
            epoch: UInt64Builder::new(),
            rows: 0,
            gathered: 0,
        }
    }
}

impl Rows for DiagnosticRows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn append(&mut self, record: &Record, epoch: Epoch) -> Result<usize, RowError> {
        let diagnostics = &record.analysis.diagnostics;
        for diagnostic in diagnostics {
            self.path.append_value(record.path.as_str());
            self.severity.append_value(diagnostic.severity.as_str());
            self.stage.append_value(&diagnostic.stage);
            self.code.append_value(&diagnostic.code);
            self.line.append_value(diagnostic.line);
            self.message.append_value(&diagnostic.message);
            self.content_hash.append_value(record.analysis.content_hash.as_bytes())?;
            self.epoch.append_value(epoch);
            self.gathered += record.path.as_str().len() + diagnostic.message.len() + 96;
        }
        self.rows += diagnostics.len();
        Ok(diagnostics.len())
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
                Arc::new(self.severity.finish()),
                Arc::new(self.stage.finish()),
                Arc::new(self.code.finish()),
                Arc::new(self.line.finish()),
                Arc::new(self.message.finish()),
                Arc::new(self.content_hash.finish()),
                Arc::new(self.epoch.finish()),
            ],
        )?)
    }
}

/// The severity of that name.
pub(crate) fn severity(name: &str) -> Option<Severity> {
    [Severity::Note, Severity::Warning, Severity::Error].into_iter().find(|severity| severity.as_str() == name)
}
