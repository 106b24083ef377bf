//! The chunks whose vectors are nearest to that of the query.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::thread::{Scope, ScopedJoinHandle};

use gristmill_pipeline::RowKey;
use gristmill_query::{
    ChunkRows, ErrorCode, Row, ToolContext, ToolError, VectorRows, VectorScan, all, nearest, row_at, scorer,
};
use gristmill_sinks::lance::{ChunkLocator, Resident};

use super::candidates::Candidates;
use super::filter::Filter;

/// A search for the nearest vectors.
pub(super) struct Nearest<'scope> {
    vector: Vec<f32>,
    by: By<'scope>,
}

enum By<'scope> {
    Resident,
    Index,
    /// The score of every vector, by row address.
    Passing(ScopedJoinHandle<'scope, Result<Vec<(u64, f32)>, ToolError>>),
}

impl<'scope> Nearest<'scope> {
    /// Starts the search.
    ///
    /// # Errors
    /// If there are no tables, or a thread cannot be started.
    pub(super) fn start(
        context: &'scope ToolContext<'_>,
        vector: Vec<f32>,
        scope: &'scope Scope<'scope, '_>,
    ) -> Result<Self, ToolError> {
        let tables = context.epoch.tables()?;
        let by = match tables.vector_scan() {
            VectorScan::Resident => By::Resident,
            VectorScan::Index => By::Index,
            VectorScan::Passing => {
                let of_query = vector.clone();
                let score = move || {
                    let scores = tables.reader.score_all(&of_query, || context.call.check().is_ok())?;
                    context.call.check().map(|()| scores)
                };
                let thread = std::thread::Builder::new().name("score-vectors".into()).spawn_scoped(scope, score);
                By::Passing(thread.map_err(|error| ToolError::internal("a thread cannot be started", &error))?)
            }
        };
        Ok(Self { vector, by })
    }

    /// Adds the `count` nearest chunks, and scores the other candidates where that costs no search.
    ///
    /// # Errors
    /// If the vectors cannot be read, or the call was cancelled.
    pub(super) fn add_to<'a>(
        self,
        candidates: &mut Candidates<'a>,
        context: &ToolContext<'a>,
        filter: &Filter<'_>,
        count: usize,
    ) -> Result<(), ToolError> {
        let tables = context.epoch.tables()?;
        let chunks = tables.chunks()?;
        let is_of_kind =
            |chunk: &Row<'_, ChunkRows>| filter.allows_chunk(chunk.table().kind.value(chunk.row), chunk.address());
        let mut add = |key: ChunkLocator, chunk: Option<Row<'a, ChunkRows>>, score: f32| {
            if let Some(chunk) = chunk.filter(|chunk| score > 0.0 && is_of_kind(chunk)) {
                candidates.add_vector_score(key, chunk, score);
            }
        };
        let vector = &self.vector;
        match self.by {
            By::Index => {
                // The index knows no kinds, so it over-fetches.
                let wanted = if filter.has_kinds() { count.saturating_mul(10) } else { count };
                let found = if filter.has_chunk_conditions() {
                    let allowed = all(chunks).filter(|chunk| allows(filter, chunk)).filter_map(|chunk| chunk.address());
                    tables.reader.nearest_at(vector, wanted, &allowed.collect())?
                } else {
                    let allowed = filter.narrows_files().then(|| allowed_files(context, filter)).transpose()?;
                    tables.reader.nearest(vector, wanted, allowed.as_ref())?
                };
                for near in found {
                    add(near.row, ChunkRows::named(chunks, near.row), near.score);
                }
            }
            By::Resident => {
                let (vectors, metric) = (tables.vectors()?, tables.reader.metric());
                let allows = |path: &str, key: RowKey, language: &str| filter.allows_file(path, key, language);
                let allows_row = |row: Row<'_, VectorRows>| {
                    filter.allows_address(row.address())
                        && (!filter.has_kinds() || chunk_at(chunks, row).is_some_and(|chunk| is_of_kind(&chunk)))
                };
                for (near, score) in nearest(vectors, metric, vector, count, allows, allows_row, context.call)? {
                    add(near.table().row_key(near.row), chunk_at(chunks, near), score);
                }
                // Lexical candidates get a vector score too.
                let score = scorer(metric, vector);
                candidates.complete_vector_scores(|address| row_at(vectors, address).map(&score));
            }
            By::Passing(scores) => {
                let panicked = |_| ToolError::new(ErrorCode::Internal, "internal error: the scan of vectors panicked");
                let scores = scores.join().map_err(panicked)??;
                for (chunk, score) in best(&scores, count, chunks, |chunk| allows(filter, chunk) && is_of_kind(chunk)) {
                    let key = ChunkLocator { row: chunk.key(), ordinal: chunk.table().ordinal.value(chunk.row) };
                    add(key, Some(chunk), score);
                }
                candidates.complete_vector_scores(|address| {
                    let at = scores.binary_search_by_key(&address, |(address, _)| *address).ok()?;
                    scores.get(at).map(|(_, score)| *score)
                });
            }
        }
        Ok(())
    }
}

/// Returns the chunk of a vector.
fn chunk_at<'a>(chunks: &'a Resident<ChunkRows>, vector: Row<'_, VectorRows>) -> Option<Row<'a, ChunkRows>> {
    vector.address().and_then(|address| row_at(chunks, address))
}

/// Returns the `count` chunks with the highest scores among those that `is_allowed` accepts, best first; of
/// equal scores the lower address.
fn best<'a>(
    scores: &[(u64, f32)],
    count: usize,
    chunks: &'a Resident<ChunkRows>,
    is_allowed: impl Fn(&Row<'a, ChunkRows>) -> bool,
) -> Vec<(Row<'a, ChunkRows>, f32)> {
    let better = |left: &(u64, f32), right: &(u64, f32)| -> Ordering {
        right.1.total_cmp(&left.1).then_with(|| left.0.cmp(&right.0))
    };
    let mut scores = scores.to_vec();
    let (mut found, mut looked_at) = (Vec::new(), 0);
    while found.len() < count && looked_at < scores.len() {
        // The next best few, and more with every turn, as the filter may reject most.
        let rest = scores.get_mut(looked_at..).unwrap_or_default();
        let next = rest.len().min((looked_at + count).max(1));
        if next < rest.len() {
            rest.select_nth_unstable_by(next, better);
        }
        let next = rest.get_mut(..next).unwrap_or_default();
        next.sort_unstable_by(better);
        let rows = next.iter().filter_map(|(address, score)| Some((row_at(chunks, *address)?, *score)));
        found.extend(rows.filter(|(row, _)| is_allowed(row)));
        looked_at += next.len();
    }
    found.truncate(count);
    found
}

/// Returns whether a chunk passes the filter of files and of rows.
fn allows(filter: &Filter<'_>, chunk: &Row<'_, ChunkRows>) -> bool {
    let language = chunk.table().language.value(chunk.row);
    filter.allows_address(chunk.address()) && filter.allows_file(chunk.path().as_str(), chunk.key(), language)
}

/// Returns the keys of the files that pass the filter.
fn allowed_files(context: &ToolContext<'_>, filter: &Filter<'_>) -> Result<HashSet<RowKey>, ToolError> {
    let files = all(context.epoch.tables()?.files()?);
    let allowed = files
        .filter(|file| filter.allows_file(file.path().as_str(), file.key(), file.table().language.value(file.row)));
    Ok(allowed.map(|file| file.key()).collect())
}
