//! Binding: what each use of a name means, as far as its file tells.
//!
//! A [`Binder`] knows the scopes around a node; the rules of a language (`scopes.rs` in its module)
//! walk the syntax tree, open scopes, declare names and record uses. What comes out for each use is
//! a [`Value`]: the path of names that it is bound to, which the plane follows across files.
//!
//! ```text
//! from kit import Mill        Mill      file Mill
//! class Own(Mill):            Mill      file Mill, and: base unit Own
//!     def grind(self):
//!         mill = Mill()       Mill      file Mill
//!         mill.start()        start     file Mill () start
//!         self.stop()         stop      unit Own stop
//! ```

mod paths;
mod scope;
mod types;
mod walk;

use std::collections::BTreeSet;

use foldhash::{HashMap, HashSet};
use gristmill_pipeline::port::{Anchor, Definition, DefinitionKind, Import, Lead, LeadKind, NamePath};
use tree_sitter::Node;

use self::paths::Paths;
pub(crate) use self::paths::{PathId, Value};
use self::scope::Scope;
pub(crate) use self::scope::{Binding, ScopeKind};
use crate::spec::byte;

/// Limit on the types that lead to each other in [`Binder::settle`].
const MAX_TYPES: usize = 8;

/// A use of a name, and what it is bound to.
pub(crate) struct Bound {
    /// First byte of the name.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
    /// What the name is bound to.
    pub target: NamePath,
    /// What it says of another path.
    pub lead: Option<Lead>,
}

/// Binds the names of a syntax tree to what they mean.
pub(crate) struct Binder<'t> {
    pub text: &'t str,
    definitions: &'t [Definition],
    /// Definitions by name, in the order of their first byte.
    by_name: HashMap<&'t str, Vec<u32>>,
    keys: Vec<Option<PathId>>,
    paths: Paths<'t>,
    scopes: Vec<Scope<'t>>,
    uses: Vec<Use>,
    /// The last use that each path was recorded for.
    used: HashMap<PathId, usize>,
    /// What the leads of the file say of types.
    types: HashMap<PathId, Value>,
    /// Paths of definitions of the file.
    defined: HashSet<PathId>,
    /// Other names of imports.
    aliases: HashSet<&'t str>,
    /// What rules remember of where they are.
    marks: HashMap<&'static str, Binding>,
    /// Paths that lead to containers of values.
    containers: HashSet<PathId>,
    /// Paths of what blocks declare.
    claimed: HashSet<PathId>,
    /// Definitions whose paths have changed.
    moved: BTreeSet<usize>,
    /// What variables hold that are named by paths, where that is more than a path tells.
    held: HashMap<PathId, Value>,
    /// Whether nothing is recorded.
    quiet: bool,
    depth: usize,
}

/// A recorded use.
struct Use {
    start: u32,
    end: u32,
    value: Value,
    lead: Option<(LeadKind, PathId, Box<str>)>,
}

/// The rules of a language: binds what is below the root of a tree.
pub(crate) type BindFn = for<'t> fn(&mut Binder<'t>, Node<'t>);

/// What the names of a tree are bound to.
pub(crate) struct Bindings {
    /// Its uses of names, in ascending order.
    pub uses: Vec<Bound>,
    /// Paths that lead to definitions in place of those that they had, by their place.
    pub keys: Vec<(usize, NamePath)>,
}

/// Binds the names of a tree. `imports` are what it imports, and `local` the names that each
/// import binds.
pub(crate) fn bind<'t>(
    rules: BindFn,
    root: Node<'t>,
    text: &'t str,
    definitions: &'t [Definition],
    imports: &'t [Import],
    local: fn(&Import) -> Vec<&str>,
) -> Bindings {
    let mut by_name: HashMap<&str, Vec<u32>> = HashMap::default();
    for (index, definition) in (0..).zip(definitions) {
        by_name.entry(&definition.name).or_default().push(index);
    }
    let mut paths = Paths::default();
    let keys: Vec<Option<PathId>> = definitions.iter().map(|definition| paths.of_key(&definition.key)).collect();
    let meant = definitions.iter().zip(&keys).filter(|(d, _)| d.kind != DefinitionKind::Implementation);
    let defined = meant.filter_map(|(_, key)| *key).collect();
    let mut binder = Binder {
        text,
        definitions,
        by_name,
        keys,
        paths,
        scopes: vec![Scope::new(ScopeKind::Module)],
        uses: Vec::new(),
        used: HashMap::default(),
        types: HashMap::default(),
        defined,
        aliases: imports.iter().map(|import| &*import.alias).collect(),
        marks: HashMap::default(),
        containers: HashSet::default(),
        claimed: HashSet::default(),
        moved: BTreeSet::new(),
        held: HashMap::default(),
        quiet: false,
        depth: 0,
    };
    for import in imports {
        if let Some(name) = local(import).first().filter(|name| !name.is_empty()) {
            let path = binder.path(Anchor::File, name);
            binder.declare(name, Binding::Path(path));
        }
    }
    rules(&mut binder, root);
    binder.finish()
}

impl<'t> Binder<'t> {
    /// Returns the text of a node.
    pub fn slice(&self, node: Node<'_>) -> &'t str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    /// Returns the text of a field; empty if there is none.
    pub fn field_text(&self, node: Node<'_>, field: &str) -> &'t str {
        node.child_by_field_name(field).map_or("", |node| self.slice(node))
    }

    fn definition_index(&self, node: Node<'_>) -> Option<usize> {
        let at = byte(node.start_byte());
        let named = self.by_name.get(self.slice(node))?;
        let of = |index: u32| self.definitions.get(index as usize);
        // They lie in the order of the text, and a generated one may have thousands of one name.
        let begun = named.partition_point(|index| of(*index).is_some_and(|definition| definition.extent_start <= at));
        let covers = |index: &&u32| of(**index).is_some_and(|definition| at < definition.span.end_byte);
        named.get(..begun)?.iter().rev().find(covers).map(|index| *index as usize)
    }

    /// The path of the definition whose name is `node`.
    pub fn key(&self, node: Node<'_>) -> Option<PathId> {
        self.keys.get(self.definition_index(node)?).copied().flatten()
    }

    /// The path of the definition whose name is `node`, or else of that name below `owner`.
    pub fn key_or(&mut self, node: Node<'_>, owner: Option<PathId>) -> PathId {
        let name = self.slice(node);
        match (self.key(node), owner) {
            (Some(key), _) => key,
            (None, Some(owner)) => self.below(owner, name),
            (None, None) => self.path(Anchor::Unit, name),
        }
    }

    /// The place of the definition of that name that begins between the byte `from` and the name
    /// itself, which is at the byte `at`.
    pub fn defined_from(&self, name: &str, from: usize, at: usize) -> Option<usize> {
        let (from, at) = (byte(from), byte(at));
        let begins = |index: &&u32| {
            let definition = self.definitions.get(**index as usize);
            let span = definition.map(|definition| definition.span);
            span.is_some_and(|span| (from..=at).contains(&span.start_byte) && at < span.end_byte)
        };
        self.by_name.get(name)?.iter().rev().find(begins).map(|index| *index as usize)
    }

    /// The path of the definition at a place.
    pub fn key_at(&self, index: usize) -> Option<PathId> {
        self.keys.get(index).copied().flatten()
    }

    /// Declares the definition at a place in the innermost scope. One that another scope declares
    /// by the same path, or that would be taken for one of the module's own, gets a path that no
    /// name elsewhere leads to.
    pub fn declare_definition(&mut self, name: &'t str, index: usize) {
        let (Some(key), Some(definition)) = (self.key_at(index), self.definitions.get(index)) else { return };
        let declared = self.scopes.last().and_then(|scope| scope.get(name));
        let path = match declared {
            Some(Binding::Path(path)) if !self.is_outermost() => path,
            _ if self.is_outermost() || definition.parent.is_some() && !self.claimed.contains(&key) => key,
            _ => self.paths.block(key, index),
        };
        self.claimed.insert(path);
        self.place(index, path);
        self.declare(name, Binding::Path(path));
    }

    /// Gives the definition at a place another path, or one that no name leads to, and moves what
    /// lies in it along.
    pub fn move_definition(&mut self, index: usize, path: Option<PathId>) -> Option<PathId> {
        let path = match path {
            Some(path) => path,
            None => self.paths.block(self.key_at(index)?, index),
        };
        self.place(index, path);
        Some(path)
    }

    fn place(&mut self, index: usize, path: PathId) {
        let before = self.key_at(index);
        if before == Some(path) {
            return;
        }
        let end = self.definitions.get(index).map_or(0, |definition| definition.span.end_byte);
        let within = (index..).zip(self.definitions.get(index..).unwrap_or_default());
        let within: Vec<usize> =
            within.take_while(|(_, inner)| inner.span.start_byte < end).map(|(nth, _)| nth).collect();
        for inner in within {
            let key = if inner == index { Some(path) } else { self.moved_below(inner, before, path) };
            if let (Some(key), Some(slot)) = (key, self.keys.get_mut(inner)) {
                *slot = Some(key);
                self.moved.insert(inner);
            }
        }
    }

    /// The path below `after` of a definition whose path is below `before`.
    fn moved_below(&mut self, index: usize, before: Option<PathId>, after: PathId) -> Option<PathId> {
        let (mut at, mut names) = (self.key_at(index)?, Vec::new());
        while Some(at) != before {
            let (above, name) = self.paths.parent(at)?;
            names.push(name);
            at = above;
        }
        // Another name of the same node lies beside it.
        let path = names.into_iter().rev().fold(after, |path, name| self.paths.below(path, name));
        (path != after).then_some(path)
    }

    /// The definitions of the file, each with its path.
    pub fn definitions(&self) -> impl Iterator<Item = (&'t Definition, Option<PathId>)> + use<'t> {
        self.definitions.iter().zip(self.keys.clone())
    }

    /// The path of one name.
    pub fn path(&mut self, anchor: Anchor, name: &'t str) -> PathId {
        let root = self.paths.root(anchor);
        self.paths.below(root, name)
    }

    /// The path without names.
    pub fn root(&mut self, anchor: Anchor) -> PathId {
        self.paths.root(anchor)
    }

    /// A path for something without a name, which no name leads to; `at` is the byte where it is.
    pub fn unnamed(&mut self, at: usize) -> PathId {
        let root = self.paths.root(Anchor::Unit);
        self.paths.block(root, at)
    }

    /// The path of a name below another.
    pub fn below(&mut self, path: PathId, name: &'t str) -> PathId {
        self.paths.below(path, name)
    }

    /// The path that ends right above the last name of `path`, if that name is `name`.
    pub fn above(&self, path: PathId, name: &str) -> Option<PathId> {
        self.paths.parent(path).filter(|(_, last)| *last == name).map(|(above, _)| above)
    }

    /// The path above, and the last name.
    pub fn parent(&self, path: PathId) -> Option<(PathId, &'t str)> {
        self.paths.parent(path)
    }

    /// Whether a path is the name of an import.
    pub fn is_import(&self, path: PathId) -> bool {
        self.paths.is_root(self.paths.parent(path).map(|(above, _)| above), Anchor::File)
    }

    /// Whether a path begins with a name that the file does not bind.
    pub fn is_free(&self, path: PathId) -> bool {
        self.paths.anchor(path) == Some(Anchor::Free)
    }

    /// Whether a path leads to a definition of the file.
    pub fn defines(&self, path: PathId) -> bool {
        self.defined.contains(&path)
    }

    /// The alias of an import that is written so.
    pub fn alias(&self, written: &str) -> Option<&'t str> {
        self.aliases.get(written).copied()
    }

    /// The names of a path.
    pub fn names(&self, path: PathId) -> Vec<&'t str> {
        let mut names: Vec<&'t str> =
            std::iter::successors(self.paths.parent(path), |(above, _)| self.paths.parent(*above))
                .map(|(_, name)| name)
                .collect();
        names.reverse();
        names
    }

    /// The path of the first definition of that name and kind, wherever it lies.
    pub fn of_kind(&self, name: &str, kind: DefinitionKind) -> Option<PathId> {
        let of_kind = |index: &&u32| self.definitions.get(**index as usize).is_some_and(|found| found.kind == kind);
        let index = self.by_name.get(name)?.iter().find(of_kind)?;
        self.keys.get(*index as usize).copied().flatten()
    }

    /// Says whether to record nothing from now on. Names are declared, and leads remembered for
    /// [`settle`](Self::settle), all the same.
    pub fn be_quiet(&mut self, quiet: bool) {
        self.quiet = quiet;
    }

    /// Whether nothing is recorded.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// What a value is, as far as leads of this file tell: of the type that its path leads to.
    pub fn settle(&self, value: Value) -> Value {
        let mut value = value;
        for _ in 0..MAX_TYPES {
            match value.plain().and_then(|path| self.types.get(&path)) {
                Some(of) if *of != value => value = *of,
                _ => break,
            }
        }
        value
    }

    /// Opens a scope.
    pub fn open(&mut self, kind: ScopeKind) {
        self.scopes.push(Scope::new(kind));
    }

    /// Closes the scope that was opened last.
    pub fn close(&mut self) {
        if self.scopes.len() > 1 {
            self.scopes.pop();
        }
    }

    /// Declares a name in the innermost scope.
    pub fn declare(&mut self, name: &'t str, binding: Binding) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.declare(name, binding);
        }
    }

    /// Declares a name in the innermost scope, unless that has it.
    pub fn declare_new(&mut self, name: &'t str, binding: Binding) {
        if let Some(scope) = self.scopes.last_mut().filter(|scope| scope.get(name).is_none()) {
            scope.declare(name, binding);
        }
    }

    /// Gives a local variable that is declared already another value; declares it if it is not.
    pub fn assign(&mut self, name: &'t str, value: Value) {
        for scope in self.scopes.iter_mut().rev() {
            match scope.get(name) {
                Some(Binding::Local(_)) => return scope.declare(name, Binding::Local(value)),
                Some(Binding::Path(_)) => return,
                None if scope.kind() == ScopeKind::Function => break,
                None => {}
            }
        }
        self.declare(name, Binding::Local(value));
    }

    /// Gives a local variable another value, in whichever scope around it is declared.
    pub fn reassign(&mut self, name: &'t str, value: Value) {
        let declared = self.scopes.iter_mut().rev().find(|scope| scope.get(name).is_some());
        if let Some(scope) = declared.filter(|scope| matches!(scope.get(name), Some(Binding::Local(_)))) {
            scope.declare(name, Binding::Local(value));
        }
    }

    /// Remembers something of the place that is bound, under a word that is no name.
    pub fn mark(&mut self, word: &'static str, binding: Binding) {
        self.marks.insert(word, binding);
    }

    /// What was remembered last under a word.
    pub fn marked(&self, word: &'static str) -> Option<Binding> {
        self.marks.get(word).copied()
    }

    /// The path that was remembered last under a word.
    pub fn marked_path(&self, word: &'static str) -> Option<PathId> {
        match self.marked(word) {
            Some(Binding::Path(path)) => Some(path),
            _ => None,
        }
    }

    /// What a name is declared as in the scopes around.
    pub fn lookup(&self, name: &str) -> Option<Binding> {
        let innermost = self.scopes.len().saturating_sub(1);
        for (nth, scope) in self.scopes.iter().enumerate().rev() {
            // The names of a class are seen right in its body only.
            let seen = scope.kind() != ScopeKind::Class || nth == innermost;
            let found = seen.then(|| scope.get(name)).flatten();
            if found.is_some() || scope.kind() == ScopeKind::Closed {
                return found;
            }
        }
        None
    }

    /// Whether no scope but that of the module is open.
    pub fn is_outermost(&self) -> bool {
        self.scopes.len() == 1
    }

    /// Whether the innermost scope around that is no block is the module.
    pub fn at_module(&self) -> bool {
        self.scopes.iter().all(|scope| matches!(scope.kind(), ScopeKind::Module | ScopeKind::Block))
    }

    /// Records the use of a plain name, and returns what it stands for.
    pub fn use_name(&mut self, node: Node<'t>) -> Value {
        let name = self.slice(node);
        match self.lookup(name) {
            Some(Binding::Local(value)) => {
                self.record(node, Value::LOCAL);
                value
            }
            Some(Binding::Path(path)) => {
                self.record(node, Value::of(path));
                Value::of(path)
            }
            None => {
                let free = Value::of(self.path(Anchor::Free, name));
                self.record(node, free);
                free
            }
        }
    }

    /// Records the use of a member of a value, and returns what it stands for.
    pub fn use_member(&mut self, value: Value, node: Node<'t>) -> Value {
        let member = self.member(value, self.slice(node));
        self.record(node, member);
        member
    }

    /// The member of a value.
    pub fn member(&mut self, value: Value, name: &'t str) -> Value {
        match value.plain() {
            Some(path) => Value::of(self.below(path, name)),
            None => Value::UNKNOWN,
        }
    }

    /// What a call of a value gives.
    pub fn call(&mut self, value: Value) -> Value {
        self.member(value, "()")
    }

    /// An element of a value.
    pub fn element(&mut self, value: Value) -> Value {
        match value.unwrapped() {
            Some(inner) => inner,
            None => self.member(value, "[]"),
        }
    }

    /// Whether a value is known to be a container of others.
    pub fn holds_elements(&self, value: Value) -> bool {
        value.wraps() > 0 || value.plain().is_some_and(|path| self.containers.contains(&path))
    }

    /// Records that the name at `node` is bound to a value.
    pub fn record(&mut self, node: Node<'t>, value: Value) {
        if self.quiet {
            return;
        }
        if let Some(path) = value.plain() {
            self.used.insert(path, self.uses.len());
        }
        self.uses.push(Use { start: byte(node.start_byte()), end: byte(node.end_byte()), value, lead: None });
    }

    /// Records that the path `from` goes on at a value: as its type, its base, or what it is.
    ///
    /// A use that the value begins with carries this; without one nothing is recorded.
    pub fn lead(&mut self, kind: LeadKind, from: PathId, value: Value) {
        let (Some(to), wraps) = (value.path(), value.wraps()) else { return };
        if wraps > 0 {
            self.containers.insert(from);
        }
        if kind == LeadKind::Type {
            self.types.entry(from).or_insert(value);
        }
        if self.quiet {
            return;
        }
        let from = (0..wraps).fold(from, |from, _| self.below(from, "[]"));
        let (mut at, mut then) = (Some(to), Vec::new());
        while let Some(path) = at {
            let carrier = self.used.get(&path).and_then(|nth| self.uses.get_mut(*nth));
            if let Some(carrier) = carrier.filter(|carrier| carrier.lead.is_none()) {
                then.reverse();
                // What leads to itself says nothing.
                if from != to {
                    carrier.lead = Some((kind, from, then.join(" ").into()));
                }
                return;
            }
            let Some((above, name)) = self.paths.parent(path) else { return };
            then.push(name);
            at = Some(above);
        }
    }

    fn finish(mut self) -> Bindings {
        self.uses.sort_by_key(|used| used.start);
        // The first that was recorded at a place counts, unless it knows less.
        self.uses.dedup_by(|later, first| {
            let same = later.start == first.start;
            if same && first.value.path().is_none() && later.value.path().is_some() {
                std::mem::swap(later, first);
            }
            same
        });
        let recorded = std::mem::take(&mut self.uses);
        let paths = &self.paths;
        let written = |value: Value| match value.path() {
            Some(path) => paths.written(path),
            None if value == Value::LOCAL => NamePath::LOCAL,
            None => NamePath::UNKNOWN,
        };
        let lead = |(kind, from, then): (LeadKind, PathId, Box<str>)| Lead { kind, from: paths.written(from), then };
        let bound = recorded.into_iter().map(|used| Bound {
            start: used.start,
            end: used.end,
            target: written(used.value),
            lead: used.lead.map(lead),
        });
        let uses = bound.collect();
        let moved = self.moved.iter().filter_map(|index| Some((*index, paths.written(self.key_at(*index)?))));
        Bindings { uses, keys: moved.collect() }
    }
}
