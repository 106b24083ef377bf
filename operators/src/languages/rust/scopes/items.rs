//! Items: what defines names.

use gristmill_pipeline::port::{Anchor, LeadKind};
use tree_sitter::Node;

use super::expressions::visit;
use super::generics::generics;
use super::imports::{declare_uses, is_glob, sees_outer_module};
use super::patterns::bind_pattern;
use super::types::type_value;
use super::{FREE, IMPORTS, MODULE, NOTHING, SELF, TRAIT, above, field_path, imported, own_value, swap};
use crate::bind::{Binder, Binding, PathId, ScopeKind, Value};
use crate::spec::{children, fields};

/// The names of the fields of tuples.
const NUMBERS: [&str; 12] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"];

/// The name of a field of a tuple; `None` beyond those that anybody counts.
pub(super) fn number(nth: usize) -> Option<&'static str> {
    NUMBERS.get(nth).copied()
}

/// Declares the items of a block or a module.
pub(super) fn hoist<'t>(binder: &mut Binder<'t>, block: Node<'t>) {
    for child in children(block) {
        match child.kind() {
            "function_item"
            | "function_signature_item"
            | "struct_item"
            | "enum_item"
            | "union_item"
            | "trait_item"
            | "type_item"
            | "const_item"
            | "static_item" => declare_item(binder, child),
            "mod_item" if child.child_by_field_name("body").is_some() => declare_item(binder, child),
            "mod_item" => {
                if let Some(module) = binder.marked_path(IMPORTS) {
                    let name = binder.field_text(child, "name");
                    let path = imported(binder, module, name);
                    // A function of that name is meant wherever no path begins.
                    binder.declare_new(name, Binding::Path(path));
                }
            }
            "use_declaration" => declare_uses(binder, child),
            "extern_crate_declaration" => {
                let alias = child.child_by_field_name("alias").or_else(|| child.child_by_field_name("name"));
                if let (Some(name), Some(imports)) = (alias, binder.marked_path(IMPORTS)) {
                    let path = imported(binder, imports, binder.slice(name));
                    binder.declare(binder.slice(name), Binding::Path(path));
                }
            }
            "foreign_mod_item" => {
                if let Some(body) = child.child_by_field_name("body") {
                    hoist(binder, body);
                }
            }
            _ => {}
        }
    }
}

fn declare_item<'t>(binder: &mut Binder<'t>, item: Node<'t>) {
    let Some(name) = item.child_by_field_name("name") else { return };
    // Constants of functions are no definitions.
    let binding = binder.key(name).map_or(NOTHING, Binding::Path);
    binder.declare(binder.slice(name), binding);
}

/// Binds an item; `None` if the node is none.
pub(super) fn item<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> bool {
    match node.kind() {
        "function_item" | "function_signature_item" => function(binder, node),
        "struct_item" | "union_item" => structure(binder, node),
        "enum_item" => enumeration(binder, node),
        "impl_item" => implementation(binder, node),
        "trait_item" => interface(binder, node),
        "mod_item" => module(binder, node),
        "type_item" | "associated_type" => alias(binder, node),
        "const_item" | "static_item" => constant(binder, node),
        "use_declaration" => super::imports::bind_uses(binder, node),
        "extern_crate_declaration" => {}
        _ => return false,
    }
    true
}

/// The path of the definition that a node is, if it is one.
fn key_of<'t>(binder: &Binder<'t>, node: Node<'t>) -> Option<PathId> {
    binder.key(node.child_by_field_name("name")?)
}

fn function<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let key = key_of(binder, node);
    binder.open(ScopeKind::Function);
    generics(binder, node, key);
    for parameter in node.child_by_field_name("parameters").into_iter().flat_map(children) {
        let value = binder.at_field(parameter, "type", type_value);
        if let Some(pattern) = parameter.child_by_field_name("pattern") {
            bind_pattern(binder, pattern, value);
        }
    }
    let returned = binder.at_field(node, "return_type", type_value);
    if let Some(key) = key {
        let result = binder.below(key, "()");
        binder.lead(LeadKind::Type, result, returned);
    }
    if let Some(body) = node.child_by_field_name("body").filter(|_| !binder.is_quiet()) {
        let outer = imports_of_function(binder, binder.field_text(node, "name"));
        binder.at(body, visit);
        binder.mark(IMPORTS, outer);
    }
    binder.close();
}

/// The imports of a function are bound below its name, in its module.
fn imports_of_function<'t>(binder: &mut Binder<'t>, name: &'t str) -> Binding {
    let (module, imports) = (binder.marked_path(MODULE), binder.marked_path(IMPORTS));
    let at_module = match (module, imports) {
        (Some(module), Some(imports)) => {
            above(binder, module).is_none() && above(binder, imports).is_none() || module == imports
        }
        _ => false,
    };
    match imports.filter(|_| at_module) {
        Some(imports) => {
            let path = binder.below(imports, name);
            swap(binder, IMPORTS, Binding::Path(path))
        }
        None => binder.marked(IMPORTS).unwrap_or(NOTHING),
    }
}

/// Binds a block: its items are seen in all of it.
pub(super) fn block<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    binder.open(ScopeKind::Block);
    hoist(binder, node);
    let globs = children(node).any(|child| child.kind() == "use_declaration" && is_glob(binder, child));
    let free = binder.marked_path(IMPORTS).filter(|_| globs).map(|path| swap(binder, FREE, Binding::Path(path)));
    let mut value = Value::UNKNOWN;
    for child in children(node) {
        let next = binder.at(child, visit);
        value = if matches!(child.kind(), "line_comment" | "block_comment") { value } else { next };
    }
    if let Some(free) = free {
        binder.mark(FREE, free);
    }
    binder.close();
    value
}

fn structure<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let Some(name) = node.child_by_field_name("name") else { return };
    let key = binder.key_or(name, None);
    let outer = swap(binder, SELF, Binding::Local(Value::of(key)));
    binder.open(ScopeKind::Block);
    generics(binder, node, Some(key));
    if let Some(body) = node.child_by_field_name("body") {
        members(binder, body, key);
    }
    binder.close();
    binder.mark(SELF, outer);
}

/// Binds the fields of a struct or a variant.
fn members<'t>(binder: &mut Binder<'t>, body: Node<'t>, owner: PathId) {
    if body.kind() == "ordered_field_declaration_list" {
        for (nth, of) in fields(body, "type").enumerate() {
            let value = binder.at(of, type_value);
            if let Some(name) = number(nth) {
                let path = field_path(binder, owner, name);
                binder.lead(LeadKind::Type, path, value);
            }
        }
        return;
    }
    for field in children(body).filter(|child| child.kind() == "field_declaration") {
        let value = binder.at_field(field, "type", type_value);
        if let Some(name) = field.child_by_field_name("name") {
            let path = match binder.key(name) {
                Some(key) => key,
                None => field_path(binder, owner, binder.slice(name)),
            };
            binder.lead(LeadKind::Type, path, value);
        }
    }
}

fn enumeration<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let Some(name) = node.child_by_field_name("name") else { return };
    let key = binder.key_or(name, None);
    let outer = swap(binder, SELF, Binding::Local(Value::of(key)));
    binder.open(ScopeKind::Block);
    generics(binder, node, Some(key));
    let variants = node.child_by_field_name("body").into_iter().flat_map(children);
    for variant in variants.filter(|child| child.kind() == "enum_variant") {
        let name = variant.child_by_field_name("name");
        if let (Some(name), Some(body)) = (name, variant.child_by_field_name("body")) {
            let owner = binder.key_or(name, Some(key));
            members(binder, body, owner);
        }
        binder.at_field(variant, "value", visit);
    }
    binder.close();
    binder.mark(SELF, outer);
}

fn implementation<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let Some(of) = node.child_by_field_name("type") else { return };
    binder.open(ScopeKind::Block);
    generics(binder, node, key_of_type(binder, of));
    let interface = binder.at_field(node, "trait", type_value);
    let implementor = binder.at(of, type_value);
    let is_parameter = matches!(binder.lookup(binder.slice(of)), Some(Binding::Local(_)));
    if let Some(key) = key_of_type(binder, of).filter(|_| !is_parameter) {
        binder.lead(LeadKind::Base, key, interface);
    }
    // Of what implements a trait whatever it is, the members are those of the trait.
    let own = if is_parameter { interface.or(implementor) } else { implementor };
    let outer = swap(binder, SELF, Binding::Local(own));
    let of_trait = swap(binder, TRAIT, Binding::Local(interface));
    if let Some(body) = node.child_by_field_name("body") {
        binder.each(body, visit);
    }
    binder.mark(TRAIT, of_trait);
    binder.mark(SELF, outer);
    binder.close();
}

/// The path of the members of an implementation of that type.
fn key_of_type<'t>(binder: &Binder<'t>, of: Node<'t>) -> Option<PathId> {
    let mut of = of;
    while let Some(inner) = of.child_by_field_name("type") {
        of = inner;
    }
    binder.key(if of.kind() == "scoped_type_identifier" { of.child_by_field_name("name")? } else { of })
}

fn interface<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let Some(name) = node.child_by_field_name("name") else { return };
    let key = binder.key_or(name, None);
    let outer = swap(binder, SELF, Binding::Local(Value::of(key)));
    binder.open(ScopeKind::Block);
    generics(binder, node, Some(key));
    for bound in node.child_by_field_name("bounds").into_iter().flat_map(children) {
        let base = binder.at(bound, type_value);
        binder.lead(LeadKind::Base, key, base);
    }
    if let Some(body) = node.child_by_field_name("body") {
        binder.each(body, visit);
    }
    binder.close();
    binder.mark(SELF, outer);
}

fn module<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let Some(body) = node.child_by_field_name("body") else { return };
    let Some(key) = key_of(binder, node) else { return };
    let open = sees_outer_module(binder, body);
    binder.open(if open { ScopeKind::Block } else { ScopeKind::Closed });
    let path = Binding::Path(key);
    let outer = [MODULE, IMPORTS, FREE].map(|word| (word, swap(binder, word, path)));
    let own = swap(binder, SELF, NOTHING);
    hoist(binder, body);
    binder.each(body, visit);
    binder.mark(SELF, own);
    for (word, binding) in outer {
        binder.mark(word, binding);
    }
    binder.close();
}

fn alias<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let Some(name) = node.child_by_field_name("name") else { return };
    binder.open(ScopeKind::Block);
    let key = binder.key(name);
    generics(binder, node, key);
    let mut value = binder.at_field(node, "type", type_value);
    for bound in node.child_by_field_name("bounds").into_iter().flat_map(children) {
        let bound = binder.at(bound, type_value);
        value = value.or(bound);
    }
    binder.close();
    if let Some(key) = key.or_else(|| Some(binder.below(own_value(binder).plain()?, binder.slice(name)))) {
        binder.lead(LeadKind::Type, key, value);
    }
}

fn constant<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let value = binder.at_field(node, "type", type_value);
    match node.child_by_field_name("name").map(|name| (binder.key(name), binder.slice(name))) {
        Some((Some(key), _)) => binder.lead(LeadKind::Type, key, value),
        Some((None, name)) => binder.declare(name, Binding::Local(value)),
        None => {}
    }
    if !binder.is_quiet() {
        binder.at_field(node, "value", visit);
    }
}

/// The module that a path is in: `super` there is the one around it.
pub(super) fn outer_module(binder: &mut Binder<'_>) -> PathId {
    match binder.marked_path(MODULE).and_then(|module| above(binder, module)) {
        Some(outer) => outer,
        None => binder.path(Anchor::File, "super"),
    }
}
