//! Kotlin.

mod scopes;

use gristmill_pipeline::port::Definition;
use gristmill_pipeline::port::DefinitionKind as Kind;
use gristmill_pipeline::port::ReferenceKind::{Call, Implements, Mention};
use tree_sitter::Node;

use super::jvm;
use crate::spec::resolution::local_name;
use crate::spec::{
    Found, Grammar, Language, Part, Scopes, Use, Uses, Verdict, child_of_kind, children, has_token, named, rule,
};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["kt", "kts"],
    interpreters: &["kotlin"],
    grammar: Some(&GRAMMAR),
    modules: Some(&jvm::MODULES),
    ..Language::new("kotlin")
};

static GRAMMAR: Grammar = Grammar {
    comments: &["line_comment", "block_comment"],
    attributes: &["annotation"],
    modifiers: &["modifiers"],
    through: &["class_body", "enum_class_body"],
    closures: &["lambda_literal", "anonymous_function", "anonymous_initializer", "getter", "setter"],
    bodies: &["class_body", "enum_class_body", "function_body", "getter", "setter", "block"],
    rules: &[
        rule("class_declaration", Kind::Class, class),
        rule("object_declaration", Kind::Object, named),
        rule("companion_object", Kind::Object, companion),
        rule("enum_entry", Kind::Variant, first_identifier),
        rule("function_declaration", Kind::Function, function),
        rule("secondary_constructor", Kind::Constructor, constructor),
        rule("property_declaration", Kind::Variable, property),
        rule("type_alias", Kind::Type, first_identifier),
    ],
    uses: &[
        ("call_expression", Use::First(Call)),
        ("annotation", Use::Itself(Call)),
        ("delegation_specifier", Use::Itself(Implements)),
        ("type_parameter", Use::Binds),
        ("user_type", Use::Itself(Mention)),
        ("import", Use::By(import)),
    ],
    parts: &[
        ("identifier", Part::Name),
        ("navigation_expression", Part::Last),
        ("user_type", Part::Last),
        ("nullable_type", Part::First),
        ("annotation", Part::Last),
        ("constructor_invocation", Part::First),
        ("explicit_delegation", Part::First),
        ("delegation_specifier", Part::Last),
    ],
    transparent: is_companion,
    extensions: true,
    scopes: Some(Scopes { rules: scopes::bind, local: local_name }),
    ..Grammar::new(|| tree_sitter_kotlin_ng::LANGUAGE.into(), "tree-sitter-kotlin-ng 1.1.0")
};

fn modifiers<'t>(found: &Found<'t>) -> &'t str {
    child_of_kind(found.node, "modifiers").map_or("", |node| found.slice(node))
}

fn has(modifiers: &str, word: &str) -> bool {
    modifiers.split_whitespace().any(|modifier| modifier == word)
}

fn class(found: &mut Found<'_>) -> Verdict {
    if has_token(found.node, "interface") {
        found.kind = Kind::Interface;
    } else if has(modifiers(found), "enum") {
        found.kind = Kind::Enum;
    }
    named(found)
}

/// The members of a companion are those of its class.
fn is_companion(definition: &Definition) -> bool {
    definition.kind == Kind::Object && definition.signature.contains("companion object")
}

fn companion(found: &mut Found<'_>) -> Verdict {
    match found.field("name") {
        Some(name) => found.name_at(Some(name)),
        None => {
            found.add_name("Companion");
            found.verdict()
        }
    }
}

fn first_identifier(found: &mut Found<'_>) -> Verdict {
    found.name_at(child_of_kind(found.node, "identifier"))
}

/// Finds a function; the scope of an extension function is the type that it extends.
fn function(found: &mut Found<'_>) -> Verdict {
    let mut cursor = found.node.walk();
    let mut more = cursor.goto_first_child();
    let mut before = None;
    while more && cursor.field_name() != Some("name") {
        let node = cursor.node();
        if node.kind() == "." {
            if let Some(receiver) = before {
                found.scope = type_head(found.slice(receiver)).into();
            }
        } else if node.is_named() {
            before = Some(node);
        }
        more = cursor.goto_next_sibling();
    }
    named(found)
}

/// Returns a type without its arguments and question mark.
fn type_head(of: &str) -> &str {
    of.split(['<', '?']).next().unwrap_or(of)
}

fn constructor(found: &mut Found<'_>) -> Verdict {
    found.add_name("constructor");
    found.verdict()
}

fn property(found: &mut Found<'_>) -> Verdict {
    if has(modifiers(found), "const") {
        found.kind = Kind::Constant;
    }
    // The scope of an extension property is the type that it extends.
    let before = children(found.node).take_while(|part| part.kind() != "variable_declaration");
    if let Some(receiver) = before.last().filter(|part| matches!(part.kind(), "user_type" | "nullable_type")) {
        found.scope = type_head(found.slice(receiver)).into();
    }
    let variable = child_of_kind(found.node, "variable_declaration");
    found.name_at(variable.and_then(|variable| child_of_kind(variable, "identifier")))
}

fn import<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let path = child_of_kind(node, "qualified_identifier").map_or("", |path| uses.slice(path));
    if has_token(node, "*") {
        return uses.import(node, path, "*", "");
    }
    let alias = child_of_kind(node, "identifier").map_or("", |alias| uses.slice(alias));
    uses.import_path(node, path, ".", alias);
}

#[cfg(test)]
mod tests;
