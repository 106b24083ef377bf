//! Search over one epoch: by words, by meaning, by both, or by an expression over the text.

mod candidates;
mod filter;
mod grep;
mod hit;
mod query;
mod query_vector;
mod rank;
mod signals;
mod snippet;
mod tool;

use gristmill_query::{At, Note, ToolError};
use gristmill_sinks::tantivy::SearchOptions;

use candidates::{Candidate, Candidates};
pub(crate) use filter::{Filter, path_globs};
use query_vector::query_vector;
pub(crate) use rank::is_secondary;
use rank::{CANDIDATES, rank};

pub use hit::{Hit, Snippet};
pub use query::{Query, SearchMode};
pub use signals::Signals;
pub use tool::{Search, SearchAnswer};

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
        _ => match query_vector(at, query.text) {
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
