//! PHP.

use gristmill_pipeline::port::DefinitionKind as Kind;

use super::{Grammar, rule};
use crate::parse::found::{Found, Rank, Verdict, child_of_kind, children, named};

pub(crate) static PHP: Grammar = Grammar {
    separator: "\\",
    member_separator: "::",
    attributes: &["attribute_list"],
    through: &["declaration_list", "enum_declaration_list"],
    closures: &["anonymous_function", "arrow_function", "for_statement", "foreach_statement", "while_statement"],
    constructors: &["__construct"],
    rules: &[
        rule("namespace_definition", Kind::Module, namespace),
        rule("class_declaration", Kind::Class, named),
        rule("interface_declaration", Kind::Interface, named),
        rule("trait_declaration", Kind::Trait, named),
        rule("enum_declaration", Kind::Enum, named),
        rule("enum_case", Kind::Variant, named),
        rule("function_definition", Kind::Function, named),
        rule("method_declaration", Kind::Method, named),
        rule("const_declaration", Kind::Constant, constants),
        rule("property_declaration", Kind::Field, properties),
    ],
    ..Grammar::new(|| tree_sitter_php::LANGUAGE_PHP.into(), "tree-sitter-php 0.25.1")
};

/// `namespace A;` reaches to the next one.
fn namespace(found: &mut Found<'_>) -> Verdict {
    if found.field("body").is_none() {
        found.open = Some(Rank(0));
    }
    named(found)
}

fn constants(found: &mut Found<'_>) -> Verdict {
    for element in children(found.node).filter(|node| node.kind() == "const_element") {
        if let Some(name) = child_of_kind(element, "name") {
            found.add_name(found.slice(name));
        }
    }
    found.verdict()
}

fn properties(found: &mut Found<'_>) -> Verdict {
    for element in children(found.node).filter(|node| node.kind() == "property_element") {
        if let Some(name) = element.child_by_field_name("name") {
            found.add_name(found.slice(name).trim_start_matches('$'));
        }
    }
    found.verdict()
}
