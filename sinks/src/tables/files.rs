//! Rows of the `files` table.

use gristmill_pipeline::{Epoch, Record};

use super::Rows;

/// Appends the row of a file. A table with a column after `epoch` gets the whole text.
pub(super) fn append(record: &Record, epoch: Epoch, rows: &mut Rows) {
    let analysis = &*record.analysis;
    let row = rows
        .row()
        .text(record.path.as_str())
        .text(&analysis.language)
        .large(analysis.bytes)
        .small(analysis.lines)
        .hash(&analysis.content_hash)
        .count(record.chunks.as_ref().map_or(0, |chunks| chunks.chunks.len()))
        .count(analysis.definitions.len())
        .flag(analysis.is_quarantined())
        .large(epoch);
    if row.has_more() {
        row.text(&analysis.text);
    }
}
