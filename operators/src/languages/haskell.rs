//! Haskell.

mod modules;

use gristmill_pipeline::port::DefinitionKind as Kind;
use gristmill_pipeline::port::ReferenceKind::{Call, Implements, Mention};
use tree_sitter::Node;

use crate::spec::{
    Found, Grammar, Language, Part, Rank, Use, Uses, Verdict, child_of_kind, children, has_token, named, named_member,
    one_line, rule,
};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["hs"],
    interpreters: &["runhaskell", "runghc"],
    grammar: Some(&GRAMMAR),
    modules: Some(&modules::MODULES),
    ..Language::new("haskell")
};

static GRAMMAR: Grammar = Grammar {
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
    uses: &[
        ("apply", Use::By(apply)),
        ("infix", Use::By(apply_operator)),
        ("instance", Use::Field(Implements, "name")),
        ("deriving", Use::By(deriving)),
        ("name", Use::Type),
        ("qualified", Use::By(qualified_type)),
        ("exports", Use::By(exports)),
        ("import", Use::By(import)),
    ],
    parts: &[
        ("variable", Part::Name),
        ("constructor", Part::Name),
        ("name", Part::Name),
        ("qualified", Part::Field("id")),
        ("apply", Part::Field("function")),
    ],
    ..Grammar::new(|| tree_sitter_haskell::LANGUAGE.into(), "tree-sitter-haskell 0.24.1")
};

/// Finds the module that the header names; the rest of the file belongs to it.
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

/// Names an instance by its class and the types it is for.
fn instance(found: &mut Found<'_>) -> Verdict {
    let (Some(name), Some(types)) = (found.field("name"), found.field("patterns")) else { return named(found) };
    let text = found.text.get(name.start_byte()..types.end_byte()).unwrap_or_default();
    found.name = one_line(text);
    found.verdict()
}

/// Adds a name, or an operator without its parentheses.
fn take_name<'t>(found: &mut Found<'t>, name: Node<'t>) {
    let name = found.slice(name).trim_matches(['(', ')', ' ']);
    found.add_name(name);
}

/// Finds a type signature, which begins a definition that equations continue.
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

/// Finds one equation of a function.
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

/// Records a call of a function. A constructor may stand in a pattern, so it is a mention.
fn apply<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let Some(function) = node.child_by_field_name("function") else { return };
    let constructor = uses.name_in(function).is_some_and(|name| name.kind() == "constructor");
    uses.refer(if constructor { Mention } else { Call }, function);
}

/// Records the calls of `f` in `f $ x` and in ``x `f` y``.
fn apply_operator<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let Some(operator) = node.child_by_field_name("operator") else { return };
    if operator.kind() == "infix_id" {
        if let Some(function) = operator.named_child(0) {
            uses.refer(Call, function);
        }
    } else if matches!(uses.slice(operator), "$" | "$!" | "<$>")
        && let Some(function) = node.child_by_field_name("left_operand")
    {
        uses.refer(Call, function);
    }
}

/// Records the derived class, or several in parentheses.
fn deriving<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let Some(classes) = node.child_by_field_name("classes") else { return };
    uses.refer(Implements, classes);
    uses.refer_each(Implements, classes);
}

fn qualified_type<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    if node.child_by_field_name("id").is_some_and(|id| id.kind() == "name") {
        uses.refer(Mention, node);
    }
}

/// Skips the export list: a module's own names.
fn exports<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    uses.pass(node);
}

/// Records an import of each name in the list, or of the whole module.
fn import<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    uses.pass(node);
    let (module, alias) = (uses.field_text(node, "module"), uses.field_text(node, "alias"));
    let hiding = has_token(node, "hiding");
    match node.child_by_field_name("names").filter(|_| !hiding) {
        Some(names) => {
            for name in children(names) {
                let inner = name.named_child(0).map_or("", |inner| uses.slice(inner));
                uses.import(name, module, inner.trim_matches(['(', ')']), "");
            }
        }
        None if has_token(node, "qualified") => uses.import(node, module, "", alias),
        None => uses.import(node, module, "*", alias),
    }
}

#[cfg(test)]
mod tests;
