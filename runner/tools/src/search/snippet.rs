//! Snippets: the best matching lines of a hit, with highlights.

use std::ops::Range;

use gristmill_query::{ToolContext, ToolError};

use super::candidates::Chunk;
use super::hit::{SearchHit, Snippet};
use crate::words::{WordSet, Words};

/// The maximum number of lines of a snippet.
const MAX_LINES: usize = 8;

/// Longer lines are truncated.
const MAX_LINE_BYTES: usize = 300;

/// Reads the texts of the hits, and fills in their snippets.
pub(super) fn fill<'a>(
    context: &ToolContext<'_>,
    query: &str,
    hits: impl Iterator<Item = (Chunk<'a>, &'a mut SearchHit)>,
) -> Result<(), ToolError> {
    let Ok(tables) = context.epoch.tables() else { return Ok(()) };
    let address = |(chunk, hit): (Chunk<'a>, &'a mut SearchHit)| Some((chunk.address()?, hit));
    let (addresses, hits): (Vec<u64>, Vec<&mut SearchHit>) = hits.filter_map(address).unzip();
    if addresses.is_empty() {
        return Ok(());
    }
    let texts = tables.texts(&addresses)?;
    let wanted = Words::of(query);
    for (nth, hit) in hits.into_iter().enumerate() {
        let text = texts.get(nth);
        hit.snippet = Some(best_lines(text, hit.start_line, &wanted));
        hit.text = Some(text.to_owned());
    }
    Ok(())
}

/// Finds the window of lines with most distinct query words; on a tie, the first one.
fn best_lines(text: &str, start_line: u32, wanted: &Words) -> Snippet {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut buffer = String::new();
    let matches: Vec<Vec<(Range<usize>, usize)>> = lines.iter().map(|line| wanted.matches(line, &mut buffer)).collect();
    let last_start = lines.len().saturating_sub(MAX_LINES);
    let score = |start: usize| {
        let window = || matches.iter().skip(start).take(MAX_LINES).flatten();
        let mut distinct = WordSet::default();
        window().for_each(|(_, word)| distinct.add(*word));
        (distinct.len(), window().count())
    };
    let best = (0..=last_start).rev().max_by_key(|start| score(*start)).unwrap_or_default();
    let mut snippet = Snippet { start_line: start_line + best as u32, ..Snippet::default() };
    for (line, matches) in lines.iter().zip(matches).skip(best).take(MAX_LINES) {
        let ranges: Vec<Range<usize>> = matches.into_iter().map(|(range, _)| range).collect();
        push_line(&mut snippet, line, &ranges);
    }
    snippet.trim_end();
    snippet
}

impl Snippet {
    /// Removes trailing white space, with its highlights.
    pub(super) fn trim_end(&mut self) {
        self.text.truncate(self.text.trim_end().len());
        let end = self.text.len() as u32;
        self.highlights.retain(|[_, to]| *to <= end);
    }
}

/// Appends a line with its matches; truncates a long line.
pub(super) fn push_line(snippet: &mut Snippet, line: &str, matches: &[Range<usize>]) {
    let body = line.strip_suffix('\n').unwrap_or(line);
    // A long line is shown around its first match.
    let first = matches.first().map_or(0, |range| range.start);
    let start = if body.len() > MAX_LINE_BYTES { first.saturating_sub(MAX_LINE_BYTES / 4) } else { 0 };
    let start = (0..=start).rev().find(|at| body.is_char_boundary(*at)).unwrap_or_default();
    let end = (start + MAX_LINE_BYTES).min(body.len());
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

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, query: &str) -> (u32, String, Vec<String>) {
        let snippet = best_lines(text, 10, &Words::of(query));
        let highlighted =
            snippet.highlights.iter().map(|[from, to]| snippet.text[*from as usize..*to as usize].to_owned()).collect();
        (snippet.start_line, snippet.text, highlighted)
    }

    #[test]
    fn the_lines_with_most_query_words_are_shown() {
        let text: String = (0..40).map(|nth| if nth == 30 { "let retryDelay = 3;\n" } else { "other();\n" }).collect();
        let (start, shown, highlighted) = lines(&text, "delays of a retry");
        assert!((33..=40).contains(&start) && shown.lines().count() == MAX_LINES, "{start} {shown}");
        assert_eq!(highlighted, ["retry", "Delay"]);
    }

    #[test]
    fn long_lines_are_truncated_around_the_first_match() {
        let text = format!("{}ä needle {}", "x".repeat(2000), "y".repeat(2000));
        let (_, shown, highlighted) = lines(&text, "needle");
        assert!(shown.len() < 400 && shown.starts_with('…') && shown.ends_with('…'), "{shown}");
        assert_eq!(highlighted, ["needle"]);
        assert_eq!(lines("", "needle").1, "");
    }
}
