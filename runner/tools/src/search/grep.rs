//! Search by a regular expression, or by the text as it is.
//!
//! The texts of the chunks are read from the table a stretch at a time, in the order of
//! paths, until enough was found. Expressions run in time linear in the text, and those
//! that compile to more than a megabyte are refused, so that none can hold the server.

use std::cell::Cell;
use std::ops::Range;

use gristmill_query::{At, ChunkRows, Row, Run, ToolError, runs};
use regex::{Regex, RegexBuilder};

use super::candidates::Chunk;
use super::filter::Filter;
use super::hit::{Hit, Snippet};
use super::query::{Query, SearchMode};
use super::snippet::push_line;

/// Chunks whose texts are read at a time.
const STRETCH: usize = 2048;

/// Memory that a compiled expression may take.
const MOST_BYTES: usize = 1 << 20;

/// Lines of a chunk that are shown.
const LINES: usize = 5;

/// Finds chunks with lines that match.
pub(super) fn search(at: &At<'_>, query: &Query<'_>) -> Result<Vec<Hit>, ToolError> {
    let expression = expression(query)?;
    let filter = Filter::new(query, &at.visible)?;
    let tables = at.epoch.tables()?;
    // Files are filtered and sorted, not their chunks, of which there are many more.
    let mut files: Vec<Run<'_, ChunkRows>> = runs(tables.chunks()?)
        .filter(|run| {
            let first = run.rows.start;
            filter.allows_file(run.path.as_str(), run.key, run.segment.value().language.value(first))
        })
        .collect();
    files.sort_by_key(|run| (run.path, run.segment.value().ordinal.value(run.rows.start)));
    let is_kind = |chunk: &Row<'_, ChunkRows>| filter.allows_kind(chunk.table().kind.value(chunk.row));
    let mut chunks = files.iter().flat_map(Run::live).filter(is_kind);
    let mut hits = Vec::new();
    loop {
        at.call.check()?;
        let (addresses, stretch): (Vec<u64>, Vec<Row<'_, ChunkRows>>) =
            chunks.by_ref().filter_map(|chunk| Some((chunk.address()?, chunk))).take(STRETCH).unzip();
        if stretch.is_empty() {
            return Ok(hits);
        }
        let texts = tables.texts(&addresses)?;
        for (nth, chunk) in stretch.into_iter().enumerate() {
            let text = texts.get(nth);
            if !expression.is_match(text) {
                continue;
            }
            let mut found = Chunk::Held(chunk).hit();
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

fn expression(query: &Query<'_>) -> Result<Regex, ToolError> {
    let pattern = match query.mode {
        SearchMode::Literal => regex::escape(query.text),
        _ => query.text.to_owned(),
    };
    let built = RegexBuilder::new(&pattern).multi_line(true).size_limit(MOST_BYTES).dfa_size_limit(MOST_BYTES).build();
    built.map_err(|error| {
        let help = "the syntax is that of Rust's `regex`: no look-around, no back-references";
        ToolError::bad_input(format!("the expression cannot be used: {error}")).help(help)
    })
}

/// The first lines that match, from the first on.
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
        if snippet.text.lines().count() >= LINES {
            break;
        }
    }
    snippet.end();
    snippet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_from_the_first_match_on_are_shown() {
        let expression = Regex::new(r"fn \w+").expect("an expression");
        let snippet = matching_lines("a\nb\npub fn one() {\n}\nfn two() {}\n", 7, &expression);
        assert_eq!((snippet.start_line, snippet.text.as_str()), (9, "pub fn one() {\n}\nfn two() {}"));
        let shown: Vec<&str> =
            snippet.highlights.iter().map(|[from, to]| &snippet.text[*from as usize..*to as usize]).collect();
        assert_eq!(shown, ["fn one", "fn two"]);
    }
}
