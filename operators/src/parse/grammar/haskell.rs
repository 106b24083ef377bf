//! Haskell.

use gristmill_pipeline::port::DefinitionKind as Kind;
use tree_sitter::Node;

use super::{Grammar, rule};
use crate::parse::found::{Found, Rank, Verdict, child_of_kind, children, named, named_member};

pub(crate) static HASKELL: Grammar = Grammar {
    comments: &["comment", "haddock"],
    through: &[
        "imports",
        "declarations",
        "class_declarations",
        "instance_declarations",
        "data_constructors",
        "gadt_constructors",
        "record",
        "fields",
        "local_binds",
    ],
    bodies: &["class_declarations", "instance_declarations", "comment", "haddock"],
    rules: &[
        rule("header", Kind::Module, module),
        rule("data_type", Kind::Type, data),
        rule("newtype", Kind::Type, named),
        rule("type_synonym", Kind::Type, named),
        rule("type_family", Kind::Type, named),
        rule("data_family", Kind::Type, named),
        rule("data_constructor", Kind::Variant, constructor),
        rule("gadt_constructor", Kind::Variant, named),
        rule("newtype_constructor", Kind::Variant, named),
        rule("field", Kind::Field, field),
        rule("class", Kind::Trait, named),
        rule("instance", Kind::Implementation, instance),
        rule("signature", Kind::Function, signature),
        rule("function", Kind::Function, function),
        rule("bind", Kind::Constant, bind),
        rule("foreign_import", Kind::Function, foreign),
    ],
    ..Grammar::new(|| tree_sitter_haskell::LANGUAGE.into(), "tree-sitter-haskell 0.24.1")
};

/// The rest of the file belongs to the module that its header names.
fn module(found: &mut Found<'_>) -> Verdict {
    found.open = Some(Rank(0));
    found.name_at(found.field("module"))
}

fn data(found: &mut Found<'_>) -> Verdict {
    found.body = found.field("constructors");
    named(found)
}

fn constructor(found: &mut Found<'_>) -> Verdict {
    let Some(inner) = found.field("constructor") else { return Verdict::Nothing };
    found.body = inner.child_by_field_name("fields");
    found.name_at(inner.child_by_field_name("name"))
}

fn field(found: &mut Found<'_>) -> Verdict {
    if found.parent.kind() == "fields" { named_member(found) } else { Verdict::Nothing }
}

/// An instance is named by its class and the types it is for.
fn instance(found: &mut Found<'_>) -> Verdict {
    let (Some(name), Some(types)) = (found.field("name"), found.field("patterns")) else { return named(found) };
    let text = found.text.get(name.start_byte()..types.end_byte()).unwrap_or_default();
    found.name = crate::parse::found::one_line(text);
    found.verdict()
}

/// Takes a name, or an operator without its parentheses.
fn take_name<'t>(found: &mut Found<'t>, name: Node<'t>) {
    let name = found.slice(name).trim_matches(['(', ')', ' ']);
    found.add_name(name);
}

/// A type signature begins a definition that its equations then continue.
fn signature(found: &mut Found<'_>) -> Verdict {
    found.merges = true;
    match (found.field("name"), found.field("names")) {
        (Some(name), _) => take_name(found, name),
        (_, Some(names)) => children(names).for_each(|name| take_name(found, name)),
        _ => {}
    }
    let of = found.field("type").map(|of| of.kind());
    if !matches!(of, Some("function" | "forall" | "context")) && !found.in_type() {
        found.kind = Kind::Constant;
    }
    found.verdict()
}

/// One equation of a function.
fn function(found: &mut Found<'_>) -> Verdict {
    found.merges = true;
    found.body = found.field("match");
    let infix = child_of_kind(found.node, "infix").and_then(|infix| infix.child_by_field_name("operator"));
    if let Some(name) = found.field("name").or(infix) {
        take_name(found, name);
    }
    found.verdict()
}

fn bind(found: &mut Found<'_>) -> Verdict {
    found.merges = true;
    found.body = found.field("match");
    if found.in_type() {
        found.kind = Kind::Method;
    }
    if let Some(name) = found.field("name") {
        take_name(found, name);
    }
    found.verdict()
}

fn foreign(found: &mut Found<'_>) -> Verdict {
    found.name_at(found.field("signature").and_then(|signature| signature.child_by_field_name("name")))
}
