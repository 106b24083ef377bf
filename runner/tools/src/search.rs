//! Search in one epoch: lexical, vector, hybrid, or by regular expression.

mod candidates;
mod conditions;
mod filter;
mod grep;
mod hit;
mod query;
mod query_vector;
mod rank;
mod signals;
mod snippet;
mod tool;

use gristmill_query::{AnswerNote, ErrorCode, ToolContext, ToolError};
use gristmill_sinks::tantivy::SearchOptions;

use candidates::{Candidate, Candidates};
pub(crate) use filter::{Filter, path_globs};
use query_vector::query_vector;
pub(crate) use rank::is_secondary;
use rank::{MIN_CANDIDATES, rank};

pub use hit::{SearchHit, Snippet};
pub use query::{SearchMode, SearchQuery};
pub use signals::Signals;
pub use tool::{Search, SearchAnswer};

/// Searches an epoch. If there are no vectors, or the query cannot be embedded in time, it falls
/// back to lexical scores and adds the note `lexical_only`; if there is no full-text index, to
/// vector scores with the note `vector_only`.
///
/// # Errors
/// If the index does not have what the mode needs or cannot be read, the query is malformed, or the
/// call was cancelled.
pub fn search(context: &ToolContext<'_>, query: &SearchQuery<'_>) -> Result<Vec<SearchHit>, ToolError> {
    if matches!(query.mode, SearchMode::Regex | SearchMode::Literal) {
        return grep::search(context, query);
    }
    let count = query.limit.max(MIN_CANDIDATES);
    let filter = Filter::new(context, query)?;
    let vector = match query.mode {
        SearchMode::Text => None,
        _ => match query_vector(context, query.text) {
            Ok(vector) => Some(vector),
            Err(reason) => {
                context.call.check()?;
                let message = format!("lexical search only: {}", reason.message);
                context.add_note(AnswerNote::new("lexical_only", message).with_detail(reason.detail()));
                None
            }
        },
    };
    let mut mode = if vector.is_some() { query.mode } else { SearchMode::Text };
    let stored;
    let mut candidates = Candidates::default();
    if mode != SearchMode::Vector {
        match context.epoch.text_index() {
            Ok(text_index) => {
                let options = text_options(query, count);
                let is_resident = match context.epoch.text_index_chunks()? {
                    Some(chunks) => candidates.add_lexical(text_index, chunks, &options, &filter, query.text)?,
                    None => false,
                };
                if !is_resident && filter.has_chunk_conditions() {
                    return Err(no_chunk_columns());
                }
                if !is_resident {
                    stored = text_index.search_among(filter.keys(), query.text, &options)?;
                    candidates.add_stored(&stored);
                }
            }
            Err(error) if vector.is_none() => return Err(error),
            Err(_) => {
                context.note("vector_only", "vector search only: this index has no full-text index");
                mode = SearchMode::Vector;
            }
        }
    }
    context.call.check()?;
    if let Some(vector) = &vector {
        candidates.add_nearest(context, vector, &filter, count)?;
    }
    let mut ranked = rank(candidates.into_vec(), &SearchQuery { mode, ..*query });
    ranked.truncate(query.limit);
    let mut hits: Vec<SearchHit> = ranked.iter().map(hit).collect();
    let chunks = ranked.iter().map(|candidate| candidate.chunk);
    snippet::fill(context, query.text, chunks.zip(&mut hits))?;
    Ok(hits)
}

/// The error of a condition on chunks that the tables do not have.
fn no_chunk_columns() -> ToolError {
    let message = "lexical search cannot filter by extra columns of chunks: the full-text index and the tables have \
        different chunks";
    ToolError::new(ErrorCode::MissingCapability, message)
        .help("search with mode `vector`, `regex` or `literal`, or give both sinks the same chunks")
}

/// The options of the lexical search.
fn text_options(query: &SearchQuery<'_>, limit: usize) -> SearchOptions {
    SearchOptions {
        limit,
        paths: query.paths.to_vec(),
        languages: query.languages.to_vec(),
        kinds: query.kinds.to_vec(),
        ..SearchOptions::default()
    }
}

/// The hit of a candidate.
fn hit(candidate: &Candidate<'_>) -> SearchHit {
    let Candidate { lexical, vector, signals, .. } = *candidate;
    SearchHit {
        score: signals.score,
        lexical_score: lexical,
        vector_score: vector,
        signals: Some(signals),
        ..candidate.chunk.hit()
    }
}
