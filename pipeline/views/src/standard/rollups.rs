//! The `rollups` view: sizes of folders, by language.

use std::sync::Arc;

use differential_dataflow::VecCollection;
use differential_dataflow::operators::CountTotal;
use gristmill_plane::{Cell, Difference, FactRow, Tick};

use super::schema;
use crate::table::{ViewColumn, ViewSchema};
use crate::{FactCollections, View};

/// For each folder and language what all files under it come to.
///
/// The sums ride in the differences themselves: a file that changes adds and takes away
/// numbers in the folders above it, and nothing else is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rollups;

/// Files, bytes, lines, chunks, definitions.
type Sizes = (Difference, (Difference, (Difference, (Difference, Difference))));

impl View for Rollups {
    fn schema(&self) -> Arc<ViewSchema> {
        let columns = vec![
            ViewColumn::text("folder", "The folder; empty for the whole source."),
            ViewColumn::text("language", "The language."),
            ViewColumn::number("files", "Files under the folder, at any depth."),
            ViewColumn::number("bytes", "Their bytes."),
            ViewColumn::number("lines", "Their lines."),
            ViewColumn::number("chunks", "Their chunks."),
            ViewColumn::number("symbols", "Their definitions."),
        ];
        schema("rollups", 1, "Sizes of folders, by language.", columns)
    }

    fn build<'scope>(&self, facts: &FactCollections<'scope>) -> VecCollection<'scope, Tick, FactRow, Difference> {
        let outlines = facts.outlines().map(|(place, outline)| (place.path, outline));
        outlines
            .join_map(facts.folders(), |_, outline, folder| (*folder, *outline))
            .explode(|(folder, outline)| {
                let sizes: Sizes = (
                    1,
                    (
                        outline.bytes as Difference,
                        (
                            outline.lines as Difference,
                            (outline.chunks as Difference, outline.definitions as Difference),
                        ),
                    ),
                );
                Some(((folder, outline.language), sizes))
            })
            .count_total()
            .map(|((folder, language), (files, (bytes, (lines, (chunks, symbols)))))| {
                let number = |value: Difference| Cell::Number(value.unsigned_abs() as u64);
                FactRow::new([
                    folder.into(),
                    language.into(),
                    number(files),
                    number(bytes),
                    number(lines),
                    number(chunks),
                    number(symbols),
                ])
            })
    }
}
