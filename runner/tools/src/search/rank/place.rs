//! What path, language and kind say about a chunk.

use crate::words::{Words, is_among, words, words_of};

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

/// The part of the words in a file's name that are among these.
pub(super) fn name_match(path: &str, wanted: &Words) -> f32 {
    let name = path.rsplit('/').next().unwrap_or(path);
    let words = words_of(name.rsplit_once('.').map_or(name, |(stem, _)| stem));
    let found = words.iter().filter(|word| wanted.place_of(word).is_some()).count();
    if words.is_empty() { 0.0 } else { found as f32 / words.len() as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_matches_by_the_part_of_its_words() {
        let wanted = Words::of("delays between retries");
        assert_eq!(name_match("src/retry_delay.rs", &Words::of("retry delays")), 1.0);
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
