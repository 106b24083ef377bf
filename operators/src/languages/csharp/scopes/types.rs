//! Types of C#.

use tree_sitter::Node;

use super::{identifier, member, visit};
use crate::bind::{Binder, Value};
use crate::languages::classes;
use crate::spec::{child_of_kind, children};

/// Kinds of nodes that only types are.
pub(super) const TYPES: [&str; 9] = [
    "generic_name",
    "qualified_name",
    "alias_qualified_name",
    "nullable_type",
    "array_type",
    "pointer_type",
    "ref_type",
    "tuple_type",
    "predefined_type",
];

pub(super) fn type_arguments<'t>(binder: &mut Binder<'t>, name: Node<'t>) -> Vec<Value> {
    let list = child_of_kind(name, "type_argument_list").into_iter().flat_map(children);
    list.map(|argument| binder.at(argument, of_type)).collect()
}

/// Binds a name with type arguments: of a type, or of a method.
pub(super) fn generic_name<'t>(binder: &mut Binder<'t>, node: Node<'t>, is_type: bool) -> Value {
    let name = identifier(node);
    let of = if is_type { classes::type_name(binder, name) } else { classes::name(binder, name) };
    let arguments = type_arguments(binder, node);
    classes::generic(binder, binder.slice(name), of, &arguments)
}

/// Binds the type in a field; `var` is none.
pub(super) fn written_type<'t>(binder: &mut Binder<'t>, node: Node<'t>, field: &str) -> Value {
    let of = node.child_by_field_name(field).filter(|of| of.kind() != "implicit_type" && binder.slice(*of) != "var");
    of.map_or(Value::UNKNOWN, |of| binder.at(of, of_type))
}

pub(super) fn type_parameters<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let list = child_of_kind(node, "type_parameter_list");
    for name in list.into_iter().flat_map(children).filter_map(|parameter| parameter.child_by_field_name("name")) {
        classes::type_parameter(binder, name, Value::UNKNOWN);
    }
    for clause in children(node).filter(|part| part.kind() == "type_parameter_constraints_clause") {
        let mut bound = Value::UNKNOWN;
        for constraint in children(clause).filter(|part| part.kind() == "type_parameter_constraint") {
            let next = binder.at_field(constraint, "type", of_type);
            bound = bound.or(next);
        }
        if let Some(name) = child_of_kind(clause, "identifier") {
            classes::type_parameter(binder, name, bound);
        }
    }
}

/// Binds a type, and returns what a value of it stands for.
pub(super) fn of_type<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "identifier" => classes::type_name(binder, node),
        "generic_name" => generic_name(binder, node, true),
        "qualified_name" => {
            let outer = binder.at_field(node, "qualifier", of_type);
            node.child_by_field_name("name").map_or(Value::UNKNOWN, |name| member(binder, outer, name))
        }
        "alias_qualified_name" => {
            node.child_by_field_name("name").map_or(Value::UNKNOWN, |name| binder.at(name, of_type))
        }
        "nullable_type" | "pointer_type" | "ref_type" => binder.at_field(node, "type", of_type),
        "array_type" => {
            binder.at_field(node, "rank", visit);
            binder.at_field(node, "type", of_type).wrapped()
        }
        "member_access_expression" => binder.at(node, visit),
        "tuple_element" => {
            binder.at_field(node, "type", of_type);
            Value::UNKNOWN
        }
        _ => {
            binder.each(node, of_type);
            Value::UNKNOWN
        }
    }
}
