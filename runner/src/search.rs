//! Search over one epoch: by text, by meaning, or both.

mod candidates;
mod fill;
mod rank;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use gristmill_pipeline::{Epoch, ErasedOperator, Graph, Key, RelPath, SinkError};
use gristmill_sinks::lance::ChunkVectors;
use gristmill_sinks::{LanceReader, TantivyReader};
use serde::Serialize;

use crate::snapshot::{Snapshot, SnapshotError};
use candidates::{by_text, by_vector};
use fill::fill;
use rank::{CANDIDATES, ChunkKey, Scores, rank};

/// By what to rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SearchMode {
    /// By the words of the query (BM25).
    Text,
    /// By meaning (vectors).
    Vector,
    /// By both, fused.
    Hybrid,
}

/// A search.
pub struct Query<'a> {
    /// What to look for.
    pub text: &'a str,
    /// By what to rank.
    pub mode: SearchMode,
    /// Hits at most.
    pub limit: usize,
    /// Globs one of which the path matches; empty for any.
    pub paths: &'a [String],
    /// The languages; empty for any.
    pub languages: &'a [String],
    /// Whether to rank by the scores alone, whatever else is known of a chunk.
    pub plain: bool,
    /// The ref to search, where the index holds several; its first if absent.
    pub of_ref: Option<&'a str>,
}

/// A chunk that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hit {
    /// Its file.
    pub path: RelPath,
    /// Line of its first byte, counted from 1.
    pub start_line: u32,
    /// Line of its last byte.
    pub end_line: u32,
    /// The better, the higher; comparable within one answer.
    pub score: f32,
    /// The epoch that was asked.
    pub epoch: Epoch,
    /// The language's name.
    pub language: String,
    /// What it holds, such as `function`.
    pub kind: String,
    /// The name of the definition that it holds or belongs to.
    pub symbol: String,
    /// The qualified name of what surrounds it.
    pub scope: String,
    /// Its text, if the index holds it.
    pub text: Option<String>,
    /// Its score by words, if it was among the best by words.
    pub text_score: Option<f32>,
    /// Its cosine to the query, if it was among the nearest.
    pub vector_score: Option<f32>,
}

/// A search cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The epoch cannot be read.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The index lacks what the mode needs.
    #[error("{0}")]
    Lacking(String),
    /// The query could not be embedded.
    #[error("the query could not be embedded: {0}")]
    Embed(String),
    /// The index does not hold the ref.
    #[error("the index does not hold the ref `{name}`; it holds {held}")]
    NoRef {
        /// The ref.
        name: String,
        /// What it holds.
        held: String,
    },
    /// A glob is malformed.
    #[error("the glob is malformed: {0}")]
    Glob(#[from] globset::Error),
    /// A table has not the columns that it should have.
    #[error("the table `chunks` lacks the column `{0}`; rebuild with `gristmill run --full`")]
    Column(&'static str),
}

impl From<SinkError> for SearchError {
    fn from(error: SinkError) -> Self {
        Self::Snapshot(error.into())
    }
}

/// Searches an epoch once. `graph` tells how to embed the query.
///
/// # Errors
/// If the index lacks what the mode needs, or cannot be read.
pub fn search(snapshot: &Snapshot, graph: &Graph, query: &Query<'_>) -> Result<Vec<Hit>, SearchError> {
    Searcher::open(snapshot, graph, query.mode)?.search(query)
}

/// The stores of an epoch, open for searches of one mode.
pub struct Searcher<'a> {
    snapshot: &'a Snapshot,
    mode: SearchMode,
    words: Option<TantivyReader>,
    table: Option<Table>,
}

struct Table {
    reader: LanceReader,
    embedder: Option<Arc<dyn ErasedOperator>>,
    /// All vectors, once a search asked for them; never where the table has an index.
    vectors: OnceLock<ChunkVectors>,
}

impl<'a> Searcher<'a> {
    /// Opens what searches of that mode need. `graph` tells how to embed queries.
    ///
    /// # Errors
    /// If the index lacks what the mode needs, or cannot be read.
    pub fn open(snapshot: &'a Snapshot, graph: &Graph, mode: SearchMode) -> Result<Self, SearchError> {
        let words = snapshot.sinks("tantivy").next().filter(|_| mode != SearchMode::Vector);
        let words = words.map(|name| snapshot.tantivy(name)).transpose()?;
        if words.is_none() && mode == SearchMode::Text {
            return Err(SearchError::Lacking("the index holds no words; search with --mode vector".into()));
        }
        // The tables are opened for the text of the hits in any case.
        Ok(Self { snapshot, mode, words, table: table(snapshot, graph, mode)? })
    }

    /// Searches, by the mode that it was opened for whatever the query's is.
    ///
    /// # Errors
    /// If the query names what is not there, cannot be embedded, or a store cannot be read.
    pub fn search(&self, query: &Query<'_>) -> Result<Vec<Hit>, SearchError> {
        let candidates = query.limit.max(CANDIDATES);
        let visible = visible_rows(self.snapshot, query.of_ref)?.map(Arc::new);
        let mut found: HashMap<ChunkKey, Scores> = HashMap::new();
        let epoch = self.snapshot.record.epoch;
        if let Some(words) = &self.words {
            by_text(words, epoch, query, visible.as_ref(), candidates, &mut found)?;
        }
        if let Some(Table { reader, embedder: Some(embedder), vectors }) = &self.table
            && self.mode != SearchMode::Text
        {
            let wanted = embed(embedder.as_ref(), query.text)?;
            by_vector(reader, vectors, &wanted, query, visible.as_deref(), candidates, &mut found)?;
        }
        let mut ranked = rank(found, &Query { mode: self.mode, ..*query });
        ranked.truncate(query.limit);
        match &self.table {
            Some(Table { reader, .. }) => fill(reader, ranked, epoch),
            None => {
                Ok(ranked.into_iter().filter_map(|(_, score, scores)| Some(Hit { score, ..scores.hit? })).collect())
            }
        }
    }
}

impl Table {
    fn new(reader: LanceReader, embedder: Option<Arc<dyn ErasedOperator>>) -> Self {
        Self { reader, embedder, vectors: OnceLock::new() }
    }
}

/// The rows that a search may find, where the index holds several refs.
fn visible_rows(snapshot: &Snapshot, of_ref: Option<&str>) -> Result<Option<HashSet<Key>>, SearchError> {
    let refs = &snapshot.record.refs;
    let name = match of_ref {
        Some(name) if !refs.iter().any(|held| *held.name == *name) => {
            let names: Vec<&str> = refs.iter().map(|held| &*held.name).collect();
            let held = if refs.is_empty() { "one revision, so leave `--ref` out".into() } else { names.join(", ") };
            return Err(SearchError::NoRef { name: name.to_owned(), held });
        }
        Some(name) => name,
        None => match refs.first() {
            Some(first) => &first.name,
            None => return Ok(None),
        },
    };
    for sink in snapshot.sinks("lance") {
        if let Some(rows) = snapshot.lance(sink)?.rows_of_ref(name)? {
            return Ok(Some(rows));
        }
    }
    Ok(Some(HashSet::new()))
}

/// The Lance table to take vectors and text from: one whose embedder the job has.
fn table(snapshot: &Snapshot, graph: &Graph, mode: SearchMode) -> Result<Option<Table>, SearchError> {
    let mut without: Option<LanceReader> = None;
    for name in snapshot.sinks("lance") {
        let stored = snapshot.embedder(name);
        let lane = (0..graph.embed_lanes().len())
            .find(|&lane| stored.is_some() && graph.embed_fingerprint(lane) == stored)
            .and_then(|lane| graph.embed_lanes().get(lane));
        let operator = lane.and_then(|lane| graph.stages().get(lane.stage)).and_then(|stage| stage.operator());
        if let Some(operator) = operator {
            return Ok(Some(Table::new(snapshot.lance(name)?, Some(Arc::clone(operator)))));
        }
        if without.is_none() && mode == SearchMode::Text {
            let reader = snapshot.lance(name)?;
            let has_chunks = reader.tables().any(|table| *table == gristmill_sinks::tables::Table::Chunks);
            without = has_chunks.then_some(reader);
        }
    }
    if mode == SearchMode::Text {
        return Ok(without.map(|reader| Table::new(reader, None)));
    }
    let message = if snapshot.record.sinks.values().any(|sink| sink.embed.is_some()) {
        "the index was embedded by another model or with another header than this job has; name the job that wrote it, or search with --mode text"
    } else {
        "the index holds no vectors; search with --mode text"
    };
    Err(SearchError::Lacking(message.into()))
}

fn embed(embedder: &dyn ErasedOperator, text: &str) -> Result<Vec<f32>, SearchError> {
    match embedder.embed_query(text) {
        Some(vector) => vector.map_err(|error| SearchError::Embed(error.to_string())),
        None => Err(SearchError::Embed(format!("the operator `{}` embeds no queries", embedder.name()))),
    }
}
