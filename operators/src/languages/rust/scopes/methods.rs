//! Calls, and what well-known methods give.

use tree_sitter::Node;

use super::expressions::visit;
use super::paths::path_value;
use super::patterns::{bind_pattern, of_variant};
use super::types::{Shape, shape, type_value};
use super::{above, is_type_name, last_name};
use crate::bind::{Binder, Binding, PathId, ScopeKind, Value};
use crate::spec::children;

/// Limit on the names of a path that is followed from call to call.
const MAX_CHAIN: usize = 6;

/// What a method of the standard library gives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gives {
    /// The value that it is called on, of whatever type that is.
    Itself,
    /// The container that it is called on, or another of the same values.
    Container,
    /// A value that the container holds.
    Held,
    /// A container of what its closure gives.
    Mapped,
    /// What its closure gives.
    Result,
    /// What only the type can say.
    Unknown,
}

fn gives(method: &str) -> Gives {
    match method {
        "clone" | "as_ref" | "as_mut" | "as_deref" | "as_deref_mut" | "borrow" | "borrow_mut" | "to_owned"
        | "by_ref" | "boxed" | "lock" | "as_pin_mut" | "await" => Gives::Itself,
        "iter" | "iter_mut" | "into_iter" | "cloned" | "copied" | "rev" | "skip" | "take" | "peekable" | "filter"
        | "chain" | "or" | "or_else" | "ok" | "ok_or" | "ok_or_else" | "map_err" | "context" | "with_context"
        | "inspect" | "inspect_err" | "collect" | "to_vec" | "next" | "next_back" | "last" | "first" | "last_mut"
        | "first_mut" | "get" | "get_mut" | "pop" | "pop_front" | "pop_back" | "front" | "back" | "peek"
        | "peek_mut" | "find" | "max_by_key" | "min_by_key" | "max_by" | "min_by" | "values" | "values_mut"
        | "into_values" | "drain" | "as_slice" | "as_mut_slice" | "skip_while" | "take_while" | "step_by" | "cycle"
        | "fuse" | "nth" | "entry" | "replace" | "enumerate" | "flatten" | "insert" | "get_or_insert_with" => {
            Gives::Container
        }
        "unwrap" | "expect" | "unwrap_or" | "unwrap_or_else" | "unwrap_or_default" | "unwrap_unchecked"
        | "or_insert" | "or_insert_with" | "or_default" | "swap_remove" => Gives::Held,
        "map" => Gives::Mapped,
        "and_then" | "flat_map" | "filter_map" | "map_or" | "map_or_else" | "find_map" => Gives::Result,
        _ => Gives::Unknown,
    }
}

/// Whether a closure that the method takes is given what the container holds.
fn passes_held(method: &str) -> bool {
    !matches!(method, "map_err" | "or_else" | "unwrap_or_else" | "inspect_err" | "ok_or_else" | "with_context" | "fold")
}

/// What a call of a method gives. `given` is what its last argument stands for: for a closure,
/// what that gives.
pub(super) fn result<'t>(binder: &mut Binder<'t>, receiver: Value, method: &'t str, given: Value) -> Value {
    let member = binder.member(receiver, method);
    let is_own = member.path().is_some_and(|path| binder.defines(path));
    let of_type = receiver.plain().is_some_and(|path| is_type_name(last_name(binder, path)));
    let kind = if is_own { Gives::Unknown } else { gives(method) };
    let known = receiver.path().is_some();
    if let Some(built) = receiver.plain().filter(|_| method == "build" && !is_own).and_then(|path| built(binder, path))
    {
        return Value::of(built);
    }
    let value = match kind {
        Gives::Itself => receiver,
        Gives::Container if known && !of_type => receiver,
        Gives::Held if known => unwrapped(binder, receiver),
        Gives::Mapped if known && !of_type => given.wrapped(),
        Gives::Result if known && !of_type => given,
        // What a method of an unknown type gives is not known; neither is what a container is asked
        // for beside what it holds.
        // A long chain of calls is one of a builder.
        _ if member.plain().is_some_and(|path| binder.names(path).len() > MAX_CHAIN) => receiver,
        _ => binder.call(member),
    };
    binder.settle(value)
}

/// What a builder builds that comes from `Type::builder()`: a value of that type.
fn built(binder: &Binder<'_>, path: PathId) -> Option<PathId> {
    let mut at = path;
    while let Some((above, name)) = binder.parent(at) {
        if name == "builder" {
            return Some(above).filter(|of| is_type_name(last_name(binder, *of)));
        }
        at = above;
    }
    None
}

/// What `?` and `unwrap` give. What is known by the name of its type holds nothing else: the value
/// came from a constructor, of which it is not known whether it may fail.
pub(super) fn unwrapped<'t>(binder: &mut Binder<'t>, value: Value) -> Value {
    if value.plain().is_some_and(|path| is_type_name(last_name(binder, path))) {
        return value;
    }
    let inner = binder.element(value);
    binder.settle(inner)
}

/// Binds a call, and returns what it gives.
pub(super) fn call<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let Some(mut function) = node.child_by_field_name("function") else { return Value::UNKNOWN };
    let mut written = Value::UNKNOWN;
    if function.kind() == "generic_function" {
        for argument in function.child_by_field_name("type_arguments").into_iter().flat_map(children) {
            let next = binder.at(argument, type_value);
            written = written.or(next);
        }
        let Some(inner) = function.child_by_field_name("function") else { return Value::UNKNOWN };
        function = inner;
    }
    match function.kind() {
        "field_expression" => method(binder, node, function, written),
        "identifier" | "scoped_identifier" => {
            let called = binder.at(function, path_value);
            let first = arguments(binder, node, Value::UNKNOWN).0;
            let is_local = function.kind() == "identifier"
                && matches!(binder.lookup(binder.slice(function)), Some(Binding::Local(_)));
            if is_local { Value::UNKNOWN } else { of_call(binder, called, first) }
        }
        _ => {
            binder.at(function, visit);
            arguments(binder, node, Value::UNKNOWN);
            Value::UNKNOWN
        }
    }
}

/// Binds the arguments of a call, and returns what the first and the last stand for. `held` is
/// given to closures.
fn arguments<'t>(binder: &mut Binder<'t>, node: Node<'t>, held: Value) -> (Value, Value) {
    let mut values = (None, Value::UNKNOWN);
    for argument in node.child_by_field_name("arguments").into_iter().flat_map(children) {
        let value = match argument.kind() {
            "closure_expression" => closure(binder, argument, &[held]),
            "line_comment" | "block_comment" => continue,
            _ => binder.at(argument, visit),
        };
        values = (values.0.or(Some(value)), value);
    }
    (values.0.unwrap_or(Value::UNKNOWN), values.1)
}

/// What a call of a path gives.
pub(super) fn of_call<'t>(binder: &mut Binder<'t>, called: Value, first: Value) -> Value {
    let Some(path) = called.plain() else { return Value::UNKNOWN };
    let name = last_name(binder, path);
    let owner = above(binder, path);
    let owner_name = owner.map_or("", |owner| last_name(binder, owner));
    if !binder.defines(path) {
        match (owner_name, name) {
            (_, "Some" | "Ok") => return first.wrapped(),
            (_, "Err") => return Value::UNKNOWN,
            ("mem" | "cmp", "take" | "replace" | "max" | "min") => return first,
            _ => {}
        }
        if shape(owner_name) == Shape::Like && matches!(name, "new" | "clone" | "from" | "pin" | "Borrowed" | "Owned") {
            return first;
        }
    }
    if is_type_name(name) {
        let variant = of_variant(binder, called);
        return if variant == called { binder.settle(called) } else { variant };
    }
    // Whatever the type, these give a value of it.
    if let (Some(owner), "default" | "from" | "new") = (owner, name)
        && is_type_name(owner_name)
        && !binder.defines(path)
    {
        return Value::of(owner);
    }
    let result = binder.call(called);
    binder.settle(result)
}

fn method<'t>(binder: &mut Binder<'t>, node: Node<'t>, function: Node<'t>, written: Value) -> Value {
    let receiver = binder.at_field(function, "value", visit);
    let Some(name) = function.child_by_field_name("field") else { return Value::UNKNOWN };
    let method = binder.slice(name);
    binder.use_member(receiver, name);
    let held = if passes_held(method) && receiver.path().is_some() {
        let held = binder.element(receiver);
        binder.settle(held)
    } else {
        Value::UNKNOWN
    };
    let (first, last) = arguments(binder, node, held);
    match method {
        "parse" | "downcast_ref" | "downcast_mut" | "downcast" => return written.wrapped(),
        "collect" | "into" if written.path().is_some() => return written,
        "then" | "then_some" if receiver.path().is_none() => return last.wrapped(),
        // The guard, or a result of it, as what follows tells.
        "lock" if unwraps(binder, node) => return receiver.wrapped(),
        "upgrade" => return receiver.wrapped(),
        _ => {}
    }
    let given = if last.path().is_some() { last } else { first };
    // A function in place of a closure.
    let given = if given_by_name(node) { of_call(binder, given, held) } else { given };
    result(binder, receiver, method, given)
}

/// Whether the last argument of a call is the name of a function.
fn given_by_name(node: Node<'_>) -> bool {
    let last = node.child_by_field_name("arguments").and_then(|list| children(list).last());
    last.is_some_and(|last| last.kind() == "scoped_identifier")
}

/// Whether what a call gives is unwrapped right away.
fn unwraps(binder: &Binder<'_>, node: Node<'_>) -> bool {
    node.parent().is_some_and(|parent| match parent.kind() {
        "try_expression" => true,
        "field_expression" => matches!(binder.field_text(parent, "field"), "unwrap" | "expect" | "unwrap_or_else"),
        _ => false,
    })
}

/// Binds a closure that gets these values, and returns what it gives.
pub(super) fn closure<'t>(binder: &mut Binder<'t>, node: Node<'t>, values: &[Value]) -> Value {
    binder.open(ScopeKind::Block);
    let parameters = node.child_by_field_name("parameters");
    for (nth, parameter) in parameters.into_iter().flat_map(children).enumerate() {
        let given = values.get(nth).copied().unwrap_or(Value::UNKNOWN);
        if parameter.kind() == "parameter" {
            let annotated = binder.at_field(parameter, "type", type_value);
            if let Some(pattern) = parameter.child_by_field_name("pattern") {
                bind_pattern(binder, pattern, annotated.or(given));
            }
        } else {
            bind_pattern(binder, parameter, given);
        }
    }
    let returned = binder.at_field(node, "return_type", type_value);
    let body = binder.at_field(node, "body", visit);
    binder.close();
    returned.or(body)
}
