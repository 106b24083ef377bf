//! What may be an answer, by words and by vectors.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use gristmill_pipeline::{Key, RelPath};
use gristmill_query::{At, ChunkRows, Row, ToolError, Visible, all, nearest, nearness, row_at};
use gristmill_sinks::TantivyReader;
use gristmill_sinks::lance::{Resident, RowKey};
use gristmill_sinks::tantivy::{Hit as StoredHit, SearchOptions};

use super::filter::Filter;
use super::hit::Hit;
use super::signals::Signals;

/// A chunk, by what is known of it. Nothing is copied until it is shown.
#[derive(Clone, Copy)]
pub(super) enum Chunk<'a> {
    /// A row of the table in memory.
    Held(Row<'a, ChunkRows>),
    /// What the full-text index stores, where no table has the chunk: then its text is not to be
    /// had.
    Stored(&'a StoredHit),
}

impl<'a> Chunk<'a> {
    pub(super) fn path(self) -> &'a RelPath {
        match self {
            Self::Held(chunk) => chunk.path(),
            Self::Stored(stored) => &stored.path,
        }
    }

    pub(super) fn language(self) -> &'a str {
        match self {
            Self::Held(chunk) => chunk.table().language.value(chunk.row),
            Self::Stored(stored) => &stored.language,
        }
    }

    pub(super) fn kind(self) -> &'a str {
        match self {
            Self::Held(chunk) => chunk.table().kind.value(chunk.row),
            Self::Stored(stored) => &stored.kind,
        }
    }

    pub(super) fn symbol(self) -> &'a str {
        match self {
            Self::Held(chunk) => chunk.table().symbol.value(chunk.row),
            Self::Stored(stored) => &stored.symbol,
        }
    }

    fn scope(self) -> &'a str {
        match self {
            Self::Held(chunk) => chunk.table().scope.value(chunk.row),
            Self::Stored(stored) => &stored.scope,
        }
    }

    /// Its first and its last line.
    fn lines(self) -> [u32; 2] {
        match self {
            Self::Held(chunk) => {
                let (rows, row) = (chunk.table(), chunk.row);
                [rows.start_line.value(row), rows.end_line.value(row)]
            }
            Self::Stored(stored) => [stored.start_line, stored.end_line],
        }
    }

    /// Its row in the table on disk.
    pub(super) fn address(self) -> Option<u64> {
        match self {
            Self::Held(chunk) => chunk.address(),
            Self::Stored(_) => None,
        }
    }

    /// What is shown of it, without scores.
    pub(super) fn hit(self) -> Hit {
        let [start_line, end_line] = self.lines();
        Hit {
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
            text_score: None,
            vector_score: None,
            signals: None,
        }
    }
}

/// A chunk that may be an answer.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    /// Its name. Of equal scores path and name decide which comes first, so that answers are
    /// repeatable.
    pub(super) name: RowKey,
    pub(super) chunk: Chunk<'a>,
    /// How well words match.
    pub(super) text: Option<f32>,
    /// How near its vector is.
    pub(super) vector: Option<f32>,
    /// Its file, as the ranking counts them.
    pub(super) file: usize,
    pub(super) signals: Signals,
}

impl<'a> Candidate<'a> {
    /// One of which nothing is known but what it is.
    pub(super) fn new(name: RowKey, chunk: Chunk<'a>) -> Self {
        Self { name, chunk, text: None, vector: None, file: 0, signals: Signals::default() }
    }
}

/// Candidates, no chunk twice.
#[derive(Default)]
pub(super) struct Candidates<'a> {
    found: Vec<Candidate<'a>>,
    /// Where those in memory stand. A chunk that is not may have the name of another one that is,
    /// which was cut otherwise.
    places: HashMap<RowKey, usize>,
}

impl<'a> Candidates<'a> {
    /// The candidate that is that chunk.
    fn held(&mut self, name: RowKey, chunk: Row<'a, ChunkRows>) -> Option<&mut Candidate<'a>> {
        let place = match self.places.entry(name) {
            Entry::Occupied(place) => *place.get(),
            Entry::Vacant(place) => {
                self.found.push(Candidate::new(name, Chunk::Held(chunk)));
                *place.insert(self.found.len() - 1)
            }
        };
        self.found.get_mut(place)
    }

    pub(super) fn into_vec(self) -> Vec<Candidate<'a>> {
        self.found
    }

    /// Finds the chunks that match the words of a query best, by their names. Says whether the
    /// table has them all; if not, nothing was added.
    pub(super) fn add_by_text(
        &mut self,
        words: &TantivyReader,
        chunks: &'a Resident<ChunkRows>,
        options: &SearchOptions,
        visible: &Visible,
        query: &str,
    ) -> Result<bool, ToolError> {
        let held = words.search_rows(visible.keys(), query, options)?.into_iter().map(|hit| {
            let name = RowKey { row: hit.row, ordinal: hit.ordinal };
            Some((name, ChunkRows::named(chunks, name)?, hit.score))
        });
        let Some(held) = held.collect::<Option<Vec<_>>>() else { return Ok(false) };
        for (name, chunk, score) in held {
            if let Some(candidate) = self.held(name, chunk) {
                candidate.text = Some(score);
            }
        }
        Ok(true)
    }

    /// Adds what the full-text index found and stores.
    pub(super) fn add_stored(&mut self, hits: &'a [StoredHit]) {
        self.found.extend(hits.iter().map(|hit| {
            let name = RowKey { row: hit.row, ordinal: hit.ordinal };
            Candidate { text: Some(hit.score), ..Candidate::new(name, Chunk::Stored(hit)) }
        }));
    }

    /// Finds the chunks whose vectors are nearest to the query's: by all vectors, which is
    /// exact, or by the index of a table that is too large for that.
    pub(super) fn add_by_vector(
        &mut self,
        at: &At<'a>,
        vector: &[f32],
        filter: &Filter<'_>,
        count: usize,
    ) -> Result<(), ToolError> {
        let tables = at.epoch.tables()?;
        let chunks = tables.chunks()?;
        // Of kinds nothing is known before a chunk is looked at, so more are looked at.
        let wanted = if filter.has_kinds() { count.saturating_mul(10) } else { count };
        let mut add = |name: RowKey, chunk: Option<Row<'a, ChunkRows>>, score: f32| {
            let is_allowed = |chunk: &Row<'_, ChunkRows>| filter.allows_kind(chunk.table().kind.value(chunk.row));
            let chunk = chunk.filter(|chunk| score > 0.0 && is_allowed(chunk));
            if let Some(candidate) = chunk.and_then(|chunk| self.held(name, chunk)) {
                candidate.vector = Some(score);
            }
        };
        let Some(vectors) = tables.vectors_to_compare()? else {
            let allowed = filter.narrows_files().then(|| allowed_files(at, filter)).transpose()?;
            for near in tables.reader.nearest(vector, wanted, allowed.as_ref())? {
                add(near.row, ChunkRows::named(chunks, near.row), near.score);
            }
            return Ok(());
        };
        let metric = tables.reader.metric();
        let allows = |path: &str, key: Key, language: &str| filter.allows_file(path, key, language);
        for (near, score) in nearest(vectors, metric, vector, wanted, allows, at.call)? {
            let chunk = near.address().and_then(|address| row_at(chunks, address));
            add(near.table().name(near.row), chunk, score);
        }
        // What words found has a place by meaning too, near or far.
        let nearness = nearness(metric, vector);
        for candidate in self.found.iter_mut().filter(|candidate| candidate.vector.is_none()) {
            if let Some(row) = candidate.chunk.address().and_then(|address| row_at(vectors, address)) {
                candidate.vector = Some(nearness(row)).filter(|score| *score > 0.0);
            }
        }
        Ok(())
    }
}

/// The keys of the files that the filter lets through.
fn allowed_files(at: &At<'_>, filter: &Filter<'_>) -> Result<HashSet<Key>, ToolError> {
    let files = all(at.epoch.tables()?.files()?);
    let allowed = files
        .filter(|file| filter.allows_file(file.path().as_str(), file.key(), file.table().language.value(file.row)));
    Ok(allowed.map(|file| file.key()).collect())
}
