//! Lua.

mod modules;

use gristmill_pipeline::port::DefinitionKind as Kind;
use gristmill_pipeline::port::ReferenceKind::Call;
use tree_sitter::Node;

use crate::spec::{Found, Grammar, Language, Part, Use, Uses, Verdict, child_of_kind, children, rule};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["lua"],
    interpreters: &["lua", "luajit"],
    grammar: Some(&GRAMMAR),
    modules: Some(&modules::MODULES),
    ..Language::new("lua")
};

static GRAMMAR: Grammar = Grammar {
    through: &["block", "expression_list"],
    closures: &["function_definition", "for_statement", "while_statement", "repeat_statement", "do_statement"],
    rules: &[
        rule("function_declaration", Kind::Function, function),
        rule("variable_declaration", Kind::Variable, variable),
        rule("assignment_statement", Kind::Variable, assignment),
        rule("field", Kind::Function, field),
    ],
    uses: &[("assignment_statement", Use::By(required)), ("function_call", Use::By(call))],
    parts: &[
        ("identifier", Part::Name),
        ("dot_index_expression", Part::Field("field")),
        ("method_index_expression", Part::Field("method")),
    ],
    ..Grammar::new(|| tree_sitter_lua::LANGUAGE.into(), "tree-sitter-lua 0.5.0")
};

/// Splits `a.b.c` and `a.b:c` into scope and name.
fn take_path<'t>(found: &mut Found<'t>, path: Node<'t>) {
    let text = found.slice(path);
    match text.rfind(['.', ':']) {
        Some(at) => {
            found.separator = Some(if text[at..].starts_with(':') { ":" } else { "." });
            found.scope = text[..at].into();
            found.name = text[at + 1..].into();
        }
        None => found.name = text.into(),
    }
}

fn function(found: &mut Found<'_>) -> Verdict {
    let Some(name) = found.field("name") else { return Verdict::Nothing };
    take_path(found, name);
    // `function a.b()` is a function of a table; only `:` makes it a method.
    if found.separator == Some(".") {
        found.separator = None;
    }
    found.verdict()
}

fn variable(found: &mut Found<'_>) -> Verdict {
    let Some(assignment) = child_of_kind(found.node, "assignment_statement") else { return Verdict::Nothing };
    found.absorbed = Some(assignment.id());
    assigned(found, assignment)
}

fn assignment(found: &mut Found<'_>) -> Verdict {
    assigned(found, found.node)
}

fn assigned<'t>(found: &mut Found<'t>, assignment: Node<'t>) -> Verdict {
    let names = child_of_kind(assignment, "variable_list");
    let values = child_of_kind(assignment, "expression_list");
    let (Some(names), Some(value)) = (names, values.and_then(|values| values.named_child(0))) else {
        return Verdict::Nothing;
    };
    if value.kind() == "function_definition" {
        let Some(name) = names.named_child(0) else { return Verdict::Nothing };
        if !matches!(name.kind(), "identifier" | "dot_index_expression") {
            return Verdict::Nothing;
        }
        take_path(found, name);
        found.separator = None;
        found.kind = Kind::Function;
        found.body = value.child_by_field_name("body");
    } else if !found.local {
        let table = value.kind() == "table_constructor";
        if let Some(path) = names.named_child(0).filter(|name| table && name.kind() == "dot_index_expression") {
            take_path(found, path);
            found.separator = None;
        }
        for name in children(names).filter(|name| name.kind() == "identifier") {
            found.add_name(found.slice(name));
        }
    }
    found.verdict()
}

/// Finds a function in a table.
fn field(found: &mut Found<'_>) -> Verdict {
    let value = found.field("value").filter(|value| value.kind() == "function_definition");
    let Some(value) = value else { return Verdict::Nothing };
    found.body = value.child_by_field_name("body");
    found.name_at(found.field("name").filter(|name| name.kind() == "identifier"))
}

/// Returns the module of `require "module"`.
fn module_of<'t>(uses: &Uses<'t>, call: Node<'t>) -> Option<&'t str> {
    if uses.field_text(call, "name") != "require" {
        return None;
    }
    uses.literal(call.child_by_field_name("arguments")?.named_child(0)?)
}

/// Records the import of `local name = require "module"`.
fn required<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let list = |kind| child_of_kind(node, kind).filter(|list| list.named_child_count() == 1)?.named_child(0);
    let (Some(name), Some(value)) = (list("variable_list"), list("expression_list")) else { return };
    if let Some(module) = module_of(uses, value).filter(|_| value.kind() == "function_call") {
        uses.import(value, module, "", uses.slice(name));
        uses.pass(value);
    }
}

/// Records a call. A `require` whose value gets no name imports the module.
fn call<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    match module_of(uses, node) {
        Some(module) if !uses.is_past(node) => uses.import(node, module, "", ""),
        Some(_) => {}
        None => {
            if let Some(name) = node.child_by_field_name("name") {
                uses.refer(Call, name);
            }
        }
    }
}

#[cfg(test)]
mod tests;
