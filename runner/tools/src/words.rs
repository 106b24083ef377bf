//! Splits identifiers and sentences into stemmed words.

use std::collections::HashSet;
use std::ops::Range;

use gristmill_sinks::tantivy::tokenizer::is_word_by_itself;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Stop words.
const STOP_WORDS: [&str; 35] = [
    "a", "an", "and", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "how", "in", "into", "is",
    "it", "its", "of", "on", "or", "that", "the", "this", "to", "used", "what", "when", "where", "which", "who", "why",
    "with", "without",
];

/// Suffixes that the stemmer removes, repeatedly.
const SUFFIXES: [&str; 9] = ["ing", "ion", "ies", "ed", "es", "er", "e", "s", "y"];

/// The minimum length of a stem, in characters.
const MIN_STEM_CHARS: usize = 3;

/// The maximum number of words of a query; further words are ignored.
const MAX_WORDS: usize = 128;

/// The distinct stems of the words of a query, without stop words.
pub(crate) struct Words {
    stems: Vec<String>,
    /// A bit for each ASCII letter that a stem starts with. Rules most words of a text out.
    ascii_initials: u128,
    /// Whether a stem starts with another letter.
    has_other_initials: bool,
}

/// A set of words of a query.
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
        for stem in words(query).filter(|word| !contains_word(&STOP_WORDS, word)).map(stem_of) {
            if stems.len() < MAX_WORDS && !stems.contains(&stem) {
                stems.push(stem);
            }
        }
        stems.sort_unstable();
        let first = |stem: &String| stem.chars().next();
        let ascii_initials =
            stems.iter().filter_map(first).filter(char::is_ascii).fold(0, |all, letter| all | 1 << letter as u32);
        let has_other_initials = stems.iter().filter_map(first).any(|letter| !letter.is_ascii());
        Self { stems, ascii_initials, has_other_initials }
    }

    pub(crate) fn len(&self) -> usize {
        self.stems.len()
    }

    /// Returns the index of a stem.
    pub(crate) fn index_of(&self, stem: &str) -> Option<usize> {
        self.stems.iter().position(|known| known == stem)
    }

    /// Returns the index of a word. `buffer` is scratch space for its stem.
    fn index_of_word(&self, word: &str, buffer: &mut String) -> Option<usize> {
        let first = *word.as_bytes().first()?;
        let may_be = match first.is_ascii() {
            true => {
                let has_initial = self.ascii_initials >> first.to_ascii_lowercase() & 1 == 1;
                // A letter and its mark may be one character of the stem.
                has_initial || (self.has_other_initials && !word.is_ascii())
            }
            // The Kelvin sign becomes an ASCII `k` in lower case.
            false => self.has_other_initials || self.ascii_initials != 0,
        };
        if !may_be {
            return None;
        }
        stem_into(word, buffer);
        // A stop word may have the stem of another word, as `the` and `these`.
        self.index_of(buffer).filter(|_| !contains_word(&STOP_WORDS, word))
    }

    /// Returns the words of the query in a text: byte ranges and indexes. `buffer` is scratch space.
    pub(crate) fn matches(&self, text: &str, buffer: &mut String) -> Vec<(Range<usize>, usize)> {
        let of = |word: &str| {
            let index = self.index_of_word(word, buffer)?;
            // The words are slices of the text.
            let start = word.as_ptr().addr() - text.as_ptr().addr();
            Some((start..start + word.len(), index))
        };
        words(text).filter_map(of).collect()
    }

    /// Returns the set of words of the query in a text. `buffer` is scratch space.
    pub(crate) fn found_in(&self, text: &str, buffer: &mut String) -> WordSet {
        let mut found = WordSet::default();
        words(text).filter_map(|word| self.index_of_word(word, buffer)).for_each(|word| found.add(word));
        found
    }
}

/// Returns the stems of the words of a text, without stop words.
pub(crate) fn words_of(text: &str) -> HashSet<String> {
    words(text).filter(|word| !contains_word(&STOP_WORDS, word)).map(stem_of).collect()
}

/// Returns the stem of a word, in lower case.
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
        out.extend(word.chars().flat_map(char::to_lowercase).nfc());
    }
    out.truncate(stem(out).len());
}

/// Returns whether a list contains a word, ignoring ASCII case.
pub(crate) fn contains_word(known: &[&str], word: &str) -> bool {
    known.iter().any(|known| known.eq_ignore_ascii_case(word))
}

fn stem(word: &str) -> &str {
    let without = |ending: &&str| word.strip_suffix(ending).filter(|rest| rest.chars().count() >= MIN_STEM_CHARS);
    SUFFIXES.iter().find_map(without).map_or(word, stem)
}

/// Splits identifiers and sentences into words: at non-alphanumeric characters, in camel case, and
/// around each character of scripts without spaces.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    let between_signs = text.split(|sign: char| !is_of_word(sign));
    between_signs.flat_map(capitalised_parts).filter(|word| !word.is_empty())
}

fn is_of_word(sign: char) -> bool {
    sign.is_alphanumeric() || (!sign.is_ascii() && (is_combining_mark(sign) || is_word_by_itself(sign)))
}

/// Splits `readFile` into `read`, `File`; `HTTPServer` into `HTTP`, `Server`.
fn capitalised_parts(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let (part, after) = rest.split_at(part_end(rest));
        rest = after;
        (!part.is_empty()).then_some(part)
    })
}

/// Returns the end of the first part of a word.
fn part_end(word: &str) -> usize {
    let mut letters = word.char_indices().peekable();
    let Some((_, mut before)) = letters.next() else { return 0 };
    let is_alone = !before.is_ascii() && is_word_by_itself(before);
    while let Some((at, here)) = letters.next() {
        if !here.is_ascii() && is_combining_mark(here) {
            continue;
        }
        if is_alone || (!here.is_ascii() && is_word_by_itself(here)) {
            return at;
        }
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
    fn words_are_split_at_symbols_and_capitals() {
        let words = |text: &str| {
            let mut words: Vec<String> = words_of(text).into_iter().collect();
            words.sort();
            words
        };
        assert_eq!(words("how HTTPServer reads_files"), ["fil", "http", "read", "serv"]);
        assert_eq!(words("readFileÄX"), ["fil", "read", "äx"]);
        assert_eq!(words("the of a"), [""; 0]);
        assert_eq!(words("검색기를🚀x"), ["x", "검", "기", "를", "색", "🚀"]);
        assert_eq!(words("E\u{301}T\u{300} cafe\u{301}"), words("ÉT̀ café"), "normal forms are one");
    }

    #[test]
    fn the_words_of_a_query_are_found_by_stem() {
        let wanted = Words::of("how the Cached entries of a cache are read");
        assert_eq!(wanted.len(), 3, "cach, entr, read");
        let mut buffer = String::new();
        let found = wanted.found_in("readCache_of_the(Reading)", &mut buffer);
        assert_eq!((found.len(), found.has(0), found.has(1), found.has(2)), (2, true, false, true));
        assert_eq!(wanted.found_in("", &mut buffer), WordSet::default());
        assert_eq!(Words::of("what these do").found_in("the these", &mut buffer).len(), 1);
        assert_eq!(Words::of("what these do").matches("the these", &mut buffer), [(4..9, 0)]);
        let long: String = (0..300).map(|nth| format!("word{nth}x ")).collect();
        assert_eq!(Words::of(&long).found_in(&long, &mut buffer).len(), MAX_WORDS);
    }
}
