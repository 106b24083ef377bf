//! The names that a text uses, and what it imports.
//!
//! The walk shows every node to [`Uses::see`]; the grammar's tables say what the node's
//! kind means. What is found is a few offsets each; names become strings only at the end,
//! when those found twice are gone.

use gristmill_pipeline::port::{Definition, Import, Reference, ReferenceKind};
use tree_sitter::{Node, TreeCursor};

use super::found::{children, one_line};
use super::grammar::{Kinds, Step, Used};
use super::walk::byte;

/// How many nodes are passed on the way from an expression to its name.
const MAX_STEPS: usize = 64;

/// A name that is used: where it lies and where the path to it begins.
#[derive(Clone, Copy)]
struct Mark {
    start: u32,
    end: u32,
    path: u32,
    kind: ReferenceKind,
}

impl Mark {
    /// Which of two marks at the same byte is kept: the lesser.
    fn rank(&self) -> u8 {
        match self.kind {
            ReferenceKind::Implements => 0,
            ReferenceKind::Call => 1,
            ReferenceKind::Mention => 2,
        }
    }
}

/// What was found so far.
pub(crate) struct Uses<'t> {
    pub text: &'t str,
    kinds: &'t Kinds,
    marks: Vec<Mark>,
    /// Where names stand that the text defines.
    defined: Vec<u32>,
    imports: Vec<Import>,
    /// Nothing before this byte is a use any more.
    past: usize,
    /// Where the modules end that were entered.
    modules: Vec<usize>,
}

impl<'t> Uses<'t> {
    pub fn new(text: &'t str, kinds: &'t Kinds) -> Self {
        Self { text, kinds, marks: Vec::new(), defined: Vec::new(), imports: Vec::new(), past: 0, modules: Vec::new() }
    }

    /// Looks at a node, on which `cursor` stands.
    pub fn see(&mut self, used: Used, node: Node<'t>, cursor: &TreeCursor<'t>) {
        match used {
            Used::Nothing => {}
            Used::Type => {
                if cursor.field_id() != self.kinds.name_field {
                    self.refer(ReferenceKind::Mention, node);
                }
            }
            Used::Itself(kind) => self.refer(kind, node),
            Used::Field(kind, field) => {
                if let Some(child) = node.child_by_field_id(field.get()) {
                    self.refer(kind, child);
                }
            }
            Used::Member(kind, field) => {
                if let Some(name) = node.child_by_field_id(field.get()).and_then(|child| self.name_in(child)) {
                    self.mark(kind, node.start_byte(), name);
                }
            }
            Used::First(kind) => {
                if let Some(child) = node.named_child(0) {
                    self.refer(kind, child);
                }
            }
            Used::Each(kind) => self.refer_each(kind, node),
            Used::Binds => {
                if let Some(name) = node.named_child(0).and_then(|child| self.name_in(child)) {
                    self.define_at(name);
                }
            }
            Used::By(see) => see(self, node),
        }
    }

    pub fn slice(&self, node: Node<'t>) -> &'t str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    /// The text of a field; empty if there is none.
    pub fn field_text(&self, node: Node<'t>, field: &str) -> &'t str {
        node.child_by_field_name(field).map_or("", |node| self.slice(node))
    }

    /// The text of a string literal without its quotes; `None` for anything else, and
    /// where part of it is computed.
    pub fn literal(&self, node: Node<'t>) -> Option<&'t str> {
        let text = self.slice(node);
        let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let text = text.strip_prefix(quote)?.strip_suffix(quote)?;
        let plain = !text.is_empty() && !text.contains(['\n', '"', '\'', '\\', '$', '{', '#']);
        plain.then_some(text)
    }

    /// Takes the name in `node`, if it leads to one, as used.
    pub fn refer(&mut self, kind: ReferenceKind, node: Node<'t>) {
        if let Some(name) = self.name_in(node) {
            self.mark(kind, node.start_byte(), name);
        }
    }

    /// Takes the name in each named child as used.
    pub fn refer_each(&mut self, kind: ReferenceKind, node: Node<'t>) {
        for child in children(node) {
            self.refer(kind, child);
        }
    }

    /// The name that an expression or type ends in.
    pub fn name_in(&self, mut node: Node<'t>) -> Option<Node<'t>> {
        for _ in 0..MAX_STEPS {
            node = match self.kinds.of(node).step {
                Step::None => return None,
                Step::Name => return Some(node),
                Step::Field(field) => node.child_by_field_id(field.get())?,
                Step::First => node.named_child(0)?,
                Step::Last => children(node).filter(|child| self.kinds.of(*child).step != Step::None).last()?,
            };
        }
        None
    }

    /// Takes `name` as used; the path to it begins at `path`.
    pub fn mark(&mut self, kind: ReferenceKind, path: usize, name: Node<'t>) {
        let (mut start, end) = (name.start_byte(), name.end_byte());
        if self.is_past(name) {
            return;
        }
        let Some(mut text) = self.text.get(start..end) else { return };
        if let Some((_, last)) = text.rsplit_once('.').filter(|_| self.kinds.dotted_names) {
            start = end - last.len();
            text = last;
        }
        if is_name(text) {
            self.marks.push(Mark { start: byte(start), end: byte(end), path: byte(path), kind });
        }
    }

    /// Records where a part of the text lies that names a definition.
    pub fn define(&mut self, name: &str) {
        let last = if self.kinds.dotted_names { name.rsplit('.').next().unwrap_or(name) } else { name };
        let start = last.as_ptr().addr().checked_sub(self.text.as_ptr().addr());
        if let Some(start) = start.filter(|start| start + last.len() <= self.text.len()) {
            self.defined.push(byte(start));
        }
    }

    /// Records that a node is no use but a name that is defined there.
    pub fn define_at(&mut self, name: Node<'t>) {
        self.defined.push(byte(name.start_byte()));
    }

    /// Takes nothing inside `node` as a use.
    pub fn pass(&mut self, node: Node<'t>) {
        self.past = self.past.max(node.end_byte());
    }

    /// What follows lies in a module within the text, up to the end of `node`.
    pub fn enter_module(&mut self, node: Node<'t>) {
        // Those that ended before must not lie below it.
        self.modules_around(node);
        self.modules.push(node.end_byte());
    }

    /// In how many modules within the text a node lies.
    pub fn modules_around(&mut self, node: Node<'t>) -> usize {
        while self.modules.pop_if(|end| *end <= node.start_byte()).is_some() {}
        self.modules.len()
    }

    /// Whether a node lies inside one that was passed.
    pub fn is_past(&self, node: Node<'t>) -> bool {
        node.start_byte() < self.past
    }

    /// Adds an import that `node` makes.
    pub fn import(&mut self, node: Node<'t>, module: &str, name: &str, alias: &str) {
        let (module, name) = (one_line(module), one_line(name));
        if module.is_empty() {
            return;
        }
        let own = if name.is_empty() { &module } else { &name };
        let alias = if alias == &**own { "" } else { alias };
        let line = byte(node.start_position().row + 1);
        self.imports.push(Import { module: (&*module).into(), name: (&*name).into(), alias: alias.into(), line });
    }

    /// Adds an import of the last name of a path, such as `C` of `a.b.C`. What has one part
    /// only is brought in whole.
    pub fn import_path(&mut self, node: Node<'t>, path: &str, separator: &str, alias: &str) {
        match path.rsplit_once(separator) {
            Some((module, name)) => self.import(node, module, name, alias),
            None => self.import(node, path, "", alias),
        }
    }

    /// Puts what was found in order. `starts` are the offsets at which lines begin.
    pub fn finish(mut self, definitions: &[Definition], starts: &[u32]) -> (Vec<Reference>, Vec<Import>) {
        self.defined.sort_unstable();
        // Stable: of equal marks the first has the longest path.
        self.marks.sort_by_key(|mark| (mark.start, mark.rank()));
        self.marks.dedup_by_key(|mark| mark.start);
        let mut references = Vec::with_capacity(self.marks.len());
        let mut scopes = Scopes { definitions, next: 0, begun: Vec::new() };
        let (mut line, mut defined) = (0, self.defined.iter().copied().peekable());
        for mark in &self.marks {
            while defined.next_if(|at| *at < mark.start).is_some() {}
            if mark.kind != ReferenceKind::Implements && defined.peek() == Some(&mark.start) {
                continue;
            }
            while starts.get(line).is_some_and(|start| *start <= mark.start) {
                line += 1;
            }
            let name = self.text.get(mark.start as usize..mark.end as usize).unwrap_or_default();
            let path = self.text.get(mark.path as usize..mark.start as usize).unwrap_or_default();
            references.push(Reference {
                name: name.into(),
                qualifier: qualifier(path).into(),
                kind: mark.kind,
                start_byte: mark.start,
                line: byte(line),
                within: scopes.around(mark.start),
            });
        }
        (references, self.imports)
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

/// Whether a text is one name. Names of commands may hold more than letters and digits.
fn is_name(text: &str) -> bool {
    let first = text.chars().next();
    first.is_some_and(|c| c.is_alphabetic() || matches!(c, '_' | '$' | '@' | '#'))
        && !text.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '(' | '{'))
        && text != "_"
}

/// What stands before a name without the mark that joins them, if it is a plain path.
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
