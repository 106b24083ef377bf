//! Rows of the `imports` table.

use gristmill_pipeline::{Epoch, Record};

use super::Rows;

/// Appends a row for each import.
pub(super) fn append(record: &Record, epoch: Epoch, rows: &mut Rows) {
    let analysis = &*record.analysis;
    for (ordinal, import) in analysis.imports.iter().enumerate() {
        rows.row()
            .text(record.path.as_str())
            .text(&analysis.language)
            .text(&import.module)
            .text(&import.name)
            .text(&import.alias)
            .small(import.line)
            .count(ordinal)
            .hash(&analysis.content_hash)
            .large(epoch.get());
    }
}
