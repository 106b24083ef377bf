//! What may be an answer, by words and by vectors.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use gristmill_pipeline::{Epoch, Key, RelPath};
use gristmill_sinks::lance::{ChunkVectors, Nearness, RowKey};
use gristmill_sinks::tantivy::SearchOptions;
use gristmill_sinks::{LanceReader, TantivyReader};

use super::rank::{ChunkKey, Scores};
use super::{Hit, Query, SearchError};

/// Finds the chunks that match the words of the query best.
pub(super) fn by_text(
    words: &TantivyReader,
    epoch: Epoch,
    query: &Query<'_>,
    visible: Option<&Arc<HashSet<Key>>>,
    candidates: usize,
    found: &mut HashMap<ChunkKey, Scores>,
) -> Result<(), SearchError> {
    let options = SearchOptions {
        limit: candidates,
        paths: query.paths.to_vec(),
        languages: query.languages.to_vec(),
        ..SearchOptions::default()
    };
    for hit in words.search_among(visible, query.text, &options)? {
        let key = ChunkKey { path: hit.path.clone(), row: RowKey { row: hit.row, ordinal: hit.ordinal } };
        let scores = found.entry(key).or_default();
        scores.text = Some(hit.score);
        scores.hit = Some(Hit {
            path: hit.path,
            start_line: hit.start_line,
            end_line: hit.end_line,
            score: hit.score,
            epoch,
            language: hit.language.into(),
            kind: hit.kind.into(),
            symbol: hit.symbol.into(),
            scope: hit.scope.into(),
            text: None,
            text_score: Some(hit.score),
            vector_score: None,
        });
    }
    Ok(())
}

/// Finds the chunks whose vectors are nearest to the query's: by the index of a table that
/// is large enough to have one, and by all vectors otherwise, which is exact.
pub(super) fn by_vector(
    reader: &LanceReader,
    vectors: &OnceLock<ChunkVectors>,
    wanted: &[f32],
    query: &Query<'_>,
    visible: Option<&HashSet<Key>>,
    candidates: usize,
    found: &mut HashMap<ChunkKey, Scores>,
) -> Result<(), SearchError> {
    let allowed = allowed_rows(reader, visible, query)?;
    let near = if reader.has_vector_index() {
        let near = reader.nearest(wanted, candidates, allowed.as_deref())?;
        near.into_iter().map(|near| (ChunkKey { path: near.path, row: near.row }, near.score)).collect()
    } else {
        let vectors = match vectors.get() {
            Some(vectors) => vectors,
            None => {
                let loaded = reader.vectors()?;
                vectors.get_or_init(|| loaded)
            }
        };
        let by_words: HashSet<RowKey> = found.keys().map(|key| key.row).collect();
        nearest_of(vectors, reader.metric().to(wanted), allowed.as_deref(), candidates, &by_words)
    };
    for (key, score) in near.into_iter().filter(|(_, score)| *score > 0.0) {
        found.entry(key).or_default().vector = Some(score);
    }
    Ok(())
}

/// Compares with every vector, which is faster than an index up to some hundred thousand.
/// What words found has a place by meaning too, near or far.
fn nearest_of(
    vectors: &ChunkVectors,
    to: Nearness<'_>,
    allowed: Option<&HashSet<Key>>,
    candidates: usize,
    by_words: &HashSet<RowKey>,
) -> Vec<(ChunkKey, f32)> {
    let is_allowed = |(_, row): &(RelPath, Key)| allowed.is_none_or(|allowed| allowed.contains(row));
    let allowed: Vec<bool> = vectors.files.iter().map(is_allowed).collect();
    let mut scored: Vec<(f32, usize)> = vectors
        .values
        .chunks_exact(vectors.dimension.max(1))
        .enumerate()
        .filter(|(row, _)| vectors.file.get(*row).is_some_and(|file| allowed.get(*file as usize) == Some(&true)))
        .map(|(row, vector)| (to.of(vector), row))
        .collect();
    let count = candidates.min(scored.len());
    if count == 0 {
        return Vec::new();
    }
    let name_of = |row: usize| {
        let (path, file) = vectors.files.get(*vectors.file.get(row)? as usize)?;
        Some((path, RowKey { row: *file, ordinal: *vectors.ordinals.get(row)? }))
    };
    let named = |(score, row): (f32, usize)| {
        let (path, row) = name_of(row)?;
        Some((ChunkKey { path: path.clone(), row }, score))
    };
    let is_by_words = |(_, row): &&(f32, usize)| name_of(*row).is_some_and(|(_, row)| by_words.contains(&row));
    let mut near: Vec<(ChunkKey, f32)> = match by_words.is_empty() {
        true => Vec::new(),
        false => scored.iter().filter(is_by_words).copied().filter_map(named).collect(),
    };
    let by_score = |left: &(f32, usize), right: &(f32, usize)| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1));
    scored.select_nth_unstable_by(count - 1, by_score);
    scored.truncate(count);
    near.extend(scored.into_iter().filter_map(named));
    near
}

/// The rows that the filters let through; `None` if there are no filters.
fn allowed_rows<'a>(
    reader: &LanceReader,
    visible: Option<&'a HashSet<Key>>,
    query: &Query<'_>,
) -> Result<Option<Cow<'a, HashSet<Key>>>, SearchError> {
    if query.paths.is_empty() && query.languages.is_empty() {
        return Ok(visible.map(Cow::Borrowed));
    }
    let globs = path_globs(query.paths)?;
    let mut allowed = reader.rows_of_files(|path, language| {
        (query.paths.is_empty() || globs.is_match(path))
            && (query.languages.is_empty() || query.languages.iter().any(|wanted| wanted == language))
    })?;
    if let Some(visible) = visible {
        allowed.retain(|row| visible.contains(row));
    }
    Ok(Some(Cow::Owned(allowed)))
}

/// Globs with the meaning that they have in a text search: one without `/` matches the
/// file's name, one that ends in `/` all that lies below.
fn path_globs(patterns: &[String]) -> Result<GlobSet, globset::Error> {
    let mut globs = GlobSetBuilder::new();
    for pattern in patterns {
        let in_any_folder = if pattern.trim_end_matches('/').contains('/') { "" } else { "**/" };
        let below = if pattern.ends_with('/') { "**" } else { "" };
        let glob = format!("{in_any_folder}{pattern}{below}");
        globs.add(GlobBuilder::new(&glob).literal_separator(true).build()?);
    }
    globs.build()
}
