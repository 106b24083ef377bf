//! Go.

use gristmill_pipeline::port::DefinitionKind as Kind;

use super::{Grammar, rule};
use crate::parse::found::{Found, Verdict, children, fields, named};

pub(crate) static GO: Grammar = Grammar {
    groups: &["type_declaration", "const_declaration", "var_declaration"],
    through: &["field_declaration_list", "struct_type", "interface_type", "var_spec_list"],
    closures: &["func_literal"],
    rules: &[
        rule("function_declaration", Kind::Function, named),
        rule("method_declaration", Kind::Method, method),
        rule("method_elem", Kind::Method, named),
        rule("type_spec", Kind::Type, type_spec),
        rule("type_alias", Kind::Type, named),
        rule("const_spec", Kind::Constant, names),
        rule("var_spec", Kind::Variable, names),
        rule("field_declaration", Kind::Field, names),
    ],
    ..Grammar::new(|| tree_sitter_go::LANGUAGE.into(), "tree-sitter-go 0.25.0")
};

fn names(found: &mut Found<'_>) -> Verdict {
    for name in fields(found.node, "name") {
        found.add_name(found.slice(name));
    }
    found.verdict()
}

/// A method is named after its receiver's type, without pointer and arguments.
fn method(found: &mut Found<'_>) -> Verdict {
    let receiver =
        found.field("receiver").and_then(|list| children(list).find(|node| node.kind() == "parameter_declaration"));
    if let Some(of) = receiver.and_then(|receiver| receiver.child_by_field_name("type")) {
        let of = found.slice(of).trim_start_matches(['*', '(', ' ']);
        let end = of.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(of.len());
        found.scope = of[..end].into();
    }
    named(found)
}

fn type_spec(found: &mut Found<'_>) -> Verdict {
    let of = found.field("type");
    found.kind = match of.map(|of| of.kind()) {
        Some("struct_type") => Kind::Struct,
        Some("interface_type") => Kind::Interface,
        _ => Kind::Type,
    };
    // The head ends at the brace.
    found.body = of
        .filter(|_| found.kind != Kind::Type)
        .and_then(|of| of.named_child(0))
        .filter(|body| found.kind == Kind::Struct || body.start_position().row > found.node.start_position().row);
    named(found)
}
