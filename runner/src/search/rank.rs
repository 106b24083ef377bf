//! From scores to a ranking.
//!
//! Scores by words and by vectors are each divided by their best and added: fusing
//! normalised scores found the wanted chunk earlier than fusing ranks did on every set that
//! was measured. Then what is known of the chunk, its file and its place counts: see
//! [`Weights`]. Each hit says what it owes to which signal: see [`Signals`].

mod names;
mod place;
mod signals;

use std::collections::HashMap;

use gristmill_pipeline::RelPath;
use gristmill_sinks::lance::RowKey;

use super::{Hit, Query, SearchMode};
use names::Names;
use place::{asks_for_documents, is_declaration, is_document, is_part, name_match};
pub(crate) use place::{is_secondary, words_of};
pub(super) use place::{stem_of, words_in};
pub use signals::Signals;

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

/// A chunk. Of equal scores the path decides which comes first, so that answers are
/// repeatable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ChunkKey {
    pub(super) path: RelPath,
    pub(super) row: RowKey,
}

/// What is known of a chunk that may be an answer.
#[derive(Default)]
pub(super) struct Scores {
    pub(super) text: Option<f32>,
    pub(super) vector: Option<f32>,
    pub(super) hit: Option<Hit>,
    pub(super) signals: Signals,
}

/// What signals look at of a chunk.
struct Seen<'a> {
    path: &'a str,
    language: &'a str,
    kind: &'a str,
    symbol: &'a str,
}

impl<'a> Seen<'a> {
    fn of((key, scores): &'a Ranked) -> Self {
        let path = key.path.as_str();
        match &scores.hit {
            Some(hit) => Self { path, language: &hit.language, kind: &hit.kind, symbol: &hit.symbol },
            None => Self { path, language: "", kind: "", symbol: "" },
        }
    }
}

/// A chunk with its signals.
pub(super) type Ranked = (ChunkKey, Scores);

/// Best first.
pub(super) fn rank(found: HashMap<ChunkKey, Scores>, query: &Query<'_>) -> Vec<Ranked> {
    let mut ranked = fused(found, query);
    // Sums over chunks are taken in this order, so that they too are repeatable.
    sort(&mut ranked);
    if !query.plain {
        weigh(&mut ranked, query.text);
        sort(&mut ranked);
        let mut before: HashMap<RelPath, i32> = HashMap::new();
        for (key, scores) in &mut ranked {
            let before = before.entry(key.path.clone()).or_default();
            scores.signals.further = WEIGHTS.further.powi(*before);
            scores.signals.add_up();
            *before += 1;
        }
        sort(&mut ranked);
    }
    ranked
}

fn sort(ranked: &mut [Ranked]) {
    let score = |of: &Ranked| of.1.signals.score;
    ranked.sort_by(|left, right| score(right).total_cmp(&score(left)).then_with(|| left.0.cmp(&right.0)));
}

/// The scores by words and by vectors, put together.
fn fused(found: HashMap<ChunkKey, Scores>, query: &Query<'_>) -> Vec<Ranked> {
    let best = |of: fn(&Scores) -> Option<f32>| found.values().filter_map(of).fold(f32::MIN_POSITIVE, f32::max);
    let (best_text, best_vector) = (best(|scores| scores.text), best(|scores| scores.vector));
    let by_words = match query.mode {
        SearchMode::Text | SearchMode::Regex | SearchMode::Literal => 1.0,
        SearchMode::Vector => 0.0,
        SearchMode::Hybrid if !query.plain && is_name(query.text) => WEIGHTS.words_of_name,
        SearchMode::Hybrid => WEIGHTS.words,
    };
    let with_signals = |(key, mut scores): (ChunkKey, Scores)| {
        let signals = &mut scores.signals;
        signals.words = by_words * scores.text.map_or(0.0, |score| score / best_text);
        signals.meaning = (1.0 - by_words) * scores.vector.map_or(0.0, |score| score.max(0.0) / best_vector);
        signals.add_up();
        (key, scores)
    };
    found.into_iter().map(with_signals).collect()
}

/// What is known of a file that has candidates.
struct OfFile {
    /// The sum of their scores.
    score: f32,
    file_name: f32,
    names: f32,
    is_secondary: bool,
    is_declaration: bool,
}

/// Adds and takes off by what the chunks' files are, and what is named in them.
fn weigh(ranked: &mut [Ranked], query: &str) {
    let wanted = words_of(query);
    let names = Names::new(&wanted, ranked.iter().map(Seen::of));
    let (wants_secondary, wants_documents) = (is_secondary(query), asks_for_documents(query));
    let wants_parts = is_name(query);
    let mut files: HashMap<RelPath, OfFile> = HashMap::new();
    for (key, scores) in &*ranked {
        if let Some(file) = files.get_mut(&key.path) {
            file.score += scores.signals.score;
            continue;
        }
        let path = key.path.as_str();
        let file = OfFile {
            score: scores.signals.score,
            file_name: WEIGHTS.file_name * name_match(path, &wanted),
            names: WEIGHTS.names * names.of_file(path),
            is_secondary: !wants_secondary && is_secondary(path),
            is_declaration: is_declaration(path),
        };
        files.insert(key.path.clone(), file);
    }
    let best = files.values().map(|file| file.score).fold(f32::MIN_POSITIVE, f32::max);
    for chunk in ranked {
        let Some(of_file) = files.get(&chunk.0.path) else { continue };
        let seen = Seen::of(chunk);
        let factor = |applies: bool, weight: f32| if applies { weight } else { 1.0 };
        let document = factor(!wants_documents && is_document(seen.language), WEIGHTS.document);
        let part = factor(!wants_parts && is_part(seen.kind), WEIGHTS.part);
        let signals = &mut chunk.1.signals;
        *signals = Signals {
            file_name: of_file.file_name,
            names: of_file.names,
            file: WEIGHTS.file * of_file.score / best,
            secondary: factor(of_file.is_secondary, WEIGHTS.secondary),
            document,
            declaration: factor(of_file.is_declaration, WEIGHTS.declaration),
            part,
            ..*signals
        };
        signals.add_up();
    }
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
    use super::*;

    /// A chunk's path and symbol, and how it matches by words and by meaning.
    type Candidate<'a> = (&'a str, &'a str, f32, f32);

    fn hit(path: &str, symbol: &str) -> Hit {
        let language = if path.ends_with(".md") { "markdown" } else { "rust" };
        let kind = if symbol.starts_with("FIELD") { "field" } else { "function" };
        Hit {
            path: RelPath::from(path),
            start_line: 1,
            end_line: 2,
            score: 0.0,
            language: language.into(),
            kind: kind.into(),
            symbol: symbol.into(),
            scope: String::new(),
            snippet: None,
            text: None,
            text_score: None,
            vector_score: None,
            signals: None,
        }
    }

    fn ranked(mode: SearchMode, text: &str, plain: bool, chunks: &[Candidate<'_>]) -> Vec<(String, Signals)> {
        let found = chunks.iter().zip(0..).map(|((path, symbol, text, vector), ordinal)| {
            let key = ChunkKey { path: RelPath::from(*path), row: RowKey { row: 0, ordinal } };
            let some = |score: f32| Some(score).filter(|score| *score > 0.0);
            let hit = Some(hit(path, symbol));
            (key, Scores { text: some(*text), vector: some(*vector), hit, ..Scores::default() })
        });
        let query = Query { text, mode, plain, limit: 10, paths: &[], languages: &[], kinds: &[] };
        let ranked = rank(found.collect(), &query);
        ranked.into_iter().map(|(key, scores)| (key.path.to_string(), scores.signals)).collect()
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
