//! Rows of the `references` table.

use gristmill_pipeline::port::ReferenceKind;
use gristmill_pipeline::{Epoch, Record};

use super::Rows;

/// Appends a row for each use of a name.
pub(super) fn append(record: &Record, epoch: Epoch, rows: &mut Rows) {
    let analysis = &*record.analysis;
    for (ordinal, reference) in analysis.references.iter().enumerate() {
        rows.row()
            .text(record.path.as_str())
            .text(&analysis.language)
            .text(&reference.name)
            .text(&reference.qualifier)
            .text(reference.kind.as_str())
            .small(reference.line)
            .small(reference.start_byte)
            .small_or_none(reference.within)
            .text(reference.target.as_str())
            .text(&reference.lead.as_ref().map_or_else(String::new, ToString::to_string))
            .count(ordinal)
            .hash(&analysis.content_hash)
            .large(epoch.get());
    }
}

/// The kind of reference of that name.
pub(crate) fn reference_kind(name: &str) -> Option<ReferenceKind> {
    ReferenceKind::ALL.into_iter().find(|kind| kind.as_str() == name)
}
