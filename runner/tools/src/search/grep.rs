//! Search by regular expression, or by literal text.
//!
//! The texts of whole files are searched, put together from their chunks, so that a match may span
//! chunks and lines. The chunks are read in batches in path order, and the files of a batch searched
//! in parallel. All files are searched, so that counts are exact; where every match begins with
//! the same text, files without it are passed over before their text is put together. Regular expressions run in time
//! linear in the text, and those that compile to more than a megabyte are rejected, so that none can
//! exhaust the server.

use std::collections::HashMap;
use std::ops::Range;

use gristmill_pipeline::RowKey;
use gristmill_query::{ChunkRows, Row, Run, ToolContext, ToolError, runs};
use gristmill_sinks::lance::ChunkLocator;
use rayon::prelude::*;

use super::candidates::{Candidate, Chunk};
use super::expression::Expression;
use super::file_text::{Part, join, place};
use super::filter::Filter;
use super::hit::{SearchHit, Snippet};
use super::query::{SearchOrder, SearchQuery};
use super::rank::rank;
use super::snippet::push_line;
use super::tool::{Matches, SearchAnswer};

/// Chunks per batch of texts.
const BATCH_CHUNKS: usize = 8192;

/// The maximum number of lines of a snippet.
const MAX_LINES: usize = 5;

/// The maximum number of matches that a snippet highlights.
const MAX_HIGHLIGHTS: usize = 100;

/// The maximum number of hits if all matches are requested.
const MAX_ALL: usize = 100_000;

/// Finds the chunks in which matches start; with [`SearchQuery::all`] each match.
pub(super) fn search(context: &ToolContext<'_>, query: &SearchQuery<'_>) -> Result<SearchAnswer, ToolError> {
    let expression = Expression::new(query.mode, query.text)?;
    let filter = Filter::new(context, query)?;
    let files = files(context, &filter)?;
    let wanted = if query.all { MAX_ALL } else { query.limit };
    let scan = Scan { context, expression: &expression, filter: &filter, each_match: query.all };
    let found = match query.order {
        SearchOrder::Path => scan.of(&files, wanted)?,
        SearchOrder::Rank => scan.ranked(&files, wanted, query)?,
    };
    let truncated = found.is_truncated;
    let matches = Matches { total: found.matches, files: found.files, truncated };
    Ok(SearchAnswer { hits: found.hits, matches: Some(matches) })
}

/// The chunks of a file.
struct File<'a> {
    key: RowKey,
    chunks: Vec<Row<'a, ChunkRows>>,
}

/// Returns the files that pass the filter, in path order.
fn files<'a>(context: &ToolContext<'a>, filter: &Filter<'_>) -> Result<Vec<File<'a>>, ToolError> {
    // Filters and sorts files rather than chunks, of which there are many more.
    let mut found: Vec<Run<'a, ChunkRows>> = runs(context.epoch.tables()?.chunks()?)
        .filter(|run| {
            let first = run.rows.start;
            filter.allows_file(run.path.as_str(), run.key, run.segment.value().language.value(first))
        })
        .collect();
    found.sort_by_key(|run| (run.path, run.key, run.segment.value().ordinal.value(run.rows.start)));
    let mut files: Vec<File<'a>> = Vec::new();
    for run in &found {
        match files.last_mut().filter(|file| file.key == run.key) {
            Some(file) => file.chunks.extend(run.live()),
            None => files.push(File { key: run.key, chunks: run.live().collect() }),
        }
    }
    for file in &mut files {
        file.chunks.sort_by_key(|chunk| chunk.table().ordinal.value(chunk.row));
    }
    Ok(files)
}

/// What a scan found.
#[derive(Default)]
struct Found {
    hits: Vec<SearchHit>,
    matches: u64,
    files: u64,
    is_truncated: bool,
}

/// The matches in a file.
#[derive(Default)]
struct FileMatches<'a> {
    /// The chunks in which matches start, with the number of matches.
    chunks: Vec<(Row<'a, ChunkRows>, u64)>,
    hits: Vec<SearchHit>,
}

struct Scan<'s, 'a> {
    context: &'s ToolContext<'a>,
    expression: &'s Expression,
    filter: &'s Filter<'s>,
    /// Whether each match is a hit, rather than each chunk with matches.
    each_match: bool,
}

impl<'a> Scan<'_, 'a> {
    /// Searches files in their order, and returns the first hits.
    fn of(&self, files: &[File<'a>], wanted: usize) -> Result<Found, ToolError> {
        let mut found = Found::default();
        self.each_file(
            files,
            |scanned, left| {
                let chunks = scanned.chunks.len();
                found.matches += scanned.chunks.iter().map(|(_, count)| count).sum::<u64>();
                found.files += u64::from(chunks > 0);
                let hits = if self.each_match {
                    scanned.chunks.iter().map(|(_, count)| usize::try_from(*count).unwrap_or(usize::MAX)).sum()
                } else {
                    chunks
                };
                found.is_truncated |= hits > left;
                found.hits.extend(scanned.hits.into_iter().take(left));
                wanted - found.hits.len()
            },
            wanted,
        )?;
        Ok(found)
    }

    /// Searches files, and returns the hits whose chunks rank highest.
    fn ranked(&self, files: &[File<'a>], wanted: usize, query: &SearchQuery<'_>) -> Result<Found, ToolError> {
        let mut found = Found::default();
        let mut candidates: Vec<Candidate<'a>> = Vec::new();
        self.each_file(
            files,
            |scanned, _| {
                found.files += u64::from(!scanned.chunks.is_empty());
                for (chunk, count) in scanned.chunks {
                    found.matches += count;
                    let key = ChunkLocator { row: chunk.key(), ordinal: chunk.table().ordinal.value(chunk.row) };
                    // More matches count for more, but not in proportion.
                    let lexical = Some(1.0 + (count as f32).ln());
                    candidates.push(Candidate { lexical, ..Candidate::new(key, Chunk::Resident(chunk)) });
                }
                0
            },
            0,
        )?;
        let mut ranked = rank(candidates, query);
        found.is_truncated = ranked.len() > wanted;
        ranked.truncate(wanted);
        // The texts of these are read again: those of all matches may be too large to keep.
        let places: HashMap<ChunkLocator, usize> =
            ranked.iter().enumerate().map(|(place, candidate)| (candidate.key, place)).collect();
        let keys: std::collections::HashSet<RowKey> = ranked.iter().map(|candidate| candidate.key.row).collect();
        let chosen: Vec<File<'a>> = files
            .iter()
            .filter(|file| keys.contains(&file.key))
            .map(|file| File { key: file.key, chunks: file.chunks.clone() })
            .collect();
        let mut hits: Vec<(usize, SearchHit)> = Vec::new();
        self.each_file(
            &chosen,
            |scanned, left| {
                let per_chunk = scanned.chunks.iter().flat_map(|(chunk, count)| {
                    let key = ChunkLocator { row: chunk.key(), ordinal: chunk.table().ordinal.value(chunk.row) };
                    let of_chunk = if self.each_match { usize::try_from(*count).unwrap_or(usize::MAX) } else { 1 };
                    std::iter::repeat_n(places.get(&key).copied(), of_chunk)
                });
                hits.extend(per_chunk.zip(scanned.hits).filter_map(|(place, hit)| Some((place?, hit))));
                left
            },
            usize::MAX,
        )?;
        hits.sort_by_key(|(place, _)| *place);
        found.is_truncated |= hits.len() > wanted;
        for (place, mut hit) in hits.into_iter().take(wanted) {
            if let Some(candidate) = ranked.get(place) {
                hit.score = candidate.signals.score;
                hit.signals = Some(candidate.signals);
            }
            found.hits.push(hit);
        }
        Ok(found)
    }

    /// Searches files in batches, and calls `each` with the matches of every file in order. It gets
    /// and returns how many hits are still wanted.
    fn each_file(
        &self,
        files: &[File<'a>],
        mut each: impl FnMut(FileMatches<'a>, usize) -> usize,
        wanted: usize,
    ) -> Result<(), ToolError> {
        let tables = self.context.epoch.tables()?;
        let mut left = wanted;
        let mut rest = files;
        while !rest.is_empty() {
            self.context.call.check()?;
            let mut chunks = 0;
            let is_full = |file: &File<'_>| {
                chunks += file.chunks.len();
                chunks >= BATCH_CHUNKS
            };
            let size = rest.iter().position(is_full).map_or(rest.len(), |last| last + 1);
            let (batch, after) = rest.split_at(size);
            rest = after;
            let addresses: Vec<u64> = batch.iter().flat_map(|file| &file.chunks).filter_map(Row::address).collect();
            let texts = tables.texts(&addresses)?;
            let mut first = 0;
            let starts: Vec<(usize, &File<'a>)> = batch
                .iter()
                .map(|file| {
                    let start = first;
                    first += file.chunks.len();
                    (start, file)
                })
                .collect();
            let build = left;
            let scanned: Vec<FileMatches<'a>> = starts
                .into_par_iter()
                .map(|(start, file)| {
                    let pieces = file.chunks.iter().enumerate().map(|(nth, chunk)| {
                        let (byte, line) = place(*chunk);
                        (byte, line, texts.get(start + nth))
                    });
                    let needle = self.expression.needle.as_ref();
                    if needle.is_some_and(|needle| !needle.is_in(pieces.clone())) {
                        return FileMatches::default();
                    }
                    self.matches(file, join(pieces), build)
                })
                .collect();
            for file in scanned {
                left = each(file, left);
            }
        }
        Ok(())
    }

    /// Finds the matches in a file, and builds up to `wanted` hits.
    fn matches(&self, file: &File<'a>, parts: Vec<Part>, wanted: usize) -> FileMatches<'a> {
        let mut found = FileMatches::default();
        for mut part in parts {
            if self.expression.ignores_line_ends {
                part.normalise_line_ends();
            }
            let text = part.text.as_str();
            // The matches that start in one chunk are adjacent.
            let mut last: Option<(usize, Vec<Range<usize>>)> = None;
            for range in self.expression.regex.find_iter(text).map(|found| found.range()) {
                // The end of the text after the last line is no line.
                if range.start == text.len() && text.ends_with('\n') {
                    continue;
                }
                let nth = part.chunk_at(range.start);
                let Some(chunk) = file.chunks.get(nth) else { continue };
                if !self.filter.allows_chunk(chunk.table().kind.value(chunk.row), chunk.address()) {
                    continue;
                }
                match found
                    .chunks
                    .last_mut()
                    .filter(|(known, _)| known.row == chunk.row && known.address() == chunk.address())
                {
                    Some((_, count)) => *count += 1,
                    None => found.chunks.push((*chunk, 1)),
                }
                if self.each_match && found.hits.len() < wanted {
                    found.hits.push(match_hit(*chunk, &part, range));
                    continue;
                }
                match &mut last {
                    Some((known, ranges)) if *known == nth => {
                        if ranges.len() < MAX_HIGHLIGHTS {
                            ranges.push(range);
                        }
                    }
                    _ => self.finish(file, &part, last.replace((nth, vec![range])), wanted, &mut found),
                }
            }
            self.finish(file, &part, last, wanted, &mut found);
        }
        found
    }

    /// Adds the hit of a chunk with these matches.
    fn finish(
        &self,
        file: &File<'a>,
        part: &Part,
        matched: Option<(usize, Vec<Range<usize>>)>,
        wanted: usize,
        found: &mut FileMatches<'a>,
    ) {
        if let Some((nth, ranges)) = matched
            && let Some(chunk) = file.chunks.get(nth)
            && !self.each_match
            && found.hits.len() < wanted
        {
            found.hits.push(chunk_hit(*chunk, part, nth, &ranges));
        }
    }
}

/// Returns the hit of a chunk with matches.
fn chunk_hit(chunk: Row<'_, ChunkRows>, part: &Part, nth: usize, ranges: &[Range<usize>]) -> SearchHit {
    let mut hit = Chunk::Resident(chunk).hit();
    hit.snippet = Some(matching_lines(&part.text, part.start_line, ranges));
    hit.text = Some(part.text_of(nth).to_owned());
    hit.score = 1.0;
    hit
}

/// Returns the hit of a match: its lines.
fn match_hit(chunk: Row<'_, ChunkRows>, part: &Part, range: Range<usize>) -> SearchHit {
    let mut hit = Chunk::Resident(chunk).hit();
    let lines = |to: usize| part.text.as_bytes().get(..to).map_or(0, count_lines);
    // An empty match, or one that ends with its line, has no line after it.
    let last = if range.is_empty() { range.end } else { range.end - 1 };
    hit.start_line = part.start_line + lines(range.start);
    hit.end_line = part.start_line + lines(last);
    hit.text = part.text.get(range.clone()).map(ToOwned::to_owned);
    hit.snippet = Some(matching_lines(&part.text, part.start_line, &[range]));
    hit.score = 1.0;
    hit
}

fn count_lines(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u32
}

/// Returns a snippet that starts at the first matching line, and ends at the last one at most.
fn matching_lines(text: &str, start_line: u32, matches: &[Range<usize>]) -> Snippet {
    let first = matches.first().map_or(0, |range| range.start);
    let from = text.get(..first).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
    let before = text.get(..from).unwrap_or_default();
    let mut snippet = Snippet { start_line: start_line + count_lines(before.as_bytes()), ..Snippet::default() };
    let mut start = from;
    for line in text.get(from..).unwrap_or_default().split_inclusive('\n').take(MAX_LINES) {
        // A match that goes on in the next line ends with this one.
        let end = start + line.trim_end_matches('\n').len();
        let here = matches.iter().filter(|range| range.start < end && range.end > start);
        let here: Vec<Range<usize>> =
            here.map(|range| range.start.max(start) - start..range.end.min(end) - start).collect();
        push_line(&mut snippet, line, &here);
        start += line.len();
    }
    snippet.trim_end();
    snippet
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    fn snippet(text: &str, expression: &str) -> (u32, String, Vec<String>) {
        let expression = Regex::new(expression).expect("an expression");
        let ranges: Vec<Range<usize>> = expression.find_iter(text).map(|found| found.range()).collect();
        let snippet = matching_lines(text, 7, &ranges);
        let shown = snippet.highlights.iter().map(|[from, to]| snippet.text[*from as usize..*to as usize].to_owned());
        let shown = shown.collect();
        (snippet.start_line, snippet.text, shown)
    }

    #[test]
    fn a_snippet_starts_at_the_first_match() {
        let (line, text, shown) = snippet("a\nb\npub fn one() {\n}\nfn two() {}\n", r"fn \w+");
        assert_eq!((line, text.as_str()), (9, "pub fn one() {\n}\nfn two() {}"));
        assert_eq!(shown, ["fn one", "fn two"]);
    }

    #[test]
    fn a_match_over_lines_is_highlighted_on_each() {
        let (line, _, shown) = snippet("x\nfn one(\n    a: u8,\n) {}\n", r"one\([^)]*\)");
        assert_eq!((line, shown), (8, vec!["one(".to_owned(), "    a: u8,".to_owned(), ")".to_owned()]));
    }
}
