//! Scala 2 and 3.

mod scopes;

use std::ops::Range;

use gristmill_pipeline::port::Definition;
use gristmill_pipeline::port::DefinitionKind as Kind;
use gristmill_pipeline::port::ReferenceKind::{Call, Implements, Mention};
use tree_sitter::Node;

use super::jvm;
use crate::spec::resolution::local_name;
use crate::spec::{Found, Grammar, Language, Part, Scopes, Use, Uses, Verdict, children, named, rule};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["scala", "sc", "sbt"],
    interpreters: &["scala"],
    grammar: Some(&GRAMMAR),
    modules: Some(&jvm::MODULES),
    ..Language::new("scala")
};

static GRAMMAR: Grammar = Grammar {
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
    uses: &[
        ("call_expression", Use::Field(Call, "function")),
        ("instance_expression", Use::First(Call)),
        ("annotation", Use::Field(Call, "name")),
        ("extends_clause", Use::Each(Implements)),
        ("derives_clause", Use::Each(Implements)),
        ("type_identifier", Use::Type),
        ("stable_type_identifier", Use::Itself(Mention)),
        ("import_declaration", Use::By(import)),
    ],
    parts: &[
        ("identifier", Part::Name),
        ("type_identifier", Part::Name),
        ("field_expression", Part::Field("field")),
        ("generic_function", Part::Field("function")),
        ("generic_type", Part::Field("type")),
        ("stable_type_identifier", Part::Last),
        ("applied_constructor_type", Part::First),
    ],
    transparent: is_package_object,
    scopes: Some(Scopes { rules: scopes::bind, local: local_name }),
    ..Grammar::new(|| tree_sitter_scala::LANGUAGE.into(), "tree-sitter-scala 0.26.4")
};

/// What a package object defines are names of the package.
fn is_package_object(definition: &Definition) -> bool {
    definition.kind == Kind::Object && definition.signature.contains("package object")
}

fn pattern(found: &mut Found<'_>) -> Verdict {
    let pattern = found.field("pattern").filter(|pattern| pattern.kind() == "identifier");
    found.name_at(pattern)
}

/// Names a given; without a name of its own, after its type.
fn given(found: &mut Found<'_>) -> Verdict {
    found.name_at(found.field("name").or_else(|| found.field("return_type")))
}

/// Records the imports of `import a.b`, `a.b as c`, `a.{b, c => d, _}` and `a._`, separated by
/// commas.
fn import<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let mut path: Option<Range<usize>> = None;
    let mut cursor = node.walk();
    let mut more = cursor.goto_first_child();
    while more {
        let child = cursor.node();
        if cursor.field_name() == Some("path") {
            let start = path.as_ref().map_or(child.start_byte(), |path| path.start);
            path = Some(start..child.end_byte());
        } else {
            let base = path.clone().map_or("", |path| uses.text.get(path).unwrap_or_default()).trim_end_matches('.');
            match child.kind() {
                "namespace_wildcard" => {
                    uses.import(node, base, "*", "");
                    path = None;
                }
                "namespace_selectors" => {
                    children(child).for_each(|selector| import_selector(uses, base, selector));
                    path = None;
                }
                "as_renamed_identifier" => {
                    import_selector(uses, base, child);
                    path = None;
                }
                "," if path.is_some() => {
                    uses.import_path(node, base, ".", "");
                    path = None;
                }
                _ => {}
            }
        }
        more = cursor.goto_next_sibling();
    }
    if let Some(path) = path.and_then(|path| uses.text.get(path)) {
        uses.import_path(node, path, ".", "");
    }
}

fn import_selector<'t>(uses: &mut Uses<'t>, base: &str, selector: Node<'t>) {
    match selector.kind() {
        "namespace_wildcard" => uses.import(selector, base, "*", ""),
        "identifier" => uses.import(selector, base, uses.slice(selector), ""),
        "arrow_renamed_identifier" | "as_renamed_identifier" => {
            let (name, alias) = (uses.field_text(selector, "name"), uses.field_text(selector, "alias"));
            // `a => _` leaves `a` out.
            if alias != "_" {
                uses.import(selector, base, name, alias);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
