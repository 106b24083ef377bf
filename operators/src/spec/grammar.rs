//! What the nodes of a syntax tree mean in a language.
//!
//! A [`Grammar`] names node kinds of a tree-sitter grammar by the part they play. What a
//! name cannot say, such as where a C declarator hides its identifier, is a function in a
//! [`Rule`] or a [`Use::By`].

use std::fmt;

use gristmill_pipeline::port::{Definition, DefinitionKind, ReferenceKind};
use tree_sitter::{Language, Node};

use super::found::{Found, Verdict};
use super::parts::Part;
use super::resolution::LocalNames;
use super::uses::Uses;
use crate::bind::BindFn;

/// Decides whether a node is a definition, and fills it in.
pub(crate) type RuleFn = for<'t> fn(&mut Found<'t>) -> Verdict;

/// Nodes of this kind may be definitions.
pub(crate) struct Rule {
    /// The node kind.
    pub node: &'static str,
    /// What it defines, unless `resolve` changes it.
    pub kind: DefinitionKind,
    /// Finds its name.
    pub resolve: RuleFn,
}

/// Returns one row of [`Grammar::rules`].
pub(crate) const fn rule(node: &'static str, kind: DefinitionKind, resolve: RuleFn) -> Rule {
    Rule { node, kind, resolve }
}

/// Records the names that a node uses, or what it imports.
pub(crate) type UseFn = for<'t> fn(&mut Uses<'t>, Node<'t>);

/// What a node of some kind says about names that are used.
#[derive(Clone, Copy)]
pub(crate) enum Use {
    /// It is the name of a type, and mentions it; but in a field `name` it defines it.
    Type,
    /// It leads to a name itself.
    Itself(ReferenceKind),
    /// What is in this field leads to a name.
    Field(ReferenceKind, &'static str),
    /// The same, where the path to that name begins at the node.
    Member(ReferenceKind, &'static str),
    /// Its first named child leads to a name.
    First(ReferenceKind),
    /// Each of its named children may lead to a name.
    Each(ReferenceKind),
    /// Its first named child is a name that it defines, such as a type parameter.
    Binds,
    /// What a table cannot say.
    By(UseFn),
}

/// The parts that node kinds of a language play.
pub(crate) struct Grammar {
    /// Returns the parser tables.
    pub language: fn() -> Language,
    /// Name and version of the crate they come from; part of the operator's fingerprint.
    pub version: &'static str,
    /// Joins qualified names.
    pub separator: &'static str,
    /// Joins the name of a type with that of its method or field.
    pub member_separator: &'static str,
    /// Comments; a run of them right above a definition is its documentation.
    pub comments: &'static [&'static str],
    /// Marks of comments that document what encloses them, such as `//!`.
    pub inner_docs: &'static [&'static str],
    /// Attributes, decorators and annotations.
    pub attributes: &'static [&'static str],
    /// Nodes at the front of a definition that hold modifiers and attributes mixed.
    pub modifiers: &'static [&'static str],
    /// Nodes around a definition that belong to it, such as `export`.
    pub wraps: &'static [&'static str],
    /// The same, but only around a single definition; a group of them is no wrap.
    pub groups: &'static [&'static str],
    /// Nodes that only hold definitions, such as class bodies.
    pub through: &'static [&'static str],
    /// Nodes that make what they hold local, such as closures and loops.
    pub closures: &'static [&'static str],
    /// Bodies, where the grammar has no field of that name.
    pub bodies: &'static [&'static str],
    /// Names of methods that construct a value of their type.
    pub constructors: &'static [&'static str],
    /// Kinds of definitions that are scopes: a name that they lack is looked up around them.
    pub scope_kinds: &'static [DefinitionKind],
    /// Whether a method named like its type constructs a value of it.
    pub constructor_is_named_like_type: bool,
    /// What may be a definition. The first row of a node kind counts.
    pub rules: &'static [Rule],
    /// What uses names or imports something.
    pub uses: &'static [(&'static str, Use)],
    /// What leads to a name.
    pub parts: &'static [(&'static str, Part)],
    /// Whether one token may hold a whole path of names, as `A.B`.
    pub dotted_names: bool,
    /// Whether the members of a definition are those of what is around it, as in a namespace.
    pub transparent: fn(&Definition) -> bool,
    /// Whether the scope that a rule gives a definition is a type that it extends, not one that holds it.
    pub extensions: bool,
    /// How names are bound; without it uses are bound by what is written before them alone.
    pub scopes: Option<Scopes>,
    /// Returns the text to parse instead of one that its preprocessor would change, of the same
    /// length; `None` to parse the text itself.
    pub prepare: Option<fn(&str) -> Option<String>>,
    /// Nodes whose tokens may be parsed again, such as the calls of macros.
    pub embedded: Option<Embedded>,
}

/// How the names of a language are bound.
#[derive(Clone, Copy)]
pub(crate) struct Scopes {
    /// Binds the names of a tree.
    pub rules: BindFn,
    /// Names what an import binds.
    pub local: LocalNames,
}

/// Where a grammar leaves code unparsed.
pub(crate) struct Embedded {
    /// The node kind.
    pub node: &'static str,
    /// The kind of a statement that is such a node and no more.
    pub statement: &'static str,
    /// Nodes below which such nodes are looked for, but for the root.
    pub within: &'static [&'static str],
    /// Returns the pieces of a node that may be code.
    pub pieces: for<'t> fn(&str, Node<'t>) -> Vec<Piece>,
}

/// A piece of a text that is parsed by itself.
pub(crate) struct Piece {
    /// Its byte range.
    pub range: std::ops::Range<usize>,
    /// The row and column of its first byte.
    pub start: tree_sitter::Point,
    /// What is parsed in its place; of the same length.
    pub text: Vec<u8>,
}

impl Grammar {
    /// Returns a grammar without definitions: the base that a language fills in.
    pub const fn new(language: fn() -> Language, version: &'static str) -> Self {
        Self {
            language,
            version,
            separator: ".",
            member_separator: ".",
            comments: &["comment"],
            inner_docs: &[],
            attributes: &[],
            modifiers: &[],
            wraps: &[],
            groups: &[],
            through: &[],
            closures: &[],
            bodies: &[],
            constructors: &[],
            scope_kinds: &[],
            constructor_is_named_like_type: false,
            rules: &[],
            uses: &[],
            parts: &[],
            dotted_names: false,
            transparent: |_| false,
            extensions: false,
            scopes: None,
            prepare: None,
            embedded: None,
        }
    }
}

impl fmt::Debug for Grammar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.version)
    }
}
