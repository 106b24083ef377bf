//! Zig.

use gristmill_pipeline::port::DefinitionKind as Kind;

use super::{Grammar, rule};
use crate::parse::found::{Found, Verdict, child_of_kind, children, has_token, named, named_member, token};

pub(crate) static ZIG: Grammar = Grammar {
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
    ..Grammar::new(|| tree_sitter_zig::LANGUAGE.into(), "tree-sitter-zig 1.1.2")
};

/// Types are constants whose value is the type.
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
