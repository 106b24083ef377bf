//! Search over one epoch: by text, by meaning, or both.
//!
//! Scores of both kinds are divided by their best and added, 3 parts text and 7 parts
//! meaning: fusing normalised scores found the wanted chunk earlier than fusing ranks
//! did on every set that was measured.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::UInt32Type;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use gristmill_pipeline::{Epoch, ErasedOperator, Graph, Key, RelPath, SinkError};
use gristmill_sinks::LanceReader;
use gristmill_sinks::lance::RowKey;
use gristmill_sinks::tantivy::SearchOptions;
use serde::Serialize;

use crate::snapshot::{Snapshot, SnapshotError};

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

/// Of each kind, how many of the best are fused, at least.
const CANDIDATES: usize = 100;
/// What the best match by words counts in a fused score.
const TEXT_WEIGHT: f32 = 0.3;
/// What the best match by meaning counts in a fused score.
const VECTOR_WEIGHT: f32 = 0.7;

/// A chunk. Of equal scores the path decides which comes first, so that answers are
/// repeatable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct ChunkKey {
    path: RelPath,
    row: RowKey,
}

#[derive(Default)]
struct Scores {
    text: Option<f32>,
    vector: Option<f32>,
    hit: Option<Hit>,
}

/// Searches an epoch. `graph` tells how to embed the query.
///
/// # Errors
/// If the index lacks what the mode needs, or cannot be read.
pub fn search(snapshot: &Snapshot, graph: &Graph, query: &Query<'_>) -> Result<Vec<Hit>, SearchError> {
    let candidates = query.limit.max(CANDIDATES);
    let visible = visible_rows(snapshot, query.of_ref)?.map(Arc::new);
    let mut found: HashMap<ChunkKey, Scores> = HashMap::new();
    if query.mode != SearchMode::Vector {
        by_text(snapshot, query, visible.as_ref(), candidates, &mut found)?;
    }
    // The tables are opened for the text of the hits in any case.
    let table = table(snapshot, graph, query.mode)?;
    if let Some(Table { reader, embedder: Some(embedder) }) = &table
        && query.mode != SearchMode::Text
    {
        by_vector(reader, embedder.as_ref(), query, visible.as_deref(), candidates, &mut found)?;
    }
    let mut ranked = rank(found, query.mode);
    ranked.truncate(query.limit);
    let Some(Table { reader, .. }) = &table else {
        return Ok(ranked.into_iter().filter_map(|(_, score, scores)| Some(Hit { score, ..scores.hit? })).collect());
    };
    fill(reader, ranked, snapshot.record.epoch)
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

struct Table {
    reader: LanceReader,
    embedder: Option<Arc<dyn ErasedOperator>>,
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
            return Ok(Some(Table { reader: snapshot.lance(name)?, embedder: Some(Arc::clone(operator)) }));
        }
        if without.is_none() && mode == SearchMode::Text {
            let reader = snapshot.lance(name)?;
            let has_chunks = reader.tables().any(|table| *table == gristmill_sinks::tables::Table::Chunks);
            without = has_chunks.then_some(reader);
        }
    }
    if mode == SearchMode::Text {
        return Ok(without.map(|reader| Table { reader, embedder: None }));
    }
    let message = if snapshot.record.sinks.values().any(|sink| sink.embed.is_some()) {
        "the index was embedded by another model or with another header than this job has; name the job that wrote it, or search with --mode text"
    } else {
        "the index holds no vectors; search with --mode text"
    };
    Err(SearchError::Lacking(message.into()))
}

fn by_text(
    snapshot: &Snapshot,
    query: &Query<'_>,
    visible: Option<&Arc<HashSet<Key>>>,
    candidates: usize,
    found: &mut HashMap<ChunkKey, Scores>,
) -> Result<(), SearchError> {
    let Some(name) = snapshot.sinks("tantivy").next() else {
        if query.mode == SearchMode::Text {
            return Err(SearchError::Lacking("the index holds no words; search with --mode vector".into()));
        }
        return Ok(());
    };
    let options = SearchOptions {
        limit: candidates,
        paths: query.paths.to_vec(),
        languages: query.languages.to_vec(),
        ..SearchOptions::default()
    };
    for hit in snapshot.tantivy(name)?.search_among(visible, query.text, &options)? {
        let key = ChunkKey { path: hit.path.clone(), row: RowKey { row: hit.row, ordinal: hit.ordinal } };
        let scores = found.entry(key).or_default();
        scores.text = Some(hit.score);
        scores.hit = Some(Hit {
            path: hit.path,
            start_line: hit.start_line,
            end_line: hit.end_line,
            score: hit.score,
            epoch: snapshot.record.epoch,
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
fn by_vector(
    reader: &LanceReader,
    embedder: &dyn ErasedOperator,
    query: &Query<'_>,
    visible: Option<&HashSet<Key>>,
    candidates: usize,
    found: &mut HashMap<ChunkKey, Scores>,
) -> Result<(), SearchError> {
    let wanted = embed(embedder, query.text)?;
    let vectors = reader.vectors()?;
    let allowed = allowed_files(reader, &vectors.files, visible, query)?;
    let mut scored: Vec<(f32, usize)> = vectors
        .values
        .chunks_exact(vectors.dimension.max(1))
        .enumerate()
        .filter(|(row, _)| vectors.file.get(*row).is_some_and(|file| allowed.get(*file as usize) == Some(&true)))
        .map(|(row, vector)| (dot(&wanted, vector), row))
        .collect();
    let count = candidates.min(scored.len());
    if count == 0 {
        return Ok(());
    }
    let by_score = |left: &(f32, usize), right: &(f32, usize)| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1));
    scored.select_nth_unstable_by(count - 1, by_score);
    scored.truncate(count);
    for (score, row) in scored.into_iter().filter(|(score, _)| *score > 0.0) {
        let file = vectors.file.get(row).and_then(|file| vectors.files.get(*file as usize));
        let (Some((path, row)), Some(ordinal)) = (file, vectors.ordinals.get(row)) else { continue };
        let key = ChunkKey { path: path.clone(), row: RowKey { row: *row, ordinal: *ordinal } };
        found.entry(key).or_default().vector = Some(score);
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

fn embed(embedder: &dyn ErasedOperator, text: &str) -> Result<Vec<f32>, SearchError> {
    match embedder.embed_query(text) {
        Some(vector) => vector.map_err(|error| SearchError::Embed(error.to_string())),
        None => Err(SearchError::Embed(format!("the operator `{}` embeds no queries", embedder.name()))),
    }
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

/// Best first.
fn rank(found: HashMap<ChunkKey, Scores>, mode: SearchMode) -> Vec<(ChunkKey, f32, Scores)> {
    let best = |of: fn(&Scores) -> Option<f32>| found.values().filter_map(of).fold(f32::MIN_POSITIVE, f32::max);
    let (best_text, best_vector) = (best(|scores| scores.text), best(|scores| scores.vector));
    let score = |scores: &Scores| match mode {
        SearchMode::Text => scores.text.unwrap_or(0.0),
        SearchMode::Vector => scores.vector.unwrap_or(0.0),
        SearchMode::Hybrid => {
            let text = scores.text.map_or(0.0, |score| score / best_text);
            let vector = scores.vector.map_or(0.0, |score| score / best_vector);
            TEXT_WEIGHT * text + VECTOR_WEIGHT * vector
        }
    };
    let mut ranked: Vec<_> = found.into_iter().map(|(key, scores)| (key, score(&scores), scores)).collect();
    ranked.sort_by(|left, right| right.1.total_cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
    ranked
}

/// Completes hits from the table.
fn fill(reader: &LanceReader, ranked: Vec<(ChunkKey, f32, Scores)>, epoch: Epoch) -> Result<Vec<Hit>, SearchError> {
    const COLUMNS: [&str; 9] =
        ["path", "ordinal", "start_line", "end_line", "language", "kind", "symbol", "scope", "text"];
    let keys: Vec<RowKey> = ranked.iter().map(|(key, ..)| key.row).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let batch = reader.take_chunks(&keys, &COLUMNS)?;
    let text = |name: &'static str| text_column(&batch, name);
    let number = |name: &'static str| -> Result<_, SearchError> {
        let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<UInt32Type>());
        column.ok_or(SearchError::Column(name))
    };
    let (paths, ordinals) = (text("path")?, number("ordinal")?);
    // Within one ref a path holds one content.
    let mut rows: HashMap<(&str, u32), usize> = HashMap::new();
    for row in 0..batch.num_rows() {
        rows.insert((paths.value(row), ordinals.value(row)), row);
    }
    let (starts, ends) = (number("start_line")?, number("end_line")?);
    let (languages, kinds, symbols, scopes, texts) =
        (text("language")?, text("kind")?, text("symbol")?, text("scope")?, text("text")?);
    let hit = |(key, score, scores): &(ChunkKey, f32, Scores)| {
        let row = *rows.get(&(key.path.as_str(), key.row.ordinal))?;
        Some(Hit {
            path: key.path.clone(),
            start_line: starts.value(row),
            end_line: ends.value(row),
            score: *score,
            epoch,
            language: languages.value(row).to_owned(),
            kind: kinds.value(row).to_owned(),
            symbol: symbols.value(row).to_owned(),
            scope: scopes.value(row).to_owned(),
            text: Some(texts.value(row).to_owned()),
            text_score: scores.text,
            vector_score: scores.vector,
        })
    };
    Ok(ranked.iter().filter_map(hit).collect())
}

fn text_column<'a>(batch: &'a RecordBatch, name: &'static str) -> Result<&'a arrow::array::StringArray, SearchError> {
    batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>()).ok_or(SearchError::Column(name))
}
