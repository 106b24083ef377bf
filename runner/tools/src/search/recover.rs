//! Queries that find nothing as they are written: names with a slip, paths, and signs alone.

use gristmill_query::{ToolContext, ToolError, quote};
use gristmill_sinks::TantivyReader;
use gristmill_sinks::tables::Table;

use super::query::{SearchMode, SearchQuery};
use crate::names::{bare_name, similar_names};

/// The maximum number of words that are corrected.
const MAX_WORDS: usize = 8;

/// Returns the path of the file that the query names, with the note `path`. A file name alone is no
/// path: its mentions are wanted too.
pub(super) fn named_file(context: &ToolContext<'_>, query: &SearchQuery<'_>) -> Result<Option<String>, ToolError> {
    let text = query.text.trim_matches(['`', '"', '\'', ' ']);
    let is_path = text.contains(['/', '\\']) && !text.contains(char::is_whitespace);
    if !is_path || !query.paths.is_empty() || !has_table(context, &Table::Files) {
        return Ok(None);
    }
    let Some(file) = context.file(text)? else { return Ok(None) };
    context.note("path", format!("{} is a file; showing its chunks", quote(text)));
    Ok(Some(file.path().as_str().to_owned()))
}

/// Returns the query with the most similar name of a definition for each word that the full-text
/// index does not have, with the note `corrected`; `None` if no word is similar to one.
pub(super) fn corrected(
    context: &ToolContext<'_>,
    text_index: &TantivyReader,
    query: &SearchQuery<'_>,
) -> Result<Option<String>, ToolError> {
    if !has_table(context, &Table::Symbols) {
        return Ok(None);
    }
    let table = context.epoch.tables()?.symbols()?;
    let (mut unknown, mut known) = (Vec::new(), Vec::new());
    for word in query.text.split_whitespace().take(MAX_WORDS) {
        let name = word.trim_matches(|sign: char| !sign.is_alphanumeric() && sign != '_');
        if name.is_empty() || text_index.has_word(name)? {
            continue;
        }
        let near = similar_names(context, table, bare_name(name))?;
        if let Some(near) = near.first().filter(|near| !near.eq_ignore_ascii_case(name)) {
            unknown.push(quote(name));
            known.push(*near);
        }
    }
    if known.is_empty() {
        return Ok(None);
    }
    let shown: Vec<String> = known.iter().copied().map(quote).collect();
    context.note("corrected", format!("no chunk has {}; showing hits for {}", unknown.join(", "), shown.join(", ")));
    // What the index has of the words as they are written counts too.
    Ok(Some(format!("{} {}", query.text, known.join(" "))))
}

/// Returns whether a query has signs alone, which no full-text index has, and is searched verbatim
/// instead. A note says so.
pub(super) fn is_signs(context: &ToolContext<'_>, query: &SearchQuery<'_>) -> bool {
    let is_signs = matches!(query.mode, SearchMode::Text | SearchMode::Hybrid)
        && !gristmill_sinks::tantivy::has_words(query.text)
        && has_table(context, &Table::Chunks);
    if is_signs {
        context.note("literal", "the query has no words to search for; searched verbatim");
    }
    is_signs
}

fn has_table(context: &ToolContext<'_>, table: &Table) -> bool {
    context.epoch.tables().is_ok_and(|tables| tables.has(table))
}
