//! Java.

mod modules;
mod scopes;

use gristmill_pipeline::port::DefinitionKind as Kind;
use gristmill_pipeline::port::ReferenceKind::{Call, Implements, Mention};
use tree_sitter::Node;

use crate::spec::resolution::local_name;
use crate::spec::{
    Found, Grammar, Language, Part, Scopes, Use, Uses, Verdict, child_of_kind, children, fields, named, rule,
};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["java"],
    grammar: Some(&GRAMMAR),
    modules: Some(&modules::MODULES),
    ..Language::new("java")
};

static GRAMMAR: Grammar = Grammar {
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
    uses: &[
        ("method_invocation", Use::Member(Call, "name")),
        ("object_creation_expression", Use::Field(Call, "type")),
        ("annotation", Use::Field(Call, "name")),
        ("marker_annotation", Use::Field(Call, "name")),
        ("method_reference", Use::Itself(Mention)),
        ("superclass", Use::Each(Implements)),
        ("super_interfaces", Use::By(interfaces)),
        ("extends_interfaces", Use::By(interfaces)),
        ("type_parameter", Use::Binds),
        ("type_identifier", Use::Type),
        ("scoped_type_identifier", Use::Itself(Mention)),
        ("import_declaration", Use::By(import)),
    ],
    parts: &[
        ("identifier", Part::Name),
        ("type_identifier", Part::Name),
        ("scoped_identifier", Part::Field("name")),
        ("scoped_type_identifier", Part::Last),
        ("generic_type", Part::First),
        ("method_reference", Part::Last),
    ],
    scopes: Some(Scopes { rules: scopes::bind, local: local_name }),
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

fn interfaces<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    if let Some(list) = child_of_kind(node, "type_list") {
        uses.refer_each(Implements, list);
    }
}

fn import<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let Some(path) = children(node).find(|child| matches!(child.kind(), "identifier" | "scoped_identifier")) else {
        return;
    };
    let path = uses.slice(path);
    if child_of_kind(node, "asterisk").is_some() {
        uses.import(node, path, "*", "");
    } else {
        uses.import_path(node, path, ".", "");
    }
}

#[cfg(test)]
mod tests;
