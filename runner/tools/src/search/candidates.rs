//! The candidates of a search: the best chunks by lexical and by vector scores.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use gristmill_pipeline::RelPath;
use gristmill_query::{ChunkRows, Row, ToolError};
use gristmill_sinks::TantivyReader;
use gristmill_sinks::lance::{ChunkLocator, Resident};
use gristmill_sinks::tantivy::{ChunkHit as StoredHit, SearchOptions};

use super::filter::Filter;
use super::hit::SearchHit;
use super::signals::Signals;

/// The factor by which a lexical search that found too few chunks raises its limit.
const LIMIT_GROWTH: usize = 4;

/// A chunk. Nothing is copied until it becomes a hit.
#[derive(Clone, Copy)]
pub(super) enum Chunk<'a> {
    /// A row of the resident table.
    Resident(Row<'a, ChunkRows>),
    /// The stored fields of the full-text index, if no table has the chunk. Its text is not
    /// available then.
    Stored(&'a StoredHit),
}

impl<'a> Chunk<'a> {
    pub(super) fn path(self) -> &'a RelPath {
        match self {
            Self::Resident(chunk) => chunk.path(),
            Self::Stored(stored) => &stored.path,
        }
    }

    pub(super) fn language(self) -> &'a str {
        match self {
            Self::Resident(chunk) => chunk.table().language.value(chunk.row),
            Self::Stored(stored) => &stored.language,
        }
    }

    pub(super) fn kind(self) -> &'a str {
        match self {
            Self::Resident(chunk) => chunk.table().kind.value(chunk.row),
            Self::Stored(stored) => &stored.kind,
        }
    }

    pub(super) fn symbol(self) -> &'a str {
        match self {
            Self::Resident(chunk) => chunk.table().symbol.value(chunk.row),
            Self::Stored(stored) => &stored.symbol,
        }
    }

    fn scope(self) -> &'a str {
        match self {
            Self::Resident(chunk) => chunk.table().scope.value(chunk.row),
            Self::Stored(stored) => &stored.scope,
        }
    }

    /// Returns the first and the last line.
    fn lines(self) -> [u32; 2] {
        match self {
            Self::Resident(chunk) => {
                let (rows, row) = (chunk.table(), chunk.row);
                [rows.start_line.value(row), rows.end_line.value(row)]
            }
            Self::Stored(stored) => [stored.start_line, stored.end_line],
        }
    }

    /// Returns the row address in the table on disk.
    pub(super) fn address(self) -> Option<u64> {
        match self {
            Self::Resident(chunk) => chunk.address(),
            Self::Stored(_) => None,
        }
    }

    /// Creates the hit, without scores.
    pub(super) fn hit(self) -> SearchHit {
        let [start_line, end_line] = self.lines();
        SearchHit {
            chunk_id: None,
            path: self.path().clone(),
            start_line,
            end_line,
            score: 0.0,
            language: self.language().to_owned(),
            kind: self.kind().to_owned(),
            symbol: self.symbol().to_owned(),
            scope: self.scope().to_owned(),
            snippet: None,
            text: None,
            lexical_score: None,
            vector_score: None,
            signals: None,
            address: self.address(),
            locator: None,
        }
    }
}

/// A chunk with its scores.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    /// The key of the chunk. Path and key break ties, so that rankings are deterministic.
    pub(super) key: ChunkLocator,
    pub(super) chunk: Chunk<'a>,
    /// The lexical score.
    pub(super) lexical: Option<f32>,
    /// The vector score.
    pub(super) vector: Option<f32>,
    /// The number of the file in the ranking.
    pub(super) file: usize,
    pub(super) signals: Signals,
}

impl<'a> Candidate<'a> {
    /// Creates a candidate without scores.
    pub(super) fn new(key: ChunkLocator, chunk: Chunk<'a>) -> Self {
        Self { key, chunk, lexical: None, vector: None, file: 0, signals: Signals::default() }
    }
}

/// A set of candidates, deduplicated by chunk.
#[derive(Default)]
pub(super) struct Candidates<'a> {
    found: Vec<Candidate<'a>>,
    /// The positions of resident chunks. A stored chunk is not in here: it may have the key of a
    /// resident one that another chunker made.
    positions: HashMap<ChunkLocator, usize>,
}

impl<'a> Candidates<'a> {
    /// Returns the candidate of a resident chunk; adds it if it is new.
    fn entry(&mut self, key: ChunkLocator, chunk: Row<'a, ChunkRows>) -> Option<&mut Candidate<'a>> {
        let position = match self.positions.entry(key) {
            Entry::Occupied(position) => *position.get(),
            Entry::Vacant(position) => {
                self.found.push(Candidate::new(key, Chunk::Resident(chunk)));
                *position.insert(self.found.len() - 1)
            }
        };
        self.found.get_mut(position)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn into_vec(self) -> Vec<Candidate<'a>> {
        self.found
    }

    /// Adds the chunks with the highest lexical scores. Returns whether the table has all of them; if
    /// not, none was added.
    pub(super) fn add_lexical(
        &mut self,
        text_index: &TantivyReader,
        chunks: &'a Resident<ChunkRows>,
        options: &SearchOptions,
        filter: &Filter<'_>,
        query: &str,
    ) -> Result<bool, ToolError> {
        let (wanted, documents) = (options.limit, usize::try_from(text_index.count()).unwrap_or(usize::MAX));
        let mut options = options.clone();
        let found = loop {
            let hits = text_index.search_rows(filter.keys(), query, &options)?;
            let is_last = hits.len() < options.limit || options.limit >= documents;
            let found = hits.into_iter().map(|hit| {
                let key = ChunkLocator { row: hit.row, ordinal: hit.ordinal };
                Some((key, ChunkRows::named(chunks, key)?, hit.score))
            });
            let Some(mut found) = found.collect::<Option<Vec<_>>>() else { return Ok(false) };
            // The full-text index has no extra columns, so the search over-fetches until enough
            // chunks satisfy the conditions.
            found.retain(|(_, chunk, _)| filter.allows_address(chunk.address()));
            if found.len() >= wanted || is_last {
                found.truncate(wanted);
                break found;
            }
            options.limit = options.limit.saturating_mul(LIMIT_GROWTH).min(documents);
        };
        for (key, chunk, score) in found {
            if let Some(candidate) = self.entry(key, chunk) {
                candidate.lexical = Some(score);
            }
        }
        Ok(true)
    }

    /// Adds hits of the full-text index with their stored fields.
    pub(super) fn add_stored(&mut self, hits: &'a [StoredHit]) {
        self.found.extend(hits.iter().map(|hit| {
            let key = ChunkLocator { row: hit.row, ordinal: hit.ordinal };
            Candidate { lexical: Some(hit.score), ..Candidate::new(key, Chunk::Stored(hit)) }
        }));
    }

    /// Sets the vector score of a chunk, and adds it if it is new.
    pub(super) fn add_vector_score(&mut self, key: ChunkLocator, chunk: Row<'a, ChunkRows>, score: f32) {
        if let Some(candidate) = self.entry(key, chunk) {
            candidate.vector = Some(score);
        }
    }

    /// Gives candidates without a vector score the one that `score` finds at their address.
    pub(super) fn complete_vector_scores(&mut self, score: impl Fn(u64) -> Option<f32>) {
        for candidate in self.found.iter_mut().filter(|candidate| candidate.vector.is_none()) {
            let score = candidate.chunk.address().and_then(&score);
            candidate.vector = score.filter(|score| *score > 0.0);
        }
    }
}
