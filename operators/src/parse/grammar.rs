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

use gristmill_pipeline::port::DefinitionKind;
use tree_sitter::Language;

use super::found::{Found, Verdict};

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

impl Grammar {
    /// The role of every node kind, by its number in `language`.
    pub fn roles(&self, language: &Language) -> Vec<Role> {
        let kinds = u16::try_from(language.node_kind_count()).unwrap_or(u16::MAX);
        (0..kinds)
            .map(|id| match language.node_kind_for_id(id) {
                Some(kind) if language.node_kind_is_named(id) => self.role(kind),
                _ => Role::Token,
            })
            .collect()
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
            for kind in named.chain(lists.into_iter().flatten().copied()) {
                assert_ne!(language.id_for_node_kind(kind, true), 0, "{}: no node kind `{kind}`", grammar.version);
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
