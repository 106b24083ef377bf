//! Signals from the path, the language and the kind of a chunk.

use crate::words::{Words, contains_word, words, words_of};

/// Words in the paths of tests, examples, documents, vendored and generated code.
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

/// Words of queries that look for documents.
const DOCUMENT_QUERIES: [&str; 9] =
    ["changelog", "doc", "docs", "documentation", "guide", "license", "manual", "readme", "tutorial"];

/// Extensions of declaration files.
const DECLARATIONS: [&str; 7] = [".d.ts", ".h", ".h++", ".hh", ".hpp", ".hxx", ".pyi"];

/// Kinds of definitions without code.
const MEMBERS: [&str; 5] = ["constant", "field", "type", "variable", "variant"];

/// Returns whether a path or a query is about tests, examples, or vendored code.
pub(crate) fn is_secondary(text: &str) -> bool {
    // Both `third_party` and its parts are words here.
    let names = text.split(|sign: char| !sign.is_alphanumeric() && sign != '_');
    names.chain(words(text)).any(|word| contains_word(&SECONDARY, word))
}

/// Returns whether a language is one of documents or data rather than code.
pub(super) fn is_document(language: &str) -> bool {
    DOCUMENTS.contains(&language)
}

/// Returns whether a query looks for documents.
pub(super) fn asks_for_documents(query: &str) -> bool {
    words(query).any(|word| contains_word(&DOCUMENT_QUERIES, word))
}

/// Returns whether a file is a declaration file. A header-only library does not suffer, as the
/// signal is equal for all its files.
pub(super) fn is_declaration(path: &str) -> bool {
    DECLARATIONS.iter().any(|ending| path.ends_with(ending))
}

/// Returns whether a kind of definition has no code.
pub(super) fn is_member(kind: &str) -> bool {
    MEMBERS.contains(&kind)
}

/// Returns the share of the words in a file name that are in the query, between 0 and 1.
pub(super) fn name_match(path: &str, wanted: &Words) -> f32 {
    let name = path.rsplit('/').next().unwrap_or(path);
    let words = words_of(name.rsplit_once('.').map_or(name, |(stem, _)| stem));
    let found = words.iter().filter(|word| wanted.index_of(word).is_some()).count();
    if words.is_empty() { 0.0 } else { found as f32 / words.len() as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_matches_by_the_share_of_its_words() {
        let wanted = Words::of("delays between retries");
        assert_eq!(name_match("src/retry_delay.rs", &Words::of("retry delays")), 1.0);
        assert_eq!(name_match("src/delay_line.rs", &wanted), 0.5);
        assert_eq!(name_match("delays/other.rs", &wanted), 0.0, "folders do not count");
    }

    #[test]
    fn secondary_paths_are_recognised_by_any_of_their_words() {
        for path in ["tests/a.rs", "a_test.go", "src/FooTest.java", "x/third_party/y.c", "a.spec.ts", "docs/x.md"] {
            assert!(is_secondary(path), "{path}");
        }
        for path in ["src/latest.rs", "contest/a.rs", "src/attestation.c", "inspect.py"] {
            assert!(!is_secondary(path), "{path}");
        }
    }

    #[test]
    fn documents_are_recognised_by_language_and_queries_by_words() {
        assert!(is_document("markdown") && is_document("yaml") && !is_document("html") && !is_document("c"));
        assert!(asks_for_documents("the README on caching") && asks_for_documents("API docs"));
        assert!(!asks_for_documents("JSON rendering"));
    }

    #[test]
    fn declarations_are_recognised_by_extension() {
        assert!(["a.h", "x/b.hpp", "c.d.ts", "d.pyi"].into_iter().all(is_declaration));
        assert!(!["a.c", "bash", "c.ts", "d.py", "x.sh"].into_iter().any(is_declaration));
    }
}
