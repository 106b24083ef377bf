//! Patterns: what they declare, and the constants and variants that they name.

use tree_sitter::Node;

use super::expressions::visit;
use super::items::number;
use super::paths::{name_value, path_value};
use super::{above, field_of, is_capital, is_type_name, last_name};
use crate::bind::{Binder, Binding, Value};
use crate::spec::children;

/// Declares the names of a pattern that a value is matched with.
pub(super) fn bind_pattern<'t>(binder: &mut Binder<'t>, node: Node<'t>, value: Value) {
    match node.kind() {
        "identifier" | "shorthand_field_identifier" => {
            let name = binder.slice(node);
            if is_capital(name) {
                name_value(binder, node);
            } else {
                binder.declare(name, Binding::Local(value));
            }
        }
        "scoped_identifier" | "generic_pattern" => {
            binder.at(node, path_value);
        }
        "tuple_struct_pattern" => tuple_struct(binder, node, value),
        "struct_pattern" => structure(binder, node),
        "tuple_pattern" => {
            // Of a pair that is known by one type: the entry of a map, or what is counted.
            let parts: Vec<Node<'t>> = children(node).collect();
            let last = parts.len().saturating_sub(1);
            for (nth, part) in parts.into_iter().enumerate() {
                bind_pattern(binder, part, if nth == last && last == 1 { value } else { Value::UNKNOWN });
            }
        }
        "slice_pattern" => {
            let element = binder.element(value);
            children(node).for_each(|part| bind_pattern(binder, part, element));
        }
        "match_pattern" => {
            for part in children(node) {
                if node.child_by_field_name("condition") == Some(part) {
                    binder.at(part, visit);
                } else {
                    bind_pattern(binder, part, value);
                }
            }
        }
        "captured_pattern" | "ref_pattern" | "mut_pattern" | "reference_pattern" | "or_pattern" => {
            children(node).for_each(|part| bind_pattern(binder, part, value));
        }
        "mutable_specifier" | "remaining_field_pattern" | "self" => {}
        _ => {
            binder.at(node, visit);
        }
    }
}

/// Declares the names of a pattern that a tuple is matched with.
pub(super) fn bind_parts<'t>(binder: &mut Binder<'t>, node: Node<'t>, values: &[Value]) {
    match node.kind() {
        "tuple_pattern" => {
            for (nth, part) in children(node).enumerate() {
                bind_pattern(binder, part, values.get(nth).copied().unwrap_or(Value::UNKNOWN));
            }
        }
        "or_pattern" => children(node).for_each(|part| bind_parts(binder, part, values)),
        "match_pattern" => {
            for part in children(node) {
                if node.child_by_field_name("condition") == Some(part) {
                    binder.at(part, visit);
                } else {
                    bind_parts(binder, part, values);
                }
            }
        }
        _ => bind_pattern(binder, node, Value::UNKNOWN),
    }
}

fn tuple_struct<'t>(binder: &mut Binder<'t>, node: Node<'t>, value: Value) {
    let Some(of) = node.child_by_field_name("type") else { return };
    let matched = binder.at(of, path_value);
    let name = matched.path().filter(|path| !binder.defines(*path)).map_or("", |path| last_name(binder, path));
    let parts = children(node).filter(|part| *part != of);
    for (nth, part) in parts.enumerate() {
        let inner = match name {
            "Some" | "Ok" | "Ready" => binder.element(value),
            "Err" => Value::UNKNOWN,
            _ => match number(nth) {
                Some(number) => field(binder, matched, number),
                None => Value::UNKNOWN,
            },
        };
        bind_pattern(binder, part, inner);
    }
}

fn field<'t>(binder: &mut Binder<'t>, of: Value, name: &'t str) -> Value {
    let of = binder.settle(of);
    let member = field_of(binder, of, name);
    binder.settle(member)
}

fn structure<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let matched = binder.at_field(node, "type", path_value);
    let matched = binder.settle(matched);
    for part in children(node).filter(|part| part.kind() == "field_pattern") {
        let Some(name) = part.child_by_field_name("name") else { continue };
        let member = field_of(binder, matched, binder.slice(name));
        if !binder.slice(name).starts_with(|c: char| c.is_ascii_digit()) {
            binder.record(name, member);
        }
        let value = binder.settle(member);
        match part.child_by_field_name("pattern") {
            Some(pattern) => bind_pattern(binder, pattern, value),
            None => binder.declare(binder.slice(name), Binding::Local(value)),
        }
    }
}

/// What an expression is that is written as the path of a type's variant, or else `value`.
pub(super) fn of_variant(binder: &Binder<'_>, value: Value) -> Value {
    let Some(path) = value.plain() else { return value };
    let owner = above(binder, path).filter(|owner| is_type_name(last_name(binder, *owner)));
    match owner.filter(|_| is_type_name(last_name(binder, path))) {
        Some(owner) => Value::of(owner),
        None => value,
    }
}
