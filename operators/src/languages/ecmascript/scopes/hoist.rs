//! The names that blocks and functions declare.

use gristmill_pipeline::port::Anchor;
use tree_sitter::Node;

use super::patterns;
use crate::bind::{Binder, Binding, PathId, Value};
use crate::spec::{child_of_kind, children};

/// Declares what the statements of a block declare.
pub(super) fn block<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    for child in children(node) {
        statement(binder, child);
    }
}

/// Declares what a statement declares in the block that it is in.
pub(super) fn statement<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    match node.kind() {
        "export_statement" => {
            if let Some(declaration) = node.child_by_field_name("declaration") {
                statement(binder, declaration);
            }
        }
        "ambient_declaration" => {
            for child in children(node) {
                // `declare global { … }` adds to what is known everywhere.
                if child.kind() == "statement_block" { block(binder, child) } else { statement(binder, child) }
            }
        }
        // A namespace is an expression to the grammar.
        "expression_statement" => {
            if let Some(module) = child_of_kind(node, "internal_module") {
                statement(binder, module);
            }
        }
        "labeled_statement" => {
            if let Some(body) = node.child_by_field_name("body") {
                statement(binder, body);
            }
        }
        "lexical_declaration" => {
            for name in children(node).filter_map(|declarator| declarator.child_by_field_name("name")) {
                patterns::declare(binder, name, start(node));
            }
        }
        "import_alias" => {
            if let Some(name) = node.named_child(0) {
                declare(binder, name, start(node));
            }
        }
        "function_declaration"
        | "generator_function_declaration"
        | "function_signature"
        | "class_declaration"
        | "abstract_class_declaration"
        | "interface_declaration"
        | "type_alias_declaration"
        | "enum_declaration"
        | "module"
        | "internal_module" => {
            if let Some(name) = node.child_by_field_name("name") {
                declare(binder, name, start(node));
            }
        }
        _ => {}
    }
}

/// Declares the variables that `var` declares anywhere in a function or module.
pub(super) fn variables<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    if !binder.slice(node).contains("var") {
        return;
    }
    let mut stack = vec![node];
    while let Some(node) = stack.pop() {
        for child in children(node) {
            match child.kind() {
                "function_declaration"
                | "generator_function_declaration"
                | "function_expression"
                | "generator_function"
                | "arrow_function"
                | "class_declaration"
                | "abstract_class_declaration"
                | "class"
                | "method_definition" => {}
                "variable_declaration" => {
                    for name in children(child).filter_map(|declarator| declarator.child_by_field_name("name")) {
                        patterns::declare(binder, name, start(child));
                    }
                    stack.push(child);
                }
                "for_in_statement" => {
                    let left = child.child_by_field_name("left");
                    if let Some(left) = left.filter(|_| binder.field_text(child, "kind") == "var") {
                        patterns::declare(binder, left, left.start_byte());
                    }
                    stack.push(child);
                }
                _ => stack.push(child),
            }
        }
    }
}

/// Declares a name; `from` is where its declaration begins.
pub(super) fn declare<'t>(binder: &mut Binder<'t>, name: Node<'t>, from: usize) {
    let text = binder.slice(name);
    match binder.defined_from(text, from, name.start_byte()) {
        Some(index) => binder.declare_definition(text, index),
        // What is imported has the same name.
        None if binder.is_outermost() => {
            let path = binder.path(Anchor::Unit, text);
            binder.declare_new(text, Binding::Path(path));
        }
        None => binder.declare(text, Binding::Local(Value::UNKNOWN)),
    }
}

/// The path of what a declaration with a field `name` defines.
pub(super) fn key(binder: &mut Binder<'_>, node: Node<'_>) -> Option<PathId> {
    let name = node.child_by_field_name("name")?;
    let text = binder.text.get(name.byte_range())?;
    let index = binder.defined_from(text.trim_matches(['"', '\'']), start(node), name.start_byte())?;
    binder.key_at(index)
}

/// Where a declaration begins, with what is around it such as `export`.
pub(super) fn start(node: Node<'_>) -> usize {
    let mut outermost = node;
    while let Some(outer) = outermost.parent() {
        if !matches!(outer.kind(), "export_statement" | "ambient_declaration") {
            break;
        }
        outermost = outer;
    }
    outermost.start_byte()
}
