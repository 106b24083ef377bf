//! What may be an answer, by words and by vectors.

use std::collections::{HashMap, HashSet};

use gristmill_pipeline::Key;
use gristmill_sinks::TantivyReader;
use gristmill_sinks::lance::RowKey;
use gristmill_sinks::tantivy::SearchOptions;

use super::filter::Filter;
use super::rank::{ChunkKey, Scores};
use super::{Hit, Query};
use crate::query::{At, ChunkRows, ToolError, Visible, all, nearest, nearness, row_at};

/// Finds the chunks that match the words of the query best.
pub(super) fn by_text(
    words: &TantivyReader,
    query: &Query<'_>,
    visible: &Visible,
    candidates: usize,
    found: &mut HashMap<ChunkKey, Scores>,
) -> Result<(), ToolError> {
    let options = SearchOptions {
        limit: candidates,
        paths: query.paths.to_vec(),
        languages: query.languages.to_vec(),
        kinds: query.kinds.to_vec(),
        ..SearchOptions::default()
    };
    for hit in words.search_among(visible.keys(), query.text, &options)? {
        let key = ChunkKey { path: hit.path.clone(), row: RowKey { row: hit.row, ordinal: hit.ordinal } };
        let scores = found.entry(key).or_default();
        scores.text = Some(hit.score);
        scores.hit = Some(Hit {
            path: hit.path,
            start_line: hit.start_line,
            end_line: hit.end_line,
            score: hit.score,
            language: hit.language.into(),
            kind: hit.kind.into(),
            symbol: hit.symbol.into(),
            scope: hit.scope.into(),
            snippet: None,
            text: None,
            text_score: Some(hit.score),
            vector_score: None,
            signals: None,
        });
    }
    Ok(())
}

/// Finds the chunks whose vectors are nearest to the query's: by the index of a table that
/// is large enough to have one, and by all vectors otherwise, which is exact.
pub(super) fn by_vector(
    at: &At<'_>,
    vector: &[f32],
    filter: &Filter<'_>,
    candidates: usize,
    found: &mut HashMap<ChunkKey, Scores>,
) -> Result<(), ToolError> {
    let tables = at.epoch.tables()?;
    let mut scored: Vec<(ChunkKey, f32)> = Vec::new();
    // Of kinds nothing is known before a chunk is looked at, so more are looked at.
    let wanted = if filter.has_kinds() { candidates.saturating_mul(10) } else { candidates };
    if tables.reader.has_vector_index() {
        let allowed = filter.narrows_files().then(|| allowed_files(at, filter)).transpose()?;
        let near = tables.reader.nearest(vector, wanted, allowed.as_ref())?;
        scored.extend(near.into_iter().map(|near| (ChunkKey { path: near.path, row: near.row }, near.score)));
    } else {
        let (vectors, metric) = (tables.vectors()?, tables.reader.metric());
        let allows = |path: &str, key: Key, language: &str| filter.allows_file(path, key, language);
        for (near, score) in nearest(vectors, metric, vector, wanted, allows, at.call)? {
            let key = ChunkKey { path: near.path().clone(), row: near.table().name(near.row) };
            scored.push((key, score));
        }
        // What words found has a place by meaning too, near or far.
        let chunks = tables.chunks()?;
        for key in found.keys() {
            let address = ChunkRows::named(chunks, key.row).and_then(|chunk| chunk.address());
            if let Some(row) = address.and_then(|address| row_at(vectors, address)) {
                scored.push((key.clone(), nearness(row, metric, vector)));
            }
        }
    }
    if filter.has_kinds() {
        let chunks = tables.chunks()?;
        let is_allowed = |key: &ChunkKey| {
            ChunkRows::named(chunks, key.row)
                .is_some_and(|chunk| filter.allows_kind(chunk.table().kind.value(chunk.row)))
        };
        scored.retain(|(key, _)| is_allowed(key));
    }
    for (key, score) in scored.into_iter().filter(|(_, score)| *score > 0.0) {
        found.entry(key).or_default().vector = Some(score);
    }
    Ok(())
}

/// The keys of the files that the filter lets through.
fn allowed_files(at: &At<'_>, filter: &Filter<'_>) -> Result<HashSet<Key>, ToolError> {
    let files = all(at.epoch.tables()?.files()?);
    let allowed = files
        .filter(|file| filter.allows_file(file.path().as_str(), file.key(), file.table().language.value(file.row)));
    Ok(allowed.map(|file| file.key()).collect())
}
