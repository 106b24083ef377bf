//! Classes, interfaces and type aliases.

use gristmill_pipeline::port::LeadKind;
use tree_sitter::Node;

use super::functions::{member_key, method, type_parameters, with_this};
use super::{SUPER, expressions, hoist, stored, types, visit};
use crate::bind::{Binder, Binding, PathId, ScopeKind, Value};
use crate::spec::{children, fields};

/// Binds a class whose path is `key`.
pub(super) fn class<'t>(binder: &mut Binder<'t>, node: Node<'t>, key: Option<PathId>) -> Value {
    for decorator in fields(node, "decorator") {
        binder.at(decorator, visit);
    }
    binder.open(ScopeKind::Block);
    if let Some(name) = node.child_by_field_name("name").filter(|_| node.kind() == "class") {
        binder.declare(binder.slice(name), key.map_or(super::NOTHING, Binding::Path));
    }
    type_parameters(binder, node);
    let heritage = children(node).find(|child| child.kind() == "class_heritage");
    let base = heritage.map_or(Value::UNKNOWN, |heritage| bases(binder, heritage, key));
    let outer = stored(binder.marked(SUPER));
    binder.mark(SUPER, Binding::Local(base));
    if let Some(body) = node.child_by_field_name("body") {
        // Without a path of its own it has the members of its base at least.
        let this = key.map_or(base, Value::of);
        with_this(binder, this, |binder| {
            for member in children(body) {
                class_member(binder, member, this.plain());
            }
        });
    }
    binder.mark(SUPER, Binding::Local(outer));
    binder.close();
    Value::UNKNOWN
}

/// Binds what a class extends and implements, and returns what it extends.
fn bases<'t>(binder: &mut Binder<'t>, heritage: Node<'t>, class: Option<PathId>) -> Value {
    let mut extended = Value::UNKNOWN;
    for clause in children(heritage) {
        match clause.kind() {
            "extends_clause" => {
                for of in children(clause) {
                    let is_base = of.kind() != "type_arguments";
                    let value = binder.at(of, visit);
                    if is_base {
                        inherits(binder, class, value);
                        extended = extended.or(value);
                    }
                }
            }
            "implements_clause" => {
                for of in children(clause) {
                    let value = binder.at(of, types::value);
                    inherits(binder, class, value);
                }
            }
            _ => {
                let value = binder.at(clause, visit);
                inherits(binder, class, value);
                extended = extended.or(value);
            }
        }
    }
    extended
}

fn inherits(binder: &mut Binder<'_>, class: Option<PathId>, base: Value) {
    if let Some(class) = class {
        binder.lead(LeadKind::Base, class, base);
    }
}

fn class_member<'t>(binder: &mut Binder<'t>, member: Node<'t>, class: Option<PathId>) {
    for decorator in fields(member, "decorator") {
        binder.at(decorator, visit);
    }
    match member.kind() {
        "method_definition" | "method_signature" | "abstract_method_signature" => method(binder, member, class),
        "public_field_definition" | "field_definition" => {
            let name = member.child_by_field_name("name").or_else(|| member.child_by_field_name("property"));
            let key = name.and_then(|name| {
                if name.kind() == "computed_property_name" {
                    binder.at(name, visit);
                }
                member_key(binder, member, name, class)
            });
            let of = member.child_by_field_name("type");
            let annotated = of.map_or(Value::UNKNOWN, |of| types::of(binder, of, key));
            if let Some(value) = member.child_by_field_name("value") {
                let value = expressions::owned(binder, value, key, annotated);
                if let Some(key) = key.filter(|_| annotated.path().is_none()) {
                    binder.lead(LeadKind::Type, key, value);
                }
            }
        }
        _ => {
            binder.at(member, visit);
        }
    }
}

/// Binds an interface.
pub(super) fn interface<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let key = hoist::key(binder, node);
    binder.open(ScopeKind::Block);
    type_parameters(binder, node);
    for clause in children(node).filter(|child| child.kind() == "extends_type_clause") {
        for of in children(clause) {
            let value = binder.at(of, types::value);
            inherits(binder, key, value);
        }
    }
    if let Some(body) = node.child_by_field_name("body") {
        types::members(binder, body, key);
    }
    binder.close();
    Value::UNKNOWN
}

/// Binds a type alias, which has the members of what it stands for.
pub(super) fn alias<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let key = hoist::key(binder, node);
    binder.open(ScopeKind::Block);
    type_parameters(binder, node);
    if let Some(value) = node.child_by_field_name("value") {
        types::of(binder, value, key);
    }
    binder.close();
    Value::UNKNOWN
}
