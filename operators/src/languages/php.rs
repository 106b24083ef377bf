//! PHP.

mod modules;
mod scopes;

use gristmill_pipeline::port::DefinitionKind as Kind;
use gristmill_pipeline::port::ReferenceKind::{Call, Implements, Mention};
use tree_sitter::Node;

use crate::spec::{
    Found, Grammar, Language, Part, Rank, Scopes, Seen, Use, Uses, Verdict, child_of_kind, children, named, rule,
};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["php", "phtml", "php5", "inc"],
    interpreters: &["php"],
    grammar: Some(&GRAMMAR),
    modules: Some(&modules::MODULES),
    ..Language::new("php")
};

static GRAMMAR: Grammar = Grammar {
    separator: "\\",
    member_separator: "::",
    attributes: &["attribute_list"],
    through: &["declaration_list", "enum_declaration_list"],
    closures: &["anonymous_function", "arrow_function", "for_statement", "foreach_statement", "while_statement"],
    constructors: &["__construct"],
    scope_kinds: &[Kind::Module],
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
    uses: &[
        ("function_call_expression", Use::Field(Call, "function")),
        ("member_call_expression", Use::Member(Call, "name")),
        ("nullsafe_member_call_expression", Use::Member(Call, "name")),
        ("scoped_call_expression", Use::Member(Call, "name")),
        ("object_creation_expression", Use::First(Call)),
        ("attribute", Use::First(Call)),
        ("base_clause", Use::Each(Implements)),
        ("class_interface_clause", Use::Each(Implements)),
        ("use_declaration", Use::Each(Implements)),
        ("named_type", Use::First(Mention)),
        ("class_constant_access_expression", Use::First(Mention)),
        ("namespace_use_declaration", Use::By(import)),
        ("include_expression", Use::By(include)),
        ("include_once_expression", Use::By(include)),
        ("require_expression", Use::By(include)),
        ("require_once_expression", Use::By(include)),
    ],
    parts: &[("name", Part::Name), ("qualified_name", Part::Last), ("relative_name", Part::Last)],
    scopes: Some(Scopes { rules: scopes::bind, local: modules::local_names }),
    ..Grammar::new(|| tree_sitter_php::LANGUAGE_PHP.into(), "tree-sitter-php 0.25.1")
};

/// Finds a namespace; `namespace A;` reaches to the next one.
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
    found.seen = Seen::Apart;
    found.verdict()
}

/// Records the imports of `use A\B, A\{C, D as E};`.
fn import<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let prefix = child_of_kind(node, "namespace_name").map_or("", |prefix| uses.slice(prefix));
    let group = node.child_by_field_name("body");
    for clause in children(group.unwrap_or(node)).filter(|child| child.kind() == "namespace_use_clause") {
        let alias = uses.field_text(clause, "alias");
        let named = children(clause).find(|child| matches!(child.kind(), "name" | "qualified_name"));
        let name = named.map_or("", |name| uses.slice(name)).trim_start_matches('\\');
        match (prefix, name.rsplit_once('\\')) {
            ("", Some((module, name))) => uses.import(clause, module, name, alias),
            ("", None) => uses.import(clause, name, "", alias),
            (_, Some((module, name))) => uses.import(clause, &format!("{prefix}\\{module}"), name, alias),
            (_, None) => uses.import(clause, prefix, name, alias),
        }
    }
}

/// Records `require 'a.php'`, and `require __DIR__ . '/a.php'`, which lies beside this file.
fn include<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let Some(mut path) = node.named_child(0) else { return };
    if let Some(inner) = path.named_child(0).filter(|_| path.kind() == "parenthesized_expression") {
        path = inner;
    }
    if path.kind() == "binary_expression" && uses.field_text(path, "left") == "__DIR__" {
        let right = path.child_by_field_name("right");
        if let Some(file) = right.and_then(|right| uses.literal(right)) {
            uses.import(node, &format!(".{file}"), "*", "");
        }
    } else if let Some(file) = uses.literal(path) {
        uses.import(node, file, "*", "");
    }
}

#[cfg(test)]
mod tests;
