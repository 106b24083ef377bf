//! Statements and expressions.

use tree_sitter::Node;

use super::items::{block, item};
use super::methods::{call, closure, unwrapped};
use super::paths::path_value;
use super::patterns::{bind_parts, bind_pattern, of_variant};
use super::tokens::{attribute, invocation, macro_rules};
use super::types::type_value;
use super::{field_of, own_value};
use crate::bind::{Binder, Binding, ScopeKind, Value};
use crate::spec::{child_of_kind, children};

/// Binds an item, a statement or an expression, and returns what an expression stands for.
pub(super) fn visit<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    if item(binder, node) {
        return Value::UNKNOWN;
    }
    match node.kind() {
        "self" => own_value(binder),
        "identifier" | "scoped_identifier" => {
            let value = path_value(binder, node);
            let value = binder.settle(value);
            of_variant(binder, value)
        }
        "generic_function" => {
            if let Some(list) = node.child_by_field_name("type_arguments") {
                binder.at(list, type_value);
            }
            binder.at_field(node, "function", visit)
        }
        "field_expression" => field(binder, node),
        "call_expression" => call(binder, node),
        "macro_invocation" => invocation(binder, node),
        "macro_definition" => macro_rules(binder, node),
        "attribute_item" | "inner_attribute_item" => attribute(binder, node),
        "struct_expression" => structure(binder, node),
        "closure_expression" => closure(binder, node, &[]),
        "block" => block(binder, node),
        "unsafe_block"
        | "async_block"
        | "try_block"
        | "const_block"
        | "gen_block"
        | "parenthesized_expression"
        | "await_expression"
        | "reference_expression"
        | "else_clause"
        | "loop_expression" => last(binder, node),
        // What is behind `*`; a negation is of what is negated.
        "unary_expression" => last(binder, node),
        "try_expression" => {
            let value = last(binder, node);
            unwrapped(binder, value)
        }
        "expression_statement" | "return_expression" | "break_expression" => {
            let value = last(binder, node);
            // The value of a match or a block without a semicolon is that of the block around it.
            if node.kind() == "expression_statement" && !binder.slice(node).ends_with(';') {
                value
            } else {
                Value::UNKNOWN
            }
        }
        "let_declaration" => declaration(binder, node),
        "let_condition" => {
            let (value, parts) = matched(binder, node);
            bind_matched(binder, node.child_by_field_name("pattern"), value, parts);
            Value::UNKNOWN
        }
        "if_expression" => {
            binder.open(ScopeKind::Block);
            binder.at_field(node, "condition", visit);
            let value = binder.at_field(node, "consequence", visit);
            binder.close();
            let other = binder.at_field(node, "alternative", visit);
            value.or(other)
        }
        "while_expression" => {
            binder.open(ScopeKind::Block);
            binder.at_field(node, "condition", visit);
            binder.at_field(node, "body", visit);
            binder.close();
            Value::UNKNOWN
        }
        "for_expression" => {
            let iterated = binder.at_field(node, "value", visit);
            let element = binder.element(iterated);
            let element = binder.settle(element);
            binder.open(ScopeKind::Block);
            if let Some(pattern) = node.child_by_field_name("pattern") {
                bind_pattern(binder, pattern, element);
            }
            binder.at_field(node, "body", visit);
            binder.close();
            Value::UNKNOWN
        }
        "match_expression" => matching(binder, node),
        "index_expression" => {
            let (of, index) = (node.named_child(0), node.named_child(1));
            let value = of.map_or(Value::UNKNOWN, |of| binder.at(of, visit));
            index.map(|index| binder.at(index, visit));
            if index.is_some_and(|index| index.kind() == "range_expression") {
                return value;
            }
            let element = binder.element(value);
            binder.settle(element)
        }
        "assignment_expression" => {
            let value = binder.at_field(node, "right", visit);
            binder.at_field(node, "left", visit);
            let left = node.child_by_field_name("left").filter(|left| left.kind() == "identifier");
            if let Some(name) = left.map(|left| binder.slice(left))
                && binder.lookup(name) == Some(Binding::Local(Value::UNKNOWN))
            {
                binder.assign(name, value);
            }
            Value::UNKNOWN
        }
        "array_expression" => {
            let values: Vec<Value> = children(node).map(|part| binder.at(part, visit)).collect();
            values.first().copied().unwrap_or(Value::UNKNOWN).wrapped()
        }
        "type_cast_expression" => {
            binder.at_field(node, "value", visit);
            binder.at_field(node, "type", type_value)
        }
        "type_identifier"
        | "scoped_type_identifier"
        | "generic_type"
        | "reference_type"
        | "type_arguments"
        | "generic_type_with_turbofish"
        | "tuple_type"
        | "array_type" => type_value(binder, node),
        "line_comment"
        | "block_comment"
        | "string_literal"
        | "raw_string_literal"
        | "label"
        | "lifetime"
        | "visibility_modifier" => Value::UNKNOWN,
        _ => {
            binder.each(node, visit);
            Value::UNKNOWN
        }
    }
}

/// Binds what a node holds, and returns what the last of it stands for.
fn last<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    binder.last_of(node, visit)
}

fn field<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let of = binder.at_field(node, "value", visit);
    let Some(name) = node.child_by_field_name("field") else { return Value::UNKNOWN };
    let member = field_of(binder, of, binder.slice(name));
    if name.kind() == "field_identifier" {
        binder.record(name, member);
    }
    binder.settle(member)
}

fn structure<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let of = binder.at_field(node, "name", path_value);
    let of = binder.settle(of);
    for part in node.child_by_field_name("body").into_iter().flat_map(children) {
        match part.kind() {
            "field_initializer" => {
                if let Some(name) = part.child_by_field_name("field").filter(|name| name.kind() == "field_identifier") {
                    let member = field_of(binder, of, binder.slice(name));
                    binder.record(name, member);
                }
                binder.at_field(part, "value", visit);
            }
            "shorthand_field_initializer" => {
                if let Some(name) = children(part).find(|part| part.kind() == "identifier") {
                    let member = field_of(binder, of, binder.slice(name));
                    binder.record(name, member);
                }
            }
            _ => {
                binder.at(part, visit);
            }
        }
    }
    of_variant(binder, of)
}

/// Binds the value of a `let` or a `match`; of a tuple also its parts.
fn matched<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> (Value, Vec<Value>) {
    match node.child_by_field_name("value") {
        Some(tuple) if tuple.kind() == "tuple_expression" => {
            (Value::UNKNOWN, children(tuple).map(|part| binder.at(part, visit)).collect())
        }
        Some(value) => (binder.at(value, visit), Vec::new()),
        None => (Value::UNKNOWN, Vec::new()),
    }
}

fn bind_matched<'t>(binder: &mut Binder<'t>, pattern: Option<Node<'t>>, value: Value, parts: Vec<Value>) {
    match pattern {
        Some(pattern) if parts.is_empty() => bind_pattern(binder, pattern, value),
        Some(pattern) => bind_parts(binder, pattern, &parts),
        None => {}
    }
}

fn declaration<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let annotated = binder.at_field(node, "type", type_value);
    let (value, parts) = matched(binder, node);
    binder.at_field(node, "alternative", visit);
    bind_matched(binder, node.child_by_field_name("pattern"), annotated.or(value), parts);
    Value::UNKNOWN
}

fn matching<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let (matched, parts) = matched(binder, node);
    let mut value = Value::UNKNOWN;
    let arms = node.child_by_field_name("body").into_iter().flat_map(children);
    for arm in arms.filter(|arm| arm.kind() == "match_arm") {
        if let Some(attribute) = child_of_kind(arm, "attribute_item") {
            binder.at(attribute, visit);
        }
        binder.open(ScopeKind::Block);
        bind_matched(binder, arm.child_by_field_name("pattern"), matched, parts.clone());
        let next = binder.at_field(arm, "value", visit);
        value = value.or(next);
        binder.close();
    }
    value
}
