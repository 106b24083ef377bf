//! C++, which adds to the rules of C.

use gristmill_pipeline::port::DefinitionKind as Kind;
use gristmill_pipeline::port::ReferenceKind::{Call, Implements, Mention};
use tree_sitter::Node;

use super::c::{self, common_parts, common_rules, common_uses};
use crate::spec::{Grammar, Language, Part, Use, Uses, named, named_with_body, rule};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["cpp", "cc", "cxx", "c++", "hpp", "hh", "hxx", "h++", "ipp", "inl", "cu"],
    grammar: Some(&GRAMMAR),
    modules: Some(&c::modules::MODULES),
    ..Language::new("cpp")
};

static GRAMMAR: Grammar = Grammar {
    attributes: &["attribute_declaration"],
    wraps: &["template_declaration"],
    closures: &["lambda_expression"],
    scope_kinds: &[Kind::Module, Kind::Class, Kind::Struct, Kind::Union],
    constructor_is_named_like_type: true,
    separator: "::",
    member_separator: "::",
    through: c::THROUGH,
    rules: common_rules![
        rule("class_specifier", Kind::Class, named_with_body),
        rule("namespace_definition", Kind::Module, named),
        rule("alias_declaration", Kind::Type, named),
        rule("concept_definition", Kind::Type, named),
    ],
    uses: common_uses![
        ("class_specifier", Use::By(c::tag)),
        ("new_expression", Use::Field(Call, "type")),
        ("base_class_clause", Use::Each(Implements)),
        ("template_type", Use::Itself(Mention)),
        ("qualified_identifier", Use::By(qualified_type)),
        ("type_parameter_declaration", Use::Binds),
    ],
    parts: common_parts![
        ("qualified_identifier", Part::Field("name")),
        ("template_function", Part::Field("name")),
        ("template_method", Part::Field("name")),
        ("template_type", Part::Field("name")),
        ("dependent_name", Part::First),
    ],
    prepare: Some(c::prepare::prepare),
    scopes: Some(c::SCOPES),
    ..Grammar::new(|| tree_sitter_cpp::LANGUAGE.into(), "tree-sitter-cpp 0.23.4")
};

/// Records a path that ends in the name of a type.
fn qualified_type<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    if uses.name_in(node).is_some_and(|name| name.kind() == "type_identifier") {
        uses.refer(Mention, node);
    }
}

#[cfg(test)]
mod tests;
