//! What the walk knows about each language, as data.
//!
//! A [`Grammar`] names node kinds of a tree-sitter grammar by the part they play. What a
//! name cannot say, such as where a C declarator hides its identifier, is a small
//! function in a [`Rule`].

pub(crate) mod bash;
pub(crate) mod c;
pub(crate) mod csharp;
pub(crate) mod ecmascript;
pub(crate) mod elixir;
pub(crate) mod go;
pub(crate) mod haskell;
pub(crate) mod java;
pub(crate) mod kotlin;
pub(crate) mod lua;
pub(crate) mod markup;
pub(crate) mod php;
pub(crate) mod python;
pub(crate) mod ruby;
pub(crate) mod rust;
pub(crate) mod scala;
pub(crate) mod swift;
pub(crate) mod zig;

use std::fmt;
use std::num::NonZeroU16;

use gristmill_pipeline::port::{DefinitionKind, ReferenceKind};
use tree_sitter::{Language, Node};

use super::found::{Found, Verdict};
use super::uses::Uses;

/// Looks at a node that may be a definition and says what it found.
pub(crate) type Resolve = for<'t> fn(&mut Found<'t>) -> Verdict;

/// Nodes of this kind may be definitions.
pub(crate) struct Rule {
    /// The node kind.
    pub node: &'static str,
    /// What it defines, unless `resolve` knows better.
    pub kind: DefinitionKind,
    /// Finds its name.
    pub resolve: Resolve,
}

/// One row of a rule table.
pub(crate) const fn rule(node: &'static str, kind: DefinitionKind, resolve: Resolve) -> Rule {
    Rule { node, kind, resolve }
}

/// Looks at a node that may use names or import something.
pub(crate) type See = for<'t> fn(&mut Uses<'t>, Node<'t>);

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
    By(See),
}

/// How a node of some kind leads to the name that it ends in.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// It is a name.
    Name,
    /// Through the node in this field.
    Field(&'static str),
    /// Through its first named child.
    First,
    /// Through the last of its children that lead to a name.
    Last,
}

/// The parts that node kinds of a language play.
pub(crate) struct Grammar {
    /// The parser tables.
    pub language: fn() -> Language,
    /// Name and version of the crate they come from; part of the operator's fingerprint.
    pub version: &'static str,
    /// Joins qualified names.
    pub separator: &'static str,
    /// Joins the name of a type with that of its method or field.
    pub member_separator: &'static str,
    /// Comments; a run of them right above a definition is its documentation.
    pub comments: &'static [&'static str],
    /// How comments begin that document what encloses them, not what follows.
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
    /// Methods of these names make values of their type.
    pub constructors: &'static [&'static str],
    /// Whether a method named like its type makes values of it.
    pub constructor_is_named_like_type: bool,
    /// What may be a definition.
    pub rules: &'static [Rule],
    /// What uses names or imports something.
    pub uses: &'static [(&'static str, Use)],
    /// What leads to a name.
    pub parts: &'static [(&'static str, Part)],
    /// Whether one token may hold a whole path of names, as `A.B`.
    pub dotted_names: bool,
}

impl Grammar {
    /// A grammar that finds no definitions: the base of all others.
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
            constructor_is_named_like_type: false,
            rules: &[],
            uses: &[],
            parts: &[],
            dotted_names: false,
        }
    }
}

impl fmt::Debug for Grammar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.version)
    }
}

/// The part that one node kind plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Punctuation and keywords.
    Token,
    /// Anything else.
    Plain,
    Comment,
    Attribute,
    Modifiers,
    Wrap,
    Group,
    Through,
    Closure,
    /// Index into [`Grammar::rules`].
    Rule(u8),
}

/// [`Use`] with numbers in place of names.
#[derive(Clone, Copy, Default)]
pub(crate) enum Used {
    #[default]
    Nothing,
    Type,
    Itself(ReferenceKind),
    Field(ReferenceKind, NonZeroU16),
    Member(ReferenceKind, NonZeroU16),
    First(ReferenceKind),
    Each(ReferenceKind),
    Binds,
    By(See),
}

/// [`Part`] with numbers in place of names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Step {
    /// It leads to no name.
    #[default]
    None,
    Name,
    Field(NonZeroU16),
    First,
    Last,
}

/// What the tables say of one node kind.
#[derive(Clone, Copy)]
pub(crate) struct NodeKind {
    pub role: Role,
    pub used: Used,
    pub step: Step,
}

impl NodeKind {
    const TOKEN: Self = Self { role: Role::Token, used: Used::Nothing, step: Step::None };
    /// What holds text that the grammar does not know: its number is beyond all others.
    const ERROR: Self = Self { role: Role::Plain, ..Self::TOKEN };
}

/// A grammar's tables, by the numbers that its parser gives node kinds.
pub(crate) struct Kinds {
    kinds: Vec<NodeKind>,
    /// The number of the field `name`.
    pub name_field: Option<NonZeroU16>,
    /// See [`Grammar::dotted_names`].
    pub dotted_names: bool,
    /// Whether anything in the language uses names or imports.
    pub any_uses: bool,
}

impl Kinds {
    pub fn of(&self, node: Node<'_>) -> NodeKind {
        self.kinds.get(usize::from(node.kind_id())).copied().unwrap_or(NodeKind::ERROR)
    }
}

impl Grammar {
    /// What the tables say of every node kind of `language`.
    pub fn kinds(&self, language: &Language) -> Kinds {
        let count = u16::try_from(language.node_kind_count()).unwrap_or(u16::MAX);
        let kind_of = |id| match language.node_kind_for_id(id) {
            Some(kind) if language.node_kind_is_named(id) => {
                NodeKind { role: self.role(kind), used: self.used(kind, language), step: self.step(kind, language) }
            }
            _ => NodeKind::TOKEN,
        };
        let name_field = language.field_id_for_name("name");
        Kinds {
            kinds: (0..count).map(kind_of).collect(),
            name_field,
            dotted_names: self.dotted_names,
            any_uses: !self.uses.is_empty(),
        }
    }

    fn used(&self, kind: &str, language: &Language) -> Used {
        let field = |name: &str| language.field_id_for_name(name);
        match self.uses.iter().find(|(node, _)| *node == kind).map(|(_, what)| *what) {
            None => Used::Nothing,
            Some(Use::Type) => Used::Type,
            Some(Use::Itself(kind)) => Used::Itself(kind),
            Some(Use::Field(kind, name)) => field(name).map_or(Used::Nothing, |field| Used::Field(kind, field)),
            Some(Use::Member(kind, name)) => field(name).map_or(Used::Nothing, |field| Used::Member(kind, field)),
            Some(Use::First(kind)) => Used::First(kind),
            Some(Use::Each(kind)) => Used::Each(kind),
            Some(Use::Binds) => Used::Binds,
            Some(Use::By(see)) => Used::By(see),
        }
    }

    fn step(&self, kind: &str, language: &Language) -> Step {
        match self.parts.iter().find(|(node, _)| *node == kind).map(|(_, part)| *part) {
            None => Step::None,
            Some(Part::Name) => Step::Name,
            Some(Part::Field(name)) => language.field_id_for_name(name).map_or(Step::None, Step::Field),
            Some(Part::First) => Step::First,
            Some(Part::Last) => Step::Last,
        }
    }

    fn role(&self, kind: &str) -> Role {
        if let Some(index) = self.rules.iter().position(|rule| rule.node == kind) {
            return u8::try_from(index).map_or(Role::Plain, Role::Rule);
        }
        let lists = [
            (self.comments, Role::Comment),
            (self.attributes, Role::Attribute),
            (self.modifiers, Role::Modifiers),
            (self.wraps, Role::Wrap),
            (self.groups, Role::Group),
            (self.through, Role::Through),
            (self.closures, Role::Closure),
        ];
        lists.iter().find(|(kinds, _)| kinds.contains(&kind)).map_or(Role::Plain, |(_, role)| *role)
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, Use};
    use crate::language::known_languages;

    /// A misspelt node kind would silently find nothing.
    #[test]
    fn every_kind_named_exists_in_its_grammar() {
        for grammar in known_languages().iter().filter_map(|language| language.grammar) {
            let language = (grammar.language)();
            let named = grammar.rules.iter().map(|rule| rule.node);
            let lists = [
                grammar.comments,
                grammar.attributes,
                grammar.modifiers,
                grammar.wraps,
                grammar.groups,
                grammar.through,
                grammar.closures,
                grammar.bodies,
            ];
            let uses = grammar.uses.iter().map(|(node, _)| *node).chain(grammar.parts.iter().map(|(node, _)| *node));
            for kind in named.chain(lists.into_iter().flatten().copied()).chain(uses) {
                assert_ne!(language.id_for_node_kind(kind, true), 0, "{}: no node kind `{kind}`", grammar.version);
            }
            let fields = grammar.uses.iter().filter_map(|(_, what)| match what {
                Use::Field(_, field) | Use::Member(_, field) => Some(*field),
                _ => None,
            });
            let steps = grammar.parts.iter().filter_map(|(_, part)| match part {
                Part::Field(field) => Some(*field),
                _ => None,
            });
            for field in fields.chain(steps) {
                assert!(language.field_id_for_name(field).is_some(), "{}: no field `{field}`", grammar.version);
            }
            assert!(grammar.rules.len() <= 256);
        }
    }

    /// Versions are part of the fingerprint, so they must be those that are linked.
    #[test]
    fn versions_are_those_of_the_lock_file() {
        let lock = include_str!("../../../Cargo.lock");
        for grammar in known_languages().iter().filter_map(|language| language.grammar) {
            let (name, version) = grammar.version.split_once(' ').expect("name and version");
            let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
            assert!(
                lock.contains(&entry),
                "`{}` is not the version in Cargo.lock; update the grammar table",
                grammar.version
            );
        }
    }
}
