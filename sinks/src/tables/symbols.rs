//! Rows of the `symbols` table.

use gristmill_pipeline::{Epoch, Record};

use super::Rows;

/// Appends a row for each definition.
pub(super) fn append(record: &Record, epoch: Epoch, rows: &mut Rows) {
    let analysis = &*record.analysis;
    for (ordinal, definition) in analysis.definitions.iter().enumerate() {
        rows.row()
            .text(record.path.as_str())
            .text(&analysis.language)
            .text(&definition.name)
            .text(&definition.qualified_name)
            .text(definition.kind.as_str())
            .text(&definition.signature)
            .text(&definition.doc)
            .small(definition.span.start_line)
            .small(definition.span.end_line)
            .small(definition.span.start_byte)
            .small(definition.span.end_byte)
            .small(definition.extent_start)
            .small_or_none(definition.parent)
            .text(definition.key.as_str())
            .count(ordinal)
            .hash(&analysis.content_hash)
            .large(epoch.get());
    }
}
