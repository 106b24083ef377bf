//! Words in identifiers and sentences.

use std::collections::HashSet;
use std::ops::Range;

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

/// Words of a query that count; a longer one is cut.
const MOST_WORDS: usize = 128;

/// The stems of the different words of a query that say something.
pub(crate) struct Words {
    stems: Vec<String>,
    /// For each letter of ASCII whether a stem begins with it, and whether one begins with
    /// another letter. Most words of a text are none of them, and this is enough to tell.
    begins: u128,
    begins_otherwise: bool,
}

/// Some of the words of a query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WordSet(u128);

impl WordSet {
    pub(crate) fn add(&mut self, word: usize) {
        self.0 |= 1 << word;
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(crate) fn has(self, word: usize) -> bool {
        self.0 >> word & 1 == 1
    }

    pub(crate) fn len(self) -> usize {
        self.0.count_ones() as usize
    }
}

impl Words {
    pub(crate) fn of(query: &str) -> Self {
        let mut stems: Vec<String> = Vec::new();
        for stem in words(query).filter(|word| !is_among(&COMMON, word)).map(stem_of) {
            if stems.len() < MOST_WORDS && !stems.contains(&stem) {
                stems.push(stem);
            }
        }
        stems.sort_unstable();
        let first = |stem: &String| stem.chars().next();
        let begins =
            stems.iter().filter_map(first).filter(char::is_ascii).fold(0, |all, letter| all | 1 << letter as u32);
        let begins_otherwise = stems.iter().filter_map(first).any(|letter| !letter.is_ascii());
        Self { stems, begins, begins_otherwise }
    }

    pub(crate) fn len(&self) -> usize {
        self.stems.len()
    }

    /// The number of a stem among them.
    pub(crate) fn place_of(&self, stem: &str) -> Option<usize> {
        self.stems.iter().position(|known| known == stem)
    }

    /// The number of a word among them. The buffer is for its stem.
    fn place_of_word(&self, word: &str, buffer: &mut String) -> Option<usize> {
        let first = *word.as_bytes().first()?;
        let may_be = match first.is_ascii() {
            true => self.begins >> first.to_ascii_lowercase() & 1 == 1,
            // The Kelvin sign is a small `k` then.
            false => self.begins_otherwise || self.begins != 0,
        };
        if !may_be {
            return None;
        }
        stem_into(word, buffer);
        // A word that says nothing may have the stem of one that does, as `the` and `these`.
        self.place_of(buffer).filter(|_| !is_among(&COMMON, word))
    }

    /// Where a text has words of them, and which. The buffer is for stems.
    pub(crate) fn matches(&self, text: &str, buffer: &mut String) -> Vec<(Range<usize>, usize)> {
        let of = |word: &str| {
            let place = self.place_of_word(word, buffer)?;
            // The words are slices of the text.
            let start = word.as_ptr().addr() - text.as_ptr().addr();
            Some((start..start + word.len(), place))
        };
        words(text).filter_map(of).collect()
    }

    /// Those of them that a text has. The buffer is for stems.
    pub(crate) fn among(&self, text: &str, buffer: &mut String) -> WordSet {
        let mut found = WordSet::default();
        words(text).filter_map(|word| self.place_of_word(word, buffer)).for_each(|word| found.add(word));
        found
    }
}

/// The stems of the words of a text, but for those that say nothing.
pub(crate) fn words_of(text: &str) -> HashSet<String> {
    words(text).filter(|word| !is_among(&COMMON, word)).map(stem_of).collect()
}

/// The stem of a word, in small letters.
fn stem_of(word: &str) -> String {
    let mut stem = String::new();
    stem_into(word, &mut stem);
    stem
}

fn stem_into(word: &str, out: &mut String) {
    out.clear();
    if word.is_ascii() {
        out.push_str(word);
        out.make_ascii_lowercase();
    } else {
        out.push_str(&word.to_lowercase());
    }
    out.truncate(stem(out).len());
}

/// Whether a word is one of these, in small or capital letters.
pub(crate) fn is_among(known: &[&str], word: &str) -> bool {
    known.iter().any(|known| known.eq_ignore_ascii_case(word))
}

fn stem(word: &str) -> &str {
    let without = |ending: &&str| word.strip_suffix(ending).filter(|rest| rest.chars().count() >= STEM);
    ENDINGS.iter().find_map(without).map_or(word, stem)
}

/// The words of identifiers and sentences: between signs, and where small letters turn into
/// capital ones.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
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
    fn the_words_of_a_query_are_found_in_any_form() {
        let wanted = Words::of("how the Cached entries of a cache are read");
        assert_eq!(wanted.len(), 3, "cach, entr, read");
        let mut buffer = String::new();
        let found = wanted.among("readCache_of_the(Reading)", &mut buffer);
        assert_eq!((found.len(), found.has(0), found.has(1), found.has(2)), (2, true, false, true));
        assert_eq!(wanted.among("", &mut buffer), WordSet::default());
        assert_eq!(Words::of("what these do").among("the these", &mut buffer).len(), 1);
        assert_eq!(Words::of("what these do").matches("the these", &mut buffer), [(4..9, 0)]);
        let long: String = (0..300).map(|nth| format!("word{nth}x ")).collect();
        assert_eq!(Words::of(&long).among(&long, &mut buffer).len(), MOST_WORDS);
    }
}
