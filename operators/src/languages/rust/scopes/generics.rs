//! Type parameters: a value of one has the members of its bounds.

use gristmill_pipeline::port::LeadKind;
use tree_sitter::Node;

use super::NOTHING;
use super::types::{likeliest, type_value};
use crate::bind::{Binder, Binding, PathId, Value};
use crate::spec::{child_of_kind, children};

/// Declares the type parameters of an item, with their bounds; `owner` is its path.
pub(super) fn generics<'t>(binder: &mut Binder<'t>, node: Node<'t>, owner: Option<PathId>) {
    let parameters = node.child_by_field_name("type_parameters");
    let parameters: Vec<Node<'t>> = parameters.into_iter().flat_map(children).collect();
    // Bounds name other parameters, those behind too.
    for parameter in &parameters {
        if let Some(name) = parameter.child_by_field_name("name") {
            binder.declare(binder.slice(name), NOTHING);
        }
    }
    let mut bounds: Vec<(&'t str, Value)> = Vec::new();
    for parameter in &parameters {
        let name = binder.field_text(*parameter, "name");
        bounds.extend(bounds_of(binder, *parameter).into_iter().map(|bound| (name, bound)));
        let default = binder.at_field(*parameter, "default_type", type_value);
        if parameter.kind() == "const_parameter" {
            binder.at_field(*parameter, "type", type_value);
        } else if default.path().is_some() {
            bounds.push((name, default));
        }
    }
    let clause = child_of_kind(node, "where_clause");
    for predicate in clause.into_iter().flat_map(children) {
        binder.at_field(predicate, "left", type_value);
        let name = binder.field_text(predicate, "left");
        bounds.extend(bounds_of(binder, predicate).into_iter().map(|bound| (name, bound)));
    }
    for parameter in parameters.iter().filter(|parameter| parameter.kind() == "type_parameter") {
        let name = binder.field_text(*parameter, "name");
        let own: Vec<Value> = bounds.iter().filter(|(of, _)| *of == name).map(|(_, bound)| *bound).collect();
        let value = value_of(binder, name, &own, owner);
        binder.declare(name, Binding::Local(value));
    }
}

fn bounds_of<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Vec<Value> {
    let bounds = node.child_by_field_name("bounds");
    bounds.into_iter().flat_map(children).map(|bound| binder.at(bound, type_value)).collect()
}

/// What a value of a parameter is: of its bound, or of several, by a path of its own.
fn value_of<'t>(binder: &mut Binder<'t>, name: &'t str, bounds: &[Value], owner: Option<PathId>) -> Value {
    let known: Vec<Value> =
        bounds.iter().copied().filter(|bound| bound.plain().is_some_and(|path| !binder.is_free(path))).collect();
    match (known.as_slice(), owner) {
        ([_, _, ..], Some(owner)) => {
            let path = binder.below(owner, name);
            for bound in known {
                binder.lead(LeadKind::Base, path, bound);
            }
            Value::of(path)
        }
        _ => likeliest(binder, bounds),
    }
}
