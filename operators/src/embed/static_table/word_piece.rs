//! The tokenizer of uncased BERT: normalisation, pre-tokenisation, greedy WordPiece.
//!
//! Returns the same ids as `BertNormalizer`, `BertPreTokenizer` and `WordPiece` of the `tokenizers`
//! crate, and optionally splits identifiers in the same pass. A *segment* ends at ASCII white
//! space, at ASCII punctuation and where an identifier is split. No normalisation moves or combines
//! ASCII characters, so each segment is normalised on its own: with a table if it is ASCII, else
//! with Unicode decomposition.

use unicode_categories::UnicodeCategories as _;
use unicode_normalization_alignments::UnicodeNormalization as _;

use super::piece_table::{PADDING, PieceTable};
use super::scratch::Scratch;
use super::split::splits_before_upper;

/// The size of the buffer for ASCII words, and so the maximum of `max_word_chars`.
const MAX_WORD_BYTES: usize = 128;

/// A token that is matched in the text before normalisation.
#[derive(Debug)]
pub(super) struct AddedToken {
    pub(super) content: Box<str>,
    pub(super) id: u32,
}

/// What the scanner does with a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Ends a segment; dropped.
    Space,
    /// Ends a segment; a word of its own.
    Punctuation,
    /// As punctuation, but an added token may start here.
    Added,
    /// A control character: dropped without ending the segment.
    Dropped,
    /// Part of a word, unchanged.
    Lower,
    /// Part of a word, lower-cased; an identifier may be split before it.
    Upper,
    /// Part of a character outside ASCII.
    Wide,
}

/// Uncased BERT WordPiece over a fixed vocabulary.
#[derive(Debug)]
pub(super) struct WordPiece {
    initial: PieceTable,
    continuing: PieceTable,
    /// The id of each ASCII character that is a word of its own.
    single: [u32; 128],
    classes: [Class; 256],
    /// Longest first, so that the first match is the longest.
    added: Vec<AddedToken>,
    unknown: u32,
    max_word_chars: usize,
    splits: bool,
    tokens: usize,
    highest: u32,
}

impl WordPiece {
    /// Builds the tokenizer; `None` if scanning segment by segment would not be exact with these
    /// parameters.
    pub(super) fn new<'a>(
        vocabulary: impl Iterator<Item = (&'a str, u32)> + Clone,
        mut added: Vec<AddedToken>,
        unknown_token: &str,
        continuing_prefix: &str,
        max_word_chars: usize,
        splits: bool,
    ) -> Option<Self> {
        // A continuing piece must never equal an initial one. No word of several characters starts
        // with `#`, because punctuation is a word of its own.
        let prefix_is_punctuation = continuing_prefix.len() > 1 && continuing_prefix.starts_with(is_ascii_punctuation);
        if max_word_chars > MAX_WORD_BYTES || !prefix_is_punctuation || !added.iter().all(is_unsplittable) {
            return None;
        }
        let unknown = vocabulary.clone().find_map(|(token, id)| (token == unknown_token).then_some(id))?;
        let mut initial = Vec::new();
        let mut continuing = Vec::new();
        let mut highest = 0;
        for (token, id) in vocabulary {
            highest = highest.max(id);
            match token.strip_prefix(continuing_prefix) {
                Some(piece) => continuing.push((piece, id)),
                None => initial.push((token, id)),
            }
        }
        let mut classes = [Class::Wide; 256];
        for (class, byte) in classes.iter_mut().zip(0..128_u8) {
            *class = match byte {
                b'\t' | b'\n' | b'\r' | b' ' => Class::Space,
                b'_' if splits => Class::Space,
                b'a'..=b'z' | b'0'..=b'9' => Class::Lower,
                b'A'..=b'Z' => Class::Upper,
                _ if byte.is_ascii_control() => Class::Dropped,
                _ => Class::Punctuation,
            };
        }
        for token in &added {
            if let Some(&first) = token.content.as_bytes().first() {
                classes[usize::from(first)] = Class::Added;
            }
        }
        added.sort_by_key(|token| std::cmp::Reverse(token.content.len()));
        let mut single = [unknown; 128];
        for &(token, id) in &initial {
            if let [byte @ 0..128] = *token.as_bytes() {
                single[usize::from(byte)] = id;
            }
        }
        Some(Self {
            initial: PieceTable::new(&initial)?,
            continuing: PieceTable::new(&continuing)?,
            single,
            classes,
            added,
            unknown,
            max_word_chars,
            splits,
            tokens: initial.len() + continuing.len(),
            highest,
        })
    }

    pub(super) const fn unknown(&self) -> u32 {
        self.unknown
    }

    pub(super) const fn tokens(&self) -> usize {
        self.tokens
    }

    pub(super) const fn highest(&self) -> u32 {
        self.highest
    }

    /// Writes the first `limit` ids of `text` to `scratch.ids`.
    pub(super) fn encode(&self, text: &str, limit: usize, scratch: &mut Scratch) {
        let Scratch { ids, rewritten } = scratch;
        ids.clear();
        let bytes = text.as_bytes();
        let mut word = [0; MAX_WORD_BYTES + PADDING];
        let mut at = 0;
        while ids.len() < limit
            && let Some(&byte) = bytes.get(at)
        {
            match self.classes[usize::from(byte)] {
                Class::Space | Class::Dropped => at += 1,
                Class::Punctuation => {
                    ids.push(self.single[usize::from(byte & 127)]);
                    at += 1;
                }
                Class::Added => {
                    let rest = bytes.get(at..).unwrap_or_default();
                    let found = self.added.iter().find(|token| rest.starts_with(token.content.as_bytes()));
                    ids.push(found.map_or(self.single[usize::from(byte & 127)], |token| token.id));
                    at += found.map_or(1, |token| token.content.len());
                }
                Class::Lower | Class::Upper | Class::Wide => {
                    let segment = self.scan_segment(bytes, at, &mut word);
                    if segment.is_ascii {
                        self.push_word(&word, segment.length, segment.length, ids);
                    } else {
                        let segment = text.get(at..segment.end).unwrap_or_default();
                        self.push_wide(segment, rewritten, ids);
                    }
                    at = segment.end;
                }
            }
        }
        ids.truncate(limit);
    }

    /// Finds the end of the segment that starts at `start`, and writes the segment in lower case
    /// to `word`, as far as it fits.
    #[inline]
    fn scan_segment(&self, bytes: &[u8], start: usize, word: &mut [u8; MAX_WORD_BYTES + PADDING]) -> Segment {
        let mut segment = Segment { end: start, length: 0, is_ascii: true };
        while let Some(&byte) = bytes.get(segment.end) {
            let lower = match self.classes[usize::from(byte)] {
                Class::Lower => byte,
                Class::Upper => {
                    if self.splits && segment.end > start && splits_before_upper(bytes, segment.end) {
                        break;
                    }
                    byte | 0x20
                }
                Class::Wide => {
                    segment.is_ascii = false;
                    byte
                }
                Class::Dropped => {
                    segment.end += 1;
                    continue;
                }
                Class::Space | Class::Punctuation | Class::Added => break,
            };
            if let Some(place) = word.get_mut(segment.length) {
                *place = lower;
            }
            segment.length += 1;
            segment.end += 1;
        }
        segment
    }

    /// Normalises a segment that is not ASCII, splits it into words and pushes their ids.
    #[cold]
    fn push_wide(&self, segment: &str, normalised: &mut String, ids: &mut Vec<u32>) {
        normalised.clear();
        normalise(segment, normalised);
        let end = normalised.len();
        normalised.extend(std::iter::repeat_n('\0', PADDING));
        let mut start = 0;
        let mut chars = 0;
        for (at, c) in normalised.char_indices().take_while(|(at, _)| *at < end) {
            let is_space = c.is_whitespace();
            if is_space || is_punctuation(c) {
                self.push_slice(normalised.as_bytes(), start, at, chars, ids);
                (start, chars) = (at + c.len_utf8(), 0);
                if !is_space {
                    self.push_slice(normalised.as_bytes(), at, start, 1, ids);
                }
            } else {
                chars += 1;
            }
        }
        self.push_slice(normalised.as_bytes(), start, end, chars, ids);
    }

    /// Pushes the word at `start..end` of a padded text.
    fn push_slice(&self, padded: &[u8], start: usize, end: usize, chars: usize, ids: &mut Vec<u32>) {
        if start < end {
            self.push_word(padded.get(start..).unwrap_or_default(), end - start, chars, ids);
        }
    }

    /// Pushes the pieces of the word of `length` bytes and `chars` characters at the start of
    /// `padded`, or the unknown token if the word is not a sequence of pieces.
    #[inline]
    fn push_word(&self, padded: &[u8], length: usize, chars: usize, ids: &mut Vec<u32>) {
        if chars > self.max_word_chars {
            ids.push(self.unknown);
            return;
        }
        let before = ids.len();
        let mut at = 0;
        let mut table = &self.initial;
        while at < length {
            let rest = padded.get(at..).unwrap_or_default();
            let Some((taken, id)) = table.longest_prefix(rest, length - at) else {
                ids.truncate(before);
                ids.push(self.unknown);
                return;
            };
            ids.push(id);
            at += taken;
            table = &self.continuing;
        }
    }
}

/// A range of text between two word boundaries that are ASCII.
struct Segment {
    /// One past its last byte in the text.
    end: usize,
    /// Its length in bytes without control characters.
    length: usize,
    is_ascii: bool,
}

/// Whether the token matches in a text exactly where it matches in the split text: it starts and
/// ends with punctuation, and no identifier is split within it.
fn is_unsplittable(token: &AddedToken) -> bool {
    let bytes = token.content.as_bytes();
    let is_edge = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_punctuation() && *byte != b'_');
    let splits = |at| bytes.get(at).is_some_and(u8::is_ascii_uppercase) && splits_before_upper(bytes, at);
    is_edge(bytes.first()) && is_edge(bytes.last()) && !bytes.contains(&b'_') && !(0..bytes.len()).any(splits)
}

fn is_ascii_punctuation(c: char) -> bool {
    c.is_ascii_punctuation()
}

/// Normalises a text as `BertNormalizer` does: drops control characters, puts spaces around
/// ideographs, decomposes, strips accents and lower-cases.
fn normalise(text: &str, out: &mut String) {
    let cleaned = text.chars().filter(|&c| c != '\0' && c != '\u{fffd}' && !is_control(c)).flat_map(|c| {
        let (spaced, skipped) = match c {
            _ if is_ideograph(c) => ([' ', c, ' '], 0),
            _ if c.is_whitespace() => ([' '; 3], 2),
            _ => ([c; 3], 2),
        };
        spaced.into_iter().skip(skipped)
    });
    let stripped = cleaned.nfd().map(|(c, _)| c).filter(|c| c.is_ascii() || !c.is_mark_nonspacing());
    out.extend(stripped.flat_map(char::to_lowercase));
}

/// Whether a character is in the Unicode category C and is not white space.
fn is_control(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        _ if c.is_ascii() => c.is_ascii_control(),
        _ => c.is_other(),
    }
}

fn is_punctuation(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_punctuation() } else { !is_ideograph(c) && c.is_punctuation() }
}

/// Whether a character is in a block that BERT treats as Chinese.
const fn is_ideograph(c: char) -> bool {
    matches!(
        c as u32,
        0x4E00..=0x9FFF
            | 0x3400..=0x4DBF
            | 0x2_0000..=0x2_A6DF
            | 0x2_A700..=0x2_B73F
            | 0x2_B740..=0x2_B81F
            | 0x2_B920..=0x2_CEAF
            | 0xF900..=0xFAFF
            | 0x2_F800..=0x2_FA1F
    )
}
