//! Merging the parts of a row that different stores have.

use std::sync::Arc;

use gristmill_ids::ChunkLaneId;

use crate::port::{Chunk, Text};
use crate::sink::{Analysis, Record, RecordChunks};

/// A row as one store has it.
pub(in crate::run) struct StorePart {
    pub(super) record: Record,
    /// Whether the store has definitions, references and imports.
    pub(super) has_syntax: bool,
    /// The chunk lane that the store has.
    pub(super) chunk_lane: Option<ChunkLaneId>,
}

/// A row merged from all stores.
#[derive(Clone)]
pub(in crate::run) struct StoredRow {
    pub(in crate::run) analysis: Arc<Analysis>,
    /// The chunks of each chunk lane.
    chunks: Vec<(ChunkLaneId, RecordChunks)>,
}

impl StoredRow {
    /// Merges the parts; `None` if there are none.
    pub(super) fn of(parts: Vec<StorePart>) -> Option<Self> {
        // Other stores have no definitions, references and imports even if the file has some.
        let whole = parts.iter().find(|part| part.has_syntax).or(parts.first())?;
        let mut analysis = Arc::clone(&whole.record.analysis);
        let text = text_of(&parts);
        if text.as_deref().is_some_and(|text| *text != *analysis.text) {
            let whole = Analysis { text: text.unwrap_or_else(|| Text::new("")), ..Analysis::clone(&analysis) };
            analysis = Arc::new(whole);
        }
        let mut chunks: Vec<(ChunkLaneId, RecordChunks)> = Vec::new();
        for StorePart { record, chunk_lane, .. } in parts {
            if let (Some(lane), Some(of_lane)) = (chunk_lane, record.chunks)
                && chunks.iter().all(|(known, _)| *known != lane)
            {
                chunks.push((lane, of_lane));
            }
        }
        Some(Self { analysis, chunks })
    }

    /// The chunks of a lane.
    pub(in crate::run) fn chunks(&self, lane: ChunkLaneId) -> Option<&RecordChunks> {
        self.chunks.iter().find(|(known, _)| *known == lane).map(|(_, chunks)| chunks)
    }
}

/// The text that covers the chunks of all stores. A store returns only the text of its own
/// chunks, which has gaps if an operator dropped some.
fn text_of(parts: &[StorePart]) -> Option<Text> {
    let with_chunks =
        || parts.iter().filter_map(|part| Some((&part.record.analysis.text, part.record.chunks.as_ref()?)));
    let (first, _) = with_chunks().next()?;
    if with_chunks().all(|(text, _)| **text == **first) {
        return Some(first.clone());
    }
    let text = |text: &'_ Text, chunk: &Chunk| text.slice(chunk.span.bytes()).map(|part| (chunk.span.start_byte, part));
    let chunks =
        with_chunks().flat_map(|(whole, chunks)| chunks.chunks.iter().filter_map(move |chunk| text(whole, chunk)));
    let chunks: Vec<(u32, Text)> = chunks.collect();
    Some(Text::from_parts(chunks.iter().map(|(start, part)| (*start as usize, &**part))))
}
