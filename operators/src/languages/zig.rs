//! Zig.

mod modules;

use gristmill_pipeline::port::DefinitionKind as Kind;
use gristmill_pipeline::port::ReferenceKind::{Call, Mention};
use tree_sitter::Node;

use crate::spec::{
    Found, Grammar, Language, Part, Use, Uses, Verdict, child_of_kind, children, has_token, named, named_member, rule,
    token,
};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["zig", "zon"],
    grammar: Some(&GRAMMAR),
    modules: Some(&modules::MODULES),
    ..Language::new("zig")
};

static GRAMMAR: Grammar = Grammar {
    inner_docs: &["//!"],
    through: &[
        "struct_declaration",
        "enum_declaration",
        "union_declaration",
        "opaque_declaration",
        "error_set_declaration",
    ],
    rules: &[
        rule("function_declaration", Kind::Function, named),
        rule("variable_declaration", Kind::Variable, variable),
        rule("container_field", Kind::Field, field),
        rule("test_declaration", Kind::Function, test),
    ],
    uses: &[
        ("call_expression", Use::Field(Call, "function")),
        ("struct_initializer", Use::First(Call)),
        ("parameter", Use::Field(Mention, "type")),
        ("function_declaration", Use::Field(Mention, "type")),
        ("container_field", Use::Field(Mention, "type")),
        ("variable_declaration", Use::By(declared)),
        ("builtin_function", Use::By(import)),
    ],
    parts: &[
        ("identifier", Part::Name),
        ("field_expression", Part::Field("member")),
        ("pointer_type", Part::Last),
        ("nullable_type", Part::Last),
        ("slice_type", Part::Last),
        ("array_type", Part::Last),
        ("error_union_type", Part::Field("ok")),
    ],
    ..Grammar::new(|| tree_sitter_zig::LANGUAGE.into(), "tree-sitter-zig 1.1.2")
};

/// Finds variables, constants, and types: a type is a constant whose value it is.
fn variable(found: &mut Found<'_>) -> Verdict {
    let value = children(found.node).find(|node| {
        matches!(
            node.kind(),
            "struct_declaration"
                | "enum_declaration"
                | "union_declaration"
                | "opaque_declaration"
                | "error_set_declaration"
        )
    });
    found.body = value.and_then(|value| token(value, "{"));
    found.kind = match value.map(|value| value.kind()) {
        Some("struct_declaration" | "opaque_declaration") => Kind::Struct,
        Some("union_declaration") => Kind::Union,
        Some(_) => Kind::Enum,
        None if has_token(found.node, "const") => Kind::Constant,
        None => Kind::Variable,
    };
    // `const std = @import("std")` names what another file defines.
    let import =
        child_of_kind(found.node, "builtin_function").is_some_and(|call| found.slice(call).starts_with("@import"));
    if import {
        return Verdict::Nothing;
    }
    found.name_at(child_of_kind(found.node, "identifier"))
}

fn field(found: &mut Found<'_>) -> Verdict {
    if found.owner == Some(Kind::Enum) {
        found.kind = Kind::Variant;
    }
    named_member(found)
}

fn test(found: &mut Found<'_>) -> Verdict {
    found.body = child_of_kind(found.node, "block");
    let name = children(found.node).next().map_or("", |node| found.slice(node));
    found.add_name(name.trim_matches('"'));
    found.verdict()
}

/// Records the type of a variable, and the import of `const name = @import("path")`.
fn declared<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    if let Some(of) = node.child_by_field_name("type") {
        uses.refer(Mention, of);
    }
    if let Some(value) = child_of_kind(node, "builtin_function")
        && let Some(path) = imported(uses, value)
    {
        let name = child_of_kind(node, "identifier").map_or("", |name| uses.slice(name));
        uses.import(node, path, "", name);
        uses.pass(value);
    }
}

fn import<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    if let Some(path) = imported(uses, node).filter(|_| !uses.is_past(node)) {
        uses.import(node, path, "", "");
    }
}

/// Returns the path of `@import("path")`.
fn imported<'t>(uses: &Uses<'t>, node: Node<'t>) -> Option<&'t str> {
    let arguments = child_of_kind(node, "arguments").filter(|_| uses.slice(node).starts_with("@import"))?;
    uses.literal(arguments.named_child(0)?)
}

#[cfg(test)]
mod tests;
