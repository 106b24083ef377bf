//! Turns recorded names into references.

use gristmill_pipeline::port::{Definition, Reference, ReferenceKind};

use crate::spec::{Mark, byte};

/// Returns the references of a text, in order, one at most for each name.
///
/// `marks` are the names that it uses and `defined` the offsets of those that it defines,
/// in any order; `starts` are the offsets at which lines begin.
pub(super) fn references(
    text: &str,
    mut marks: Vec<Mark>,
    mut defined: Vec<u32>,
    definitions: &[Definition],
    starts: &[u32],
) -> Vec<Reference> {
    defined.sort_unstable();
    // Stable: of equal marks the first has the longest path.
    marks.sort_by_key(|mark| (mark.start, rank(mark.kind)));
    marks.dedup_by_key(|mark| mark.start);
    let mut references = Vec::with_capacity(marks.len());
    let mut scopes = Scopes { definitions, next: 0, begun: Vec::new() };
    let (mut line, mut defined) = (0, defined.iter().copied().peekable());
    for mark in &marks {
        while defined.next_if(|at| *at < mark.start).is_some() {}
        if mark.kind != ReferenceKind::Implements && defined.peek() == Some(&mark.start) {
            continue;
        }
        while starts.get(line).is_some_and(|start| *start <= mark.start) {
            line += 1;
        }
        let name = text.get(mark.start as usize..mark.end as usize).unwrap_or_default();
        let path = text.get(mark.path as usize..mark.start as usize).unwrap_or_default();
        references.push(Reference {
            name: name.into(),
            qualifier: qualifier(path).into(),
            kind: mark.kind,
            start_byte: mark.start,
            line: byte(line),
            within: scopes.around(mark.start),
        });
    }
    references
}

/// Returns the rank of a mark: of several at the same byte, the one of the least rank is kept.
fn rank(kind: ReferenceKind) -> u8 {
    match kind {
        ReferenceKind::Implements => 0,
        ReferenceKind::Call => 1,
        ReferenceKind::Mention => 2,
    }
}

/// Finds the innermost definition around offsets that are asked for in ascending order.
struct Scopes<'d> {
    definitions: &'d [Definition],
    next: usize,
    /// Those that have begun; in broken code they may overlap without one holding the other.
    begun: Vec<usize>,
}

impl Scopes<'_> {
    fn around(&mut self, at: u32) -> Option<u32> {
        while let Some(definition) = self.definitions.get(self.next).filter(|d| d.span.start_byte <= at) {
            // Several names of one node: the first stands for all.
            let last = self.begun.last().and_then(|last| self.definitions.get(*last));
            if last.is_none_or(|last| last.span != definition.span) {
                self.begun.push(self.next);
            }
            self.next += 1;
        }
        let ended = |index: &mut usize| self.definitions.get(*index).is_none_or(|d| d.span.end_byte <= at);
        while self.begun.pop_if(ended).is_some() {}
        self.begun.last().map(|index| byte(*index))
    }
}

/// Returns what stands before a name, without the mark that joins them; empty if it is not a
/// plain path.
fn qualifier(path: &str) -> &str {
    let joined = path.trim_end();
    let path = joined.trim_end_matches(['.', ':', '>', '-', '?', '!', '\\', '&']).trim_end();
    // `new`, `@` and the like join nothing.
    if path.len() == joined.len() {
        return "";
    }
    let mut before = '.';
    for c in path.chars() {
        let name = c.is_alphanumeric() || matches!(c, '_' | '$' | '@');
        let joint = matches!(c, '.' | ':' | '\\') || matches!((before, c), ('-', '>'));
        let joins_next = matches!(c, '-' | '?' | '!');
        if !(name || joint || joins_next)
            || matches!(before, '-') && c != '>'
            || matches!(before, '?' | '!') && c != '.'
        {
            return "";
        }
        before = c;
    }
    if path.starts_with(|c: char| c.is_ascii_digit()) { "" } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qualifiers_are_plain_paths() {
        let paths = [
            ("std::fs::", "std::fs"),
            ("self.parser.", "self.parser"),
            ("a->b->", "a->b"),
            ("$this->a?->", "$this->a"),
            ("a?.b!.", "a?.b"),
            ("foo\n    .", "foo"),
            ("::", ""),
            ("App\\Tools\\", "App\\Tools"),
            ("new ", ""),
            ("@", ""),
            ("", ""),
            ("f(x).", ""),
            ("a - b.", ""),
            ("Vec::<u8>::", ""),
            ("5.", ""),
        ];
        for (path, expected) in paths {
            assert_eq!(qualifier(path), expected, "{path}");
        }
    }
}
