//! How rules walk a syntax tree: each node is visited no deeper than the stack allows.

use tree_sitter::Node;

use super::{Binder, Value};
use crate::spec::children;

/// Limit on the depth of nodes that are bound.
const MAX_DEPTH: usize = 256;

impl<'t> Binder<'t> {
    /// Calls `visit` on each named child.
    pub fn each(&mut self, node: Node<'t>, visit: fn(&mut Self, Node<'t>) -> Value) {
        for child in children(node) {
            self.at(child, visit);
        }
    }

    /// Calls `visit` on a node, unless it lies too deep.
    pub fn at(&mut self, node: Node<'t>, visit: fn(&mut Self, Node<'t>) -> Value) -> Value {
        if self.depth >= MAX_DEPTH {
            return Value::UNKNOWN;
        }
        self.depth += 1;
        let value = visit(self, node);
        self.depth -= 1;
        value
    }

    /// Calls `visit`, unless what it is called for lies too deep.
    pub fn nested<T>(&mut self, visit: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth >= MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        let value = visit(self);
        self.depth -= 1;
        Some(value)
    }

    /// Calls `visit` on the node in a field, if there is one.
    pub fn at_field(&mut self, node: Node<'t>, field: &str, visit: fn(&mut Self, Node<'t>) -> Value) -> Value {
        node.child_by_field_name(field).map_or(Value::UNKNOWN, |node| self.at(node, visit))
    }

    /// Calls `visit` on the nodes in two fields, and returns the first value that is known.
    pub fn either(
        &mut self,
        node: Node<'t>,
        [first, second]: [&str; 2],
        visit: fn(&mut Self, Node<'t>) -> Value,
    ) -> Value {
        let value = self.at_field(node, first, visit);
        value.or(self.at_field(node, second, visit))
    }

    /// Calls `visit` on each named child, and returns the first value that is known.
    pub fn first_of(&mut self, node: Node<'t>, visit: fn(&mut Self, Node<'t>) -> Value) -> Value {
        children(node).fold(Value::UNKNOWN, |value, child| value.or(self.at(child, visit)))
    }

    /// Calls `visit` on each named child, and returns the value of the last.
    pub fn last_of(&mut self, node: Node<'t>, visit: fn(&mut Self, Node<'t>) -> Value) -> Value {
        children(node).fold(Value::UNKNOWN, |_, child| self.at(child, visit))
    }
}
