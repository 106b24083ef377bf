//! How an expression or a type leads to the name that it ends in: from `a.b.c` to `c`.

use std::num::NonZeroU16;

use tree_sitter::{Language, Node};

use super::nodes::children;

/// Limit on the nodes that are followed from an expression to its name.
const MAX_STEPS: usize = 64;

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

/// A grammar's parts, by the numbers that its parser gives node kinds.
pub(crate) struct Steps(Vec<Step>);

impl Steps {
    /// Looks up the node kinds of `parts` in `language`.
    pub fn new(parts: &[(&str, Part)], language: &Language) -> Self {
        let count = u16::try_from(language.node_kind_count()).unwrap_or(u16::MAX);
        let step_of = |id| match language.node_kind_for_id(id) {
            Some(kind) if language.node_kind_is_named(id) => step(parts, kind, language),
            _ => Step::None,
        };
        Self((0..count).map(step_of).collect())
    }

    /// Returns the step from a node of the kind with that number.
    pub fn of_kind(&self, id: u16) -> Step {
        self.0.get(usize::from(id)).copied().unwrap_or_default()
    }

    /// Returns the name that an expression or type ends in.
    pub fn name_in<'t>(&self, mut node: Node<'t>) -> Option<Node<'t>> {
        for _ in 0..MAX_STEPS {
            node = match self.of_kind(node.kind_id()) {
                Step::None => return None,
                Step::Name => return Some(node),
                Step::Field(field) => node.child_by_field_id(field.get())?,
                Step::First => node.named_child(0)?,
                Step::Last => children(node).filter(|child| self.of_kind(child.kind_id()) != Step::None).last()?,
            };
        }
        None
    }
}

fn step(parts: &[(&str, Part)], kind: &str, language: &Language) -> Step {
    match parts.iter().find(|(node, _)| *node == kind).map(|(_, part)| *part) {
        None => Step::None,
        Some(Part::Name) => Step::Name,
        Some(Part::Field(name)) => language.field_id_for_name(name).map_or(Step::None, Step::Field),
        Some(Part::First) => Step::First,
        Some(Part::Last) => Step::Last,
    }
}
