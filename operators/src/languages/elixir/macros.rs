//! What macro calls use and import.

use gristmill_pipeline::port::ReferenceKind::{Call, Implements};
use tree_sitter::Node;

use crate::spec::{Uses, child_of_kind, children};

/// Returns the arguments of a call.
pub(super) fn arguments(call: Node<'_>) -> Option<Node<'_>> {
    child_of_kind(call, "arguments")
}

/// Records a call; one of Elixir's own macros imports or implements what it names.
pub(super) fn call<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let Some(target) = node.child_by_field_name("target") else { return };
    if target.kind() != "identifier" {
        return uses.refer(Call, target);
    }
    let first = arguments(node).and_then(|arguments| arguments.named_child(0));
    match (uses.slice(target), first) {
        (directive @ ("alias" | "import" | "require" | "use"), Some(first)) => {
            import(uses, node, directive, first);
            if directive == "use" {
                uses.refer(Implements, first);
                uses.pass(first);
            } else {
                uses.pass(node);
            }
        }
        ("defimpl", Some(protocol)) => uses.refer(Implements, protocol),
        (
            "def" | "defp" | "defmacro" | "defmacrop" | "defmodule" | "defprotocol" | "defdelegate" | "defguard"
            | "defguardp" | "defstruct" | "defexception",
            _,
        ) => {}
        _ => uses.refer(Call, target),
    }
}

/// Records the imports of `alias A.{B, C}`, `alias A.B, as: C`, `import A`, `require A` and
/// `use A`.
fn import<'t>(uses: &mut Uses<'t>, node: Node<'t>, directive: &str, first: Node<'t>) {
    let name = if directive == "import" { "*" } else { "" };
    match first.kind() {
        "alias" => {
            let keywords = arguments(node).and_then(|arguments| child_of_kind(arguments, "keywords"));
            let renamed = keywords
                .and_then(|keywords| children(keywords).find(|pair| uses.field_text(*pair, "key").trim() == "as:"));
            let alias = renamed.map_or("", |pair| uses.field_text(pair, "value"));
            uses.import(first, uses.slice(first), name, alias);
        }
        "dot" => {
            let prefix = uses.field_text(first, "left");
            let Some(list) = first.child_by_field_name("right") else { return };
            for part in children(list).filter(|part| part.kind() == "alias") {
                uses.import(part, &format!("{prefix}.{}", uses.slice(part)), name, "");
            }
        }
        _ => {}
    }
}

/// Records `@behaviour A`, which implements `A`. Other attributes call nothing, and
/// specifications are skipped: they hold types.
pub(super) fn attribute<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let operand = node.child_by_field_name("operand").filter(|_| uses.slice(node).starts_with('@'));
    let Some(target) = operand.and_then(|operand| operand.child_by_field_name("target")) else { return };
    match uses.slice(target) {
        "spec" | "type" | "typep" | "opaque" | "callback" | "macrocallback" => uses.pass(node),
        "behaviour" => {
            if let Some(of) = operand.and_then(arguments).and_then(|arguments| arguments.named_child(0)) {
                uses.refer(Implements, of);
            }
            uses.pass(target);
        }
        _ => uses.pass(target),
    }
}
