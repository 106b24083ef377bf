//! Types, and what a value of one is.

use gristmill_pipeline::port::LeadKind;
use tree_sitter::Node;

use super::functions::{function, member_key, method, type_parameters};
use super::{THIS, stored, visit};
use crate::bind::{Binder, PathId, ScopeKind, Value};
use crate::spec::{child_of_kind, children};

/// Whether a node of that kind is a type.
pub(super) fn is_type(kind: &str) -> bool {
    matches!(
        kind,
        "type_annotation"
            | "type_arguments"
            | "type_identifier"
            | "generic_type"
            | "nested_type_identifier"
            | "predefined_type"
            | "union_type"
            | "intersection_type"
            | "object_type"
            | "array_type"
            | "function_type"
            | "constructor_type"
            | "type_query"
            | "lookup_type"
            | "index_type_query"
            | "parenthesized_type"
            | "tuple_type"
            | "readonly_type"
            | "conditional_type"
            | "literal_type"
            | "template_literal_type"
            | "this_type"
            | "type_predicate_annotation"
            | "asserts_annotation"
    )
}

/// Binds a type, and says that what `key` leads to is of it. Of a union or an intersection each
/// part counts. Returns what the first part is that is known.
pub(super) fn of<'t>(binder: &mut Binder<'t>, node: Node<'t>, key: Option<PathId>) -> Value {
    binder.nested(|binder| of_parts(binder, node, key)).unwrap_or(Value::UNKNOWN)
}

fn of_parts<'t>(binder: &mut Binder<'t>, node: Node<'t>, key: Option<PathId>) -> Value {
    match (node.kind(), key) {
        ("type_annotation" | "parenthesized_type" | "readonly_type" | "union_type" | "intersection_type", _) => {
            let mut value = Value::UNKNOWN;
            for part in children(node) {
                value = value.or(of(binder, part, key));
            }
            value
        }
        ("object_type", _) => {
            members(binder, node, key);
            Value::UNKNOWN
        }
        ("function_type", Some(key)) => {
            function(binder, node, Some(key), &[]);
            Value::UNKNOWN
        }
        (_, Some(key)) => {
            let value = value(binder, node);
            binder.lead(LeadKind::Type, key, value);
            value
        }
        (_, None) => value(binder, node),
    }
}

/// Binds the members of an object type, which are those of what `owner` leads to.
pub(super) fn members<'t>(binder: &mut Binder<'t>, body: Node<'t>, owner: Option<PathId>) {
    for member in children(body) {
        match member.kind() {
            "property_signature" => {
                let Some(name) = member.child_by_field_name("name") else { continue };
                if name.kind() == "computed_property_name" {
                    binder.at(name, visit);
                }
                let key = member_key(binder, member, name, owner);
                if let Some(annotation) = member.child_by_field_name("type") {
                    of(binder, annotation, key);
                }
            }
            "method_signature" => method(binder, member, owner),
            "call_signature" => {
                function(binder, member, owner, &[]);
            }
            "construct_signature" => {
                let made = function(binder, member, None, &[]);
                let made = made.or(binder.at_field(member, "type", value));
                if let Some(owner) = owner {
                    binder.lead(LeadKind::Type, owner, made);
                }
            }
            "index_signature" => indexed(binder, member, owner),
            _ => {
                binder.at(member, visit);
            }
        }
    }
}

/// Binds `[key: string]: T` and `[K in Keys]: T`.
fn indexed<'t>(binder: &mut Binder<'t>, member: Node<'t>, owner: Option<PathId>) {
    binder.open(ScopeKind::Block);
    if let Some(name) = member.child_by_field_name("name") {
        binder.declare(binder.slice(name), super::NOTHING);
    }
    binder.at_field(member, "index_type", value);
    if let Some(clause) = child_of_kind(member, "mapped_type_clause") {
        if let Some(name) = clause.child_by_field_name("name") {
            binder.declare(binder.slice(name), super::NOTHING);
        }
        binder.at_field(clause, "type", value);
        binder.at_field(clause, "alias", value);
    }
    if let Some(annotation) = member.child_by_field_name("type") {
        let element = owner.map(|owner| binder.below(owner, "[]"));
        for annotation in children(annotation) {
            of(binder, annotation, element);
        }
    }
    binder.close();
}

/// Binds a type, and returns what a value of it is.
pub(super) fn value<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "type_identifier" => binder.use_name(node),
        "generic_type" => generic(binder, node),
        "nested_type_identifier" | "nested_identifier" => {
            let mut value = Value::UNKNOWN;
            for (nth, part) in children(node).enumerate() {
                value = match part.kind() {
                    "identifier" if nth == 0 => binder.use_name(part),
                    "nested_identifier" | "member_expression" => binder.at(part, self::value),
                    _ => binder.use_member(value, part),
                };
            }
            value
        }
        "array_type" => binder.first_of(node, value).wrapped(),
        "tuple_type" => binder.first_of(node, value).wrapped(),
        "object_type" => {
            let unnamed = binder.unnamed(node.start_byte());
            members(binder, node, Some(unnamed));
            Value::of(unnamed)
        }
        "function_type" => {
            function(binder, node, None, &[]);
            Value::UNKNOWN
        }
        "constructor_type" => {
            let made = function(binder, node, None, &[]);
            made.or(binder.at_field(node, "type", value))
        }
        "type_query" => binder.first_of(node, visit),
        "lookup_type" => {
            let mut parts = children(node);
            let object = parts.next().map_or(Value::UNKNOWN, |of| binder.at(of, value));
            let Some(index) = parts.next() else { return Value::UNKNOWN };
            binder.at(index, value);
            let text = binder.slice(index);
            match text.chars().next() {
                Some('"' | '\'') => binder.member(object, text.trim_matches(['"', '\''])),
                _ => binder.element(object),
            }
        }
        "conditional_type" => {
            binder.open(ScopeKind::Block);
            binder.at_field(node, "left", value);
            binder.at_field(node, "right", value);
            let then = binder.at_field(node, "consequence", value);
            binder.close();
            let otherwise = binder.at_field(node, "alternative", value);
            then.or(otherwise)
        }
        "infer_type" => {
            let mut parts = children(node);
            if let Some(name) = parts.next() {
                binder.declare(binder.slice(name), super::NOTHING);
            }
            parts.next().map_or(Value::UNKNOWN, |bound| binder.at(bound, value))
        }
        "index_type_query" | "literal_type" => {
            binder.each(node, value);
            Value::UNKNOWN
        }
        "type_predicate_annotation" | "asserts_annotation" | "asserts" | "type_predicate" => {
            for child in children(node) {
                if child.kind() == "identifier" {
                    binder.use_name(child)
                } else {
                    binder.at(child, value)
                };
            }
            Value::UNKNOWN
        }
        "this_type" | "this" => stored(binder.marked(THIS)),
        "type_parameters" => {
            type_parameters(binder, node);
            Value::UNKNOWN
        }
        "required_parameter" | "optional_parameter" => binder.at_field(node, "type", value),
        "predefined_type" | "comment" => Value::UNKNOWN,
        kind if is_type(kind) || kind.ends_with("_type") || kind.ends_with("_annotation") => {
            binder.first_of(node, value)
        }
        "constraint" | "default_type" => binder.first_of(node, value),
        // Counted, in case `visit` takes it for a type.
        _ => binder.at(node, visit),
    }
}

fn generic<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let Some(name) = node.child_by_field_name("name") else { return binder.first_of(node, value) };
    let of = binder.at(name, value);
    let arguments = node.child_by_field_name("type_arguments");
    let arguments: Vec<Value> =
        arguments.map(|list| children(list).map(|argument| binder.at(argument, value)).collect()).unwrap_or_default();
    let text = binder.slice(name);
    if binder.lookup(text).is_some() {
        return of;
    }
    applied(binder, text, &arguments).unwrap_or(of)
}

/// What a value of a generic type of the language is.
pub(super) fn applied(binder: &mut Binder<'_>, name: &str, arguments: &[Value]) -> Option<Value> {
    let (first, last) = (arguments.first().copied(), arguments.last().copied());
    let (first, last) = (first.unwrap_or(Value::UNKNOWN), last.unwrap_or(Value::UNKNOWN));
    Some(match name {
        "Promise" | "PromiseLike" | "Awaited" | "Readonly" | "Partial" | "Required" | "NonNullable" | "Pick"
        | "Omit" | "Exclude" | "Extract" | "InstanceType" | "ThisType" => first,
        "Array"
        | "ReadonlyArray"
        | "ArrayLike"
        | "Set"
        | "ReadonlySet"
        | "WeakSet"
        | "Iterable"
        | "Iterator"
        | "IterableIterator"
        | "AsyncIterable"
        | "AsyncIterator"
        | "AsyncIterableIterator"
        | "Generator"
        | "AsyncGenerator" => first.wrapped(),
        "Map" | "ReadonlyMap" | "WeakMap" | "Record" => last.wrapped(),
        "ReturnType" => binder.call(first),
        _ => return None,
    })
}
