//! What modules import and export.

use gristmill_pipeline::port::{Anchor, LeadKind};
use tree_sitter::Node;

use super::{expressions, hoist, visit};
use crate::bind::{Binder, PathId, Value};
use crate::spec::{child_of_kind, children, token};

/// Binds an import: each name is a use of what is imported.
pub(super) fn import<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    if node.kind() == "import_alias" {
        let mut parts = children(node);
        if let (Some(name), Some(of)) = (parts.next(), parts.next()) {
            let value =
                if of.kind() == "identifier" { binder.use_name(of) } else { binder.at(of, super::types::value) };
            let path = binder.path(Anchor::Unit, binder.slice(name));
            binder.lead(LeadKind::Alias, path, value);
        }
        return Value::UNKNOWN;
    }
    for clause in children(node) {
        match clause.kind() {
            "import_require_clause" => taken(binder, clause.named_child(0), None),
            "import_clause" => {
                for part in children(clause) {
                    match part.kind() {
                        "identifier" => taken(binder, Some(part), None),
                        "namespace_import" => taken(binder, part.named_child(0), None),
                        "named_imports" => specifiers(binder, part),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Value::UNKNOWN
}

/// Binds the names of `{ a, b as c }` of an import, or of an export from another module.
fn specifiers<'t>(binder: &mut Binder<'t>, list: Node<'t>) {
    for specifier in children(list).filter(|part| matches!(part.kind(), "import_specifier" | "export_specifier")) {
        taken(binder, specifier.child_by_field_name("name"), specifier.child_by_field_name("alias"));
    }
}

/// Records that `name` is imported, and bound as `alias` or as itself.
fn taken<'t>(binder: &mut Binder<'t>, name: Option<Node<'t>>, alias: Option<Node<'t>>) {
    let Some(name) = name else { return };
    let path = binder.path(Anchor::File, binder.slice(alias.unwrap_or(name)));
    binder.record(name, Value::of(path));
}

/// Binds an export.
pub(super) fn export<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let clause = child_of_kind(node, "export_clause");
    match (clause, node.child_by_field_name("source")) {
        (Some(clause), Some(_)) => specifiers(binder, clause),
        (Some(clause), None) => {
            for specifier in children(clause).filter(|part| part.kind() == "export_specifier") {
                let Some(name) = specifier.child_by_field_name("name") else { continue };
                let value = binder.use_name(name);
                if let Some(alias) = specifier.child_by_field_name("alias") {
                    exports(binder, binder.slice(alias), LeadKind::Alias, value);
                }
            }
        }
        _ => {
            for child in children(node).filter(|child| !matches!(child.kind(), "string" | "namespace_export")) {
                exported(binder, node, child);
            }
        }
    }
    Value::UNKNOWN
}

/// Binds what stands behind `export`, `export default` or `export =`.
fn exported<'t>(binder: &mut Binder<'t>, node: Node<'t>, child: Node<'t>) {
    let default = token(node, "default");
    let is_declaration = node.child_by_field_name("declaration") == Some(child);
    match default {
        Some(default) if is_declaration => {
            binder.at(child, visit);
            // The word is one more use of what it exports.
            if let Some(key) = hoist::key(binder, child) {
                binder.record(default, Value::of(key));
                exports(binder, "default", LeadKind::Alias, Value::of(key));
            }
        }
        Some(_) if child.kind() != "decorator" => {
            let path = binder.path(Anchor::Unit, "default");
            let value = expressions::owned(binder, child, Some(path), Value::UNKNOWN);
            binder.lead(expressions::lead_kind(child), path, value);
        }
        None if !is_declaration && token(node, "=").is_some() => {
            let root = binder.root(Anchor::Unit);
            let value = expressions::owned(binder, child, Some(root), Value::UNKNOWN);
            binder.lead(LeadKind::Alias, root, value);
        }
        _ => {
            binder.at(child, visit);
        }
    }
}

/// Says that the module exports a value under a name.
fn exports<'t>(binder: &mut Binder<'t>, name: &'t str, kind: LeadKind, value: Value) {
    let name = name.trim_matches(['"', '\'']);
    if !name.is_empty() && !name.contains(char::is_whitespace) {
        let path = binder.path(Anchor::Unit, name);
        binder.lead(kind, path, value);
    }
}

/// The path that an assignment to `exports.a` or `module.exports` gives a value.
pub(super) fn assigned<'t>(binder: &mut Binder<'t>, left: Node<'t>) -> Option<PathId> {
    if left.kind() != "member_expression" {
        return None;
    }
    let object = left.child_by_field_name("object")?;
    let name = left.child_by_field_name("property")?;
    match is_exports(binder, object) {
        true => Some(binder.path(Anchor::Unit, binder.slice(name))),
        false => is_exports(binder, left).then(|| binder.root(Anchor::Unit)),
    }
}

/// Whether a node is `exports` or `module.exports`, which hold what a CommonJS module exports.
pub(super) fn is_exports(binder: &Binder<'_>, node: Node<'_>) -> bool {
    match binder.slice(node) {
        "exports" => binder.lookup("exports").is_none(),
        "module.exports" => binder.lookup("module").is_none(),
        _ => false,
    }
}

/// Binds an assignment to what a CommonJS module exports.
pub(super) fn common<'t>(binder: &mut Binder<'t>, left: Node<'t>, right: Node<'t>, path: PathId) -> Value {
    let value = expressions::owned(binder, right, Some(path), Value::UNKNOWN);
    binder.lead(expressions::lead_kind(right), path, value);
    // What is exported as a whole is the default export for an import.
    let whole = path == binder.root(Anchor::Unit);
    if let Some(word) = left.child_by_field_name("property").filter(|_| whole && value.plain().is_some()) {
        binder.record(word, value);
        exports(binder, "default", expressions::lead_kind(right), value);
    }
    value
}
