//! Expressions.

use gristmill_pipeline::port::{Anchor, LeadKind};
use tree_sitter::Node;

use super::functions::{function, member_key, method, with_this};
use super::{SUPER, THIS, classes, exports, hoist, patterns, stored, types};
use crate::bind::{Binder, Binding, PathId, Value};
use crate::spec::children;

/// Binds an expression, or what no other rule knows, and returns what it stands for.
pub(super) fn visit<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "identifier" => binder.use_name(node),
        "this" => stored(binder.marked(THIS)),
        "super" => stored(binder.marked(SUPER)),
        "member_expression" => member(binder, node).1,
        "subscript_expression" => {
            let object = binder.at_field(node, "object", super::visit);
            binder.at_field(node, "index", super::visit);
            let index = binder.field_text(node, "index");
            let quoted = index.strip_prefix(['"', '\'']).and_then(|index| index.strip_suffix(['"', '\'']));
            match quoted.filter(|index| !index.is_empty() && !index.contains(char::is_whitespace)) {
                Some(name) => binder.member(object, name),
                None => binder.element(object),
            }
        }
        "call_expression" => call(binder, node),
        "new_expression" => {
            let made = binder.at_field(node, "constructor", super::visit);
            let list = node.child_by_field_name("type_arguments");
            let types: Vec<Value> =
                list.map(|list| children(list).map(|of| binder.at(of, types::value)).collect()).unwrap_or_default();
            binder.at_field(node, "arguments", super::visit);
            let name = binder.field_text(node, "constructor");
            let applied = if binder.lookup(name).is_none() { types::applied(binder, name, &types) } else { None };
            applied.unwrap_or(made)
        }
        "await_expression"
        | "non_null_expression"
        | "expression_statement"
        | "sequence_expression"
        | "spread_element"
        | "yield_expression" => {
            let mut value = Value::UNKNOWN;
            for child in children(node) {
                value = binder.at(child, super::visit);
            }
            value
        }
        "type_assertion" => {
            let mut parts = children(node);
            let typed = parts.next().map_or(Value::UNKNOWN, |part| binder.at(part, types::value));
            let value = parts.next().map_or(Value::UNKNOWN, |part| binder.at(part, super::visit));
            typed.or(value)
        }
        "ternary_expression" => {
            binder.at_field(node, "condition", super::visit);
            let then = binder.at_field(node, "consequence", super::visit);
            let otherwise = binder.at_field(node, "alternative", super::visit);
            then.or(otherwise)
        }
        "binary_expression" => {
            let left = binder.at_field(node, "left", super::visit);
            let right = binder.at_field(node, "right", super::visit);
            match binder.field_text(node, "operator") {
                "||" | "??" => left.or(right),
                "&&" => right,
                _ => Value::UNKNOWN,
            }
        }
        "assignment_expression" => assignment(binder, node),
        "array" => {
            let mut value = Value::UNKNOWN;
            for child in children(node) {
                let next = binder.at(child, super::visit);
                let next = if child.kind() == "spread_element" { binder.element(next) } else { next };
                value = value.or(next);
            }
            value.wrapped()
        }
        "parenthesized_expression"
        | "as_expression"
        | "satisfies_expression"
        | "object"
        | "arrow_function"
        | "function_expression"
        | "generator_function"
        | "class" => owned(binder, node, None, Value::UNKNOWN),
        "shorthand_property_identifier" => binder.use_name(node),
        "jsx_opening_element" | "jsx_self_closing_element" | "jsx_closing_element" => element(binder, node),
        "jsx_namespace_name" | "nested_identifier" | "meta_property" => Value::UNKNOWN,
        "jsx_element" | "jsx_expression" | "arguments" | "template_string" => {
            binder.each(node, super::visit);
            Value::UNKNOWN
        }
        _ => {
            binder.each(node, super::visit);
            Value::UNKNOWN
        }
    }
}

/// Binds the member of a value; returns the value and the member.
fn member<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> (Value, Value) {
    if exports::is_exports(binder, node) {
        return (Value::UNKNOWN, Value::of(binder.root(Anchor::Unit)));
    }
    let object = match node.child_by_field_name("object") {
        Some(object) if exports::is_exports(binder, object) => Value::of(binder.root(Anchor::Unit)),
        Some(object) => binder.at(object, super::visit),
        None => Value::UNKNOWN,
    };
    let member = match node.child_by_field_name("property") {
        Some(name) if binder.slice(name) == "prototype" => object,
        Some(name) => binder.use_member(object, name),
        None => Value::UNKNOWN,
    };
    (object, member)
}

/// Binds the value of what `owner` leads to: what it holds are members of that. `expected` is the
/// type that it is to have.
pub(super) fn owned<'t>(binder: &mut Binder<'t>, node: Node<'t>, owner: Option<PathId>, expected: Value) -> Value {
    binder.nested(|binder| owned_value(binder, node, owner, expected)).unwrap_or(Value::UNKNOWN)
}

fn owned_value<'t>(binder: &mut Binder<'t>, node: Node<'t>, owner: Option<PathId>, expected: Value) -> Value {
    match node.kind() {
        "object" => {
            object(binder, node, owner, expected);
            Value::UNKNOWN
        }
        "array" if expected.path().is_some() => {
            let element = binder.element(expected);
            let mut value = Value::UNKNOWN;
            for part in children(node) {
                value = value.or(owned(binder, part, None, element));
            }
            value.wrapped()
        }
        "arrow_function" => {
            function(binder, node, owner, &[]);
            Value::UNKNOWN
        }
        "function_expression" | "generator_function" => {
            let this = owner.map_or(Value::UNKNOWN, Value::of);
            with_this(binder, this, |binder| {
                function(binder, node, owner, &[]);
            });
            Value::UNKNOWN
        }
        "class" => classes::class(binder, node, owner),
        "parenthesized_expression" => {
            node.named_child(0).map_or(Value::UNKNOWN, |inner| owned(binder, inner, owner, expected))
        }
        "satisfies_expression" | "as_expression" => {
            let mut parts = children(node);
            let (value, of) = (parts.next(), parts.next());
            // The type stands behind what is of it.
            let typed = of.map_or(Value::UNKNOWN, |of| binder.at(of, types::value));
            let value = value.map_or(Value::UNKNOWN, |value| owned(binder, value, owner, typed.or(expected)));
            if node.kind() == "as_expression" { typed.or(value) } else { value.or(typed) }
        }
        _ => binder.at(node, super::visit),
    }
}

/// Binds an object literal, whose properties are members of what `owner` leads to, and name those
/// of the type that it is expected to have.
fn object<'t>(binder: &mut Binder<'t>, node: Node<'t>, owner: Option<PathId>, expected: Value) {
    let this = owner.map_or(Value::UNKNOWN, Value::of);
    for part in children(node) {
        match part.kind() {
            "shorthand_property_identifier" => {
                let value = binder.use_name(part);
                if let Some(owner) = owner {
                    let member = binder.below(owner, binder.slice(part));
                    binder.lead(LeadKind::Alias, member, value);
                }
            }
            "pair" => pair(binder, part, owner, expected, this),
            "method_definition" => method(binder, part, owner),
            "spread_element" => {
                let value = binder.at(part, super::visit);
                if let Some(owner) = owner {
                    binder.lead(LeadKind::Base, owner, value);
                }
            }
            _ => {
                binder.at(part, super::visit);
            }
        }
    }
}

/// Binds a property `key: value` of an object literal.
fn pair<'t>(binder: &mut Binder<'t>, part: Node<'t>, owner: Option<PathId>, expected: Value, this: Value) {
    let (Some(name), Some(value)) = (part.child_by_field_name("key"), part.child_by_field_name("value")) else {
        return;
    };
    let property = match name.kind() {
        "property_identifier" if expected.plain().is_some() => binder.use_member(expected, name),
        "computed_property_name" => {
            binder.at(name, super::visit);
            Value::UNKNOWN
        }
        _ => Value::UNKNOWN,
    };
    let key = member_key(binder, part, name, owner);
    let this = if value.kind() == "arrow_function" { stored(binder.marked(THIS)) } else { this };
    with_this(binder, this, |binder| {
        let held = owned(binder, value, key, property);
        if let Some(key) = key {
            binder.lead(lead_kind(value), key, held);
        }
    });
}

/// How a name goes on that is given the value of an expression: a plain path is the same thing.
pub(super) fn lead_kind(value: Node<'_>) -> LeadKind {
    match value.kind() {
        "identifier" | "member_expression" => LeadKind::Alias,
        _ => LeadKind::Type,
    }
}

/// The module of `require("module")` or `import("module")`, or of one that is awaited.
pub(super) fn required<'t>(binder: &Binder<'t>, node: Node<'t>) -> Option<&'t str> {
    let node = if node.kind() == "await_expression" { node.named_child(0)? } else { node };
    let call = Some(node).filter(|node| node.kind() == "call_expression")?;
    if !matches!(binder.field_text(call, "function"), "require" | "import") {
        return None;
    }
    let module = binder.slice(call.child_by_field_name("arguments")?.named_child(0)?);
    let module = module.strip_prefix(['"', '\''])?.strip_suffix(['"', '\''])?;
    (!module.is_empty() && !module.contains(char::is_whitespace)).then_some(module)
}

fn call<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    if let Some(module) = required(binder, node) {
        return Value::of(binder.path(Anchor::File, module));
    }
    let Some(called) = node.child_by_field_name("function") else { return Value::UNKNOWN };
    let (receiver, value) = match called.kind() {
        "member_expression" => member(binder, called),
        _ => (Value::UNKNOWN, binder.at(called, super::visit)),
    };
    binder.at_field(node, "type_arguments", types::value);
    let method = called.child_by_field_name("property").map_or("", |name| binder.slice(name));
    let given = match method {
        "map" | "forEach" | "filter" | "find" | "findIndex" | "findLast" | "some" | "every" | "flatMap" => {
            vec![binder.element(receiver)]
        }
        "sort" | "toSorted" => vec![binder.element(receiver); 2],
        "reduce" | "reduceRight" => vec![Value::UNKNOWN, binder.element(receiver)],
        "then" | "finally" => vec![receiver],
        _ => Vec::new(),
    };
    let arguments = node.child_by_field_name("arguments");
    let values: Vec<Value> =
        arguments.map(|list| children(list).map(|part| argument(binder, part, &given)).collect()).unwrap_or_default();
    let first = values.first().copied().unwrap_or(Value::UNKNOWN);
    match (binder.slice(called), method) {
        ("super", _) => Value::UNKNOWN,
        ("Object.freeze" | "Object.seal" | "Object.assign" | "Promise.resolve" | "Promise.all" | "Array.from", _) => {
            first
        }
        ("Array.of" | "Promise.race" | "Promise.any", _) => first.unwrapped().unwrap_or(first),
        (_, "bind") => receiver,
        (_, "call" | "apply") => binder.call(receiver),
        (_, "find" | "findLast" | "pop" | "shift" | "at" | "get") if binder.holds_elements(receiver) => {
            binder.element(receiver)
        }
        (_, "filter" | "slice" | "concat" | "sort" | "toSorted" | "reverse" | "values")
            if binder.holds_elements(receiver) =>
        {
            receiver
        }
        (_, "map") if binder.holds_elements(receiver) => first.wrapped(),
        _ => binder.call(value),
    }
}

/// Binds an argument; a function gets `given`. Returns what that gives, or the argument is.
fn argument<'t>(binder: &mut Binder<'t>, node: Node<'t>, given: &[Value]) -> Value {
    match node.kind() {
        "arrow_function" => binder.nested(|binder| function(binder, node, None, given)).unwrap_or(Value::UNKNOWN),
        "function_expression" => {
            with_this(binder, Value::UNKNOWN, |binder| {
                binder.nested(|binder| function(binder, node, None, given));
            });
            Value::UNKNOWN
        }
        _ => binder.at(node, super::visit),
    }
}

fn assignment<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right")) else {
        return Value::UNKNOWN;
    };
    if let Some(exported) = exports::assigned(binder, left) {
        return exports::common(binder, left, right, exported);
    }
    match left.kind() {
        "member_expression" => {
            let member = binder.at(left, super::visit);
            let name = left.child_by_field_name("property");
            let defined = name.and_then(|name| {
                let statement = hoist::start(node.parent()?);
                binder.defined_from(binder.slice(name), statement, name.start_byte())
            });
            let owner = member.plain().and_then(|path| binder.parent(path));
            let owner = owner.map_or(Value::UNKNOWN, |(owner, _)| Value::of(owner));
            let key = match (defined, member.plain()) {
                (Some(index), Some(path)) => binder.move_definition(index, Some(path)),
                (Some(index), None) => binder.key_at(index),
                (None, path) => path,
            };
            let held = if right.kind() == "function_expression" {
                let mut held = Value::UNKNOWN;
                with_this(binder, owner, |binder| {
                    held = function(binder, right, key, &[]);
                });
                held
            } else {
                owned(binder, right, key, Value::UNKNOWN)
            };
            if let Some(key) = key {
                binder.lead(LeadKind::Type, key, held);
            }
            held
        }
        "identifier" => {
            binder.use_name(left);
            let key = match binder.lookup(binder.slice(left)) {
                Some(Binding::Path(path)) => Some(path),
                _ => None,
            };
            let value = owned(binder, right, key, Value::UNKNOWN);
            patterns::give(binder, left, value);
            value
        }
        _ => {
            let value = binder.at(right, super::visit);
            patterns::assign(binder, left, value);
            value
        }
    }
}

/// Binds a JSX element: a component is a name in scope, a tag of HTML is none.
fn element<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    for (nth, child) in children(node).enumerate() {
        let is_tag = nth == 0 && child.kind() == "identifier" && !binder.slice(child).starts_with(char::is_uppercase);
        if !is_tag {
            binder.at(child, super::visit);
        }
    }
    Value::UNKNOWN
}
