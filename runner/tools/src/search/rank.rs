//! From scores to a ranking.
//!
//! Scores by words and by vectors are each divided by their best and added: fusing
//! normalised scores found the wanted chunk earlier than fusing ranks did on every set that
//! was measured. Then what is known of the chunk, its file and its place counts: see
//! [`Weights`]. Each hit says what it owes to which signal: see [`Signals`].

mod names;
mod place;

use std::collections::HashMap;

use super::candidates::Candidate;
use super::query::{Query, SearchMode};
use super::signals::Signals;
use crate::words::Words;
use names::Names;
pub(crate) use place::is_secondary;
use place::{asks_for_documents, is_declaration, is_document, is_part, name_match};

/// Of each kind, how many of the best are fused, at least. Not for the sake of the last of
/// them: what a file has in all is told from its candidates.
pub(super) const CANDIDATES: usize = 300;

/// What counts how much. All signals are from 0 to 1.
///
/// The values lie on plateaus of two sets, one of annotated queries over 16 repositories and
/// one of subjects of commits over 25: what half or double of each costs stands in
/// `benches/runs`.
struct Weights {
    /// The match by words, where the query is a sentence; what is left to 1 is the match by
    /// meaning.
    words: f32,
    /// The match by words, where the query is a name.
    words_of_name: f32,
    /// The part of the words in the file's name that the query has.
    file_name: f32,
    /// The part of the query's words that the names in the file have.
    names: f32,
    /// How well the file's chunks match together, in parts of the best file.
    file: f32,
    /// What is left of the score in tests, examples, and code of others.
    secondary: f32,
    /// What is left of the score in documents and data: code is what answers.
    document: f32,
    /// What is left of the score in files that declare what others define.
    declaration: f32,
    /// What is left of the score of fields, variables, constants and the like: what works
    /// with them says more.
    part: f32,
    /// What is left of the score of each further chunk of a file: a second chunk says less
    /// than a first one of another file.
    further: f32,
}

const WEIGHTS: Weights = Weights {
    words: 0.24,
    words_of_name: 0.8,
    file_name: 0.2,
    names: 0.2,
    file: 0.25,
    secondary: 0.5,
    document: 0.5,
    declaration: 0.7,
    part: 0.8,
    further: 0.4,
};

/// Best first.
pub(super) fn rank<'a>(mut candidates: Vec<Candidate<'a>>, query: &Query<'_>) -> Vec<Candidate<'a>> {
    fuse(&mut candidates, query);
    // Sums over chunks are taken in this order, so that they too are repeatable.
    sort(&mut candidates);
    if !query.plain {
        let files = weigh(&mut candidates, query.text);
        sort(&mut candidates);
        let mut before = vec![0; files];
        for Candidate { file, signals, .. } in &mut candidates {
            if let Some(before) = before.get_mut(*file) {
                signals.further = WEIGHTS.further.powi(*before);
                signals.add_up();
                *before += 1;
            }
        }
        sort(&mut candidates);
    }
    candidates
}

fn sort(candidates: &mut [Candidate<'_>]) {
    candidates.sort_unstable_by(|left, right| {
        let by_score = right.signals.score.total_cmp(&left.signals.score);
        by_score.then_with(|| (left.chunk.path(), left.name).cmp(&(right.chunk.path(), right.name)))
    });
}

/// Puts the scores by words and by vectors together.
fn fuse(candidates: &mut [Candidate<'_>], query: &Query<'_>) {
    let best =
        |of: fn(&Candidate<'_>) -> Option<f32>| candidates.iter().filter_map(of).fold(f32::MIN_POSITIVE, f32::max);
    let (best_text, best_vector) = (best(|candidate| candidate.text), best(|candidate| candidate.vector));
    let by_words = match query.mode {
        SearchMode::Text | SearchMode::Regex | SearchMode::Literal => 1.0,
        SearchMode::Vector => 0.0,
        SearchMode::Hybrid if !query.plain && is_name(query.text) => WEIGHTS.words_of_name,
        SearchMode::Hybrid => WEIGHTS.words,
    };
    for Candidate { text, vector, signals, .. } in candidates {
        signals.words = by_words * text.map_or(0.0, |score| score / best_text);
        signals.meaning = (1.0 - by_words) * vector.map_or(0.0, |score| score.max(0.0) / best_vector);
        signals.add_up();
    }
}

/// What is known of a file that has candidates.
struct OfFile {
    /// The sum of their scores.
    score: f32,
    file_name: f32,
    is_secondary: bool,
    is_declaration: bool,
}

/// Adds and takes off by what the chunks' files are, and what is named in them. Numbers the
/// files, and gives how many there are.
fn weigh(candidates: &mut [Candidate<'_>], query: &str) -> usize {
    let wanted = Words::of(query);
    let (wants_secondary, wants_documents) = (is_secondary(query), asks_for_documents(query));
    let wants_parts = is_name(query);
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut files: Vec<OfFile> = Vec::new();
    let mut names = Names::new(&wanted);
    for Candidate { chunk, file, signals, .. } in candidates.iter_mut() {
        let path = chunk.path().as_str();
        *file = *numbers.entry(path).or_insert_with(|| {
            names.add_file(path);
            files.push(OfFile {
                score: 0.0,
                file_name: WEIGHTS.file_name * name_match(path, &wanted),
                is_secondary: !wants_secondary && is_secondary(path),
                is_declaration: is_declaration(path),
            });
            files.len() - 1
        });
        names.add(*file, chunk.symbol());
        if let Some(file) = files.get_mut(*file) {
            file.score += signals.score;
        }
    }
    let best = files.iter().map(|file| file.score).fold(f32::MIN_POSITIVE, f32::max);
    let names = names.parts();
    for Candidate { chunk, file, signals, .. } in candidates {
        let (Some(of_file), Some(names)) = (files.get(*file), names.get(*file)) else { continue };
        let factor = |applies: bool, weight: f32| if applies { weight } else { 1.0 };
        *signals = Signals {
            file_name: of_file.file_name,
            names: WEIGHTS.names * names,
            file: WEIGHTS.file * of_file.score / best,
            secondary: factor(of_file.is_secondary, WEIGHTS.secondary),
            document: factor(!wants_documents && is_document(chunk.language()), WEIGHTS.document),
            declaration: factor(of_file.is_declaration, WEIGHTS.declaration),
            part: factor(!wants_parts && is_part(chunk.kind()), WEIGHTS.part),
            ..*signals
        };
        signals.add_up();
    }
    files.len()
}

/// Whether a query is a name rather than a sentence: a word or two, one of them written as
/// only names are.
fn is_name(query: &str) -> bool {
    let words: Vec<&str> = query.split_whitespace().collect();
    let is_written_as_name = |word: &&str| {
        let mut letters = word.chars();
        let first = letters.next();
        first.is_some_and(char::is_uppercase)
            || word.contains(['_', '.', ':', '#', '/'])
            || letters.any(char::is_uppercase)
    };
    words.len() <= 2 && words.iter().any(is_written_as_name)
}

#[cfg(test)]
mod tests {
    use gristmill_pipeline::RelPath;
    use gristmill_sinks::lance::RowKey;
    use gristmill_sinks::tantivy::Hit as StoredHit;

    use super::*;
    use crate::search::candidates::Chunk;

    /// A chunk's path and symbol, and how it matches by words and by meaning.
    type Candidate<'a> = (&'a str, &'a str, f32, f32);

    fn stored(path: &str, symbol: &str) -> StoredHit {
        let language = if path.ends_with(".md") { "markdown" } else { "rust" };
        let kind = if symbol.starts_with("FIELD") { "field" } else { "function" };
        StoredHit {
            path: RelPath::from(path),
            row: 0,
            ordinal: 0,
            start_line: 1,
            end_line: 2,
            start_byte: 0,
            end_byte: 0,
            score: 0.0,
            language: language.into(),
            kind: kind.into(),
            symbol: symbol.into(),
            scope: "".into(),
        }
    }

    fn ranked(mode: SearchMode, text: &str, plain: bool, chunks: &[Candidate<'_>]) -> Vec<(String, Signals)> {
        let stored: Vec<StoredHit> = chunks.iter().map(|(path, symbol, ..)| stored(path, symbol)).collect();
        let found = stored.iter().zip(chunks).zip(0..).map(|((stored, (.., text, vector)), ordinal)| {
            let some = |score: f32| Some(score).filter(|score| *score > 0.0);
            let candidate = super::Candidate::new(RowKey { row: 0, ordinal }, Chunk::Stored(stored));
            super::Candidate { text: some(*text), vector: some(*vector), ..candidate }
        });
        let query = Query { text, mode, plain, limit: 10, paths: &[], languages: &[], kinds: &[] };
        let ranked = rank(found.collect(), &query);
        ranked.into_iter().map(|found| (found.chunk.path().to_string(), found.signals)).collect()
    }

    fn order(text: &str, chunks: &[Candidate<'_>]) -> Vec<String> {
        ranked(SearchMode::Hybrid, text, false, chunks).into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn plain_scores_are_the_fused_ones() {
        let chunks = [("a", "", 10.0, 0.0), ("b.md", "", 5.0, 0.8), ("tests/c.h", "", 0.0, 0.4)];
        let hybrid = ranked(SearchMode::Hybrid, "words of a sentence", true, &chunks);
        let expected = [("b.md", 0.24 * 0.5 + 0.76), ("tests/c.h", 0.38), ("a", 0.24)];
        for ((path, signals), (wanted, expected)) in hybrid.iter().zip(expected) {
            assert!(path == wanted && (signals.score - expected).abs() < 1e-6, "{hybrid:?}");
        }
        assert_eq!(ranked(SearchMode::Text, "x", true, &chunks)[0].0, "a");
    }

    #[test]
    fn a_name_is_looked_for_by_words_and_a_sentence_by_meaning() {
        let chunks = [("one", "", 10.0, 0.1), ("two", "", 1.0, 0.9)];
        assert_eq!(order("HttpServer", &chunks), ["one", "two"]);
        assert_eq!(order("where requests are answered", &chunks), ["two", "one"]);
        assert!(["parse_config", "Vec::push", "readFile", "HTTPError"].into_iter().all(is_name));
        assert!(!["parse the config", "logging", "How is a file Read"].into_iter().any(is_name));
    }

    #[test]
    fn names_of_files_and_what_a_file_has_in_all_count() {
        let same = [("src/other.rs", "", 1.0, 0.5), ("src/retry_policy.rs", "", 1.0, 0.5)];
        assert_eq!(order("how retries are delayed", &same)[0], "src/retry_policy.rs");
        let many = [("a.rs", "", 1.0, 0.5), ("b.rs", "", 0.98, 0.49), ("b.rs", "", 0.9, 0.45)];
        assert_eq!(order("some words", &many)[0], "b.rs");
    }

    #[test]
    fn a_file_whose_definitions_speak_of_the_query_comes_first() {
        let chunks = [
            ("a.rs", "other", 1.0, 0.5),
            ("a.rs", "more", 1.0, 0.45),
            ("b.rs", "evict", 1.0, 0.5),
            ("b.rs", "oldest_entry", 1.0, 0.45),
        ];
        assert_eq!(order("evicts the oldest entries", &chunks)[0], "b.rs");
        assert_eq!(order("some words", &chunks)[0], "a.rs", "by path, as nothing else tells them apart");
    }

    #[test]
    fn tests_come_later_unless_they_are_asked_for() {
        let chunks = [("src/cache.rs", "", 0.9, 0.8), ("tests/cache.rs", "", 1.0, 0.9)];
        assert_eq!(order("evict the oldest", &chunks)[0], "src/cache.rs");
        assert_eq!(order("tests that evict the oldest", &chunks)[0], "tests/cache.rs");
    }

    #[test]
    fn documents_come_later_unless_they_are_asked_for() {
        let chunks = [("src/pool.rs", "", 0.9, 0.8), ("NEWS.md", "", 1.0, 0.9)];
        assert_eq!(order("limit idle connections", &chunks)[0], "src/pool.rs");
        assert_eq!(order("the changelog on idle connections", &chunks)[0], "NEWS.md");
        let alone = [("a.md", "", 0.9, 0.8), ("b.md", "", 1.0, 0.9)];
        assert_eq!(order("limit idle connections", &alone)[0], "b.md", "among themselves nothing changes");
    }

    #[test]
    fn what_is_declared_comes_after_what_is_defined() {
        let chunks = [("pool.c", "", 0.9, 0.85), ("pool.h", "", 1.0, 0.9)];
        assert_eq!(order("limit idle connections", &chunks)[0], "pool.c");
    }

    #[test]
    fn fields_come_after_what_works_with_them() {
        let chunks = [("a.rs", "FIELD", 1.0, 0.9), ("b.rs", "", 0.9, 0.85)];
        assert_eq!(order("limit idle connections", &chunks)[0], "b.rs");
        assert_eq!(order("idle_limit", &chunks)[0], "a.rs", "a name may well be a field's");
    }

    #[test]
    fn one_file_does_not_fill_the_answer() {
        let chunks = [("a", "", 1.0, 0.9), ("a", "", 0.99, 0.9), ("a", "", 0.98, 0.9), ("b", "", 0.7, 0.7)];
        let order = order("some words", &chunks);
        assert_eq!(order.iter().position(|path| path == "b"), Some(1), "{order:?}");
    }

    #[test]
    fn a_score_can_be_told_from_the_signals() {
        let chunks =
            [("tests/pool.h", "limitIdle", 0.5, 0.8), ("tests/pool.h", "FIELD", 1.0, 0.9), ("a.rs", "", 0.1, 0.2)];
        for (_, signals) in ranked(SearchMode::Hybrid, "limit idle connections of the pool", false, &chunks) {
            let Signals { words, meaning, file_name, names, file, .. } = signals;
            let Signals { secondary, document, declaration, part, further, score, .. } = signals;
            let left = secondary * document * declaration * part * further;
            let told = (words + meaning + file_name + names + file) * left;
            assert!((told - score).abs() < 1e-6 && score > 0.0, "{signals:?}");
        }
    }
}
