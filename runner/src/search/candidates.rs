//! What may be an answer, by words and by vectors.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use gristmill_pipeline::{Epoch, Key, RelPath};
use gristmill_sinks::lance::{ChunkVectors, RowKey};
use gristmill_sinks::tantivy::SearchOptions;
use gristmill_sinks::{LanceReader, TantivyReader};

use super::fill::text_column;
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

/// Scores the query against every vector: exact, and faster than an index up to some
/// hundred thousand chunks.
pub(super) fn by_vector(
    reader: &LanceReader,
    vectors: &ChunkVectors,
    wanted: &[f32],
    query: &Query<'_>,
    visible: Option<&HashSet<Key>>,
    candidates: usize,
    found: &mut HashMap<ChunkKey, Scores>,
) -> Result<(), SearchError> {
    let allowed = allowed_files(reader, &vectors.files, visible, query)?;
    let mut scored: Vec<(f32, usize)> = vectors
        .values
        .chunks_exact(vectors.dimension.max(1))
        .enumerate()
        .filter(|(row, _)| vectors.file.get(*row).is_some_and(|file| allowed.get(*file as usize) == Some(&true)))
        .map(|(row, vector)| (dot(wanted, vector), row))
        .collect();
    let count = candidates.min(scored.len());
    if count == 0 {
        return Ok(());
    }
    // What words found has a place by meaning too, near or far.
    let by_words: HashSet<RowKey> = found.keys().map(|key| key.row).collect();
    let name_of = |row: usize| {
        let (path, key) = vectors.files.get(*vectors.file.get(row)? as usize)?;
        Some((path, RowKey { row: *key, ordinal: *vectors.ordinals.get(row)? }))
    };
    let mut add = |score: f32, path: &RelPath, row: RowKey| {
        found.entry(ChunkKey { path: path.clone(), row }).or_default().vector = Some(score);
    };
    for (score, row) in scored.iter().filter(|_| !by_words.is_empty()) {
        if let Some((path, row)) = name_of(*row).filter(|(_, row)| by_words.contains(row)) {
            add(*score, path, row);
        }
    }
    let by_score = |left: &(f32, usize), right: &(f32, usize)| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1));
    scored.select_nth_unstable_by(count - 1, by_score);
    scored.truncate(count);
    for (score, row) in scored.into_iter().filter(|(score, _)| *score > 0.0) {
        if let Some((path, row)) = name_of(row) {
            add(score, path, row);
        }
    }
    Ok(())
}

/// For each file whether the filters let it through.
fn allowed_files(
    reader: &LanceReader,
    files: &[(RelPath, Key)],
    visible: Option<&HashSet<Key>>,
    query: &Query<'_>,
) -> Result<Vec<bool>, SearchError> {
    let mut allowed: Vec<bool> =
        files.iter().map(|(_, row)| visible.is_none_or(|visible| visible.contains(row))).collect();
    if !query.paths.is_empty() {
        let globs = path_globs(query.paths)?;
        for (allowed, (path, _)) in allowed.iter_mut().zip(files) {
            *allowed &= globs.is_match(path.as_str());
        }
    }
    if !query.languages.is_empty() {
        let mut languages: HashMap<String, bool> = HashMap::new();
        for batch in reader.scan(&gristmill_sinks::tables::Table::Files, &["path", "language"])? {
            let (paths, of) = (text_column(&batch, "path")?, text_column(&batch, "language")?);
            for (path, language) in paths.iter().zip(of.iter()) {
                let (Some(path), Some(language)) = (path, language) else { continue };
                languages.insert(path.to_owned(), query.languages.iter().any(|wanted| wanted == language));
            }
        }
        for (allowed, (path, _)) in allowed.iter_mut().zip(files) {
            *allowed &= languages.get(path.as_str()) == Some(&true);
        }
    }
    Ok(allowed)
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

fn dot(left: &[f32], right: &[f32]) -> f32 {
    // Eight sums side by side, so that the compiler can use vector registers.
    let mut sums = [0.0_f32; 8];
    let (left_chunks, right_chunks) = (left.as_chunks::<8>(), right.as_chunks::<8>());
    for (left, right) in left_chunks.0.iter().zip(right_chunks.0) {
        for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
            *sum += left * right;
        }
    }
    let rest: f32 = left_chunks.1.iter().zip(right_chunks.1).map(|(left, right)| left * right).sum();
    sums.iter().sum::<f32>() + rest
}
