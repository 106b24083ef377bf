//! Paths of names, such as `a::B::c`.

use gristmill_pipeline::port::Anchor;
use tree_sitter::Node;

use super::imports::module_value;
use super::types::type_value;
use super::{NOTHING, TRAIT, free_path, is_capital, own_value};
use crate::bind::{Binder, Binding, Value};
use crate::spec::children;

/// Binds a path, and returns what it leads to.
pub(super) fn path_value<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "identifier" | "type_identifier" => name_value(binder, node),
        "scoped_identifier" | "scoped_type_identifier" => scoped(binder, node),
        "generic_type" | "generic_type_with_turbofish" => {
            let value = binder.at_field(node, "type", path_value);
            arguments(binder, node);
            value
        }
        "generic_pattern" => {
            let value = node.named_child(0).map_or(Value::UNKNOWN, |path| binder.at(path, path_value));
            arguments(binder, node);
            value
        }
        "bracketed_type" => node.named_child(0).map_or(Value::UNKNOWN, |of| binder.at(of, path_value)),
        // `<T as Trait>::name` is a member of the trait.
        "qualified_type" => {
            let of = binder.at_field(node, "type", type_value);
            let alias = binder.at_field(node, "alias", path_value);
            alias.or(of)
        }
        "self" | "super" | "crate" | "metavariable" => module_value(binder, node),
        _ => type_value(binder, node),
    }
}

fn arguments<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    for argument in node.child_by_field_name("type_arguments").into_iter().flat_map(children) {
        binder.at(argument, type_value);
    }
}

/// Binds a name that no path is before.
pub(super) fn name_value<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let name = binder.slice(node);
    if name == "Self" {
        let own = own_value(binder);
        binder.record(node, own.plain().map_or(Value::UNKNOWN, Value::of));
        return own;
    }
    match binder.lookup(name) {
        Some(Binding::Local(value)) => {
            binder.record(node, Value::LOCAL);
            value
        }
        Some(Binding::Path(path)) => {
            binder.record(node, Value::of(path));
            Value::of(path)
        }
        None => {
            let free = Value::of(free_path(binder, name));
            binder.record(node, free);
            free
        }
    }
}

/// Binds the first name of a path: of those that begin with a small letter none but modules, and
/// other crates.
pub(super) fn head<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let name = binder.slice(node);
    if !matches!(node.kind(), "identifier" | "type_identifier") || is_capital(name) {
        return path_value(binder, node);
    }
    match binder.lookup(name) {
        Some(Binding::Path(path)) => {
            if binder.defines(path) {
                binder.record(node, Value::of(path));
            }
            Value::of(path)
        }
        _ => Value::of(binder.path(Anchor::File, name)),
    }
}

fn scoped<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let Some(name) = node.child_by_field_name("name") else { return Value::UNKNOWN };
    let base = match node.child_by_field_name("path") {
        Some(path) => binder.at(path, head),
        None => Value::of(binder.root(Anchor::File)),
    };
    let base = binder.settle(base);
    let member = binder.member(base, binder.slice(name));
    // The type that an implementation names is declared by its trait.
    if node.kind() == "scoped_type_identifier"
        && binder.field_text(node, "path") == "Self"
        && let Some(Binding::Local(interface)) = binder.marked(TRAIT).filter(|of| *of != NOTHING)
    {
        binder.use_member(interface, name);
        return member;
    }
    // What stands within a path and is no type is a module, which no definition stands for.
    let within = node.parent().is_some_and(|parent| {
        matches!(parent.kind(), "scoped_identifier" | "scoped_type_identifier")
            && parent.child_by_field_name("path") == Some(node)
    });
    let recorded = !within || is_capital(binder.slice(name)) || member.path().is_some_and(|path| binder.defines(path));
    if recorded {
        binder.record(name, member);
    }
    member
}
