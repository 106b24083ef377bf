//! A grammar's tables, indexed by the numbers that its parser gives node kinds.

use std::num::NonZeroU16;

use gristmill_pipeline::port::ReferenceKind;
use tree_sitter::{Language, Node, TreeCursor};

use crate::spec::{Grammar, Step, Steps, Use, UseFn, Uses};

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
    By(UseFn),
}

/// What the tables say of one node kind.
#[derive(Clone, Copy)]
pub(crate) struct NodeKind {
    pub role: Role,
    pub used: Used,
    /// Whether it is a name: names have nothing below them.
    pub is_name: bool,
}

impl NodeKind {
    const TOKEN: Self = Self { role: Role::Token, used: Used::Nothing, is_name: false };
    /// A syntax error; its number is beyond all others.
    const ERROR: Self = Self { role: Role::Plain, ..Self::TOKEN };
}

/// The tables of one grammar.
pub(crate) struct Kinds {
    kinds: Vec<NodeKind>,
    /// How nodes lead to names.
    pub steps: Steps,
    /// The number of the field `name`.
    name_field: Option<NonZeroU16>,
    /// Whether anything in the language uses names or imports.
    pub any_uses: bool,
}

impl Kinds {
    /// Looks up the node kinds and fields that `grammar` names in its parser.
    pub fn new(grammar: &Grammar, language: &Language) -> Self {
        let steps = Steps::new(grammar.parts, language);
        let count = u16::try_from(language.node_kind_count()).unwrap_or(u16::MAX);
        let kind_of = |id| match language.node_kind_for_id(id) {
            Some(kind) if language.node_kind_is_named(id) => NodeKind {
                role: role(grammar, kind),
                used: used(grammar, kind, language),
                is_name: steps.of_kind(id) == Step::Name,
            },
            _ => NodeKind::TOKEN,
        };
        let kinds = (0..count).map(kind_of).collect();
        let name_field = language.field_id_for_name("name");
        Self { kinds, steps, name_field, any_uses: !grammar.uses.is_empty() }
    }

    /// Returns what the tables say of a node.
    pub fn of(&self, node: Node<'_>) -> NodeKind {
        self.kinds.get(usize::from(node.kind_id())).copied().unwrap_or(NodeKind::ERROR)
    }

    /// Records in `uses` what a node uses and imports; `cursor` stands on the node.
    pub fn record<'t>(&self, used: Used, node: Node<'t>, cursor: &TreeCursor<'t>, uses: &mut Uses<'t>) {
        match used {
            Used::Nothing => {}
            Used::Type => {
                if cursor.field_id() != self.name_field {
                    uses.refer(ReferenceKind::Mention, node);
                }
            }
            Used::Itself(kind) => uses.refer(kind, node),
            Used::Field(kind, field) => {
                if let Some(child) = node.child_by_field_id(field.get()) {
                    uses.refer(kind, child);
                }
            }
            Used::Member(kind, field) => {
                if let Some(name) = node.child_by_field_id(field.get()).and_then(|child| uses.name_in(child)) {
                    uses.mark(kind, node.start_byte(), name);
                }
            }
            Used::First(kind) => {
                if let Some(child) = node.named_child(0) {
                    uses.refer(kind, child);
                }
            }
            Used::Each(kind) => uses.refer_each(kind, node),
            Used::Binds => {
                if let Some(name) = node.named_child(0).and_then(|child| uses.name_in(child)) {
                    uses.define_at(name);
                }
            }
            Used::By(record) => record(uses, node),
        }
    }
}

fn used(grammar: &Grammar, kind: &str, language: &Language) -> Used {
    let field = |name: &str| language.field_id_for_name(name);
    match grammar.uses.iter().find(|(node, _)| *node == kind).map(|(_, what)| *what) {
        None => Used::Nothing,
        Some(Use::Type) => Used::Type,
        Some(Use::Itself(kind)) => Used::Itself(kind),
        Some(Use::Field(kind, name)) => field(name).map_or(Used::Nothing, |field| Used::Field(kind, field)),
        Some(Use::Member(kind, name)) => field(name).map_or(Used::Nothing, |field| Used::Member(kind, field)),
        Some(Use::First(kind)) => Used::First(kind),
        Some(Use::Each(kind)) => Used::Each(kind),
        Some(Use::Binds) => Used::Binds,
        Some(Use::By(record)) => Used::By(record),
    }
}

fn role(grammar: &Grammar, kind: &str) -> Role {
    if let Some(index) = grammar.rules.iter().position(|rule| rule.node == kind) {
        return u8::try_from(index).map_or(Role::Plain, Role::Rule);
    }
    let lists = [
        (grammar.comments, Role::Comment),
        (grammar.attributes, Role::Attribute),
        (grammar.modifiers, Role::Modifiers),
        (grammar.wraps, Role::Wrap),
        (grammar.groups, Role::Group),
        (grammar.through, Role::Through),
        (grammar.closures, Role::Closure),
    ];
    lists.iter().find(|(kinds, _)| kinds.contains(&kind)).map_or(Role::Plain, |(_, role)| *role)
}
