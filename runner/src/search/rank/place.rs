//! What path, language and kind say about a chunk.

use std::collections::HashSet;
use std::ops::Range;

/// Words in paths of tests, examples, documents, and code that others wrote or that was
/// written by programs.
const SECONDARY: [&str; 29] = [
    "bench",
    "benches",
    "benchmark",
    "benchmarks",
    "compat",
    "demo",
    "deprecated",
    "doc",
    "docs",
    "example",
    "examples",
    "fixture",
    "fixtures",
    "legacy",
    "locales",
    "mock",
    "mocks",
    "node_modules",
    "sample",
    "samples",
    "spec",
    "specs",
    "test",
    "testdata",
    "testing",
    "tests",
    "third_party",
    "vendor",
    "vendored",
];

/// The languages of documents and data.
const DOCUMENTS: [&str; 5] = ["json", "markdown", "text", "toml", "yaml"];

/// Words of queries that ask for documents.
const ASKING_FOR_DOCUMENTS: [&str; 9] =
    ["changelog", "doc", "docs", "documentation", "guide", "license", "manual", "readme", "tutorial"];

/// Endings of files that declare what others define.
const DECLARATIONS: [&str; 7] = [".d.ts", ".h", ".h++", ".hh", ".hpp", ".hxx", ".pyi"];

/// Kinds of definitions that only hold or name something.
const PARTS: [&str; 5] = ["constant", "field", "type", "variable", "variant"];

/// Words that every query has.
const COMMON: [&str; 35] = [
    "a", "an", "and", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "how", "in", "into", "is",
    "it", "its", "of", "on", "or", "that", "the", "this", "to", "used", "what", "when", "where", "which", "who", "why",
    "with", "without",
];

/// Endings that are taken off, one after another, so that forms of a word are one.
const ENDINGS: [&str; 9] = ["ing", "ion", "ies", "ed", "es", "er", "e", "s", "y"];

/// Least letters of what is left of a word.
const STEM: usize = 3;

/// Whether a path, or a query, speaks of tests, examples, or code of others.
pub(crate) fn is_secondary(text: &str) -> bool {
    // `third_party` is a word here, and so are its parts.
    let names = text.split(|sign: char| !sign.is_alphanumeric() && sign != '_');
    names.chain(words(text)).any(|word| is_among(&SECONDARY, word))
}

/// Whether a chunk of this language is of a document or of data, rather than of code.
pub(super) fn is_document(language: &str) -> bool {
    DOCUMENTS.contains(&language)
}

/// Whether a query asks for documents.
pub(super) fn asks_for_documents(query: &str) -> bool {
    words(query).any(|word| is_among(&ASKING_FOR_DOCUMENTS, word))
}

/// Whether a file declares what others define. A library that has nothing but headers is
/// not the worse for it, as all its files are then alike.
pub(super) fn is_declaration(path: &str) -> bool {
    DECLARATIONS.iter().any(|ending| path.ends_with(ending))
}

/// Whether a chunk of this kind only holds or names something.
pub(super) fn is_part(kind: &str) -> bool {
    PARTS.contains(&kind)
}

/// The stems of the words of a text, but for those that say nothing.
pub(crate) fn words_of(text: &str) -> HashSet<String> {
    words(text).filter(|word| !is_among(&COMMON, word)).map(stem_of).collect()
}

/// Where the words of a text lie that say something.
pub(in crate::search) fn words_in(text: &str) -> impl Iterator<Item = Range<usize>> {
    let says_something = |word: &&str| !is_among(&COMMON, word);
    // The words are slices of the text.
    let place = |word: &str| {
        let start = word.as_ptr().addr() - text.as_ptr().addr();
        start..start + word.len()
    };
    words(text).filter(says_something).map(place)
}

/// The stem of a word, in small letters.
pub(in crate::search) fn stem_of(word: &str) -> String {
    let mut lower = word.to_lowercase();
    let end = stem(&lower).len();
    lower.truncate(end);
    lower
}

/// Whether a word is one of these, in small or capital letters.
fn is_among(known: &[&str], word: &str) -> bool {
    known.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// The part of the words in a file's name that are among these.
pub(super) fn name_match(path: &str, wanted: &HashSet<String>) -> f32 {
    let name = path.rsplit('/').next().unwrap_or(path);
    let words = words_of(name.rsplit_once('.').map_or(name, |(stem, _)| stem));
    if words.is_empty() { 0.0 } else { words.intersection(wanted).count() as f32 / words.len() as f32 }
}

fn stem(word: &str) -> &str {
    let without = |ending: &&str| word.strip_suffix(ending).filter(|rest| rest.chars().count() >= STEM);
    ENDINGS.iter().find_map(without).map_or(word, stem)
}

/// The words of identifiers and sentences: between signs, and where small letters turn into
/// capital ones.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let between_signs = text.split(|sign: char| !sign.is_alphanumeric());
    between_signs.flat_map(capitalised_parts).filter(|word| !word.is_empty())
}

/// `readFile` as `read`, `File`; `HTTPServer` as `HTTP`, `Server`.
fn capitalised_parts(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let (part, after) = rest.split_at(part_end(rest));
        rest = after;
        (!part.is_empty()).then_some(part)
    })
}

/// Where the first part of a word ends.
fn part_end(word: &str) -> usize {
    let mut letters = word.char_indices().peekable();
    let Some((_, mut before)) = letters.next() else { return 0 };
    while let Some((at, here)) = letters.next() {
        let is_before_small = letters.peek().is_some_and(|(_, after)| after.is_lowercase());
        if here.is_uppercase() && (!before.is_uppercase() || is_before_small) {
            return at;
        }
        before = here;
    }
    word.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_apart_at_signs_and_capitals() {
        let words = |text: &str| {
            let mut words: Vec<String> = words_of(text).into_iter().collect();
            words.sort();
            words
        };
        assert_eq!(words("how HTTPServer reads_files"), ["fil", "http", "read", "serv"]);
        assert_eq!(words("readFileÄX"), ["fil", "read", "äx"]);
        assert_eq!(words("the of a"), [""; 0]);
    }

    #[test]
    fn a_name_matches_by_the_part_of_its_words() {
        let wanted = words_of("delays between retries");
        assert_eq!(name_match("src/retry_delay.rs", &words_of("retry delays")), 1.0);
        assert_eq!(name_match("src/delay_line.rs", &wanted), 0.5);
        assert_eq!(name_match("delays/other.rs", &wanted), 0.0, "its folder is another word");
    }

    #[test]
    fn secondary_places_are_known_by_any_of_their_words() {
        for path in ["tests/a.rs", "a_test.go", "src/FooTest.java", "x/third_party/y.c", "a.spec.ts", "docs/x.md"] {
            assert!(is_secondary(path), "{path}");
        }
        for path in ["src/latest.rs", "contest/a.rs", "src/attestation.c", "inspect.py"] {
            assert!(!is_secondary(path), "{path}");
        }
    }

    #[test]
    fn documents_are_known_by_their_language_and_asked_for_by_name() {
        assert!(is_document("markdown") && is_document("yaml") && !is_document("html") && !is_document("c"));
        assert!(asks_for_documents("the README on caching") && asks_for_documents("API docs"));
        assert!(!asks_for_documents("JSON rendering"));
    }

    #[test]
    fn declarations_are_known_by_their_ending() {
        assert!(["a.h", "x/b.hpp", "c.d.ts", "d.pyi"].into_iter().all(is_declaration));
        assert!(!["a.c", "bash", "c.ts", "d.py", "x.sh"].into_iter().any(is_declaration));
    }
}
