//! What every match of an expression begins with, to pass over texts that cannot have one.

use memchr::memmem::Finder;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::literal::Extractor;

use super::file_text::Piece;

/// A text with which every match begins.
#[derive(Debug)]
pub(super) struct Needle(Finder<'static>);

impl Needle {
    /// Returns that of a pattern; `None` if its matches may begin with one of several texts, for
    /// which the expression itself searches as fast, or with anything.
    pub(super) fn of(pattern: &str) -> Option<Self> {
        let hir = ParserBuilder::new().multi_line(true).build().parse(pattern).ok()?;
        let prefixes = Extractor::new().extract(&hir);
        let [prefix] = prefixes.literals()? else { return None };
        // Line ends are searched as a line feed alone, and may not be in the text.
        let line = prefix.as_bytes().split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
        (!line.is_empty()).then(|| Self(Finder::new(line).into_owned()))
    }

    /// Whether the text that consecutive chunks make may have a match. Copies no more than the
    /// bytes around their borders.
    pub(super) fn is_in<'a>(&self, pieces: impl Iterator<Item = Piece<'a>>) -> bool {
        let reach = self.0.needle().len() - 1;
        // The last bytes of the text so far, and one past its last byte.
        let (mut tail, mut end) = (Vec::with_capacity(2 * reach), 0);
        for (start, _, text) in pieces {
            let bytes = text.as_bytes();
            if self.0.find(bytes).is_some() {
                return true;
            }
            if start > end {
                tail.clear();
            }
            let rest = bytes.get(end.saturating_sub(start)..).unwrap_or_default();
            tail.extend_from_slice(rest.get(..reach).unwrap_or(rest));
            if self.0.find(&tail).is_some() {
                return true;
            }
            if rest.len() > reach {
                tail.clear();
                tail.extend_from_slice(rest.get(rest.len() - reach..).unwrap_or_default());
            } else {
                tail.drain(..tail.len().saturating_sub(reach));
            }
            end = end.max(start + text.len());
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::RegexBuilder;

    use super::*;
    use crate::search::file_text::{Part, join};

    #[test]
    fn a_needle_is_what_matches_begin_with() {
        for pattern in ["fn weigh", "^use ", "a.*b", "caf\u{e9}", "ab\nc"] {
            assert!(Needle::of(pattern).is_some(), "{pattern}");
        }
        for pattern in ["", "\\w+", "a*", "\nfn", ".b", "a|", "weigh|grind", "(?i)to"] {
            assert!(Needle::of(pattern).is_none(), "{pattern}");
        }
    }

    proptest! {
        /// Whatever the chunks, a text with a match is not passed over.
        #[test]
        fn no_text_with_a_match_is_passed_over(
            text in "[abc\r\n\u{e9}]{0,40}",
            cuts in prop::collection::vec(0..41_usize, 0..6),
            overlap in 0..4_usize,
            pattern in prop::sample::select(vec!["abc", "ab\ncb", "^cab", "b\u{e9}a", "aaaa$", "ca+b"]),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| text.floor_char_boundary(cut.min(text.len()))).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|cut| {
                let start = text.floor_char_boundary(cut[0].saturating_sub(overlap));
                (start, 1, &text[start..cut[1]])
            });
            let regex = RegexBuilder::new(pattern).multi_line(true).build().unwrap();
            let mut parts = join(pieces.clone());
            parts.iter_mut().for_each(Part::normalise_line_ends);
            let has_match = parts.iter().any(|part| regex.is_match(&part.text));
            let needle = Needle::of(pattern).unwrap();
            prop_assert!(!has_match || needle.is_in(pieces), "{:?}", parts);
        }
    }
}
