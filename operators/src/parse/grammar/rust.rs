//! Rust.

use gristmill_pipeline::port::DefinitionKind as Kind;

use super::{Grammar, rule};
use crate::parse::found::{Found, Verdict, named, named_member};

pub(crate) static RUST: Grammar = Grammar {
    separator: "::",
    member_separator: "::",
    comments: &["line_comment", "block_comment"],
    inner_docs: &["//!", "/*!"],
    attributes: &["attribute_item"],
    through: &["declaration_list", "field_declaration_list", "enum_variant_list", "foreign_mod_item"],
    closures: &["closure_expression"],
    bodies: &["macro_rule"],
    rules: &[
        rule("function_item", Kind::Function, named),
        rule("function_signature_item", Kind::Function, named),
        rule("struct_item", Kind::Struct, named),
        rule("enum_item", Kind::Enum, named),
        rule("enum_variant", Kind::Variant, named),
        rule("union_item", Kind::Union, named),
        rule("trait_item", Kind::Trait, named),
        rule("impl_item", Kind::Implementation, implementation),
        rule("mod_item", Kind::Module, module),
        rule("field_declaration", Kind::Field, named_member),
        rule("type_item", Kind::Type, named),
        rule("associated_type", Kind::Type, named),
        rule("const_item", Kind::Constant, named),
        rule("static_item", Kind::Variable, named),
        rule("macro_definition", Kind::Macro, named),
    ],
    ..Grammar::new(|| tree_sitter_rust::LANGUAGE.into(), "tree-sitter-rust 0.24.2")
};

/// An implementation is named after its type, without the type's arguments.
fn implementation(found: &mut Found<'_>) -> Verdict {
    let Some(mut of) = found.field("type") else { return Verdict::Nothing };
    while let Some(inner) = of.child_by_field_name("type") {
        of = inner;
    }
    if of.kind() == "scoped_type_identifier" {
        return found.name_at(of.child_by_field_name("name"));
    }
    found.name_at(Some(of))
}

/// `mod name;` defines nothing here.
fn module(found: &mut Found<'_>) -> Verdict {
    if found.field("body").is_none() {
        return Verdict::Nothing;
    }
    named(found)
}
