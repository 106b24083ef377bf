//! Scala 2 and 3.

use gristmill_pipeline::port::DefinitionKind as Kind;

use super::{Grammar, rule};
use crate::parse::found::{Found, Verdict, named};

pub(crate) static SCALA: Grammar = Grammar {
    comments: &["comment", "block_comment"],
    attributes: &["annotation"],
    through: &["template_body", "with_template_body", "enum_body", "enum_case_definitions", "extension_definition"],
    closures: &["lambda_expression", "block", "case_block", "for_expression"],
    constructors: &["this"],
    rules: &[
        rule("class_definition", Kind::Class, named),
        rule("object_definition", Kind::Object, named),
        rule("package_object", Kind::Object, named),
        rule("trait_definition", Kind::Trait, named),
        rule("enum_definition", Kind::Enum, named),
        rule("simple_enum_case", Kind::Variant, named),
        rule("full_enum_case", Kind::Variant, named),
        rule("function_definition", Kind::Function, named),
        rule("function_declaration", Kind::Function, named),
        rule("val_definition", Kind::Variable, pattern),
        rule("var_definition", Kind::Variable, pattern),
        rule("val_declaration", Kind::Variable, named),
        rule("var_declaration", Kind::Variable, named),
        rule("type_definition", Kind::Type, named),
        rule("given_definition", Kind::Implementation, given),
    ],
    ..Grammar::new(|| tree_sitter_scala::LANGUAGE.into(), "tree-sitter-scala 0.26.4")
};

fn pattern(found: &mut Found<'_>) -> Verdict {
    let pattern = found.field("pattern").filter(|pattern| pattern.kind() == "identifier");
    found.name_at(pattern)
}

/// A given without a name is named after its type.
fn given(found: &mut Found<'_>) -> Verdict {
    found.name_at(found.field("name").or_else(|| found.field("return_type")))
}
