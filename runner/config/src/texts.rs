//! The texts of a job in one address space.
//!
//! A value may come from the job file, from `--set`, from a variable or from the default graph. Each
//! text has its own range of byte offsets, so that a span identifies its text, and one deserializer
//! handles all of them.

use std::ops::Range;

/// A byte range in the address space of [`Texts`].
pub(super) type Place = Range<usize>;

/// One text with its base offset.
#[derive(Clone, Debug)]
pub(super) struct Text<'t> {
    /// The name in errors: a path, or the name of an option.
    pub(super) name: String,
    pub(super) text: &'t str,
    base: usize,
}

/// All texts of a job.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts<'t>(Vec<Text<'t>>);

impl<'t> Texts<'t> {
    /// Adds a text and returns the offset of its first byte.
    pub(super) fn add(&mut self, name: impl Into<String>, text: &'t str) -> usize {
        // One offset after each text stays free, so that its end is distinct from the next text.
        let base = self.0.last().map_or(0, |last| last.base + last.text.len() + 1);
        self.0.push(Text { name: name.into(), text, base });
        base
    }

    /// Returns the text of a place, and the byte range within it.
    pub(super) fn find(&self, place: &Place) -> Option<(&Text<'t>, Range<usize>)> {
        let text = self.0.iter().rev().find(|text| text.base <= place.start)?;
        let end = text.text.len();
        let start = (place.start - text.base).min(end);
        Some((text, start..place.end.saturating_sub(text.base).clamp(start, end)))
    }

    /// Returns whether two places share a line of one text.
    pub(super) fn share_line(&self, a: &Place, b: &Place) -> bool {
        match (self.find(a), self.find(b)) {
            (Some((first, a)), Some((second, b))) => {
                let line = |at: usize| first.text.get(..at).map(|before| before.matches('\n').count());
                first.base == second.base && line(a.start) <= line(b.end) && line(b.start) <= line(a.end)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_names_its_text() {
        let mut texts = Texts::default();
        let first = texts.add("a", "one\ntwo\n");
        let second = texts.add("b", "three");
        let found = |place: Place| texts.find(&place).map(|(text, range)| (text.name.clone(), range));
        assert_eq!(found(first + 4..first + 7), Some(("a".into(), 4..7)));
        assert_eq!(found(first + 8..first + 8), Some(("a".into(), 8..8)), "the end of the first");
        assert_eq!(found(second..second + 5), Some(("b".into(), 0..5)));
        assert_eq!(found(second..second + 99), Some(("b".into(), 0..5)), "cut to the text");
    }

    #[test]
    fn lines_are_shared_within_one_text_only() {
        let mut texts = Texts::default();
        texts.add("a", "one\ntwo\n");
        let second = texts.add("b", "three");
        assert!(texts.share_line(&(0..1), &(2..3)));
        assert!(!texts.share_line(&(0..1), &(4..5)));
        assert!(texts.share_line(&(0..5), &(6..7)), "the first spans both lines");
        assert!(!texts.share_line(&(0..1), &(second..second + 1)));
    }
}
