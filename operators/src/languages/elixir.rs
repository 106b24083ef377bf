//! Elixir, where a definition is a macro call.

mod macros;
mod modules;

use gristmill_pipeline::port::DefinitionKind as Kind;
use gristmill_pipeline::port::ReferenceKind::Mention;
use tree_sitter::Node;

use self::macros::arguments;
use crate::spec::{Found, Grammar, Language, Part, Use, Verdict, child_of_kind, children, rule};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["ex", "exs"],
    interpreters: &["elixir"],
    grammar: Some(&GRAMMAR),
    modules: Some(&modules::MODULES),
    ..Language::new("elixir")
};

static GRAMMAR: Grammar = Grammar {
    through: &["do_block"],
    closures: &["anonymous_function"],
    bodies: &["do_block"],
    rules: &[rule("call", Kind::Function, call), rule("unary_operator", Kind::Constant, attribute)],
    uses: &[
        ("call", Use::By(macros::call)),
        ("unary_operator", Use::By(macros::attribute)),
        ("alias", Use::Itself(Mention)),
    ],
    parts: &[("identifier", Part::Name), ("alias", Part::Name), ("dot", Part::Field("right"))],
    dotted_names: true,
    ..Grammar::new(|| tree_sitter_elixir::LANGUAGE.into(), "tree-sitter-elixir 0.3.5")
};

/// Limit on the operators around a function head, such as `when`.
const MAX_HEAD: usize = 8;

fn call(found: &mut Found<'_>) -> Verdict {
    let Some(target) = found.field("target").filter(|target| target.kind() == "identifier") else {
        return Verdict::Nothing;
    };
    let Some(first) = arguments(found.node).and_then(|arguments| arguments.named_child(0)) else {
        return Verdict::Nothing;
    };
    match found.slice(target) {
        "defmodule" => found.kind = Kind::Module,
        "defprotocol" => found.kind = Kind::Interface,
        "defimpl" => return implementation(found, first),
        "def" | "defp" | "defdelegate" | "defguard" | "defguardp" | "defn" => return function(found, first),
        "defmacro" | "defmacrop" => {
            found.kind = Kind::Macro;
            return function(found, first);
        }
        _ => return Verdict::Nothing,
    }
    found.name_at(Some(first))
}

/// Finds `defimpl Mill, for: Integer`, which defines the module `Mill.Integer`.
fn implementation<'t>(found: &mut Found<'t>, protocol: Node<'t>) -> Verdict {
    found.kind = Kind::Implementation;
    let keywords = arguments(found.node).and_then(|arguments| child_of_kind(arguments, "keywords"));
    let of = keywords.and_then(|keywords| {
        children(keywords)
            .find(|pair| pair.child_by_field_name("key").is_some_and(|key| found.slice(key).trim() == "for:"))
    });
    let of = of.and_then(|pair| pair.child_by_field_name("value")).map(|of| found.slice(of));
    let protocol = found.slice(protocol);
    found.name = match of {
        Some(of) => format!("{protocol}.{of}").into(),
        None => protocol.into(),
    };
    found.verdict()
}

fn function<'t>(found: &mut Found<'t>, head: Node<'t>) -> Verdict {
    found.merges = true;
    // `def f(x), do: …`
    found.body = child_of_kind(found.node, "do_block")
        .or_else(|| arguments(found.node).and_then(|arguments| child_of_kind(arguments, "keywords")));
    let mut head = head;
    for _ in 0..MAX_HEAD {
        match head.kind() {
            "identifier" => return found.name_at(Some(head)),
            "call" => return found.name_at(head.child_by_field_name("target")),
            "binary_operator" => {
                let operator = head.child_by_field_name("operator");
                let guard = operator.is_some_and(|operator| found.slice(operator) == "when");
                match (guard, head.child_by_field_name("left")) {
                    (true, Some(left)) => head = left,
                    _ => return found.name_at(operator),
                }
            }
            "unary_operator" => return found.name_at(head.child_by_field_name("operator")),
            _ => return Verdict::Nothing,
        }
    }
    Verdict::Nothing
}

/// Finds module attributes: documentation, specifications, types and constants.
fn attribute(found: &mut Found<'_>) -> Verdict {
    let operand = found.field("operand").filter(|_| found.slice(found.node).starts_with('@'));
    let Some((operand, target)) = operand.and_then(|operand| Some((operand, operand.child_by_field_name("target")?)))
    else {
        return Verdict::Nothing;
    };
    let value = arguments(operand).and_then(|arguments| arguments.named_child(0));
    let text = |value: Option<Node<'_>>| {
        value.and_then(|value| child_of_kind(value, "quoted_content")).map(|content| content.byte_range())
    };
    match found.slice(target) {
        "moduledoc" => {
            found.doc = text(value);
            Verdict::Inner
        }
        "doc" | "typedoc" | "spec" | "impl" | "deprecated" | "since" => {
            found.doc = text(value);
            Verdict::Lead
        }
        "type" | "typep" | "opaque" | "callback" | "macrocallback" => {
            let name = found.slice(target);
            found.kind = if name.ends_with("callback") { Kind::Function } else { Kind::Type };
            let left = value.and_then(|value| value.child_by_field_name("left"));
            found.name_at(left.map(|left| left.child_by_field_name("target").unwrap_or(left)))
        }
        name => {
            if value.is_none() || found.local {
                return Verdict::Nothing;
            }
            found.add_name(name);
            found.verdict()
        }
    }
}

#[cfg(test)]
mod tests;
