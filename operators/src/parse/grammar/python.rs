//! Python.

use gristmill_pipeline::port::DefinitionKind as Kind;
use tree_sitter::Node;

use super::{Grammar, rule};
use crate::parse::found::{Found, Verdict, children, named};

pub(crate) static PYTHON: Grammar = Grammar {
    attributes: &["decorator"],
    wraps: &["decorated_definition"],
    through: &["block"],
    closures: &["lambda", "for_statement", "while_statement", "with_statement"],
    constructors: &["__init__", "__new__"],
    rules: &[
        rule("function_definition", Kind::Function, documented),
        rule("class_definition", Kind::Class, documented),
        rule("expression_statement", Kind::Variable, assignment),
        rule("type_alias_statement", Kind::Type, type_alias),
    ],
    ..Grammar::new(|| tree_sitter_python::LANGUAGE.into(), "tree-sitter-python 0.25.0")
};

/// A function or class, with its docstring.
fn documented(found: &mut Found<'_>) -> Verdict {
    let first = found.field("body").and_then(|body| body.named_child(0));
    let string = first.filter(|node| node.kind() == "expression_statement").and_then(|node| node.named_child(0));
    found.doc = string.filter(|node| node.kind() == "string").map(|node| node.byte_range());
    named(found)
}

fn assignment(found: &mut Found<'_>) -> Verdict {
    if found.local {
        return Verdict::Nothing;
    }
    let Some(assignment) = found.node.named_child(0).filter(|node| node.kind() == "assignment") else {
        return Verdict::Nothing;
    };
    let Some(left) = assignment.child_by_field_name("left") else { return Verdict::Nothing };
    let names = |node: Node<'_>| node.kind() == "identifier";
    if names(left) {
        found.add_name(found.slice(left));
    } else if left.kind() == "pattern_list" && children(left).all(names) {
        for name in children(left) {
            found.add_name(found.slice(name));
        }
    }
    if found.name.chars().all(|c| !c.is_lowercase()) && found.name.chars().any(char::is_uppercase) {
        found.kind = Kind::Constant;
    }
    found.verdict()
}

fn type_alias(found: &mut Found<'_>) -> Verdict {
    let Some(left) = found.field("left") else { return Verdict::Nothing };
    let name = found.slice(left);
    found.add_name(name.split('[').next().unwrap_or(name).trim());
    found.verdict()
}
