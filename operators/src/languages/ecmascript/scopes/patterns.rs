//! Variables and patterns such as `{ a, b: [c] = d }`.

use gristmill_pipeline::port::{Anchor, LeadKind};
use tree_sitter::Node;

use super::{expressions, hoist, types, visit};
use crate::bind::{Binder, Binding, Value};
use crate::spec::children;

/// Declares the names of a pattern; `from` is where its declaration begins.
pub(super) fn declare<'t>(binder: &mut Binder<'t>, pattern: Node<'t>, from: usize) {
    match pattern.kind() {
        "identifier" | "shorthand_property_identifier_pattern" => hoist::declare(binder, pattern, from),
        "object_pattern" | "array_pattern" | "rest_pattern" => {
            for part in children(pattern) {
                declare(binder, part, from);
            }
        }
        "pair_pattern" => {
            if let Some(value) = pattern.child_by_field_name("value") {
                declare(binder, value, from);
            }
        }
        "assignment_pattern" | "object_assignment_pattern" => {
            if let Some(left) = pattern.child_by_field_name("left") {
                declare(binder, left, from);
            }
        }
        _ => {}
    }
}

/// Binds one variable of a declaration.
pub(super) fn declarator<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let Some(name) = node.child_by_field_name("name") else {
        return binder.at(node, visit);
    };
    let value = node.child_by_field_name("value");
    if value.is_some_and(|value| expressions::required(binder, value).is_some()) {
        imported(binder, name);
        return Value::UNKNOWN;
    }
    let key = match binder.lookup(binder.slice(name)) {
        Some(Binding::Path(path)) if name.kind() == "identifier" => Some(path),
        _ => None,
    };
    let annotated = node.child_by_field_name("type").map_or(Value::UNKNOWN, |of| types::of(binder, of, key));
    let value = match (key, value) {
        (_, None) => Value::UNKNOWN,
        (Some(_), Some(value)) => expressions::owned(binder, value, key, annotated),
        // What is made here has members even if no definition stands for it.
        (None, Some(value))
            if matches!(value.kind(), "object" | "arrow_function" | "function_expression" | "class") =>
        {
            let unnamed = binder.unnamed(value.start_byte());
            expressions::owned(binder, value, Some(unnamed), annotated);
            Value::of(unnamed)
        }
        (None, Some(value)) => expressions::owned(binder, value, None, annotated),
    };
    match key {
        Some(key) if annotated.path().is_none() => binder.lead(LeadKind::Type, key, value),
        Some(_) => {}
        None => assign(binder, name, annotated.or(value)),
    }
    Value::UNKNOWN
}

/// Declares the names of `const … = require(…)`, which are imports.
fn imported<'t>(binder: &mut Binder<'t>, pattern: Node<'t>) {
    let mut import = |taken: Option<Node<'t>>, local: Node<'t>| {
        let path = binder.path(Anchor::File, binder.slice(local));
        binder.declare(binder.slice(local), Binding::Path(path));
        if let Some(taken) = taken {
            binder.record(taken, Value::of(path));
        }
    };
    match pattern.kind() {
        "identifier" => import(None, pattern),
        "object_pattern" => {
            for part in children(pattern) {
                match part.kind() {
                    "shorthand_property_identifier_pattern" => import(Some(part), part),
                    "pair_pattern" => {
                        let local = part.child_by_field_name("value").filter(|value| value.kind() == "identifier");
                        if let Some(local) = local {
                            import(part.child_by_field_name("key"), local);
                        }
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// Gives the names of a pattern what they hold of a value.
pub(super) fn assign<'t>(binder: &mut Binder<'t>, pattern: Node<'t>, value: Value) {
    match pattern.kind() {
        "identifier" => give(binder, pattern, value),
        "object_pattern" => {
            for part in children(pattern) {
                property(binder, part, value);
            }
        }
        "array_pattern" => {
            let element = binder.element(value);
            for part in children(pattern) {
                let value = if part.kind() == "rest_pattern" { value } else { element };
                assign(binder, part, value);
            }
        }
        "rest_pattern" => {
            for part in children(pattern) {
                assign(binder, part, value);
            }
        }
        "assignment_pattern" => {
            let right = binder.at_field(pattern, "right", visit);
            if let Some(left) = pattern.child_by_field_name("left") {
                assign(binder, left, value.or(right));
            }
        }
        _ => {
            binder.at(pattern, visit);
        }
    }
}

/// Gives the names in a property of an object pattern what they hold.
fn property<'t>(binder: &mut Binder<'t>, part: Node<'t>, value: Value) {
    match part.kind() {
        "shorthand_property_identifier_pattern" => {
            let member = binder.use_member(value, part);
            give(binder, part, member);
        }
        "pair_pattern" => {
            let member = match part.child_by_field_name("key") {
                Some(key) if key.kind() == "property_identifier" => binder.use_member(value, key),
                Some(key) => {
                    binder.at(key, visit);
                    Value::UNKNOWN
                }
                None => Value::UNKNOWN,
            };
            if let Some(pattern) = part.child_by_field_name("value") {
                assign(binder, pattern, member);
            }
        }
        "object_assignment_pattern" => {
            let right = binder.at_field(part, "right", visit);
            match part.child_by_field_name("left") {
                Some(left) if left.kind() == "shorthand_property_identifier_pattern" => {
                    let member = binder.use_member(value, left);
                    give(binder, left, member.or(right));
                }
                Some(left) => assign(binder, left, right),
                None => {}
            }
        }
        // What is left of the object.
        _ => assign(binder, part, value),
    }
}

/// Gives a variable a value; what is known of it stays.
pub(super) fn give<'t>(binder: &mut Binder<'t>, name: Node<'t>, value: Value) {
    match binder.lookup(binder.slice(name)) {
        Some(Binding::Path(path)) => binder.lead(LeadKind::Type, path, value),
        Some(Binding::Local(before)) if before.path().is_none() => binder.reassign(binder.slice(name), value),
        _ => {}
    }
}
