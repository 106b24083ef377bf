//! Turns recorded names into references.

use std::collections::HashMap;

use gristmill_pipeline::port::{Anchor, Definition, NamePath, Reference, ReferenceKind};

use crate::bind::Bound;
use crate::spec::{Mark, byte};

/// Returns the references of a text, in order, one at most for each name.
///
/// `marks` are the names that it uses and `defined` the offsets of those that it defines,
/// in any order; `starts` are the offsets at which lines begin. `bound` says what names are bound
/// to, in ascending order: a name that no mark is for but that something defines is a reference too.
pub(super) fn references(
    text: &str,
    mut marks: Vec<Mark>,
    mut defined: Vec<u32>,
    definitions: &[Definition],
    starts: &[u32],
    bound: Option<&[Bound]>,
) -> Vec<Reference> {
    defined.sort_unstable();
    let known = bound.unwrap_or_default();
    let mentioned = known.iter().filter(|bound| bound.target.anchor().is_some());
    marks.extend(mentioned.map(|bound| Mark {
        start: bound.start,
        end: bound.end,
        path: bound.start,
        kind: ReferenceKind::Mention,
    }));
    // Stable: of equal marks the first has the longest path.
    marks.sort_by_key(|mark| (mark.start, rank(mark.kind)));
    marks.dedup_by_key(|mark| mark.start);
    let mut references = Vec::with_capacity(marks.len());
    let outermost = Outermost::of(if bound.is_none() { definitions } else { &[] });
    let mut scopes = Scopes { definitions, next: 0, begun: Vec::new() };
    let (mut line, mut defined, mut known) = (0, defined.iter().copied().peekable(), known.iter().peekable());
    for mark in &marks {
        while defined.next_if(|at| *at < mark.start).is_some() {}
        while known.next_if(|bound| bound.start < mark.start).is_some() {}
        if mark.kind != ReferenceKind::Implements && defined.peek() == Some(&mark.start) {
            continue;
        }
        while starts.get(line).is_some_and(|start| *start <= mark.start) {
            line += 1;
        }
        let name = text.get(mark.start as usize..mark.end as usize).unwrap_or_default();
        let path = text.get(mark.path as usize..mark.start as usize).unwrap_or_default();
        let binding = known.peek().filter(|bound| bound.start == mark.start);
        let target = match (binding, bound) {
            (Some(binding), _) => binding.target.clone(),
            (None, Some(_)) => NamePath::UNKNOWN,
            (None, None) => outermost.target(name, path),
        };
        references.push(Reference {
            name: name.into(),
            qualifier: qualifier(path).into(),
            kind: mark.kind,
            start_byte: mark.start,
            line: byte(line),
            within: scopes.around(mark.start),
            target,
            lead: binding.and_then(|binding| binding.lead.clone()),
        });
    }
    references
}

/// What names are bound to in a language without rules for scopes: a plain name to what the file,
/// its unit or its imports define, and one behind a path of names to a member of that.
struct Outermost<'d>(HashMap<&'d str, &'d NamePath>);

impl<'d> Outermost<'d> {
    fn of(definitions: &'d [Definition]) -> Self {
        let outermost = definitions.iter().rev().filter(|definition| definition.parent.is_none());
        Self(outermost.map(|definition| (&*definition.name, &definition.key)).collect())
    }

    /// The target of a name with that text before it.
    fn target(&self, name: &str, path: &str) -> NamePath {
        if path.chars().all(|c| c == ':') {
            return self.plain(name, &[]);
        }
        let joints = ['.', ':', '-', '>', '?', '!', '\\'];
        let parts: Vec<&str> = qualifier(path).split(joints).filter(|part| !part.is_empty()).collect();
        match parts.split_first() {
            Some((first, rest)) if !matches!(*first, "this" | "self" | "$this" | "super" | "base") => {
                self.plain(first, &[rest, &[name]].concat())
            }
            _ => NamePath::UNKNOWN,
        }
    }

    fn plain(&self, name: &str, then: &[&str]) -> NamePath {
        match self.0.get(name) {
            Some(key) => key.with(then.iter().copied()),
            None => NamePath::new(Anchor::Free, std::iter::once(name).chain(then.iter().copied())),
        }
    }
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
