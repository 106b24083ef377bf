//! TypeScript, and what TSX shares with it.

use gristmill_pipeline::port::DefinitionKind as Kind;
use gristmill_pipeline::port::ReferenceKind::{Call, Implements, Mention};

use super::ecmascript::{self, CLOSURES, common_parts, common_rules, field};
use crate::spec::{Found, Grammar, Language, Part, Rule, Use, Verdict, fields, named, named_member, rule};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["ts", "mts", "cts"],
    interpreters: &["deno", "ts-node", "tsx", "bun"],
    grammar: Some(&GRAMMAR),
    modules: Some(&ecmascript::modules::MODULES),
    ..Language::new("typescript")
};

/// Expands to the rows of `Grammar::uses` that TypeScript and TSX share, and to those given.
macro_rules! typed_uses {
    ($($more:expr,)*) => {
        $crate::languages::ecmascript::common_uses![
            ("extends_clause", Use::Field(Implements, "value")),
            ("implements_clause", Use::Each(Implements)),
            ("extends_type_clause", Use::Each(Implements)),
            ("type_identifier", Use::Type),
            ("generic_type", Use::Itself(Mention)),
            ("nested_type_identifier", Use::Itself(Mention)),
            $($more,)*
        ]
    };
}
pub(super) use typed_uses;

static RULES: &[Rule] = common_rules![
    rule("abstract_class_declaration", Kind::Class, named),
    rule("public_field_definition", Kind::Field, field),
    rule("interface_declaration", Kind::Interface, named),
    rule("type_alias_declaration", Kind::Type, alias),
    rule("enum_declaration", Kind::Enum, named),
    rule("enum_assignment", Kind::Variant, named),
    rule("property_identifier", Kind::Variant, variant),
    rule("method_signature", Kind::Method, named),
    rule("abstract_method_signature", Kind::Method, named),
    rule("property_signature", Kind::Field, named_member),
    rule("function_signature", Kind::Function, named),
    rule("module", Kind::Module, module),
    rule("internal_module", Kind::Module, module),
];

static GRAMMAR: Grammar = TYPED;

/// The grammar of TypeScript: the base of TSX.
pub(super) const TYPED: Grammar = Grammar {
    attributes: &["decorator"],
    wraps: &["export_statement", "ambient_declaration"],
    through: &["class_body", "interface_body", "enum_body", "object_type", "type_annotation"],
    closures: CLOSURES,
    constructors: &["constructor"],
    rules: RULES,
    uses: typed_uses![],
    parts: common_parts![
        ("type_identifier", Part::Name),
        ("generic_type", Part::Field("name")),
        ("nested_type_identifier", Part::Field("name")),
        ("non_null_expression", Part::First),
    ],
    scopes: Some(ecmascript::SCOPES),
    ..Grammar::new(|| tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(), "tree-sitter-typescript 0.23.2")
};

/// Finds a variant of an enum without a value.
fn variant(found: &mut Found<'_>) -> Verdict {
    if found.parent.kind() != "enum_body" {
        return Verdict::Nothing;
    }
    found.name_at(Some(found.node))
}

/// Finds a type alias. The members of an object type on several lines are its body.
fn alias(found: &mut Found<'_>) -> Verdict {
    found.body = fields(found.node, "value")
        .find(|value| value.kind() == "object_type" && value.end_position().row > value.start_position().row);
    named(found)
}

fn module(found: &mut Found<'_>) -> Verdict {
    let name = found.field_text("name");
    match name.rsplit_once('.') {
        Some((scope, name)) if !name.ends_with(['"', '\'']) => {
            found.scope = scope.into();
            found.add_name(name);
        }
        _ => found.add_name(name.trim_matches(['"', '\''])),
    }
    found.verdict()
}

#[cfg(test)]
mod tests;
