//! Atoms, the units that chunks are made of, and their token counts.
//!
//! An atom is a line with its line feed, or a part of a line that alone exceeds `max_tokens`.
//! Token counts are prefix sums, so that a range of atoms is counted in constant time.

/// Letters of a word per token.
const LETTERS_PER_TOKEN: u32 = 8;
/// Digits of a number per token.
const DIGITS_PER_TOKEN: u32 = 3;
/// White space per token: it bounds the size of a chunk of blanks.
const BLANKS_PER_TOKEN: u32 = 16;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Lower,
    Upper,
    Digit,
    Blank,
    Feed,
    Underscore,
    Mark,
    /// The leading byte of a character outside ASCII.
    Wide,
    /// A continuation byte of such a character.
    Rest,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Mark; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' => Class::Lower,
            b'A'..=b'Z' => Class::Upper,
            b'0'..=b'9' => Class::Digit,
            b'\n' => Class::Feed,
            b'_' => Class::Underscore,
            0..=b' ' | 0x7f => Class::Blank,
            0x80..=0xbf => Class::Rest,
            0xc0..=0xff => Class::Wide,
            _ => Class::Mark,
        };
        byte += 1;
    }
    classes
};

/// Counts tokens byte by byte; see [`estimate_tokens`].
struct Counter {
    before: Class,
    /// Length of the current run.
    run: u32,
}

impl Counter {
    const fn new() -> Self {
        Self { before: Class::Mark, run: 0 }
    }

    /// Takes the next byte, and returns the number of tokens that start at it: 0 or 1.
    fn step(&mut self, class: Class) -> u32 {
        let same = class == self.before;
        let token = match class {
            Class::Lower if same || self.before == Class::Upper => {
                // `HTTPServer`: the last capital belongs to the second word.
                let splits = if same { self.run >= LETTERS_PER_TOKEN } else { self.run > 1 };
                self.run = if splits { 1 } else { self.run + 1 };
                splits
            }
            Class::Lower | Class::Upper | Class::Digit => {
                let limit = if class == Class::Digit { DIGITS_PER_TOKEN } else { LETTERS_PER_TOKEN };
                let begins = !same || self.run >= limit;
                self.run = if begins { 1 } else { self.run + 1 };
                begins
            }
            Class::Blank | Class::Feed => {
                let blank = matches!(self.before, Class::Blank | Class::Feed);
                self.run = if blank { self.run + 1 } else { 1 };
                let full = self.run >= BLANKS_PER_TOKEN;
                if full {
                    self.run = 0;
                }
                full
            }
            Class::Mark | Class::Wide => true,
            Class::Underscore | Class::Rest => false,
        };
        self.before = class;
        u32::from(token)
    }
}

/// Estimates the number of model tokens in a text, in one pass without allocation.
///
/// A token is a part of an identifier (split at case changes, at underscores and every 8
/// letters), up to 3 digits of a number, a punctuation mark, a character outside ASCII, or 16
/// blanks.
#[must_use]
pub fn estimate_tokens(text: &str) -> u32 {
    let mut counter = Counter::new();
    text.bytes().map(|byte| counter.step(CLASSES[usize::from(byte)])).sum()
}

/// The atoms of a text.
pub(crate) struct Atoms {
    /// First byte of each atom, then the length of the text.
    starts: Vec<u32>,
    /// Number of tokens before each atom, then their total.
    tokens: Vec<u32>,
    /// 1-based line of each atom.
    lines: Vec<u32>,
}

impl Atoms {
    /// Splits a text of at most `u32::MAX` bytes into atoms of at most `limit` tokens.
    pub fn of(text: &str, limit: u32) -> Self {
        let lines = text.len() / 32 + 1;
        let mut atoms = Self {
            starts: Vec::with_capacity(lines),
            tokens: Vec::with_capacity(lines),
            lines: Vec::with_capacity(lines),
        };
        let mut counter = Counter::new();
        let (mut total, mut line) = (0_u32, 1_u32);
        // The start of the current atom and the best place to break it: each an offset and the
        // number of tokens before it.
        let (mut start, mut first) = (0_u32, 0_u32);
        let (mut place, mut at_place) = (0_u32, 0_u32);
        for (offset, byte) in text.bytes().enumerate() {
            let offset = offset as u32;
            let class = CLASSES[usize::from(byte)];
            let token = counter.step(class);
            if total + token - first > limit {
                // Breaks after a word in the second half of the atom, else right before this token.
                if at_place <= first + limit / 2 {
                    (place, at_place) = (offset, total);
                }
                atoms.push(start, first, line);
                (start, first) = (place, at_place);
            }
            total += token;
            if class == Class::Feed {
                atoms.push(start, first, line);
                line += 1;
                (start, first) = (offset + 1, total);
                (place, at_place) = (start, first);
            } else if matches!(byte, b' ' | b'\t' | b',' | b';' | b'{' | b'}' | b'>') {
                (place, at_place) = (offset + 1, total);
            }
        }
        let end = text.len() as u32;
        if start < end {
            atoms.push(start, first, line);
        }
        atoms.starts.push(end);
        atoms.tokens.push(total);
        atoms
    }

    fn push(&mut self, start: u32, before: u32, line: u32) {
        self.starts.push(start);
        self.tokens.push(before);
        self.lines.push(line);
    }

    /// Returns the number of atoms.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Returns the first byte of an atom; for the index past the last atom, the length of the
    /// text.
    pub fn start(&self, atom: usize) -> u32 {
        self.starts.get(atom).copied().unwrap_or_default()
    }

    /// Returns the 1-based line of an atom.
    pub fn line(&self, atom: usize) -> u32 {
        self.lines.get(atom).copied().unwrap_or_default()
    }

    /// Returns the number of tokens of the atoms `from..to`.
    pub fn tokens(&self, from: usize, to: usize) -> u32 {
        let before = |atom: usize| self.tokens.get(atom).copied().unwrap_or_default();
        before(to).saturating_sub(before(from))
    }

    /// Returns the first atom in `from..to` with at least `tokens` tokens between `from` and it.
    pub fn after_tokens(&self, from: usize, to: usize, tokens: u32) -> usize {
        let least = self.tokens.get(from).copied().unwrap_or_default().saturating_add(tokens);
        from + self.tokens.get(from..to).unwrap_or_default().partition_point(|before| *before < least)
    }

    /// Returns the atom that contains a byte.
    pub fn at(&self, byte: u32) -> usize {
        self.starts.partition_point(|start| *start <= byte).saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_parts_of_identifiers_and_marks() {
        assert_eq!(estimate_tokens("readHTTPServer_2x"), 5, "read HTTP Server 2 x");
        assert_eq!(estimate_tokens("a.b(c);"), 7);
        assert_eq!(estimate_tokens("identifiers"), 2, "8 letters and 3");
        assert_eq!(estimate_tokens("12345"), 2);
        assert_eq!(estimate_tokens("麦粉"), 2);
        assert_eq!(estimate_tokens(&" ".repeat(33)), 2);
        assert_eq!(estimate_tokens(""), 0);
    }

    #[test]
    fn atoms_are_lines() {
        let atoms = Atoms::of("a\n\nbc", 16);
        assert_eq!((atoms.starts, atoms.lines), (vec![0, 2, 3, 5], vec![1, 2, 3]));
        assert_eq!(Atoms::of("", 16).len(), 0);
    }

    #[test]
    fn long_lines_break_at_words() {
        let text = "word ".repeat(100);
        let atoms = Atoms::of(&text, 16);
        assert_eq!(atoms.len(), 7);
        for atom in 0..atoms.len() {
            assert!(atoms.tokens(atom, atom + 1) <= 16);
            assert_eq!(atoms.start(atom) % 5, 0);
        }
    }

    #[test]
    fn unbreakable_lines_break_between_characters() {
        let text = "麦".repeat(50);
        let atoms = Atoms::of(&text, 16);
        assert_eq!(atoms.len(), 4);
        assert!((0..4).all(|atom| text.is_char_boundary(atoms.start(atom) as usize)));
    }
}
