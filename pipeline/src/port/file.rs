//! Files and their decoded text.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use gristmill_ids::ContentHash;

use crate::extra::{ExtraValue, Extras};
use crate::origin::Origin;
use crate::path::RelPath;

/// A file that the source names; the item of the `Files` port.
#[derive(Debug)]
pub struct FileItem {
    /// Its path in the index.
    pub path: RelPath,
    /// Where its bytes are read from.
    pub origin: Origin,
    /// Its size in bytes when the source was scanned.
    pub bytes: u64,
    /// The hash of its bytes when the source was scanned.
    pub content_hash: ContentHash,
    /// What its path says about how to parse it (see
    /// [`Operator::variant`](crate::Operator::variant)); empty if nothing.
    pub variant: &'static str,
}

/// The decoded text of a file; the item of the `Contents` port.
#[derive(Debug)]
pub struct Content {
    /// The file it was read from. Where several paths share a content, this is the one
    /// that stands for them.
    pub file: Arc<FileItem>,
    /// The whole text. Offsets in everything downstream are offsets into it; they equal
    /// offsets into the file where the file is UTF-8.
    pub text: Text,
    /// BLAKE3 of the bytes that were read. The hash stage compares it with what the
    /// scan saw.
    pub content_hash: ContentHash,
    /// The encoding the bytes were in, such as `UTF-8`.
    pub encoding: &'static str,
    /// Values of [extra columns](crate::ExtraColumn) of files.
    pub extras: Extras,
}

impl Content {
    /// This content with another text: what an operator gives that changes texts. What
    /// names the file's bytes stays.
    #[must_use]
    pub fn with_text(&self, text: impl Into<Arc<str>>) -> Self {
        Self {
            file: Arc::clone(&self.file),
            text: Text::new(text),
            content_hash: self.content_hash,
            encoding: self.encoding,
            extras: self.extras.clone(),
        }
    }

    /// This content with the value of an [extra column](crate::ExtraColumn) of files. The text is
    /// shared.
    #[must_use]
    pub fn with_extra(&self, column: &str, value: impl Into<ExtraValue>) -> Self {
        let mut extras = self.extras.clone();
        extras.set(column, value);
        Self { file: Arc::clone(&self.file), text: self.text.clone(), extras, ..*self }
    }
}

/// A slice of shared text. Cloning it copies no text.
#[derive(Clone)]
pub struct Text {
    whole: Arc<str>,
    range: Range<usize>,
}

impl Text {
    /// All of `whole`.
    #[must_use]
    pub fn new(whole: impl Into<Arc<str>>) -> Self {
        let whole = whole.into();
        let range = 0..whole.len();
        Self { whole, range }
    }

    /// Assembles a text from parts, each with the byte offset at which it starts. Gaps are
    /// filled with spaces, so that every part keeps its offset; the text ends with the last
    /// part.
    ///
    /// Stores that keep chunks but not whole texts use it to recall a text.
    ///
    /// ```
    /// use gristmill_pipeline::port::Text;
    ///
    /// let text = Text::from_parts([(3, "b\n"), (0, "a\n")]);
    /// assert_eq!(&*text, "a\n b\n");
    /// ```
    #[must_use]
    pub fn from_parts<'t>(parts: impl IntoIterator<Item = (usize, &'t str)>) -> Self {
        let mut parts: Vec<(usize, &str)> = parts.into_iter().collect();
        // They are nearly always in order already.
        parts.sort_by_key(|(start, _)| *start);
        let mut whole = String::with_capacity(parts.last().map_or(0, |(start, text)| start + text.len()));
        for (start, text) in parts {
            match start.checked_sub(whole.len()) {
                Some(gap) => {
                    whole.extend(std::iter::repeat_n(' ', gap));
                    whole.push_str(text);
                }
                // It overlaps the parts before it, which end on a character boundary.
                None => whole.push_str(text.get(whole.len() - start..).unwrap_or_default()),
            }
        }
        Self::new(whole)
    }

    /// The part of this text at `range`, or `None` where the range is out of bounds or
    /// cuts a character.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Option<Self> {
        self.get(range.clone())?;
        let start = self.range.start + range.start;
        let end = self.range.start + range.end;
        Some(Self { whole: Arc::clone(&self.whole), range: start..end })
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        // `range` is only ever made by `new` and `slice`, so this never falls back.
        self.whole.get(self.range.clone()).unwrap_or_default()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_share_and_respect_characters() {
        let text = Text::new("aé b");
        let tail = text.slice(1..5).expect("on a boundary");
        assert_eq!(&*tail, "é b");
        assert_eq!(tail.slice(2..4).as_deref(), Some(" b"));
        assert!(text.slice(2..3).is_none(), "cuts é");
        assert!(text.slice(0..9).is_none(), "out of bounds");
    }

    #[test]
    fn parts_keep_their_places() {
        let joined = |parts: &[(usize, &str)]| Text::from_parts(parts.iter().copied()).to_string();
        assert_eq!(joined(&[]), "");
        assert_eq!(joined(&[(0, "größe"), (7, "()")]), "größe()");
        assert_eq!(joined(&[(9, "é"), (2, "ab")]), "  ab     é", "gaps, in any order");
        assert_eq!(joined(&[(0, "aéd"), (1, "éde"), (2, "d")]), "aéde", "overlaps");
    }
}
