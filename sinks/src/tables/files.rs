//! Rows of the `files` table.

use gristmill_pipeline::{Epoch, Record};

use super::{RowError, Rows, TableSchema, extras};

/// Appends the row of a file.
pub(super) fn append(record: &Record, epoch: Epoch, schema: &TableSchema, rows: &mut Rows) -> Result<(), RowError> {
    let analysis = &*record.analysis;
    // Checked first, so that an error leaves no column longer than another.
    extras::check(&schema.extras, &analysis.extras, record.path.as_str())?;
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
        .large(epoch.get());
    let row = if schema.has_text { row.text(&analysis.text) } else { row };
    extras::append(&schema.extras, &analysis.extras, row);
    Ok(())
}
