//! Go.

mod modules;
mod scopes;

pub(super) use self::modules::PREFIX;
use gristmill_pipeline::port::DefinitionKind as Kind;
use gristmill_pipeline::port::ReferenceKind::{Call, Implements, Mention};
use tree_sitter::Node;

use crate::spec::{Found, Grammar, Language, Part, Scopes, Use, Uses, Verdict, children, fields, named, rule};

pub(super) static LANGUAGE: Language =
    Language { extensions: &["go"], grammar: Some(&GRAMMAR), modules: Some(&modules::MODULES), ..Language::new("go") };

static GRAMMAR: Grammar = Grammar {
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
    uses: &[
        ("call_expression", Use::Field(Call, "function")),
        ("composite_literal", Use::Field(Call, "type")),
        ("field_declaration", Use::By(embedded_field)),
        ("interface_type", Use::By(embedded_interfaces)),
        ("type_conversion_expression", Use::Field(Call, "type")),
        ("type_identifier", Use::Type),
        ("qualified_type", Use::Itself(Mention)),
        ("import_spec", Use::By(import)),
    ],
    parts: &[
        ("identifier", Part::Name),
        ("type_identifier", Part::Name),
        ("field_identifier", Part::Name),
        ("selector_expression", Part::Field("field")),
        ("qualified_type", Part::Field("name")),
        ("generic_type", Part::Field("type")),
        ("type_instantiation_expression", Part::Field("type")),
        ("type_elem", Part::First),
    ],
    scopes: Some(Scopes { rules: scopes::bind, local: modules::local_names }),
    ..Grammar::new(|| tree_sitter_go::LANGUAGE.into(), "tree-sitter-go 0.25.0")
};

fn names(found: &mut Found<'_>) -> Verdict {
    for name in fields(found.node, "name") {
        found.add_name(found.slice(name));
    }
    found.verdict()
}

/// Finds a method; its scope is the receiver's type, without pointer and arguments.
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

/// Records a field without a name, which embeds its type.
fn embedded_field<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let Some(of) = node.child_by_field_name("type").filter(|_| node.child_by_field_name("name").is_none()) else {
        return;
    };
    uses.refer(Implements, of);
}

/// Records the interfaces that an interface embeds; several joined by `|` are a constraint.
fn embedded_interfaces<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    for part in children(node).filter(|part| part.kind() == "type_elem" && part.named_child_count() == 1) {
        uses.refer(Implements, part);
    }
}

fn import<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let path = uses.field_text(node, "path").trim_matches(['"', '`']);
    match uses.field_text(node, "name") {
        "." => uses.import(node, path, "*", ""),
        alias => uses.import(node, path, "", alias),
    }
}

#[cfg(test)]
mod tests;
