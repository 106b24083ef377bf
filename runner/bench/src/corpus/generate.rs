//! Generated trees of source code.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::BenchError;

/// Generates a tree of source files: the same for the same settings, on every machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Generator {
    /// Where the randomness comes from.
    pub seed: u64,
    /// Files.
    pub files: u64,
    /// The mean length of a file, in bytes; lengths vary from a tenth of it to four times as much.
    pub mean_bytes: u64,
    /// The share of files that hold what another one holds, from 0 to 1.
    pub duplicates: f64,
    /// The languages, by weight.
    pub languages: Vec<LanguageShare>,
    /// Levels of folders.
    pub depth: u32,
}

/// A language and its weight among the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanguageShare {
    language: &'static Grammar,
    weight: u64,
}

/// How a language writes a file.
#[derive(Debug, PartialEq, Eq)]
struct Grammar {
    name: &'static str,
    extension: &'static str,
    /// A function: `{doc}`, `{name}`, `{other}`, `{noun}` and `{number}` are replaced.
    function: &'static str,
    /// What stands before the functions: `{noun}` is replaced.
    head: &'static str,
    /// What stands behind them.
    tail: &'static str,
}

const GRAMMARS: [Grammar; 7] = [
    Grammar {
        name: "rust",
        extension: "rs",
        head: "//! Handles each {noun}.\n\nuse std::collections::HashMap;\n\npub struct {Noun}Store {\n    entries: HashMap<String, u64>,\n}\n\nimpl {Noun}Store {\n",
        function: "    /// {doc}\n    pub fn {name}(&mut self, {noun}: &str) -> Option<u64> {\n        let total = self.entries.get({noun})? + {number};\n        self.entries.insert({noun}.to_string(), total);\n        self.{other}({noun})\n    }\n\n",
        tail: "}\n",
    },
    Grammar {
        name: "python",
        extension: "py",
        head: "\"\"\"Handles each {noun}.\"\"\"\n\nfrom dataclasses import dataclass\n\n\n@dataclass\nclass {Noun}Store:\n    entries: dict\n\n",
        function: "    def {name}(self, {noun}):\n        \"\"\"{doc}\"\"\"\n        total = self.entries.get({noun}, {number})\n        self.entries[{noun}] = total\n        return self.{other}({noun})\n\n",
        tail: "",
    },
    Grammar {
        name: "go",
        extension: "go",
        head: "// Package store handles each {noun}.\npackage store\n\nimport \"errors\"\n\ntype {Noun}Store struct {\n\tentries map[string]int\n}\n\n",
        function: "// {name} says: {doc}\nfunc (s *{Noun}Store) {name}({noun} string) (int, error) {\n\ttotal, ok := s.entries[{noun}]\n\tif !ok {\n\t\treturn {number}, errors.New(\"no {noun}\")\n\t}\n\ts.{other}({noun})\n\treturn total, nil\n}\n\n",
        tail: "",
    },
    Grammar {
        name: "typescript",
        extension: "ts",
        head: "/** Handles each {noun}. */\nexport class {Noun}Store {\n  private entries = new Map<string, number>();\n\n",
        function: "  /** {doc} */\n  {name}({noun}: string): number {\n    const total = (this.entries.get({noun}) ?? 0) + {number};\n    this.entries.set({noun}, total);\n    return this.{other}({noun});\n  }\n\n",
        tail: "}\n",
    },
    Grammar {
        name: "java",
        extension: "java",
        head: "package org.example.store;\n\nimport java.util.HashMap;\n\n/** Handles each {noun}. */\npublic class {Noun}Store {\n    private final HashMap<String, Integer> entries = new HashMap<>();\n\n",
        function: "    /** {doc} */\n    public int {name}(String {noun}) {\n        int total = entries.getOrDefault({noun}, {number});\n        entries.put({noun}, total);\n        return {other}({noun});\n    }\n\n",
        tail: "}\n",
    },
    Grammar {
        name: "c",
        extension: "c",
        head: "/* Handles each {noun}. */\n#include <stdlib.h>\n\nstruct {noun}_store {\n    int total;\n};\n\n",
        function: "/* {doc} */\nint {name}(struct {noun}_store *store, const char *{noun})\n{\n    store->total += {number};\n    return {other}(store, {noun});\n}\n\n",
        tail: "",
    },
    Grammar {
        name: "markdown",
        extension: "md",
        head: "# Each {noun}\n\n",
        function: "## {name}\n\n{doc} It takes {number} of them, then `{other}` goes on with the {noun}.\n\n",
        tail: "",
    },
];

const VERBS: [&str; 16] = [
    "load", "store", "parse", "merge", "split", "count", "render", "resolve", "encode", "decode", "fetch", "flush",
    "index", "query", "rank", "prune",
];
const NOUNS: [&str; 24] = [
    "account", "batch", "buffer", "cache", "cursor", "digest", "event", "filter", "graph", "header", "invoice",
    "journal", "key", "ledger", "message", "node", "order", "packet", "quota", "record", "session", "token", "user",
    "window",
];
const ADVERBS: [&str; 8] = ["quickly", "lazily", "in order", "once", "on demand", "in parallel", "safely", "again"];

/// The longest mean length of a file: each is made in memory.
const MAX_BYTES: u64 = 100_000_000;

/// The highest weight of a language.
const MAX_WEIGHT: u64 = 1_000_000;

/// Shorter files would have no function.
const MIN_BYTES: u64 = 200;

impl Generator {
    /// Writes the tree into a new folder.
    ///
    /// # Errors
    /// If a setting is out of range, the folder is not empty, or a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), BenchError> {
        self.check()?;
        if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(BenchError::Plan(format!("{} is not empty; generate into a new folder", folder.display())));
        }
        fs::create_dir_all(folder).map_err(BenchError::file("create", folder))?;
        let mut random = Random(self.seed);
        let mut originals: Vec<(String, &'static str)> = Vec::new();
        for number in 0..self.files {
            let is_duplicate = random.share() < self.duplicates && !originals.is_empty();
            let (text, extension) = if is_duplicate {
                originals[random.below(originals.len() as u64) as usize].clone()
            } else {
                let grammar = self.language(&mut random);
                // The mean of a tenth and of up to four times is near the mean that is asked for.
                let spread = random.share() * random.share();
                let length = self.mean_bytes / 10 + (self.mean_bytes as f64 * 3.6 * spread) as u64;
                (file(grammar, length.max(MIN_BYTES), number, &mut random), grammar.extension)
            };
            let path = self.place(folder, number, extension);
            let parent = path.parent().unwrap_or(folder);
            fs::create_dir_all(parent).map_err(BenchError::file("create", parent))?;
            fs::write(&path, &text).map_err(BenchError::file("write", &path))?;
            // Enough to choose from, however many files there are.
            if !is_duplicate && originals.len() < 1_000 {
                originals.push((text, extension));
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), BenchError> {
        let fault = if !(0.0..=1.0).contains(&self.duplicates) {
            format!("--duplicates must be between 0 and 1, got {}", self.duplicates)
        } else if self.languages.iter().map(|share| share.weight).sum::<u64>() == 0 {
            "--languages must give a language a weight above 0".into()
        } else if !(1..=MAX_BYTES).contains(&self.mean_bytes) {
            format!("--bytes must be between 1 and {MAX_BYTES}, got {}", self.mean_bytes)
        } else if !(1..=20).contains(&self.depth) {
            format!("--depth must be between 1 and 20, got {}", self.depth)
        } else {
            return Ok(());
        };
        Err(BenchError::Plan(fault))
    }

    fn language(&self, random: &mut Random) -> &'static Grammar {
        let total = self.languages.iter().map(|share| share.weight).sum();
        let mut left = random.below(total);
        for share in &self.languages {
            match left.checked_sub(share.weight) {
                Some(rest) => left = rest,
                None => return share.language,
            }
        }
        &GRAMMARS[0]
    }

    /// Where a file lies: ten folders a level, a dozen files a folder.
    fn place(&self, folder: &Path, number: u64, extension: &str) -> PathBuf {
        const FILES_PER_FOLDER: u64 = 12;
        let mut path = folder.to_owned();
        let mut leaf = number / FILES_PER_FOLDER;
        for level in 0..self.depth {
            // What is beyond the tenth of the last level goes into more folders there.
            let name = if level + 1 == self.depth { leaf } else { leaf % 10 };
            path.push(format!("{}{name}", ["area", "package", "module", "part"][level as usize % 4]));
            leaf /= 10;
        }
        path.join(format!("file{number}.{extension}"))
    }
}

impl std::str::FromStr for LanguageShare {
    type Err = BenchError;

    /// Parses `LANGUAGE` or `LANGUAGE=WEIGHT`.
    fn from_str(text: &str) -> Result<Self, BenchError> {
        let (name, weight) = text.split_once('=').unwrap_or((text, "1"));
        let language = GRAMMARS.iter().find(|grammar| grammar.name == name.trim()).ok_or_else(|| {
            let known: Vec<&str> = GRAMMARS.iter().map(|grammar| grammar.name).collect();
            BenchError::Plan(format!("`{name}` cannot be generated; expected one of {}", known.join(", ")))
        })?;
        let parsed = weight.trim().parse().ok().filter(|weight| *weight <= MAX_WEIGHT);
        let fault =
            || BenchError::Plan(format!("the weight of `{name}` must be between 0 and {MAX_WEIGHT}, got {weight}"));
        let weight = parsed.ok_or_else(fault)?;
        Ok(Self { language, weight })
    }
}

/// A file of about that length; `number` makes its names its own.
fn file(grammar: &Grammar, length: u64, number: u64, random: &mut Random) -> String {
    let noun = random.of(&NOUNS);
    let mut text = filled(grammar.head, noun, "", "", "", 0);
    let mut name = format!("{}_{noun}_{number}", random.of(&VERBS));
    let mut nth = 0;
    while (text.len() as u64) < length {
        nth += 1;
        let next = format!("{}_{}_{number}_{nth}", random.of(&VERBS), random.of(&NOUNS));
        let (verb, adverb) = (random.of(&VERBS), random.of(&ADVERBS));
        let mut doc = String::new();
        // Writing to a string cannot fail.
        let _ = write!(doc, "Should {verb} the {} of each {noun} {adverb}.", random.of(&NOUNS));
        text.push_str(&filled(grammar.function, noun, &name, &next, &doc, random.below(1_000)));
        name = next;
    }
    text.push_str(grammar.tail);
    text
}

fn filled(template: &str, noun: &str, name: &str, other: &str, doc: &str, number: u64) -> String {
    let mut upper = noun.to_owned();
    if let Some(first) = upper.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let text = template.replace("{noun}", noun).replace("{Noun}", &upper).replace("{name}", name);
    text.replace("{other}", other).replace("{doc}", doc).replace("{number}", &number.to_string())
}

/// SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `end`; 0 if that is 0.
    fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// A number from 0 to 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn of<'t>(&mut self, words: &[&'t str]) -> &'t str {
        words[self.below(words.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::content_hash;

    #[test]
    fn a_tree_is_the_same_for_the_same_seed() {
        let languages = ["rust=2", "python", "go", "typescript", "java", "c", "markdown"];
        let languages = languages.map(|language| language.parse().expect("known")).into();
        let generator = Generator { seed: 7, files: 300, mean_bytes: 2_000, duplicates: 0.2, languages, depth: 3 };
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, seed: u64| {
            let place = folder.path().join(name);
            Generator { seed, ..generator.clone() }.write(&place).expect("writes");
            content_hash(&place).expect("reads")
        };
        let (first, again, other) = (write("first", 7), write("again", 7), write("other", 8));
        assert_eq!(first, again);
        assert_ne!(first.hash, other.hash);
        assert_eq!(first.files, 300);
        let mean = first.bytes / 300;
        assert!((1_400..2_600).contains(&mean), "near the mean that was asked for: {mean}");
        assert!(generator.write(&folder.path().join("first")).is_err(), "not empty");
        assert!(Generator { duplicates: 1.5, ..generator }.write(&folder.path().join("bad")).is_err());
        assert!("cobol".parse::<LanguageShare>().is_err() && "rust=x".parse::<LanguageShare>().is_err());
    }
}
