//! Search over one epoch: by words, by meaning, by both, or by an expression over the text.

mod candidates;
mod embed;
mod filter;
mod grep;
mod rank;
mod snippet;

use std::collections::HashMap;

use gristmill_pipeline::RelPath;
use gristmill_sinks::lance::RowKey;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::query::{At, ChunkRows, ErrorCode, Row, ToolError};
use candidates::{by_text, by_vector};
pub(crate) use filter::{Filter, path_globs};
use rank::{CANDIDATES, ChunkKey, Scores, rank};
pub(crate) use rank::{is_secondary, words_of};

pub use rank::Signals;
pub use snippet::Snippet;

/// By what to rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchMode {
    /// By the words of the query (BM25).
    Text,
    /// By meaning (vectors).
    Vector,
    /// By both, fused.
    #[default]
    Hybrid,
    /// Lines that a regular expression matches, in the order of paths.
    Regex,
    /// Lines that have the query as it is, in the order of paths.
    Literal,
}

/// A search.
#[derive(Clone, Copy, Debug)]
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
    /// The kinds of chunks; empty for any.
    pub kinds: &'a [String],
    /// Whether to rank by the scores alone, whatever else is known of a chunk.
    pub plain: bool,
}

/// A chunk that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hit {
    /// Its file.
    #[schemars(with = "String")]
    pub path: RelPath,
    /// Line of its first byte, counted from 1.
    pub start_line: u32,
    /// Line of its last byte.
    pub end_line: u32,
    /// The better, the higher; comparable within one answer.
    pub score: f32,
    /// The language's name.
    pub language: String,
    /// What it holds, such as `function`.
    pub kind: String,
    /// The name of the definition that it holds or belongs to.
    pub symbol: String,
    /// The qualified name of what surrounds it.
    pub scope: String,
    /// The lines of it that say most about the query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snippet: Option<Snippet>,
    /// Its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its score by words, if it was among the best by words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_score: Option<f32>,
    /// How near its vector is to the query's, if it was compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector_score: Option<f32>,
    /// What it owes its score to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signals: Option<Signals>,
}

/// Searches an epoch. Where vectors are missing, or the query cannot be embedded in time, it
/// goes by words and notes so.
///
/// # Errors
/// If the index lacks what the mode needs or cannot be read, the query is malformed, or the
/// call ended.
pub fn search(at: &At<'_>, query: &Query<'_>) -> Result<Vec<Hit>, ToolError> {
    if matches!(query.mode, SearchMode::Regex | SearchMode::Literal) {
        return grep::search(at, query);
    }
    let candidates = query.limit.max(CANDIDATES);
    let filter = Filter::new(query, &at.visible)?;
    let vector = match query.mode {
        SearchMode::Text => None,
        _ => match embed::query_vector(at, query.text) {
            Ok(vector) => Some(vector),
            Err(reason) => {
                at.note("words_only", format!("this answer goes by words alone: {reason}"));
                None
            }
        },
    };
    let mut mode = if vector.is_some() { query.mode } else { SearchMode::Text };
    let mut found: HashMap<ChunkKey, Scores> = HashMap::new();
    if mode != SearchMode::Vector {
        match at.epoch.words() {
            Ok(words) => by_text(words, query, &at.visible, candidates, &mut found)?,
            Err(error) if vector.is_none() => return Err(error),
            Err(_) => {
                at.note("meaning_only", "this answer goes by meaning alone: the index holds no words");
                mode = SearchMode::Vector;
            }
        }
    }
    at.call.check()?;
    if let Some(vector) = &vector {
        by_vector(at, vector, &filter, candidates, &mut found)?;
    }
    let query = Query { mode, ..*query };
    if let Ok(tables) = at.epoch.tables()
        && tables.has(&gristmill_sinks::tables::Table::Chunks)
    {
        let chunks = tables.chunks()?;
        for (key, scores) in &mut found {
            if scores.hit.is_none() {
                scores.hit = ChunkRows::named(chunks, key.row).map(|chunk| hit(chunk, scores));
            }
        }
    }
    let mut ranked = rank(found, &query);
    ranked.truncate(query.limit);
    let mut hits: Vec<(RowKey, Hit)> = ranked
        .into_iter()
        .filter_map(|(key, scores)| {
            let Scores { text, vector, hit, signals } = scores;
            let (score, signals) = (signals.score, Some(signals));
            Some((key.row, Hit { score, text_score: text, vector_score: vector, signals, ..hit? }))
        })
        .collect();
    snippet::fill(at, query.text, &mut hits)?;
    Ok(hits.into_iter().map(|(_, hit)| hit).collect())
}

/// What is in memory of a chunk.
fn hit(chunk: Row<'_, ChunkRows>, scores: &Scores) -> Hit {
    let (rows, row) = (chunk.table(), chunk.row);
    Hit {
        path: chunk.path().clone(),
        start_line: rows.start_line.value(row),
        end_line: rows.end_line.value(row),
        score: 0.0,
        language: rows.language.value(row).to_owned(),
        kind: rows.kind.value(row).to_owned(),
        symbol: rows.symbol.value(row).to_owned(),
        scope: rows.scope.value(row).to_owned(),
        snippet: None,
        text: None,
        text_score: scores.text,
        vector_score: scores.vector,
        signals: None,
    }
}

/// The globs of a filter are malformed.
fn bad_glob(error: &globset::Error) -> ToolError {
    ToolError::new(ErrorCode::BadInput, format!("the glob is malformed: {error}"))
}
