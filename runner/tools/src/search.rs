//! Search in one epoch: lexical, vector, hybrid, or by regular expression.

mod candidates;
mod conditions;
mod expression;
pub(crate) mod file_text;
mod filter;
mod grep;
mod hit;
mod nearest;
mod needle;
mod query;
mod query_vector;
mod rank;
mod recover;
mod signals;
mod snippet;
mod tool;

use std::thread::Scope;

use gristmill_query::{AnswerNote, ErrorCode, ToolContext, ToolError};
use gristmill_sinks::TantivyReader;
use gristmill_sinks::tantivy::{ChunkHit as StoredHit, SearchOptions};

use candidates::{Candidate, Candidates};
pub(crate) use filter::Filter;
use nearest::Nearest;
use query_vector::query_vector;
pub(crate) use rank::is_secondary;
use rank::{MIN_CANDIDATES, is_identifier, rank};

pub use hit::{SearchHit, Snippet};
pub use query::{SearchMode, SearchOrder, SearchQuery};
pub use signals::Signals;
pub use tool::{Matches, Search, SearchAnswer};

/// Searches an epoch. If there are no vectors, or the query cannot be embedded in time, it falls
/// back to lexical scores and adds the note `lexical_only`; if there is no full-text index, to
/// vector scores with the note `vector_only`. A query that is a path shows the file's chunks, with the
/// note `path`; one of signs alone is searched verbatim, with the note `literal`; and for a name that no
/// chunk has, similar names are searched for too, with the note `corrected`.
///
/// # Errors
/// If the index does not have what the mode needs or cannot be read, the query is malformed, or the
/// call was cancelled.
pub fn search(context: &ToolContext<'_>, query: &SearchQuery<'_>) -> Result<SearchAnswer, ToolError> {
    if matches!(query.mode, SearchMode::Regex | SearchMode::Literal) {
        return grep::search(context, query);
    }
    std::thread::scope(|scope| search_ranked(context, query, scope))
}

/// Searches by words and vectors. Vectors that are read in passing are scored on a thread of `scope`, while
/// the other core scores words.
fn search_ranked<'scope, 'env>(
    context: &'scope ToolContext<'_>,
    query: &SearchQuery<'_>,
    scope: &'scope Scope<'scope, 'env>,
) -> Result<SearchAnswer, ToolError> {
    if recover::is_signs(context, query) {
        return grep::search(context, &SearchQuery { text: query.text.trim(), mode: SearchMode::Literal, ..*query });
    }
    let paths: Vec<String> = recover::named_file(context, query)?.into_iter().collect();
    let query = if paths.is_empty() { *query } else { SearchQuery { paths: &paths, ..*query } };
    let filter = Filter::new(context, &query)?;
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
    let nearest = vector.map(|vector| Nearest::start(context, vector, scope)).transpose()?;
    let mut mode = if nearest.is_some() { query.mode } else { SearchMode::Text };
    let mut lexical = Lexical { stored: Vec::new(), resident: Candidates::default() };
    let mut text = query.text.to_owned();
    if mode != SearchMode::Vector {
        match context.epoch.text_index() {
            Ok(text_index) => {
                lexical = find_lexical(context, text_index, &filter, &query)?;
                // A sentence has other words; a name with a slip has only parts that are found.
                let may_have_slip = lexical.is_empty() || is_identifier(query.text);
                if may_have_slip && let Some(corrected) = recover::corrected(context, text_index, &query)? {
                    lexical = find_lexical(context, text_index, &filter, &SearchQuery { text: &corrected, ..query })?;
                    text = corrected;
                }
            }
            Err(error) if nearest.is_none() => return Err(error),
            Err(_) => {
                context.note("vector_only", "vector search only: this index has no full-text index");
                mode = SearchMode::Vector;
            }
        }
    }
    let Lexical { stored, resident: mut candidates } = lexical;
    candidates.add_stored(&stored);
    context.call.check()?;
    if let Some(nearest) = nearest {
        nearest.add_to(&mut candidates, context, &filter, candidates_of(&query))?;
    }
    let mut ranked = rank(candidates.into_vec(), &SearchQuery { mode, text: &text, ..query });
    ranked.truncate(query.limit);
    let mut hits: Vec<SearchHit> = ranked.iter().map(hit).collect();
    let chunks = ranked.iter().map(|candidate| candidate.chunk);
    snippet::fill(context, &text, chunks.zip(&mut hits))?;
    Ok(SearchAnswer { hits, matches: None })
}

/// The chunks that a lexical search found: in the resident table, or as the full-text index stores
/// them.
struct Lexical<'a> {
    stored: Vec<StoredHit>,
    resident: Candidates<'a>,
}

impl Lexical<'_> {
    fn is_empty(&self) -> bool {
        self.stored.is_empty() && self.resident.is_empty()
    }
}

/// Finds the chunks with the highest lexical scores.
fn find_lexical<'a>(
    context: &ToolContext<'a>,
    text_index: &TantivyReader,
    filter: &Filter<'_>,
    query: &SearchQuery<'_>,
) -> Result<Lexical<'a>, ToolError> {
    let options = text_options(filter, candidates_of(query));
    let mut found = Lexical { stored: Vec::new(), resident: Candidates::default() };
    let is_resident = match context.epoch.text_index_chunks()? {
        Some(chunks) => found.resident.add_lexical(text_index, chunks, &options, filter, query.text)?,
        None => false,
    };
    if !is_resident {
        if filter.has_chunk_conditions() {
            return Err(no_chunk_columns());
        }
        found.stored = text_index.search_among(filter.keys(), query.text, &options)?;
    }
    Ok(found)
}

/// Returns the number of candidates of each kind of score.
fn candidates_of(query: &SearchQuery<'_>) -> usize {
    query.limit.max(MIN_CANDIDATES)
}

/// The error of a condition on chunks that the tables do not have.
fn no_chunk_columns() -> ToolError {
    let message = "lexical search cannot filter by extra columns of chunks: the full-text index and the tables have \
        different chunks";
    ToolError::new(ErrorCode::MissingCapability, message)
        .help("search with mode `vector`, `regex` or `literal`, or give both sinks the same chunks")
}

/// The options of the lexical search.
fn text_options(filter: &Filter<'_>, limit: usize) -> SearchOptions {
    SearchOptions {
        limit,
        paths: filter.paths().globs().to_vec(),
        languages: filter.languages().names().to_vec(),
        kinds: filter.kinds().names().to_vec(),
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
        locator: Some(candidate.key),
        ..candidate.chunk.hit()
    }
}
