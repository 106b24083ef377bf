//! Patterns of Scala, and the names that they bind.

use tree_sitter::Node;

use super::{of_type, visit};
use crate::bind::{Binder, Binding, ScopeKind, Value};
use crate::languages::classes;
use crate::spec::{children, fields};

/// Binds a clause of a `match` over a value, and returns what it gives.
pub(super) fn case_clause<'t>(binder: &mut Binder<'t>, node: Node<'t>, value: Value) -> Value {
    binder.open(ScopeKind::Block);
    let of = node.child_by_field_name("pattern");
    if let Some(of) = of {
        pattern(binder, of, value);
    }
    let mut result = Value::UNKNOWN;
    for part in children(node).filter(|part| Some(*part) != of) {
        result = binder.at(part, visit);
    }
    binder.close();
    result
}

/// Binds a pattern and declares its variables.
pub(super) fn pattern<'t>(binder: &mut Binder<'t>, node: Node<'t>, value: Value) {
    match node.kind() {
        "identifier" => {
            let name = binder.slice(node);
            if name.starts_with(char::is_uppercase) {
                classes::name(binder, node);
            } else if name != "_" {
                binder.declare(name, Binding::Local(value));
            }
        }
        "typed_pattern" => {
            let of = binder.at_field(node, "type", of_type);
            if let Some(inner) = node.child_by_field_name("pattern") {
                pattern(binder, inner, of);
            }
        }
        "capture_pattern" => {
            let inner = node.child_by_field_name("pattern");
            let of = inner.map_or(Value::UNKNOWN, |inner| pattern_type(binder, inner));
            if let Some(name) = node.child_by_field_name("name") {
                binder.declare(binder.slice(name), Binding::Local(of.or(value)));
            }
            if let Some(inner) = inner {
                pattern(binder, inner, value);
            }
        }
        "case_class_pattern" => {
            binder.at_field(node, "type", of_type);
            for inner in fields(node, "pattern").filter(Node::is_named) {
                pattern(binder, inner, Value::UNKNOWN);
            }
        }
        "stable_identifier" => {
            binder.at(node, visit);
        }
        "infix_pattern" => {
            for side in ["left", "right"] {
                if let Some(inner) = node.child_by_field_name(side) {
                    pattern(binder, inner, Value::UNKNOWN);
                }
            }
            if let Some(operator) =
                node.child_by_field_name("operator").filter(|operator| operator.kind() == "identifier")
            {
                classes::name(binder, operator);
            }
        }
        _ => {
            for inner in children(node) {
                pattern(binder, inner, Value::UNKNOWN);
            }
        }
    }
}

/// The type that a pattern asks for, without recording uses.
fn pattern_type<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let of = node.child_by_field_name("type").filter(|of| of.kind() == "type_identifier");
    match of.map(|of| binder.lookup_type(binder.slice(of))) {
        Some(Some(Binding::Path(path))) => Value::of(path),
        _ => Value::UNKNOWN,
    }
}
