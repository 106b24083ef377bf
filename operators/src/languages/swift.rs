//! Swift.

mod modules;
mod scopes;

use gristmill_pipeline::port::DefinitionKind as Kind;
use gristmill_pipeline::port::ReferenceKind::{Call, Implements, Mention};
use tree_sitter::Node;

use crate::spec::{
    Found, Grammar, Language, Part, Scopes, Use, Uses, Verdict, child_of_kind, children, fields, has_token, named, rule,
};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["swift"],
    interpreters: &["swift"],
    grammar: Some(&GRAMMAR),
    modules: Some(&modules::MODULES),
    ..Language::new("swift")
};

static GRAMMAR: Grammar = Grammar {
    comments: &["comment", "multiline_comment"],
    attributes: &["attribute"],
    modifiers: &["modifiers"],
    through: &["class_body", "protocol_body", "enum_class_body"],
    closures: &["lambda_literal", "computed_property", "for_statement", "while_statement"],
    scope_kinds: &[Kind::Class, Kind::Struct, Kind::Enum, Kind::Interface, Kind::Implementation],
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
    uses: &[
        ("call_expression", Use::First(Call)),
        ("constructor_expression", Use::Field(Call, "constructed_type")),
        ("macro_invocation", Use::First(Call)),
        ("attribute", Use::First(Call)),
        ("inheritance_specifier", Use::Field(Implements, "inherits_from")),
        ("user_type", Use::Itself(Mention)),
        ("import_declaration", Use::By(import)),
    ],
    parts: &[
        ("simple_identifier", Part::Name),
        ("type_identifier", Part::Name),
        ("user_type", Part::Last),
        ("navigation_expression", Part::Field("suffix")),
        ("navigation_suffix", Part::Field("suffix")),
    ],
    scopes: Some(Scopes { rules: scopes::bind, local: modules::local_names }),
    ..Grammar::new(|| tree_sitter_swift::LANGUAGE.into(), "tree-sitter-swift 0.7.4")
};

/// Finds classes, structs, enums, actors and extensions, which share a node kind.
fn class(found: &mut Found<'_>) -> Verdict {
    let keywords = [("struct", Kind::Struct), ("enum", Kind::Enum), ("extension", Kind::Implementation)];
    if let Some((_, kind)) = keywords.into_iter().find(|(word, _)| has_token(found.node, word)) {
        found.kind = kind;
    }
    named(found)
}

/// Names `init`, `deinit` and `subscript` after their keyword.
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

/// Records `import A`, and `import struct A.B`, which imports one name.
fn import<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let path = child_of_kind(node, "identifier").map_or("", |path| uses.slice(path));
    let one = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"];
    match path.rsplit_once('.').filter(|_| one.iter().any(|kind| has_token(node, kind))) {
        Some((module, name)) => uses.import(node, module, name, ""),
        None => uses.import(node, path, "*", ""),
    }
}

#[cfg(test)]
mod tests;
