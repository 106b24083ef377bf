//! The name signal: the share of a query's words that the names in a file cover.
//!
//! A file is relevant if its definitions, folders and name together have most of the query's words,
//! even if no chunk has all of them. Words are weighted by inverse document frequency: one that few
//! files have counts more than one that all have, such as the name of the project.

use crate::words::{WordSet, Words};

/// The query's words in the names of each file.
pub(super) struct Names<'a> {
    wanted: &'a Words,
    of_files: Vec<WordSet>,
    /// Scratch space for stems.
    buffer: String,
}

impl<'a> Names<'a> {
    /// Creates a collection without files.
    pub(super) fn new(wanted: &'a Words) -> Self {
        Self { wanted, of_files: Vec::new(), buffer: String::new() }
    }

    /// Adds a file, with the words of its path.
    pub(super) fn add_file(&mut self, path: &str) {
        self.of_files.push(self.wanted.found_in(without_extension(path), &mut self.buffer));
    }

    /// Adds a name in the file of this number.
    pub(super) fn add(&mut self, file: usize, name: &str) {
        if let Some(found) = self.of_files.get_mut(file)
            // Complete files need no more names.
            && found.len() < self.wanted.len()
        {
            found.extend(self.wanted.found_in(name, &mut self.buffer));
        }
    }

    /// Returns for each file the share of the query that its names cover, between 0 and 1.
    pub(super) fn coverage(&self) -> Vec<f32> {
        let files = self.of_files.len() as f32;
        let rarity = |word: usize| {
            let having = self.of_files.iter().filter(|found| found.has(word)).count() as f32;
            (1.0 + files / (having + 0.5)).ln()
        };
        // In a fixed order, so that sums are deterministic.
        let rarity: Vec<f32> = (0..self.wanted.len()).map(rarity).collect();
        let sum = |counts: &dyn Fn(usize) -> bool| -> f32 {
            rarity.iter().enumerate().filter(|(word, _)| counts(*word)).map(|(_, rarity)| rarity).sum()
        };
        let all = sum(&|_| true);
        let part = |found: &WordSet| if all > 0.0 { sum(&|word| found.has(word)) / all } else { 0.0 };
        self.of_files.iter().map(part).collect()
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

    fn coverage(query: &str, chunks: &[(&str, &str)], paths: &[&str]) -> Vec<f32> {
        let wanted = Words::of(query);
        let mut names = Names::new(&wanted);
        paths.iter().for_each(|path| names.add_file(path));
        for (path, symbol) in chunks {
            names.add(paths.iter().position(|known| known == path).unwrap(), symbol);
        }
        names.coverage()
    }

    #[test]
    fn definitions_of_a_file_count_together_and_with_its_path() {
        let chunks = [("pool/a.rs", "evictIdle"), ("pool/a.rs", "Connection"), ("b.rs", "connection_reset")];
        let found = coverage("evict idle connections of the pool", &chunks, &["pool/a.rs", "b.rs", "c.rs"]);
        assert_eq!(found[0], 1.0, "all four words: {found:?}");
        assert!(found[1] > 0.0 && found[1] < 0.25 && found[2] == 0.0, "{found:?}");
    }

    #[test]
    fn a_word_of_all_files_counts_less() {
        let chunks = [("acme/a.rs", "retry"), ("acme/b.rs", "other"), ("acme/c.rs", "more")];
        let found = coverage("acme retry", &chunks, &["acme/a.rs", "acme/b.rs", "acme/c.rs"]);
        assert!(found[0] == 1.0 && found[1] < 0.5, "{found:?}");
        assert_eq!(coverage("how is that", &[], &["acme/a.rs"]), [0.0], "no words, no names");
    }

    #[test]
    fn extensions_are_not_names() {
        assert_eq!(coverage("rs", &[("a.rs", ""), (".rs", "")], &["a.rs", ".rs"]), [0.0, 1.0]);
    }
}
