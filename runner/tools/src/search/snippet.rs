//! The lines of a hit that say most about the query, with what matches in them.

use std::ops::Range;

use gristmill_query::{At, ToolError};

use super::candidates::Chunk;
use super::hit::{Hit, Snippet};
use crate::words::{WordSet, Words};

/// Lines of a snippet.
const LINES: usize = 8;

/// Longer lines are cut.
const MOST_BYTES_OF_LINE: usize = 300;

/// Reads the texts of the chunks that were hit, and chooses their snippets.
pub(super) fn fill<'a>(
    at: &At<'_>,
    query: &str,
    hits: impl Iterator<Item = (Chunk<'a>, &'a mut Hit)>,
) -> Result<(), ToolError> {
    let Ok(tables) = at.epoch.tables() else { return Ok(()) };
    let address = |(chunk, hit): (Chunk<'a>, &'a mut Hit)| Some((chunk.address()?, hit));
    let (addresses, hits): (Vec<u64>, Vec<&mut Hit>) = hits.filter_map(address).unzip();
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

/// The window of lines with most of the wanted words, the first of equal ones.
fn best_lines(text: &str, start_line: u32, wanted: &Words) -> Snippet {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut buffer = String::new();
    let matches: Vec<Vec<(Range<usize>, usize)>> = lines.iter().map(|line| wanted.matches(line, &mut buffer)).collect();
    let last_start = lines.len().saturating_sub(LINES);
    let score = |start: usize| {
        let window = || matches.iter().skip(start).take(LINES).flatten();
        let mut different = WordSet::default();
        window().for_each(|(_, word)| different.add(*word));
        (different.len(), window().count())
    };
    let best = (0..=last_start).rev().max_by_key(|start| score(*start)).unwrap_or_default();
    let mut snippet = Snippet { start_line: start_line + best as u32, ..Snippet::default() };
    for (line, matches) in lines.iter().zip(matches).skip(best).take(LINES) {
        let ranges: Vec<Range<usize>> = matches.into_iter().map(|(range, _)| range).collect();
        push_line(&mut snippet, line, &ranges);
    }
    snippet.end();
    snippet
}

impl Snippet {
    /// Takes off the blank end, with what matches in it.
    pub(super) fn end(&mut self) {
        self.text.truncate(self.text.trim_end().len());
        let end = self.text.len() as u32;
        self.highlights.retain(|[_, to]| *to <= end);
    }
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
