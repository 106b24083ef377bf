//! How much of a query the names in a file speak of.
//!
//! A file whose definitions, folders and name have, taken together, most of the query's words
//! is about the query, even where no chunk of it has them all. A word that few files have
//! counts more than one that all have, such as the project's own name.

use std::collections::{HashMap, HashSet};

use super::Seen;
use super::place::words_of;

/// The query's words that the names in each file have.
pub(super) struct Names<'a> {
    of_files: HashMap<&'a str, HashSet<&'a str>>,
    /// The query's words, each with how much it counts. Sorted, so that sums are repeatable.
    rarity: Vec<(&'a str, f32)>,
}

impl<'a> Names<'a> {
    /// `wanted` are the query's words; the chunks are those of all candidates.
    pub(super) fn new(wanted: &'a HashSet<String>, chunks: impl Iterator<Item = Seen<'a>>) -> Self {
        let mut of_files: HashMap<&str, HashSet<&str>> = HashMap::new();
        let shared = |text: &str| {
            let words = words_of(text);
            wanted.iter().filter(move |word| words.contains(*word)).map(String::as_str)
        };
        for chunk in chunks {
            let found = of_files.entry(chunk.path).or_insert_with(|| shared(without_extension(chunk.path)).collect());
            // One that has them all can have no more.
            if !chunk.symbol.is_empty() && found.len() < wanted.len() {
                found.extend(shared(chunk.symbol));
            }
        }
        let files = of_files.len() as f32;
        let rarity = |word: &'a String| {
            let having = of_files.values().filter(|found| found.contains(word.as_str())).count() as f32;
            (word.as_str(), (1.0 + files / (having + 0.5)).ln())
        };
        let mut rarity: Vec<(&str, f32)> = wanted.iter().map(rarity).collect();
        rarity.sort_unstable_by_key(|(word, _)| *word);
        Self { of_files, rarity }
    }

    /// The part of the query that names in the file speak of.
    pub(super) fn of_file(&self, path: &str) -> f32 {
        let Some(found) = self.of_files.get(path) else { return 0.0 };
        let sum = |counts: &dyn Fn(&str) -> bool| -> f32 {
            self.rarity.iter().filter(|(word, _)| counts(word)).map(|(_, rarity)| rarity).sum()
        };
        let all = sum(&|_| true);
        if all > 0.0 { sum(&|word| found.contains(word)) / all } else { 0.0 }
    }
}

fn without_extension(path: &str) -> &str {
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    match path.rfind('.') {
        Some(dot) if dot > name => path.get(..dot).unwrap_or(path),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(query: &str, chunks: &[(&str, &str)], paths: &[&str]) -> Vec<f32> {
        let wanted = words_of(query);
        let seen = chunks.iter().map(|(path, symbol)| Seen { path, language: "", kind: "", symbol });
        let names = Names::new(&wanted, seen);
        paths.iter().map(|path| names.of_file(path)).collect()
    }

    #[test]
    fn definitions_of_a_file_count_together_and_with_its_path() {
        let chunks = [("pool/a.rs", "evictIdle"), ("pool/a.rs", "Connection"), ("b.rs", "connection_reset")];
        let found = parts("evict idle connections of the pool", &chunks, &["pool/a.rs", "b.rs", "c.rs"]);
        assert_eq!(found[0], 1.0, "all four words: {found:?}");
        assert!(found[1] > 0.0 && found[1] < 0.25 && found[2] == 0.0, "{found:?}");
    }

    #[test]
    fn a_word_of_all_files_counts_less() {
        let chunks = [("acme/a.rs", "retry"), ("acme/b.rs", "other"), ("acme/c.rs", "more")];
        let found = parts("acme retry", &chunks, &["acme/a.rs", "acme/b.rs"]);
        assert!(found[0] == 1.0 && found[1] < 0.5, "{found:?}");
        assert_eq!(parts("how is that", &chunks, &["acme/a.rs"]), [0.0], "no words, no names");
    }

    #[test]
    fn extensions_are_no_names() {
        assert_eq!(parts("rs", &[("a.rs", ""), (".rs", "")], &["a.rs", ".rs"]), [0.0, 1.0]);
    }
}
