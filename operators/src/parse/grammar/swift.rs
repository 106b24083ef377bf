//! Swift.

use gristmill_pipeline::port::DefinitionKind as Kind;

use super::{Grammar, rule};
use crate::parse::found::{Found, Verdict, children, fields, has_token, named};

pub(crate) static SWIFT: Grammar = Grammar {
    comments: &["comment", "multiline_comment"],
    attributes: &["attribute"],
    modifiers: &["modifiers"],
    through: &["class_body", "protocol_body", "enum_class_body"],
    closures: &["lambda_literal", "computed_property", "for_statement", "while_statement"],
    bodies: &["computed_property", "protocol_property_requirements"],
    rules: &[
        rule("class_declaration", Kind::Class, class),
        rule("protocol_declaration", Kind::Interface, named),
        rule("function_declaration", Kind::Function, named),
        rule("protocol_function_declaration", Kind::Method, named),
        rule("init_declaration", Kind::Constructor, keyword),
        rule("deinit_declaration", Kind::Method, keyword),
        rule("subscript_declaration", Kind::Method, keyword),
        rule("property_declaration", Kind::Variable, property),
        rule("protocol_property_declaration", Kind::Field, property),
        rule("enum_entry", Kind::Variant, entries),
        rule("typealias_declaration", Kind::Type, named),
        rule("associatedtype_declaration", Kind::Type, named),
    ],
    ..Grammar::new(|| tree_sitter_swift::LANGUAGE.into(), "tree-sitter-swift 0.7.4")
};

/// Classes, structs, enums, actors and extensions share one kind of node.
fn class(found: &mut Found<'_>) -> Verdict {
    let keywords = [("struct", Kind::Struct), ("enum", Kind::Enum), ("extension", Kind::Implementation)];
    if let Some((_, kind)) = keywords.into_iter().find(|(word, _)| has_token(found.node, word)) {
        found.kind = kind;
    }
    named(found)
}

/// `init`, `deinit` and `subscript` are their own names.
fn keyword(found: &mut Found<'_>) -> Verdict {
    found.add_name(match found.node.kind() {
        "init_declaration" => "init",
        "deinit_declaration" => "deinit",
        _ => "subscript",
    });
    found.verdict()
}

fn property(found: &mut Found<'_>) -> Verdict {
    for pattern in fields(found.node, "name") {
        if let Some(name) = pattern.child_by_field_name("bound_identifier") {
            found.add_name(found.slice(name));
        }
    }
    let binding = children(found.node).find(|node| node.kind() == "value_binding_pattern");
    if binding.is_some_and(|binding| found.slice(binding).starts_with("let")) && !found.in_type() {
        found.kind = Kind::Constant;
    }
    found.verdict()
}

fn entries(found: &mut Found<'_>) -> Verdict {
    for name in fields(found.node, "name") {
        found.add_name(found.slice(name));
    }
    found.verdict()
}
