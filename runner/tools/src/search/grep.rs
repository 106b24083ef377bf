//! Search by regular expression, or by literal text.
//!
//! The texts of the chunks are read in batches, in path order, until there are enough hits. Regular
//! expressions run in time linear in the text, and those that compile to more than a megabyte are
//! rejected, so that none can exhaust the server.

use std::cell::Cell;
use std::ops::Range;

use gristmill_query::{ChunkRows, Row, Run, ToolContext, ToolError, runs};
use regex::{Regex, RegexBuilder};

use super::candidates::Chunk;
use super::filter::Filter;
use super::hit::{SearchHit, Snippet};
use super::query::{SearchMode, SearchQuery};
use super::snippet::push_line;

/// Chunks per batch of texts.
const BATCH_CHUNKS: usize = 2048;

/// The maximum size of a compiled expression.
const MAX_COMPILED_BYTES: usize = 1 << 20;

/// The maximum number of lines of a snippet.
const MAX_LINES: usize = 5;

/// Finds chunks with matching lines.
pub(super) fn search(context: &ToolContext<'_>, query: &SearchQuery<'_>) -> Result<Vec<SearchHit>, ToolError> {
    let expression = expression(query)?;
    let filter = Filter::new(context, query)?;
    let tables = context.epoch.tables()?;
    // Filters and sorts files rather than chunks, of which there are many more.
    let mut files: Vec<Run<'_, ChunkRows>> = runs(tables.chunks()?)
        .filter(|run| {
            let first = run.rows.start;
            filter.allows_file(run.path.as_str(), run.key, run.segment.value().language.value(first))
        })
        .collect();
    files.sort_by_key(|run| (run.path, run.segment.value().ordinal.value(run.rows.start)));
    let is_allowed =
        |chunk: &Row<'_, ChunkRows>| filter.allows_chunk(chunk.table().kind.value(chunk.row), chunk.address());
    let mut chunks = files.iter().flat_map(Run::live).filter(is_allowed);
    let mut hits = Vec::new();
    loop {
        context.call.check()?;
        let (addresses, batch): (Vec<u64>, Vec<Row<'_, ChunkRows>>) =
            chunks.by_ref().filter_map(|chunk| Some((chunk.address()?, chunk))).take(BATCH_CHUNKS).unzip();
        if batch.is_empty() {
            return Ok(hits);
        }
        let texts = tables.texts(&addresses)?;
        for (nth, chunk) in batch.into_iter().enumerate() {
            let text = texts.get(nth);
            if !expression.is_match(text) {
                continue;
            }
            let mut found = Chunk::Resident(chunk).hit();
            found.snippet = Some(matching_lines(text, found.start_line, &expression));
            found.text = Some(text.to_owned());
            found.score = 1.0;
            hits.push(found);
            if hits.len() == query.limit {
                return Ok(hits);
            }
        }
    }
}

fn expression(query: &SearchQuery<'_>) -> Result<Regex, ToolError> {
    let pattern = match query.mode {
        SearchMode::Literal => regex::escape(query.text),
        _ => query.text.to_owned(),
    };
    let built = RegexBuilder::new(&pattern)
        .multi_line(true)
        .size_limit(MAX_COMPILED_BYTES)
        .dfa_size_limit(MAX_COMPILED_BYTES)
        .build();
    built.map_err(|error| {
        let help = "the syntax is that of the Rust crate `regex`: no look-around, no back-references";
        ToolError::bad_input(format!("invalid regular expression: {error}")).help(help)
    })
}

/// Returns a snippet that starts at the first matching line.
fn matching_lines(text: &str, start_line: u32, expression: &Regex) -> Snippet {
    let start = Cell::new(0);
    let lines = text.split_inclusive('\n').map(|line| {
        let from = start.replace(start.get() + line.len());
        (from, line)
    });
    let matches: Vec<Range<usize>> = expression.find_iter(text).take(100).map(|found| found.range()).collect();
    let first = matches.first().map_or(0, |range| range.start);
    let mut snippet = Snippet::default();
    for (nth, (from, line)) in lines.enumerate() {
        let to = from + line.len();
        if to <= first && to < text.len() {
            continue;
        }
        if snippet.start_line == 0 {
            snippet.start_line = start_line + nth as u32;
        }
        let here = matches.iter().filter(|range| range.start < to && range.end > from);
        let here: Vec<Range<usize>> =
            here.map(|range| range.start.max(from) - from..range.end.min(to) - from).collect();
        push_line(&mut snippet, line, &here);
        if snippet.text.lines().count() >= MAX_LINES {
            break;
        }
    }
    snippet.trim_end();
    snippet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_starts_at_the_first_match() {
        let expression = Regex::new(r"fn \w+").expect("an expression");
        let snippet = matching_lines("a\nb\npub fn one() {\n}\nfn two() {}\n", 7, &expression);
        assert_eq!((snippet.start_line, snippet.text.as_str()), (9, "pub fn one() {\n}\nfn two() {}"));
        let shown: Vec<&str> =
            snippet.highlights.iter().map(|[from, to]| &snippet.text[*from as usize..*to as usize]).collect();
        assert_eq!(shown, ["fn one", "fn two"]);
    }
}
