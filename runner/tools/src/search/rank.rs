//! Ranking: fuses scores and applies the other signals.
//!
//! Lexical and vector scores are normalised by their maximum and added: on every annotated set this
//! ranked the wanted chunk higher than rank fusion did. Then the other signals apply: see
//! [`Weights`]. Each hit reports its signals: see [`Signals`].

mod names;
mod place;

use std::collections::HashMap;

use super::candidates::Candidate;
use super::query::{SearchMode, SearchQuery};
use super::signals::Signals;
use crate::words::Words;
use names::Names;
pub(crate) use place::is_secondary;
use place::{asks_for_documents, is_declaration, is_document, is_generated, is_member, name_match};

/// The minimum number of candidates of each kind of score. So many because the file signal sums the
/// candidates of a file.
pub(super) const MIN_CANDIDATES: usize = 300;

/// Ranking weights. All signals are between 0 and 1.
///
/// The values lie on plateaus of two evaluation sets: annotated queries over 16 repositories, and
/// commit subjects over 25. `benches/runs` has the effect of halving and doubling each.
struct Weights {
    /// The lexical score, if the query is a sentence; the vector score has the rest to 1.
    lexical: f32,
    /// The lexical score, if the query is an identifier.
    lexical_of_identifier: f32,
    /// The share of the words in the file name that are in the query.
    file_name: f32,
    /// The share of the query's words that are in the names of the file.
    names: f32,
    /// The sum of the scores of the file's candidates, relative to the best file.
    file: f32,
    /// Multiplier for tests, examples and vendored code.
    secondary: f32,
    /// Multiplier for generated and minified code, by its path.
    generated: f32,
    /// Multiplier for documents and data files: queries look for code.
    document: f32,
    /// Multiplier for declaration files, such as C headers.
    declaration: f32,
    /// Multiplier for fields, variables, constants and the like: the code that uses them is more
    /// informative.
    member: f32,
    /// Multiplier for each further chunk of a file: a second chunk is less informative than the first
    /// one of another file.
    diversity: f32,
}

const WEIGHTS: Weights = Weights {
    lexical: 0.24,
    lexical_of_identifier: 0.8,
    file_name: 0.2,
    names: 0.2,
    file: 0.25,
    secondary: 0.5,
    generated: 0.25,
    document: 0.5,
    declaration: 0.7,
    member: 0.8,
    diversity: 0.4,
};

/// Ranks the candidates, best first.
pub(super) fn rank<'a>(mut candidates: Vec<Candidate<'a>>, query: &SearchQuery<'_>) -> Vec<Candidate<'a>> {
    fuse(&mut candidates, query);
    // Fixes the order in which scores are summed per file, so that the sums are deterministic.
    sort(&mut candidates);
    if !query.plain {
        let files = apply_signals(&mut candidates, query.text);
        sort(&mut candidates);
        let mut before = vec![0; files];
        for Candidate { file, signals, .. } in &mut candidates {
            if let Some(before) = before.get_mut(*file) {
                signals.diversity = WEIGHTS.diversity.powi(*before);
                signals.update_score();
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
        by_score.then_with(|| (left.chunk.path(), left.key).cmp(&(right.chunk.path(), right.key)))
    });
}

/// Fuses the lexical and the vector scores.
fn fuse(candidates: &mut [Candidate<'_>], query: &SearchQuery<'_>) {
    let best =
        |of: fn(&Candidate<'_>) -> Option<f32>| candidates.iter().filter_map(of).fold(f32::MIN_POSITIVE, f32::max);
    let (best_lexical, best_vector) = (best(|candidate| candidate.lexical), best(|candidate| candidate.vector));
    let lexical_weight = match query.mode {
        SearchMode::Text | SearchMode::Regex | SearchMode::Literal => 1.0,
        SearchMode::Vector => 0.0,
        SearchMode::Hybrid if !query.plain && is_identifier(query.text) => WEIGHTS.lexical_of_identifier,
        SearchMode::Hybrid => WEIGHTS.lexical,
    };
    for Candidate { lexical, vector, signals, .. } in candidates {
        signals.lexical = lexical_weight * lexical.map_or(0.0, |score| score / best_lexical);
        signals.vector = (1.0 - lexical_weight) * vector.map_or(0.0, |score| score.max(0.0) / best_vector);
        signals.update_score();
    }
}

/// The signals of a file with candidates.
struct FileSignals {
    /// The sum of its candidates' scores.
    score: f32,
    file_name: f32,
    is_secondary: bool,
    is_generated: bool,
    is_declaration: bool,
}

/// Applies the signals of files and names. Numbers the files, and returns how many there are.
fn apply_signals(candidates: &mut [Candidate<'_>], query: &str) -> usize {
    let wanted = Words::of(query);
    let (wants_secondary, wants_documents) = (is_secondary(query), asks_for_documents(query));
    let wants_members = is_identifier(query);
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut files: Vec<FileSignals> = Vec::new();
    let mut names = Names::new(&wanted);
    for Candidate { chunk, file, signals, .. } in candidates.iter_mut() {
        let path = chunk.path().as_str();
        *file = *numbers.entry(path).or_insert_with(|| {
            names.add_file(path);
            files.push(FileSignals {
                score: 0.0,
                file_name: WEIGHTS.file_name * name_match(path, &wanted),
                is_secondary: !wants_secondary && is_secondary(path),
                is_generated: !is_generated(query) && is_generated(path),
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
    let names = names.coverage();
    for Candidate { chunk, file, signals, .. } in candidates {
        let (Some(of_file), Some(names)) = (files.get(*file), names.get(*file)) else { continue };
        let factor = |applies: bool, weight: f32| if applies { weight } else { 1.0 };
        *signals = Signals {
            file_name: of_file.file_name,
            names: WEIGHTS.names * names,
            file: WEIGHTS.file * of_file.score / best,
            secondary: if of_file.is_generated {
                WEIGHTS.generated
            } else {
                factor(of_file.is_secondary, WEIGHTS.secondary)
            },
            document: factor(!wants_documents && is_document(chunk.language()), WEIGHTS.document),
            declaration: factor(of_file.is_declaration, WEIGHTS.declaration),
            member: factor(!wants_members && is_member(chunk.kind()), WEIGHTS.member),
            ..*signals
        };
        signals.update_score();
    }
    files.len()
}

/// Returns whether a query is an identifier rather than a sentence: one or two words, of which one
/// is written like an identifier.
pub(super) fn is_identifier(query: &str) -> bool {
    let words: Vec<&str> = query.split_whitespace().collect();
    let looks_like_identifier = |word: &&str| {
        let mut letters = word.chars();
        let first = letters.next();
        first.is_some_and(char::is_uppercase)
            || word.contains(['_', '.', ':', '#', '/'])
            || letters.any(char::is_uppercase)
    };
    words.len() <= 2 && words.iter().any(looks_like_identifier)
}

#[cfg(test)]
mod tests {
    use gristmill_pipeline::RelPath;
    use gristmill_sinks::lance::ChunkLocator;
    use gristmill_sinks::tantivy::ChunkHit as StoredHit;

    use super::*;
    use crate::search::candidates::Chunk;
    use crate::search::query::SearchOrder;

    /// A chunk's path and symbol, its lexical and its vector score.
    type Candidate<'a> = (&'a str, &'a str, f32, f32);

    fn stored(path: &str, symbol: &str) -> StoredHit {
        let language = if path.ends_with(".md") { "markdown" } else { "rust" };
        let kind = if symbol.starts_with("FIELD") { "field" } else { "function" };
        StoredHit {
            path: RelPath::from(path),
            row: gristmill_pipeline::RowKey::NONE,
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
        let found = stored.iter().zip(chunks).zip(0..).map(|((stored, (.., lexical, vector)), ordinal)| {
            let some = |score: f32| Some(score).filter(|score| *score > 0.0);
            let candidate = super::Candidate::new(
                ChunkLocator { row: gristmill_pipeline::RowKey::NONE, ordinal },
                Chunk::Stored(stored),
            );
            super::Candidate { lexical: some(*lexical), vector: some(*vector), ..candidate }
        });
        let query = SearchQuery {
            text,
            mode,
            plain,
            limit: 10,
            paths: &[],
            languages: &[],
            kinds: &[],
            conditions: &[],
            order: SearchOrder::Path,
            all: false,
        };
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
    fn identifiers_rank_by_lexical_and_sentences_by_vector_scores() {
        let chunks = [("one", "", 10.0, 0.1), ("two", "", 1.0, 0.9)];
        assert_eq!(order("HttpServer", &chunks), ["one", "two"]);
        assert_eq!(order("where requests are answered", &chunks), ["two", "one"]);
        assert!(["parse_config", "Vec::push", "readFile", "HTTPError"].into_iter().all(is_identifier));
        assert!(!["parse the config", "logging", "How is a file Read"].into_iter().any(is_identifier));
    }

    #[test]
    fn file_names_and_all_matches_of_a_file_count() {
        let same = [("src/other.rs", "", 1.0, 0.5), ("src/retry_policy.rs", "", 1.0, 0.5)];
        assert_eq!(order("how retries are delayed", &same)[0], "src/retry_policy.rs");
        let many = [("a.rs", "", 1.0, 0.5), ("b.rs", "", 0.98, 0.49), ("b.rs", "", 0.9, 0.45)];
        assert_eq!(order("some words", &many)[0], "b.rs");
    }

    #[test]
    fn a_file_whose_definitions_have_the_words_of_the_query_comes_first() {
        let chunks = [
            ("a.rs", "other", 1.0, 0.5),
            ("a.rs", "more", 1.0, 0.45),
            ("b.rs", "evict", 1.0, 0.5),
            ("b.rs", "oldest_entry", 1.0, 0.45),
        ];
        assert_eq!(order("evicts the oldest entries", &chunks)[0], "b.rs");
        assert_eq!(order("some words", &chunks)[0], "a.rs", "equal scores are in path order");
    }

    #[test]
    fn tests_rank_lower_unless_the_query_asks_for_tests() {
        let chunks = [("src/cache.rs", "", 0.9, 0.8), ("tests/cache.rs", "", 1.0, 0.9)];
        assert_eq!(order("evict the oldest", &chunks)[0], "src/cache.rs");
        assert_eq!(order("tests that evict the oldest", &chunks)[0], "tests/cache.rs");
    }

    #[test]
    fn documents_rank_lower_unless_the_query_asks_for_documents() {
        let chunks = [("src/pool.rs", "", 0.9, 0.8), ("NEWS.md", "", 1.0, 0.9)];
        assert_eq!(order("limit idle connections", &chunks)[0], "src/pool.rs");
        assert_eq!(order("the changelog on idle connections", &chunks)[0], "NEWS.md");
        let alone = [("a.md", "", 0.9, 0.8), ("b.md", "", 1.0, 0.9)];
        assert_eq!(order("limit idle connections", &alone)[0], "b.md", "the order of documents does not change");
    }

    #[test]
    fn declarations_rank_below_definitions() {
        let chunks = [("pool.c", "", 0.9, 0.85), ("pool.h", "", 1.0, 0.9)];
        assert_eq!(order("limit idle connections", &chunks)[0], "pool.c");
    }

    #[test]
    fn fields_rank_below_the_code_that_uses_them() {
        let chunks = [("a.rs", "FIELD", 1.0, 0.9), ("b.rs", "", 0.9, 0.85)];
        assert_eq!(order("limit idle connections", &chunks)[0], "b.rs");
        assert_eq!(order("idle_limit", &chunks)[0], "a.rs", "an identifier may be that of a field");
    }

    #[test]
    fn one_file_does_not_fill_the_results() {
        let chunks = [("a", "", 1.0, 0.9), ("a", "", 0.99, 0.9), ("a", "", 0.98, 0.9), ("b", "", 0.7, 0.7)];
        let order = order("some words", &chunks);
        assert_eq!(order.iter().position(|path| path == "b"), Some(1), "{order:?}");
    }

    #[test]
    fn a_score_can_be_computed_from_the_signals() {
        let chunks =
            [("tests/pool.h", "limitIdle", 0.5, 0.8), ("tests/pool.h", "FIELD", 1.0, 0.9), ("a.rs", "", 0.1, 0.2)];
        for (_, signals) in ranked(SearchMode::Hybrid, "limit idle connections of the pool", false, &chunks) {
            let Signals { lexical, vector, file_name, names, file, .. } = signals;
            let Signals { secondary, document, declaration, member, diversity, score, .. } = signals;
            let multiplier = secondary * document * declaration * member * diversity;
            let computed = (lexical + vector + file_name + names + file) * multiplier;
            assert!((computed - score).abs() < 1e-6 && score > 0.0, "{signals:?}");
        }
    }
}
