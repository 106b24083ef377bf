//! How JavaScript and TypeScript bind names.
//!
//! What a block declares is seen in all of it, so its names are declared before it is bound. A
//! module is a unit of its own: what it imports, re-exports and exports under another name are
//! members of it beside its definitions. Types come from annotations, constructors, results of
//! functions, and what callbacks are given.

mod classes;
mod exports;
mod expressions;
mod functions;
mod hoist;
mod patterns;
mod types;

use tree_sitter::Node;

use crate::bind::{Binder, Binding, ScopeKind, Value};
use crate::spec::children;

/// What `this` is.
const THIS: &str = "this";
/// What `super` is.
const SUPER: &str = "super";
/// What a call of the function that is bound gives.
const RESULT: &str = "result";
/// The type of what the function that is bound gives.
const EXPECTED: &str = "expected";
/// What is remembered where there is none of these.
const NOTHING: Binding = Binding::Local(Value::UNKNOWN);

/// Binds a module.
pub(crate) fn bind<'t>(binder: &mut Binder<'t>, root: Node<'t>) {
    hoist::variables(binder, root);
    hoist::block(binder, root);
    binder.each(root, visit);
}

/// Binds a statement or an expression, and returns what an expression stands for.
fn visit<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "comment" | "string" | "number" | "regex" | "property_identifier" | "statement_identifier" => Value::UNKNOWN,
        "statement_block" => block(binder, node),
        "lexical_declaration" | "variable_declaration" => {
            binder.each(node, patterns::declarator);
            Value::UNKNOWN
        }
        "for_statement" => {
            binder.open(ScopeKind::Block);
            if let Some(first) = node.child_by_field_name("initializer") {
                hoist::statement(binder, first);
            }
            binder.each(node, visit);
            binder.close();
            Value::UNKNOWN
        }
        "for_in_statement" => for_in(binder, node),
        "catch_clause" => {
            binder.open(ScopeKind::Block);
            let parameter = node.child_by_field_name("parameter");
            if let Some(parameter) = parameter {
                patterns::declare(binder, parameter, parameter.start_byte());
            }
            binder.at_field(node, "type", types::value);
            binder.at_field(node, "body", visit);
            binder.close();
            Value::UNKNOWN
        }
        "switch_body" => {
            binder.open(ScopeKind::Block);
            for case in children(node) {
                hoist::block(binder, case);
            }
            binder.each(node, visit);
            binder.close();
            Value::UNKNOWN
        }
        "return_statement" => {
            let result = stored(binder.marked(RESULT));
            let expected = stored(binder.marked(EXPECTED));
            let value = node.named_child(0);
            let value =
                value.map_or(Value::UNKNOWN, |value| expressions::owned(binder, value, result.plain(), expected));
            if let Some(result) = result.plain() {
                binder.lead(gristmill_pipeline::port::LeadKind::Type, result, value);
            }
            Value::UNKNOWN
        }
        "import_statement" | "import_alias" => exports::import(binder, node),
        "export_statement" => exports::export(binder, node),
        "function_declaration" | "generator_function_declaration" | "function_signature" => {
            functions::declaration(binder, node)
        }
        "class_declaration" | "abstract_class_declaration" => {
            let key = hoist::key(binder, node);
            classes::class(binder, node, key)
        }
        "interface_declaration" => classes::interface(binder, node),
        "type_alias_declaration" => classes::alias(binder, node),
        "enum_body" => {
            for member in children(node) {
                binder.at_field(member, "value", visit);
            }
            Value::UNKNOWN
        }
        // `declare global { … }` is no block.
        "ambient_declaration" => {
            for child in children(node) {
                if child.kind() == "statement_block" {
                    binder.each(child, visit);
                } else {
                    binder.at(child, visit);
                }
            }
            Value::UNKNOWN
        }
        "enum_declaration" | "module" | "internal_module" => binder.at_field(node, "body", visit),
        kind if types::is_type(kind) => types::value(binder, node),
        _ => expressions::visit(binder, node),
    }
}

/// Binds a block in a scope of its own.
fn block<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    binder.open(ScopeKind::Block);
    hoist::block(binder, node);
    binder.each(node, visit);
    binder.close();
    Value::UNKNOWN
}

fn for_in<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let iterated = binder.at_field(node, "right", visit);
    let of = binder.field_text(node, "operator") == "of";
    let element = if of { binder.element(iterated) } else { Value::UNKNOWN };
    binder.open(ScopeKind::Block);
    if let Some(left) = node.child_by_field_name("left") {
        if node.child_by_field_name("kind").is_some() {
            patterns::declare(binder, left, left.start_byte());
        }
        patterns::assign(binder, left, element);
    }
    binder.at_field(node, "body", visit);
    binder.close();
    Value::UNKNOWN
}

/// A value that was remembered.
fn stored(binding: Option<Binding>) -> Value {
    match binding {
        Some(Binding::Local(value)) => value,
        Some(Binding::Path(path)) => Value::of(path),
        None => Value::UNKNOWN,
    }
}

#[cfg(test)]
mod tests;
