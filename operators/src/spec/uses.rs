//! The names that a text uses, and what it imports, as they are recorded.
//!
//! What is recorded is a few offsets for each name: names become strings only when the
//! walk is done and duplicates are gone.

use gristmill_pipeline::port::{Import, ReferenceKind};
use tree_sitter::Node;

use super::nodes::{byte, children, one_line};
use super::parts::Steps;

/// A name that is used: where it lies and where the path to it begins, as byte offsets.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    pub start: u32,
    pub end: u32,
    pub path: u32,
    pub kind: ReferenceKind,
}

/// Records the uses and imports of a text.
pub(crate) struct Uses<'t> {
    pub text: &'t str,
    steps: &'t Steps,
    /// Whether one token may hold a whole path of names, as `A.B`.
    dotted_names: bool,
    marks: Vec<Mark>,
    /// Offsets of the names of definitions.
    defined: Vec<u32>,
    imports: Vec<Import>,
    /// What may be imported by paths that begin with its name.
    heads: Vec<Import>,
    /// No name before this byte is recorded any more.
    past: usize,
    /// What was entered that binds imports of its own.
    around: Vec<Around<'t>>,
}

/// A module or a function within the text, in which imports are bound.
struct Around<'t> {
    name: &'t str,
    end: usize,
    is_module: bool,
}

impl<'t> Uses<'t> {
    /// Returns an empty record for `text`, in which `steps` lead to names.
    pub fn new(text: &'t str, steps: &'t Steps, dotted_names: bool) -> Self {
        Self {
            text,
            steps,
            dotted_names,
            marks: Vec::new(),
            defined: Vec::new(),
            imports: Vec::new(),
            heads: Vec::new(),
            past: 0,
            around: Vec::new(),
        }
    }

    /// Returns the text of a node.
    pub fn slice(&self, node: Node<'t>) -> &'t str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    /// Returns the text of a field; empty if there is none.
    pub fn field_text(&self, node: Node<'t>, field: &str) -> &'t str {
        node.child_by_field_name(field).map_or("", |node| self.slice(node))
    }

    /// Returns the text of a string literal without its quotes; `None` for anything else,
    /// and where part of it is computed.
    pub fn literal(&self, node: Node<'t>) -> Option<&'t str> {
        self.plain_string(node).filter(|text| !text.contains(['$', '{']) && !text.contains("#@"))
    }

    /// Returns the text of a string literal of a language in which none is computed; `None` for
    /// anything else, and for one with escapes.
    pub fn plain_string(&self, node: Node<'t>) -> Option<&'t str> {
        let text = self.slice(node);
        let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let text = text.strip_prefix(quote)?.strip_suffix(quote)?;
        Some(text).filter(|text| !text.is_empty() && !text.contains(['\n', '"', '\'', '\\']))
    }

    /// Records the name that `node` leads to, if it leads to one.
    pub fn refer(&mut self, kind: ReferenceKind, node: Node<'t>) {
        if let Some(name) = self.name_in(node) {
            self.mark(kind, node.start_byte(), name);
        }
    }

    /// Records the names that the named children of `node` lead to.
    pub fn refer_each(&mut self, kind: ReferenceKind, node: Node<'t>) {
        for child in children(node) {
            self.refer(kind, child);
        }
    }

    /// Returns the name that an expression or type ends in.
    pub fn name_in(&self, node: Node<'t>) -> Option<Node<'t>> {
        self.steps.name_in(node)
    }

    /// Records `name`; the path to it begins at the byte `path`.
    pub fn mark(&mut self, kind: ReferenceKind, path: usize, name: Node<'t>) {
        let (mut start, end) = (name.start_byte(), name.end_byte());
        if self.is_past(name) {
            return;
        }
        let Some(mut text) = self.text.get(start..end) else { return };
        if let Some((_, last)) = text.rsplit_once('.').filter(|_| self.dotted_names) {
            start = end - last.len();
            text = last;
        }
        if is_name(text) {
            self.marks.push(Mark { start: byte(start), end: byte(end), path: byte(path), kind });
        }
    }

    /// Records that `name`, a slice of the text, is the name of a definition.
    pub fn define(&mut self, name: &str) {
        let last = if self.dotted_names { name.rsplit('.').next().unwrap_or(name) } else { name };
        let start = last.as_ptr().addr().checked_sub(self.text.as_ptr().addr());
        if let Some(start) = start.filter(|start| start + last.len() <= self.text.len()) {
            self.defined.push(byte(start));
        }
    }

    /// Records that `name` is defined where it stands, and so is not used there.
    pub fn define_at(&mut self, name: Node<'t>) {
        self.defined.push(byte(name.start_byte()));
    }

    /// Skips `node`: records no name up to its end.
    pub fn pass(&mut self, node: Node<'t>) {
        self.past = self.past.max(node.end_byte());
    }

    /// Returns whether a node begins before the end of one that was passed.
    pub fn is_past(&self, node: Node<'t>) -> bool {
        node.start_byte() < self.past
    }

    /// Records that a module within the text, or else a function, reaches to the end of `node`.
    /// Imports in a function are bound below the outermost one in its module.
    pub fn enter(&mut self, node: Node<'t>, is_module: bool) {
        // Those that ended before must not lie below it.
        self.leave(node);
        if is_module || self.around.last().is_none_or(|around| around.is_module) {
            let name = self.field_text(node, "name");
            self.around.push(Around { name, end: node.end_byte(), is_module });
        }
    }

    fn leave(&mut self, node: Node<'t>) {
        while self.around.pop_if(|around| around.end <= node.start_byte()).is_some() {}
    }

    /// Returns the names of the modules within the text around a node, and then that of the function
    /// in it.
    pub fn around(&mut self, node: Node<'t>) -> (Vec<&'t str>, Option<&'t str>) {
        self.leave(node);
        let modules = self.around.iter().filter(|around| around.is_module).map(|around| around.name);
        let function = self.around.last().filter(|around| !around.is_module).map(|around| around.name);
        (modules.collect(), function)
    }

    /// Records an import that is written as the first name of a path: it counts unless the file binds
    /// that name otherwise.
    pub fn import_head(&mut self, node: Node<'t>, name: &'t str) {
        if !self.heads.iter().any(|head| *head.module == *name) {
            let line = byte(node.start_position().row + 1);
            self.heads.push(Import { module: name.into(), name: "".into(), alias: "".into(), line });
        }
    }

    /// Records an import of `name` from `module`. An empty name imports the module itself,
    /// and `*` what is in it.
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

    /// Records an import of the last name of a path, such as `C` of `a.b.C`. A path of one
    /// part imports the module itself.
    pub fn import_path(&mut self, node: Node<'t>, path: &str, separator: &str, alias: &str) {
        match path.rsplit_once(separator) {
            Some((module, name)) => self.import(node, module, name, alias),
            None => self.import(node, path, "", alias),
        }
    }

    /// Returns the names that are used, the offsets of those that are defined, the imports, and what
    /// else may be imported, each in the order of recording.
    pub fn into_parts(self) -> (Vec<Mark>, Vec<u32>, Vec<Import>, Vec<Import>) {
        (self.marks, self.defined, self.imports, self.heads)
    }
}

/// Returns whether a text is one name. Names of commands may hold more than letters and
/// digits.
fn is_name(text: &str) -> bool {
    let first = text.chars().next();
    first.is_some_and(|c| c.is_alphabetic() || matches!(c, '_' | '$' | '@' | '#'))
        && !text.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '(' | '{'))
        && text != "_"
}
