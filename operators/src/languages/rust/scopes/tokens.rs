//! Macros: their names, and the names in what they are given, which is tokens and not syntax.

use gristmill_pipeline::port::{Anchor, DefinitionKind};
use tree_sitter::Node;

use super::imports::module_value;
use super::methods::{of_call, result, unwrapped};
use super::paths::path_value;
use super::patterns::of_variant;
use super::{field_of, free_path, is_capital, own_value};
use crate::bind::{Binder, Binding, ScopeKind, Value};
use crate::spec::{child_of_kind, children};

/// Limit on token trees within each other that are bound.
const MAX_TREES: usize = 64;

/// Binds `name!(…)`.
pub(super) fn invocation<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let Some(name) = node.child_by_field_name("macro") else { return Value::UNKNOWN };
    if name.kind() == "identifier" {
        macro_name(binder, name);
    } else {
        binder.at(name, path_value);
    }
    let value = child_of_kind(node, "token_tree").map_or(Value::UNKNOWN, |tree| tokens(binder, tree, MAX_TREES));
    if binder.slice(name) == "vec" { value.wrapped() } else { Value::UNKNOWN }
}

/// Binds the name of a macro: one of the file, an imported one, or else one of the crate.
fn macro_name<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let name = binder.slice(node);
    let own = binder.of_kind(name, DefinitionKind::Macro);
    let imported = match binder.lookup(name) {
        Some(Binding::Path(path)) if !binder.defines(path) => Some(path),
        _ => None,
    };
    let path = match own.or(imported) {
        Some(path) => path,
        None => free_path(binder, name),
    };
    binder.record(node, Value::of(path));
}

/// Binds the rules of a macro: names in what they expand to.
pub(super) fn macro_rules<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    for rule in children(node).filter(|child| child.kind() == "macro_rule") {
        if let Some(right) = rule.child_by_field_name("right").filter(|_| !binder.is_quiet()) {
            tokens(binder, right, MAX_TREES);
        }
    }
    Value::UNKNOWN
}

/// Binds the path of an attribute that is imported, or of another crate; what others there are
/// belongs to the language.
pub(super) fn attribute<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let path = node.named_child(0).and_then(|attribute| attribute.named_child(0));
    match path {
        Some(path) if path.kind() == "scoped_identifier" => binder.at(path, path_value),
        Some(name) if name.kind() == "identifier" => {
            if let Some(Binding::Path(path)) = binder.lookup(binder.slice(name))
                && !binder.defines(path)
            {
                binder.record(name, Value::of(path));
            }
            Value::UNKNOWN
        }
        _ => Value::UNKNOWN,
    }
}

/// How a token goes on from those before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    None,
    Dot,
    Path,
}

/// The children of a token tree, punctuation too.
fn tokens_of(tree: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = tree.walk();
    tree.children(&mut cursor).filter(|token| !matches!(token.kind(), "line_comment" | "block_comment")).collect()
}

/// Binds the names in a token tree, and returns what the last expression in it stands for.
fn tokens<'t>(binder: &mut Binder<'t>, tree: Node<'t>, depth: usize) -> Value {
    if depth == 0 || binder.is_quiet() {
        return Value::UNKNOWN;
    }
    let all = tokens_of(tree);
    let braces = binder.slice(tree).starts_with('{');
    binder.open(ScopeKind::Block);
    let (mut value, mut joint, mut nth) = (Value::UNKNOWN, Joint::None, 0);
    while let Some(token) = all.get(nth).copied() {
        let text = binder.slice(token);
        let before = nth.checked_sub(1).and_then(|at| all.get(at)).map_or("", |token| binder.slice(*token));
        let (next, after) = (all.get(nth + 1).copied(), all.get(nth + 2).copied());
        let next_text = next.map_or("", |next| binder.slice(next));
        nth += 1;
        match token.kind() {
            "identifier" | "self" | "super" | "crate" | "metavariable" => {
                let called = next.filter(|next| next.kind() == "token_tree" && next_text.starts_with('('));
                if joint == Joint::None {
                    if matches!(before, "let" | "mut" | "ref" | "for" | "fn" | "struct" | "enum" | "mod" | "'")
                        || before == "|" && matches!(next_text, "|" | "," | ":")
                    {
                        binder.declare(text, Binding::Local(Value::UNKNOWN));
                        continue;
                    }
                    if next_text == "!" && after.is_some_and(|after| after.kind() == "token_tree") {
                        macro_name(binder, token);
                        continue;
                    }
                    // The name of a field.
                    if next_text == ":" && braces && matches!(before, "{" | ",") {
                        continue;
                    }
                }
                let receiver = value;
                let is_local = joint == Joint::None && matches!(binder.lookup(text), Some(Binding::Local(_)));
                value = name(binder, token, joint, receiver, called.is_some(), next_text);
                if let Some(arguments) = called {
                    nth += 1;
                    let given = tokens(binder, arguments, depth - 1);
                    value = match joint {
                        Joint::Dot => result(binder, receiver, text, given),
                        _ if is_local => Value::UNKNOWN,
                        _ => of_call(binder, value, given),
                    };
                } else if next_text != "::" {
                    value = binder.settle(value);
                    value = if joint == Joint::Path { of_variant(binder, value) } else { value };
                }
                joint = Joint::None;
            }
            // An attribute, whose tokens are in a syntax of their own.
            "token_tree" if before == "#" && text.starts_with('[') => {}
            "token_tree" => {
                value = tokens(binder, token, depth - 1);
                joint = Joint::None;
            }
            _ => match text {
                "." => joint = Joint::Dot,
                "::" => {
                    // A path that begins here is that of a crate.
                    value = if value.path().is_none() && !is_name(before) {
                        Value::of(binder.root(Anchor::File))
                    } else {
                        value
                    };
                    joint = Joint::Path;
                }
                "?" => value = unwrapped(binder, value),
                "(" | "[" | "{" | ")" | "]" | "}" => {}
                _ => (value, joint) = (Value::UNKNOWN, Joint::None),
            },
        }
    }
    binder.close();
    value
}

fn is_name(text: &str) -> bool {
    text.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '>'))
}

/// Binds one name among tokens, and returns what it leads to.
fn name<'t>(binder: &mut Binder<'t>, token: Node<'t>, joint: Joint, before: Value, called: bool, next: &str) -> Value {
    let text = binder.slice(token);
    match joint {
        Joint::Dot if text == "await" => return before,
        Joint::Dot => {
            let member = if called { binder.member(before, text) } else { field_of(binder, before, text) };
            if member.path().is_some() {
                binder.record(token, member);
            }
            return member;
        }
        Joint::Path => {
            let before = binder.settle(before);
            let member = binder.member(before, text);
            let within = next == "::" && !is_capital(text);
            if member.path().is_some_and(|path| !within || binder.defines(path)) {
                binder.record(token, member);
            }
            return member;
        }
        Joint::None => {}
    }
    match token.kind() {
        "self" if next != "::" => return own_value(binder),
        "identifier" => {}
        _ => return module_value(binder, token),
    }
    if text == "Self" {
        return path_value(binder, token);
    }
    match binder.lookup(text) {
        Some(Binding::Local(value)) => {
            binder.record(token, Value::LOCAL);
            value
        }
        Some(Binding::Path(path)) => {
            if next != "::" || is_capital(text) || binder.defines(path) {
                binder.record(token, Value::of(path));
            }
            Value::of(path)
        }
        None if next == "::" && !is_capital(text) => Value::of(binder.path(Anchor::File, text)),
        None if called || is_capital(text) => {
            let free = Value::of(free_path(binder, text));
            binder.record(token, free);
            free
        }
        None => Value::UNKNOWN,
    }
}
