//! Rows of the `diagnostics` table.

use gristmill_pipeline::{Epoch, Record, Severity};

use super::Rows;

/// Appends a row for each finding.
pub(super) fn append(record: &Record, epoch: Epoch, rows: &mut Rows) {
    for diagnostic in &record.analysis.diagnostics {
        rows.row()
            .text(record.path.as_str())
            .text(diagnostic.severity.as_str())
            .text(&diagnostic.stage)
            .text(&diagnostic.code)
            .small(diagnostic.line)
            .text(&diagnostic.message)
            .hash(&record.analysis.content_hash)
            .large(epoch.get());
    }
}

/// The severity of that name.
pub(crate) fn severity(name: &str) -> Option<Severity> {
    [Severity::Note, Severity::Warning, Severity::Error].into_iter().find(|severity| severity.as_str() == name)
}
