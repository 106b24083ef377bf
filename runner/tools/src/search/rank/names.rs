//! How much of a query the names in a file speak of.
//!
//! A file whose definitions, folders and name have, taken together, most of the query's words
//! is about the query, even where no chunk of it has them all. A word that few files have
//! counts more than one that all have, such as the project's own name.

use crate::words::{WordSet, Words};

/// The query's words that the names in each file have.
pub(super) struct Names<'a> {
    wanted: &'a Words,
    of_files: Vec<WordSet>,
    /// For stems.
    buffer: String,
}

impl<'a> Names<'a> {
    /// Nothing is known of any file.
    pub(super) fn new(wanted: &'a Words) -> Self {
        Self { wanted, of_files: Vec::new(), buffer: String::new() }
    }

    /// Another file, whose path names it.
    pub(super) fn add_file(&mut self, path: &str) {
        self.of_files.push(self.wanted.among(without_extension(path), &mut self.buffer));
    }

    /// A name in the file of that number.
    pub(super) fn add(&mut self, file: usize, name: &str) {
        if let Some(found) = self.of_files.get_mut(file)
            // One that has them all can have no more.
            && found.len() < self.wanted.len()
        {
            found.extend(self.wanted.among(name, &mut self.buffer));
        }
    }

    /// For each file the part of the query that names in it speak of.
    pub(super) fn parts(&self) -> Vec<f32> {
        let files = self.of_files.len() as f32;
        let rarity = |word: usize| {
            let having = self.of_files.iter().filter(|found| found.has(word)).count() as f32;
            (1.0 + files / (having + 0.5)).ln()
        };
        // In the order of the words, so that sums are repeatable.
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

    fn parts(query: &str, chunks: &[(&str, &str)], paths: &[&str]) -> Vec<f32> {
        let wanted = Words::of(query);
        let mut names = Names::new(&wanted);
        paths.iter().for_each(|path| names.add_file(path));
        for (path, symbol) in chunks {
            names.add(paths.iter().position(|known| known == path).unwrap(), symbol);
        }
        names.parts()
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
        let found = parts("acme retry", &chunks, &["acme/a.rs", "acme/b.rs", "acme/c.rs"]);
        assert!(found[0] == 1.0 && found[1] < 0.5, "{found:?}");
        assert_eq!(parts("how is that", &[], &["acme/a.rs"]), [0.0], "no words, no names");
    }

    #[test]
    fn extensions_are_no_names() {
        assert_eq!(parts("rs", &[("a.rs", ""), (".rs", "")], &["a.rs", ".rs"]), [0.0, 1.0]);
    }
}
