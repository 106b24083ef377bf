//! Search over one epoch: by words, by meaning, by both, or by an expression over the text.

mod candidates;
mod embed;
mod filter;
mod grep;
mod rank;
mod snippet;

use gristmill_pipeline::RelPath;
use gristmill_sinks::tantivy::SearchOptions;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::query::{At, ErrorCode, Note, ToolError};
use candidates::{Candidate, Candidates};
pub(crate) use filter::{Filter, path_globs};
use rank::{CANDIDATES, rank};
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
    let count = query.limit.max(CANDIDATES);
    let filter = Filter::new(query, &at.visible)?;
    let vector = match query.mode {
        SearchMode::Text => None,
        _ => match embed::query_vector(at, query.text) {
            Ok(vector) => Some(vector),
            Err(reason) => {
                at.call.check()?;
                let message = format!("this answer goes by words alone: {}", reason.message);
                at.add_note(Note::new("words_only", message).with_detail(reason.detail()));
                None
            }
        },
    };
    let mut mode = if vector.is_some() { query.mode } else { SearchMode::Text };
    let stored;
    let mut candidates = Candidates::default();
    if mode != SearchMode::Vector {
        match at.epoch.words() {
            Ok(words) => {
                let options = text_options(query, count);
                let is_held = match at.epoch.chunks_of_words()? {
                    Some(chunks) => candidates.add_by_text(words, chunks, &options, &at.visible, query.text)?,
                    None => false,
                };
                if !is_held {
                    stored = words.search_among(at.visible.keys(), query.text, &options)?;
                    candidates.add_stored(&stored);
                }
            }
            Err(error) if vector.is_none() => return Err(error),
            Err(_) => {
                at.note("meaning_only", "this answer goes by meaning alone: the index holds no words");
                mode = SearchMode::Vector;
            }
        }
    }
    at.call.check()?;
    if let Some(vector) = &vector {
        candidates.add_by_vector(at, vector, &filter, count)?;
    }
    let mut ranked = rank(candidates.into_vec(), &Query { mode, ..*query });
    ranked.truncate(query.limit);
    let mut hits: Vec<Hit> = ranked.iter().map(shown).collect();
    let chunks = ranked.iter().map(|candidate| candidate.chunk);
    snippet::fill(at, query.text, chunks.zip(&mut hits))?;
    Ok(hits)
}

/// How the words of a query are looked for.
fn text_options(query: &Query<'_>, limit: usize) -> SearchOptions {
    SearchOptions {
        limit,
        paths: query.paths.to_vec(),
        languages: query.languages.to_vec(),
        kinds: query.kinds.to_vec(),
        ..SearchOptions::default()
    }
}

/// What is shown of a candidate.
fn shown(candidate: &Candidate<'_>) -> Hit {
    let Candidate { text, vector, signals, .. } = *candidate;
    let hit = candidate.chunk.hit();
    Hit { score: signals.score, text_score: text, vector_score: vector, signals: Some(signals), ..hit }
}

/// The globs of a filter are malformed.
fn bad_glob(error: &globset::Error) -> ToolError {
    ToolError::new(ErrorCode::BadInput, format!("the glob is malformed: {error}"))
}
