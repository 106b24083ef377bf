//! What `import`, `export … from`, `require` and `import()` import.

use gristmill_pipeline::port::ReferenceKind::Call;
use tree_sitter::Node;

use crate::spec::{Uses, child_of_kind, children};

/// Records the imports of a statement such as `import a, { b as c } from "d"`.
pub(crate) fn import<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    if let Some(clause) = child_of_kind(node, "import_require_clause") {
        let module = clause.child_by_field_name("source").and_then(|source| uses.plain_string(source));
        let alias = clause.named_child(0).map_or("", |name| uses.slice(name));
        if let Some(module) = module {
            uses.import(node, module, "", alias);
        }
        return;
    }
    let Some(module) = node.child_by_field_name("source").and_then(|source| uses.plain_string(source)) else { return };
    let Some(clause) = child_of_kind(node, "import_clause") else {
        return uses.import(node, module, "", "");
    };
    for part in children(clause) {
        match part.kind() {
            "identifier" => uses.import(part, module, "default", uses.slice(part)),
            "namespace_import" => {
                let alias = part.named_child(0).map_or("", |name| uses.slice(name));
                uses.import(part, module, "", alias);
            }
            "named_imports" => children(part).for_each(|name| specifier(uses, name, module)),
            _ => {}
        }
    }
}

/// Records the imports of `export { a as b } from "c"`; without `from` there are none.
pub(crate) fn export<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let Some(module) = node.child_by_field_name("source").and_then(|source| uses.plain_string(source)) else { return };
    if let Some(clause) = child_of_kind(node, "export_clause") {
        children(clause).for_each(|name| specifier(uses, name, module));
    } else if let Some(namespace) = child_of_kind(node, "namespace_export") {
        let alias = namespace.named_child(0).map_or("", |name| uses.slice(name));
        uses.import(node, module, "", alias);
    } else {
        uses.import(node, module, "*", "");
    }
}

fn specifier<'t>(uses: &mut Uses<'t>, node: Node<'t>, module: &str) {
    if matches!(node.kind(), "import_specifier" | "export_specifier") {
        let name = uses.field_text(node, "name").trim_matches(['"', '\'']);
        uses.import(node, module, name, uses.field_text(node, "alias"));
    }
}

/// Returns the module of a call `require("module")` or `import("module")` of `function`.
fn module_of<'t>(uses: &Uses<'t>, call: Node<'t>, function: Node<'t>) -> Option<&'t str> {
    if !matches!(uses.slice(function), "require" | "import") {
        return None;
    }
    uses.plain_string(call.child_by_field_name("arguments")?.named_child(0)?)
}

/// Records a call. A `require` whose value gets no name imports the module.
pub(crate) fn call<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let Some(function) = node.child_by_field_name("function") else { return };
    match module_of(uses, node, function) {
        Some(module) => {
            if !uses.is_past(node) {
                uses.import(node, module, "", "");
            }
        }
        None => uses.refer(Call, function),
    }
}

/// Records the imports of `const a = require("b")` and `const { a, b: c } = require("d")`.
pub(crate) fn required<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let Some(mut value) = node.child_by_field_name("value") else { return };
    if value.kind() == "await_expression" {
        let Some(inner) = value.named_child(0) else { return };
        value = inner;
    }
    let Some(function) = value.child_by_field_name("function").filter(|_| value.kind() == "call_expression") else {
        return;
    };
    let (Some(module), Some(name)) = (module_of(uses, value, function), node.child_by_field_name("name")) else {
        return;
    };
    if name.kind() == "object_pattern" {
        for part in children(name) {
            match part.kind() {
                "shorthand_property_identifier_pattern" => uses.import(part, module, uses.slice(part), ""),
                "pair_pattern" => {
                    let alias = part.child_by_field_name("value").filter(|value| value.kind() == "identifier");
                    let alias = alias.map_or("", |alias| uses.slice(alias));
                    uses.import(part, module, uses.field_text(part, "key"), alias);
                }
                _ => {}
            }
        }
    } else {
        uses.import(node, module, "", uses.slice(name));
    }
    uses.pass(value);
}
