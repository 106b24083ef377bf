//! How Ruby binds names.
//!
//! All files of a source share their constants, and so are one unit. A constant is looked up in the
//! modules around it, from the innermost, and in the bases of the class; a call without a receiver is
//! one of a method of the class around it. Types come from `new`, and from what methods give.

use gristmill_pipeline::port::{Anchor, LeadKind};
use tree_sitter::Node;

use crate::bind::{Binder, Binding, ScopeKind, Value};
use crate::spec::children;

/// The class or module that is bound.
const CLASS: &str = "class";
/// What a call of the method that is bound gives.
const RESULT: &str = "result";
/// What is remembered where there is none of these.
const NOTHING: Binding = Binding::Local(Value::UNKNOWN);

/// Methods that call a block with the elements of a container.
const OVER_ELEMENTS: &[&str] = &[
    "all?",
    "any?",
    "collect",
    "detect",
    "each",
    "each_with_index",
    "each_with_object",
    "filter",
    "filter_map",
    "find",
    "find_all",
    "flat_map",
    "group_by",
    "map",
    "max_by",
    "min_by",
    "none?",
    "partition",
    "reject",
    "reverse_each",
    "select",
    "sort_by",
    "sum",
    "to_h",
];

/// Methods of every object and module that say nothing of what they are given.
const BUILT_IN: &[&str] = &[
    "attr_accessor",
    "attr_reader",
    "attr_writer",
    "block_given?",
    "extend",
    "include",
    "lambda",
    "load",
    "loop",
    "p",
    "prepend",
    "print",
    "private",
    "proc",
    "protected",
    "public",
    "puts",
    "raise",
    "require",
    "require_relative",
];

/// Binds a file.
pub(super) fn bind<'t>(binder: &mut Binder<'t>, root: Node<'t>) {
    binder.each(root, visit);
}

/// Binds a statement or an expression, and returns what an expression stands for.
fn visit<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "constant" => constant(binder, node),
        "scope_resolution" => {
            let scope = node.child_by_field_name("scope").map(|scope| binder.at(scope, visit));
            let Some(name) = node.child_by_field_name("name") else { return Value::UNKNOWN };
            match scope {
                Some(scope) => binder.use_member(scope, name),
                None => {
                    let value = Value::of(binder.path(Anchor::Unit, binder.slice(name)));
                    binder.record(name, value);
                    value
                }
            }
        }
        "identifier" => match binder.lookup(binder.slice(node)) {
            Some(_) => binder.use_name(node),
            None => {
                let called = own_method(binder, node);
                binder.call(called)
            }
        },
        "instance_variable" | "class_variable" => {
            let name = binder.slice(node);
            binder.marked_path(CLASS).map_or(Value::UNKNOWN, |class| Value::of(binder.below(class, name)))
        }
        "self" => binder.marked_path(CLASS).map_or(Value::UNKNOWN, Value::of),
        "call" => call(binder, node),
        "element_reference" => {
            let value = binder.at_field(node, "object", visit);
            for index in children(node).skip(1) {
                binder.at(index, visit);
            }
            value.unwrapped().unwrap_or(Value::UNKNOWN)
        }
        "array" => {
            let value = binder.first_of(node, visit);
            value.wrapped()
        }
        "assignment" | "operator_assignment" => assignment(binder, node),
        "binary" => {
            let left = binder.at_field(node, "left", visit);
            let right = binder.at_field(node, "right", visit);
            let chooses = node.child_by_field_name("operator").is_some_and(|operator| binder.slice(operator) == "||");
            if chooses { left.or(right) } else { Value::UNKNOWN }
        }
        "conditional" => {
            binder.at_field(node, "condition", visit);
            binder.either(node, ["consequence", "alternative"], visit)
        }
        "parenthesized_statements" | "body_statement" | "then" | "begin" | "block_body" => {
            let mut value = Value::UNKNOWN;
            for child in children(node).filter(|child| child.kind() != "comment") {
                value = binder.at(child, visit);
            }
            value
        }
        "return" => {
            let value = node.named_child(0).and_then(|list| list.named_child(0));
            let value = value.map_or(Value::UNKNOWN, |value| binder.at(value, visit));
            if let Some(result) = binder.marked_path(RESULT) {
                binder.lead(LeadKind::Type, result, value);
            }
            Value::UNKNOWN
        }
        "class" | "module" => {
            class(binder, node);
            Value::UNKNOWN
        }
        "method" | "singleton_method" => {
            method(binder, node);
            Value::UNKNOWN
        }
        "block" | "do_block" | "lambda" => {
            binder.open(ScopeKind::Block);
            if let Some(list) = node.child_by_field_name("parameters") {
                parameters(binder, list);
            }
            binder.at_field(node, "body", visit);
            binder.close();
            Value::UNKNOWN
        }
        "rescue" => {
            let exceptions = node.child_by_field_name("exceptions");
            let mut value = Value::UNKNOWN;
            for exception in exceptions.into_iter().flat_map(children) {
                let next = binder.at(exception, visit);
                value = value.or(next);
            }
            if let Some(name) = node.child_by_field_name("variable").and_then(|variable| variable.named_child(0)) {
                assign(binder, name, value);
            }
            binder.at_field(node, "body", visit);
            Value::UNKNOWN
        }
        "for" => {
            let ranged = binder.at_field(node, "value", visit);
            if let Some(pattern) = node.child_by_field_name("pattern") {
                assign(binder, pattern, ranged.unwrapped().unwrap_or(Value::UNKNOWN));
            }
            binder.at_field(node, "body", visit);
            Value::UNKNOWN
        }
        "pair" => {
            if let Some(key) = node.child_by_field_name("key").filter(|key| key.kind() != "hash_key_symbol") {
                binder.at(key, visit);
            }
            binder.at_field(node, "value", visit);
            Value::UNKNOWN
        }
        "comment" | "alias" | "undef" | "simple_symbol" | "hash_key_symbol" | "symbol_array" => Value::UNKNOWN,
        _ => {
            binder.each(node, visit);
            Value::UNKNOWN
        }
    }
}

/// Binds a constant: what the file defines in the modules around, or else as it is seen from the
/// innermost.
fn constant<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let (name, class) = (binder.slice(node), binder.marked_path(CLASS));
    let mut at = class;
    let mut path = None;
    while let Some(scope) = at {
        let own = binder.below(scope, name);
        if binder.defines(own) {
            path = Some(own);
            break;
        }
        at = binder.parent(scope).map(|(above, _)| above);
    }
    let path = path.unwrap_or_else(|| match class {
        Some(class) => {
            let seen = binder.below(class, "^");
            binder.below(seen, name)
        }
        None => binder.path(Anchor::Unit, name),
    });
    binder.record(node, Value::of(path));
    Value::of(path)
}

/// Binds a name that is called without a receiver.
fn own_method<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let name = binder.slice(node);
    if BUILT_IN.contains(&name) {
        return Value::UNKNOWN;
    }
    let global = binder.path(Anchor::Unit, name);
    let path = match binder.marked_path(CLASS) {
        Some(class) => {
            let own = binder.below(class, name);
            if !binder.defines(own) && binder.defines(global) { global } else { own }
        }
        None => global,
    };
    binder.record(node, Value::of(path));
    Value::of(path)
}

fn call<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let receiver = node.child_by_field_name("receiver");
    let Some(method) = node.child_by_field_name("method") else {
        binder.each(node, visit);
        return Value::UNKNOWN;
    };
    let name = binder.slice(method);
    let (receiver, called) = match receiver {
        Some(receiver) => {
            let value = binder.at(receiver, visit);
            // A method that the class lacks is one of every object.
            let called = if method.kind() == "operator" { Value::UNKNOWN } else { binder.use_member(value, method) };
            (Some(value), called)
        }
        None if matches!(method.kind(), "identifier" | "constant") => (None, own_method(binder, method)),
        None => {
            binder.at(method, visit);
            (None, Value::UNKNOWN)
        }
    };
    let arguments = node.child_by_field_name("arguments");
    let mixes = receiver.is_none() && matches!(name, "include" | "extend" | "prepend");
    for argument in arguments.into_iter().flat_map(children) {
        let value = binder.at(argument, visit);
        if let Some(class) = binder.marked_path(CLASS).filter(|_| mixes) {
            binder.lead(LeadKind::Base, class, value);
        }
    }
    block(binder, node, receiver);
    match (receiver, name) {
        (Some(value), "new" | "dup" | "clone" | "freeze" | "tap") => value,
        (Some(value), "first" | "last" | "fetch" | "sample" | "pop" | "shift") if value.wraps() > 0 => {
            value.unwrapped().unwrap_or(Value::UNKNOWN)
        }
        (Some(value), "each" | "select" | "reject" | "sort_by" | "compact" | "uniq" | "to_a") if value.wraps() > 0 => {
            value
        }
        _ => binder.call(called),
    }
}

/// Binds the block of a call; one over a container is given its elements.
fn block<'t>(binder: &mut Binder<'t>, node: Node<'t>, receiver: Option<Value>) {
    let Some(block) = node.child_by_field_name("block") else { return };
    let method = binder.field_text(node, "method");
    let element = receiver.filter(|_| OVER_ELEMENTS.contains(&method)).map(|value| binder.element(value));
    binder.open(ScopeKind::Block);
    if let Some(list) = block.child_by_field_name("parameters") {
        parameters(binder, list);
        let first = list.named_child(0).filter(|first| first.kind() == "identifier");
        if let (Some(first), Some(element)) = (first, element) {
            binder.declare(binder.slice(first), Binding::Local(element));
        }
    }
    binder.at_field(block, "body", visit);
    binder.close();
}

fn assignment<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let value = binder.at_field(node, "right", visit);
    if let Some(left) = node.child_by_field_name("left") {
        assign(binder, left, value);
    }
    value
}

/// Gives what stands on the left of an assignment a value.
fn assign<'t>(binder: &mut Binder<'t>, left: Node<'t>, value: Value) {
    match left.kind() {
        "identifier" => binder.assign(binder.slice(left), value),
        "instance_variable" | "class_variable" => {
            if let Some(class) = binder.marked_path(CLASS) {
                let variable = binder.below(class, binder.slice(left));
                binder.lead(LeadKind::Type, variable, value);
            }
        }
        "constant" => {
            if let Some(key) = binder.key(left) {
                binder.lead(LeadKind::Type, key, value);
            }
        }
        "left_assignment_list" | "destructured_left_assignment" | "rest_assignment" => {
            for part in children(left) {
                assign(binder, part, Value::UNKNOWN);
            }
        }
        _ => {
            binder.at(left, visit);
        }
    }
}

/// Declares parameters, and binds their defaults.
fn parameters<'t>(binder: &mut Binder<'t>, list: Node<'t>) {
    for parameter in children(list) {
        let value = binder.at_field(parameter, "value", visit);
        match parameter.kind() {
            "identifier" => binder.declare(binder.slice(parameter), Binding::Local(Value::UNKNOWN)),
            "destructured_parameter" => parameters(binder, parameter),
            _ => {
                if let Some(name) = parameter.child_by_field_name("name") {
                    binder.declare(binder.slice(name), Binding::Local(value));
                }
            }
        }
    }
}

fn class<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let Some(name) = node.child_by_field_name("name") else { return };
    let key = binder.key_or(name, binder.marked_path(CLASS));
    if let Some(scope) = name.child_by_field_name("scope") {
        binder.at(scope, visit);
    }
    if let Some(base) = node.child_by_field_name("superclass").and_then(|superclass| superclass.named_child(0)) {
        let value = binder.at(base, visit);
        binder.lead(LeadKind::Base, key, value);
    }
    let outer = binder.marked(CLASS).unwrap_or(NOTHING);
    binder.mark(CLASS, Binding::Path(key));
    binder.open(ScopeKind::Block);
    binder.at_field(node, "body", visit);
    binder.close();
    binder.mark(CLASS, outer);
}

fn method<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let Some(name) = node.child_by_field_name("name") else { return };
    if let Some(object) = node.child_by_field_name("object").filter(|object| object.kind() == "constant") {
        binder.at(object, visit);
    }
    let result = binder.key(name).map(|key| binder.below(key, "()"));
    binder.open(ScopeKind::Function);
    if let Some(list) = node.child_by_field_name("parameters") {
        parameters(binder, list);
    }
    let outer = binder.marked(RESULT).unwrap_or(NOTHING);
    binder.mark(RESULT, result.map_or(NOTHING, Binding::Path));
    let value = binder.at_field(node, "body", visit);
    if let Some(result) = result {
        binder.lead(LeadKind::Type, result, value);
    }
    binder.mark(RESULT, outer);
    binder.close();
}
