//! What `use` brings in.

use tree_sitter::Node;

use super::items::outer_module;
use super::{IMPORTS, MODULE, imported, is_capital};
use crate::bind::{Binder, Binding, Value};
use crate::spec::children;
use gristmill_pipeline::port::Anchor;

/// Limit on the depth of lists in a `use`.
const MAX_LISTS: usize = 32;

/// A name that a `use` brings in.
struct Leaf<'t> {
    /// The name as the module has it.
    name: Node<'t>,
    /// The name here.
    local: &'t str,
}

/// Declares the names that a `use` brings in.
pub(super) fn declare_uses<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let Some(imports) = binder.marked_path(IMPORTS) else { return };
    for leaf in leaves_of(binder, node) {
        let path = imported(binder, imports, leaf.local);
        binder.declare(leaf.local, Binding::Path(path));
    }
}

/// Records the names in a `use` as uses of what they bring in.
pub(super) fn bind_uses<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let Some(imports) = binder.marked_path(IMPORTS) else { return };
    for leaf in leaves_of(binder, node) {
        let path = imported(binder, imports, leaf.local);
        binder.record(leaf.name, Value::of(path));
    }
    if let Some(argument) = node.child_by_field_name("argument") {
        owners(binder, argument, Value::UNKNOWN, MAX_LISTS);
    }
}

fn leaves_of<'t>(binder: &Binder<'t>, node: Node<'t>) -> Vec<Leaf<'t>> {
    let mut found = Vec::new();
    if let Some(argument) = node.child_by_field_name("argument") {
        leaves(binder, argument, None, MAX_LISTS, &mut found);
    }
    found
}

fn leaves<'t>(binder: &Binder<'t>, node: Node<'t>, prefix: Option<Node<'t>>, lists: usize, found: &mut Vec<Leaf<'t>>) {
    match node.kind() {
        "scoped_use_list" => {
            let prefix = node.child_by_field_name("path").or(prefix);
            if let Some(list) = node.child_by_field_name("list") {
                leaves(binder, list, prefix, lists, found);
            }
        }
        "use_list" if lists > 0 => children(node).for_each(|leaf| leaves(binder, leaf, prefix, lists - 1, found)),
        "use_as_clause" => {
            let path = node.child_by_field_name("path");
            let path = if path.is_some_and(|path| path.kind() == "self") { prefix } else { path };
            if let Some(name) = path.and_then(last_name) {
                let alias = binder.field_text(node, "alias");
                let local = if alias == "_" { binder.slice(name) } else { alias };
                found.push(Leaf { name, local });
            }
        }
        "identifier" | "scoped_identifier" | "self" => {
            let path = if node.kind() == "self" { prefix } else { Some(node) };
            found.extend(path.and_then(last_name).map(|name| Leaf { name, local: binder.slice(name) }));
        }
        _ => {}
    }
}

fn last_name(path: Node<'_>) -> Option<Node<'_>> {
    match path.kind() {
        "identifier" => Some(path),
        "scoped_identifier" => path.child_by_field_name("name").filter(|name| name.kind() == "identifier"),
        _ => None,
    }
}

/// Records the types whose members a `use` brings in, such as `Kind` of `use crate::Kind::*`.
fn owners<'t>(binder: &mut Binder<'t>, node: Node<'t>, prefix: Value, lists: usize) {
    match node.kind() {
        "scoped_use_list" => {
            let path = node.child_by_field_name("path");
            let prefix = path.map_or(prefix, |path| owner(binder, path, prefix, true));
            if let Some(list) = node.child_by_field_name("list") {
                owners(binder, list, prefix, lists);
            }
        }
        "use_list" if lists > 0 => children(node).for_each(|leaf| owners(binder, leaf, prefix, lists - 1)),
        "use_wildcard" => {
            if let Some(path) = node.named_child(0) {
                owner(binder, path, prefix, true);
            }
        }
        "use_as_clause" => {
            if let Some(path) = node.child_by_field_name("path") {
                owner(binder, path, prefix, false);
            }
        }
        "scoped_identifier" => {
            owner(binder, node, prefix, false);
        }
        _ => {}
    }
}

/// What a path in a `use` leads to. `records` says whether its last name is to be recorded, if it
/// is that of a type; those before are.
fn owner<'t>(binder: &mut Binder<'t>, node: Node<'t>, prefix: Value, records: bool) -> Value {
    let (name, value) = match node.kind() {
        "scoped_identifier" => {
            let Some(name) = node.child_by_field_name("name") else { return Value::UNKNOWN };
            let path = node.child_by_field_name("path");
            let base = path.map_or(Value::UNKNOWN, |path| owner(binder, path, prefix, true));
            if name.kind() == "super" {
                return binder.member(base, "super");
            }
            (name, binder.member(base, binder.slice(name)))
        }
        "identifier" if prefix.path().is_some() => (node, binder.member(prefix, binder.slice(node))),
        "identifier" => match binder.lookup(binder.slice(node)) {
            Some(Binding::Path(path)) => (node, Value::of(path)),
            _ => return Value::UNKNOWN,
        },
        _ => return module_value(binder, node),
    };
    if records && is_capital(binder.slice(name)) && value.path().is_some() {
        binder.record(name, value);
    }
    value
}

/// What `self`, `super` and `crate` are in a path.
pub(super) fn module_value<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match binder.slice(node) {
        "self" => binder.marked_path(MODULE).map_or(Value::UNKNOWN, Value::of),
        "super" => Value::of(outer_module(binder)),
        "crate" | "$crate" => Value::of(binder.path(Anchor::File, "crate")),
        _ => Value::UNKNOWN,
    }
}

/// Whether a `use` brings in all names of something.
pub(super) fn is_glob(binder: &Binder<'_>, node: Node<'_>) -> bool {
    binder.text.get(node.byte_range()).is_some_and(|text| text.contains('*'))
}

/// Whether a module in the file brings in all names of the one around it.
pub(super) fn sees_outer_module(binder: &Binder<'_>, body: Node<'_>) -> bool {
    children(body).any(|child| child.kind() == "use_declaration" && binder.slice(child).contains("super::*"))
}
