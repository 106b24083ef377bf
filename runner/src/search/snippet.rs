//! The lines of a hit that say most about the query, with what matches in them.

use std::collections::HashSet;
use std::ops::Range;

use gristmill_sinks::lance::RowKey;
use gristmill_sinks::tables::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Hit;
use super::rank::{stem_of, words_in};
use crate::query::{At, ChunkRows, ToolError};

/// Lines of a text, and what matches in them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Snippet {
    /// The first line's number, counted from 1.
    pub start_line: u32,
    /// The lines.
    pub text: String,
    /// What matches: byte ranges of `text`, ascending and apart.
    pub highlights: Vec<[u32; 2]>,
}

/// Lines of a snippet.
const LINES: usize = 8;

/// Longer lines are cut.
const MOST_BYTES_OF_LINE: usize = 300;

/// Reads the texts of the hits, and chooses their snippets.
pub(super) fn fill(at: &At<'_>, query: &str, hits: &mut [(RowKey, Hit)]) -> Result<(), ToolError> {
    let Ok(tables) = at.epoch.tables() else { return Ok(()) };
    if hits.is_empty() || !tables.has(&Table::Chunks) {
        return Ok(());
    }
    let chunks = tables.chunks()?;
    let address = |key: RowKey| ChunkRows::named(chunks, key).and_then(|chunk| chunk.address());
    let (addresses, hits): (Vec<u64>, Vec<&mut Hit>) =
        hits.iter_mut().filter_map(|(key, hit)| Some((address(*key)?, hit))).unzip();
    let texts = tables.texts(&addresses)?;
    let wanted = wanted_stems(query);
    for (nth, hit) in hits.into_iter().enumerate() {
        let text = texts.get(nth);
        hit.snippet = Some(best_lines(text, hit.start_line, &wanted));
        hit.text = Some(text.to_owned());
    }
    Ok(())
}

fn wanted_stems(query: &str) -> HashSet<String> {
    words_in(query).map(|range| stem_of(query.get(range).unwrap_or_default())).filter(|stem| !stem.is_empty()).collect()
}

/// The window of lines with most of the wanted words, the first of equal ones.
fn best_lines(text: &str, start_line: u32, wanted: &HashSet<String>) -> Snippet {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let matches: Vec<Vec<Range<usize>>> = lines.iter().map(|line| matches(line, wanted)).collect();
    let last_start = lines.len().saturating_sub(LINES);
    let score = |start: usize| {
        let window = start..(start + LINES).min(lines.len());
        let found: HashSet<String> = window
            .clone()
            .flat_map(|nth| {
                let line = lines.get(nth).copied().unwrap_or_default();
                let ranges = matches.get(nth).into_iter().flatten().cloned();
                ranges.map(move |range| stem_of(line.get(range).unwrap_or_default()))
            })
            .collect();
        let all: usize = window.filter_map(|nth| matches.get(nth)).map(Vec::len).sum();
        (found.len(), all)
    };
    let best = (0..=last_start).rev().max_by_key(|start| score(*start)).unwrap_or_default();
    let mut snippet = Snippet { start_line: start_line + best as u32, ..Snippet::default() };
    for (line, matches) in lines.iter().zip(&matches).skip(best).take(LINES) {
        push_line(&mut snippet, line, matches);
    }
    snippet.text.truncate(snippet.text.trim_end().len());
    let end = snippet.text.len() as u32;
    snippet.highlights.retain(|[_, to]| *to <= end);
    snippet
}

/// Adds a line with what matches in it, cut where it is too long.
pub(super) fn push_line(snippet: &mut Snippet, line: &str, matches: &[Range<usize>]) {
    let body = line.strip_suffix('\n').unwrap_or(line);
    // Of a long line that part is shown where the first match lies.
    let first = matches.first().map_or(0, |range| range.start);
    let start = if body.len() > MOST_BYTES_OF_LINE { first.saturating_sub(MOST_BYTES_OF_LINE / 4) } else { 0 };
    let start = (0..=start).rev().find(|at| body.is_char_boundary(*at)).unwrap_or_default();
    let end = (start + MOST_BYTES_OF_LINE).min(body.len());
    let end = (end..=body.len()).find(|at| body.is_char_boundary(*at)).unwrap_or(body.len());
    let cut_before = if start > 0 { "…" } else { "" };
    snippet.text.push_str(cut_before);
    let shift = snippet.text.len();
    snippet.text.push_str(body.get(start..end).unwrap_or_default());
    for range in matches.iter().filter(|range| range.start >= start && range.end <= end) {
        snippet.highlights.push([(shift + range.start - start) as u32, (shift + range.end - start) as u32]);
    }
    if end < body.len() {
        snippet.text.push('…');
    }
    snippet.text.push('\n');
}

/// The words of a line that are wanted.
fn matches(line: &str, wanted: &HashSet<String>) -> Vec<Range<usize>> {
    let is_wanted = |range: &Range<usize>| wanted.contains(&stem_of(line.get(range.clone()).unwrap_or_default()));
    words_in(line).filter(is_wanted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, query: &str) -> (u32, String, Vec<String>) {
        let snippet = best_lines(text, 10, &wanted_stems(query));
        let highlighted =
            snippet.highlights.iter().map(|[from, to]| snippet.text[*from as usize..*to as usize].to_owned()).collect();
        (snippet.start_line, snippet.text, highlighted)
    }

    #[test]
    fn the_lines_with_most_of_the_query_are_shown() {
        let text: String = (0..40).map(|nth| if nth == 30 { "let retryDelay = 3;\n" } else { "other();\n" }).collect();
        let (start, shown, highlighted) = lines(&text, "delays of a retry");
        assert!((33..=40).contains(&start) && shown.lines().count() == LINES, "{start} {shown}");
        assert_eq!(highlighted, ["retry", "Delay"]);
    }

    #[test]
    fn long_lines_are_cut_around_what_matches() {
        let text = format!("{}ä needle {}", "x".repeat(2000), "y".repeat(2000));
        let (_, shown, highlighted) = lines(&text, "needle");
        assert!(shown.len() < 400 && shown.starts_with('…') && shown.ends_with('…'), "{shown}");
        assert_eq!(highlighted, ["needle"]);
        assert_eq!(lines("", "needle").1, "");
    }
}
