//! Java.

use gristmill_pipeline::port::DefinitionKind as Kind;

use super::{Grammar, rule};
use crate::parse::found::{Found, Verdict, child_of_kind, fields, named};

pub(crate) static JAVA: Grammar = Grammar {
    comments: &["line_comment", "block_comment"],
    attributes: &["annotation", "marker_annotation"],
    modifiers: &["modifiers"],
    through: &["class_body", "interface_body", "enum_body", "enum_body_declarations", "annotation_type_body"],
    closures: &["lambda_expression", "static_initializer"],
    rules: &[
        rule("class_declaration", Kind::Class, named),
        rule("interface_declaration", Kind::Interface, named),
        rule("annotation_type_declaration", Kind::Interface, named),
        rule("enum_declaration", Kind::Enum, named),
        rule("record_declaration", Kind::Struct, named),
        rule("enum_constant", Kind::Variant, named),
        rule("method_declaration", Kind::Method, named),
        rule("annotation_type_element_declaration", Kind::Method, named),
        rule("constructor_declaration", Kind::Constructor, named),
        rule("compact_constructor_declaration", Kind::Constructor, named),
        rule("field_declaration", Kind::Field, declarators),
        rule("constant_declaration", Kind::Constant, declarators),
    ],
    ..Grammar::new(|| tree_sitter_java::LANGUAGE.into(), "tree-sitter-java 0.23.5")
};

fn declarators(found: &mut Found<'_>) -> Verdict {
    let modifiers = child_of_kind(found.node, "modifiers").map_or("", |node| found.slice(node));
    let has = |word| modifiers.split_whitespace().any(|modifier| modifier == word);
    if has("static") && has("final") {
        found.kind = Kind::Constant;
    }
    for declarator in fields(found.node, "declarator") {
        if let Some(name) = declarator.child_by_field_name("name") {
            found.add_name(found.slice(name));
        }
    }
    found.verdict()
}
