//! Python.

mod modules;
mod scopes;

use gristmill_pipeline::port::DefinitionKind as Kind;
use gristmill_pipeline::port::ReferenceKind::{Call, Implements, Mention};
use tree_sitter::Node;

use crate::spec::{
    Found, Grammar, Language, Part, Scopes, Use, Uses, Verdict, child_of_kind, children, fields, named, rule,
};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["py", "pyi", "pyw"],
    file_names: &["SConstruct", "wscript"],
    interpreters: &["python", "pypy"],
    grammar: Some(&GRAMMAR),
    modules: Some(&modules::MODULES),
    ..Language::new("python")
};

static GRAMMAR: Grammar = Grammar {
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
    uses: &[
        ("call", Use::Field(Call, "function")),
        ("decorator", Use::First(Call)),
        ("class_definition", Use::By(bases)),
        ("type", Use::By(annotation)),
        ("import_statement", Use::By(import)),
        ("import_from_statement", Use::By(import_from)),
    ],
    parts: &[
        ("identifier", Part::Name),
        ("attribute", Part::Field("attribute")),
        ("subscript", Part::Field("value")),
        ("generic_type", Part::First),
        ("member_type", Part::Last),
    ],
    scopes: Some(Scopes { rules: scopes::bind, local: modules::local_names }),
    ..Grammar::new(|| tree_sitter_python::LANGUAGE.into(), "tree-sitter-python 0.25.0")
};

/// Finds a function or class, with its docstring.
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

/// Records base classes; `metaclass=…` is not one.
fn bases<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    if let Some(bases) = node.child_by_field_name("superclasses") {
        uses.refer_each(Implements, bases);
    }
}

/// Limit on the operators of a union type.
const MAX_UNION: usize = 32;

/// Records the type of an annotation. A union `A | B | C` nests to the left.
fn annotation<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let Some(mut of) = node.named_child(0) else { return };
    for _ in 0..MAX_UNION {
        if of.kind() != "binary_operator" {
            break;
        }
        let (Some(left), Some(right)) = (of.child_by_field_name("left"), of.child_by_field_name("right")) else {
            return;
        };
        uses.refer(Mention, right);
        of = left;
    }
    uses.refer(Mention, of);
}

/// Returns the name and the alias of `a` or `a as b`.
fn imported<'t>(uses: &Uses<'t>, node: Node<'t>) -> (&'t str, &'t str) {
    match node.kind() {
        "aliased_import" => (uses.field_text(node, "name"), uses.field_text(node, "alias")),
        _ => (uses.slice(node), ""),
    }
}

fn import<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    for name in fields(node, "name") {
        let (module, alias) = imported(uses, name);
        uses.import(name, module, "", alias);
    }
}

fn import_from<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let module = uses.field_text(node, "module_name");
    for name in fields(node, "name") {
        let (name_text, alias) = imported(uses, name);
        uses.import(name, module, name_text, alias);
    }
    if child_of_kind(node, "wildcard_import").is_some() {
        uses.import(node, module, "*", "");
    }
}

#[cfg(test)]
mod tests;
