//! How Swift binds names.
//!
//! The files of a target are one unit. A name that is not local may be a member of the type around,
//! of an extension of it in any file, of its bases, of the types around, or of the target: the path
//! of the type with a `^` behind it stands for all of these. Types come from annotations, from calls
//! of types, and from the results of functions.

use gristmill_pipeline::port::{Anchor, LeadKind};
use tree_sitter::Node;

use crate::bind::{Binder, Binding, ScopeKind, Value};
use crate::spec::{children, has_token};

/// The type that is bound.
const CLASS: &str = "class";
/// Its first base.
const BASE: &str = "base";
/// What the closures of a call are given.
const ELEMENT: &str = "element";
/// What is remembered where there is none of these.
const NOTHING: Binding = Binding::Local(Value::UNKNOWN);

/// Methods that call a closure with the elements of a container.
const OVER_ELEMENTS: &[&str] =
    &["allSatisfy", "compactMap", "contains", "filter", "first", "flatMap", "forEach", "map", "min", "max", "sorted"];

/// Binds a file.
pub(super) fn bind<'t>(binder: &mut Binder<'t>, root: Node<'t>) {
    binder.each(root, visit);
}

/// Binds a plain name, and returns what it stands for.
fn name<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let text = binder.slice(node);
    if binder.lookup(text).is_some() {
        return binder.use_name(node);
    }
    let class = binder.marked_path(CLASS);
    let mut path = None;
    if text == "Self" {
        path = class;
    }
    let mut at = class.filter(|_| path.is_none());
    while let Some(scope) = at {
        let own = binder.below(scope, text);
        if binder.defines(own) {
            path = Some(own);
            break;
        }
        // The name of a type is hardly one of a member.
        at = binder.parent(scope).map(|(above, _)| above).filter(|_| text.starts_with(char::is_uppercase));
    }
    let path = match (path, class) {
        (Some(path), _) => path,
        (None, Some(class)) => {
            let seen = binder.below(class, "^");
            binder.below(seen, text)
        }
        (None, None) => {
            let own = binder.path(Anchor::Unit, text);
            if binder.defines(own) { own } else { binder.path(Anchor::Free, text) }
        }
    };
    binder.record(node, Value::of(path));
    Value::of(path)
}

/// Binds a statement, a declaration or an expression, and returns what an expression stands for.
fn visit<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "simple_identifier" => name(binder, node),
        "self_expression" => binder.marked_path(CLASS).map_or(Value::UNKNOWN, Value::of),
        "super_expression" => match binder.marked(BASE) {
            Some(Binding::Local(base)) => base,
            _ => Value::UNKNOWN,
        },
        "navigation_expression" => {
            let target = binder.at_field(node, "target", visit);
            let suffix = node.child_by_field_name("suffix").and_then(|suffix| suffix.child_by_field_name("suffix"));
            match suffix.filter(|suffix| suffix.kind() == "simple_identifier") {
                Some(suffix) if binder.slice(suffix) == "self" => target,
                Some(suffix) => binder.use_member(target, suffix),
                None => Value::UNKNOWN,
            }
        }
        // A member of a type that is left out.
        "prefix_expression" if binder.slice(node).starts_with('.') => Value::UNKNOWN,
        "call_expression" => call(binder, node),
        "try_expression" | "await_expression" | "unsafe_expression" => binder.at_field(node, "expr", visit),
        "postfix_expression" => binder.at_field(node, "target", visit),
        "directly_assignable_expression" | "tuple_expression" => {
            let mut value = Value::UNKNOWN;
            for child in children(node).filter(|child| Some(*child) != node.child_by_field_name("name")) {
                value = binder.at(child, visit);
            }
            if node.named_child_count() == 1 { value } else { Value::UNKNOWN }
        }
        "as_expression" => {
            binder.at_field(node, "expr", visit);
            children(node).last().map_or(Value::UNKNOWN, |of| binder.at(of, of_type))
        }
        "ternary_expression" => {
            binder.at_field(node, "condition", visit);
            binder.either(node, ["if_true", "if_false"], visit)
        }
        "nil_coalescing_expression" => binder.either(node, ["value", "if_nil"], visit),
        "array_literal" => {
            let value = binder.first_of(node, visit);
            value.wrapped()
        }
        "assignment" => {
            let target = binder.at_field(node, "target", visit);
            let value = binder.at_field(node, "result", visit);
            let member = node.child_by_field_name("target").and_then(|target| target.named_child(0));
            let is_member = member.is_some_and(|member| member.kind() == "navigation_expression");
            if let Some(path) = target.plain().filter(|_| is_member) {
                binder.lead(LeadKind::Type, path, value);
            }
            Value::UNKNOWN
        }
        "class_declaration" | "protocol_declaration" => {
            class(binder, node);
            Value::UNKNOWN
        }
        "function_declaration"
        | "protocol_function_declaration"
        | "init_declaration"
        | "deinit_declaration"
        | "subscript_declaration" => {
            function(binder, node);
            Value::UNKNOWN
        }
        "property_declaration" | "protocol_property_declaration" => {
            property(binder, node);
            Value::UNKNOWN
        }
        "typealias_declaration" => {
            let named = node.child_by_field_name("name");
            let value = children(node).last().map_or(Value::UNKNOWN, |of| binder.at(of, of_type));
            if let Some(key) = named.and_then(|named| binder.key(named)) {
                binder.lead(LeadKind::Type, key, value);
            }
            Value::UNKNOWN
        }
        "lambda_literal" => {
            lambda(binder, node);
            Value::UNKNOWN
        }
        "if_statement" | "while_statement" | "repeat_while_statement" => {
            binder.open(ScopeKind::Block);
            conditions(binder, node);
            binder.close();
            Value::UNKNOWN
        }
        // What it binds is seen behind it.
        "guard_statement" => {
            conditions(binder, node);
            Value::UNKNOWN
        }
        "for_statement" => {
            binder.open(ScopeKind::Block);
            let ranged = binder.at_field(node, "collection", visit);
            let element = binder.element(ranged);
            let item = node.child_by_field_name("item");
            if let Some(item) = item {
                pattern(binder, item, element);
            }
            let rest = children(node).filter(|child| Some(*child) != item);
            for child in rest.filter(|child| Some(*child) != node.child_by_field_name("collection")) {
                binder.at(child, visit);
            }
            binder.close();
            Value::UNKNOWN
        }
        "switch_entry" | "catch_block" | "do_statement" | "statements" => {
            if node.kind() != "statements" {
                binder.open(ScopeKind::Block);
            }
            binder.each(node, visit);
            if node.kind() != "statements" {
                binder.close();
            }
            Value::UNKNOWN
        }
        "switch_pattern" => {
            for child in children(node) {
                cases(binder, child);
            }
            Value::UNKNOWN
        }
        "pattern" => {
            pattern(binder, node, Value::UNKNOWN);
            Value::UNKNOWN
        }
        "value_argument" => binder.at_field(node, "value", visit),
        "enum_entry" => {
            for child in children(node).filter(|child| child.kind() != "simple_identifier") {
                binder.at(child, visit);
            }
            Value::UNKNOWN
        }
        "inheritance_constraint" | "equality_constraint" => {
            for child in children(node).filter(|child| child.kind() != "identifier") {
                binder.at(child, of_type);
            }
            Value::UNKNOWN
        }
        "enum_type_parameters" | "type_arguments" | "type_annotation" => {
            let mut value = Value::UNKNOWN;
            for child in children(node).filter(|child| child.kind() != "simple_identifier") {
                value = binder.at(child, of_type);
            }
            value
        }
        "type_parameter" => {
            let bound = children(node).filter(|child| child.kind() != "type_identifier").last();
            let bound = bound.map_or(Value::UNKNOWN, |bound| binder.at(bound, of_type));
            if let Some(name) = children(node).find(|child| child.kind() == "type_identifier") {
                binder.declare(binder.slice(name), Binding::Local(bound));
            }
            Value::UNKNOWN
        }
        "user_type"
        | "optional_type"
        | "array_type"
        | "dictionary_type"
        | "existential_type"
        | "opaque_type"
        | "function_type"
        | "tuple_type"
        | "metatype"
        | "protocol_composition_type" => of_type(binder, node),
        "comment"
        | "multiline_comment"
        | "import_declaration"
        | "value_argument_label"
        | "key_path_expression"
        | "operator_declaration"
        | "precedence_group_declaration"
        | "statement_label"
        | "selector_expression"
        | "directive" => Value::UNKNOWN,
        _ => {
            binder.each(node, visit);
            Value::UNKNOWN
        }
    }
}

fn call<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let function = node.named_child(0);
    let called = function.map_or(Value::UNKNOWN, |function| binder.at(function, visit));
    let method = function
        .and_then(|function| function.child_by_field_name("suffix"))
        .map_or("", |suffix| binder.field_text(suffix, "suffix"));
    let outer = binder.marked(ELEMENT).unwrap_or(NOTHING);
    let receiver = called.plain().and_then(|path| binder.above(path, method)).filter(|_| !method.is_empty());
    let over = OVER_ELEMENTS.contains(&method);
    let element = match receiver.filter(|_| over) {
        Some(receiver) => binder.element(Value::of(receiver)),
        None => Value::UNKNOWN,
    };
    binder.mark(ELEMENT, Binding::Local(element));
    let is_subscript =
        children(node).skip(1).any(|suffix| suffix.named_child(0).is_some_and(|arguments| has_token(arguments, "[")));
    for suffix in children(node).skip(1) {
        binder.each(suffix, visit);
    }
    binder.mark(ELEMENT, outer);
    match method {
        "init" => receiver.map_or(Value::UNKNOWN, Value::of),
        "filter" | "sorted" if receiver.is_some() => receiver.map_or(Value::UNKNOWN, Value::of),
        _ if is_subscript => binder.element(called),
        _ => binder.call(called),
    }
}

/// Binds the conditions and bodies of a statement; `if let x = y` declares `x`.
fn conditions<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let mut bound: Option<Node<'t>> = None;
    let declare = |binder: &mut Binder<'t>, value: Option<Value>, bound: &mut Option<Node<'t>>| {
        let Some(named) = bound.take() else { return };
        let text = binder.slice(named);
        // `if let x` is `if let x = x`.
        let value = value.unwrap_or_else(|| if text == "self" { Value::UNKNOWN } else { name(binder, named) });
        binder.declare(text, Binding::Local(value));
    };
    for (nth, child) in (0..).zip(children(node)) {
        match (node.field_name_for_named_child(nth), child.kind()) {
            (_, "value_binding_pattern" | "comment" | "else" | "type_annotation") => {
                if child.kind() != "type_annotation" {
                    declare(binder, None, &mut bound);
                } else {
                    binder.at(child, visit);
                }
            }
            (Some("bound_identifier"), _) => {
                declare(binder, None, &mut bound);
                bound = Some(child);
            }
            (_, "statements") => {
                declare(binder, None, &mut bound);
                binder.open(ScopeKind::Block);
                binder.at(child, visit);
                binder.close();
            }
            _ => {
                let value = binder.at(child, visit);
                declare(binder, Some(value), &mut bound);
            }
        }
    }
    declare(binder, None, &mut bound);
}

/// Declares the names of a pattern.
fn pattern<'t>(binder: &mut Binder<'t>, node: Node<'t>, value: Value) {
    for (nth, child) in (0..).zip(children(node)) {
        match child.kind() {
            "simple_identifier" if node.field_name_for_named_child(nth) == Some("bound_identifier") => {
                binder.declare(binder.slice(child), Binding::Local(value));
            }
            "simple_identifier" => binder.declare(binder.slice(child), Binding::Local(Value::UNKNOWN)),
            "pattern" => {
                let of = children(node).last().filter(|of| of.kind().ends_with("_type"));
                let of = of.map_or(value, |of| binder.at(of, of_type));
                pattern(binder, child, of);
            }
            _ => {
                binder.at(child, visit);
            }
        }
    }
}

/// Binds a case of a `switch`: the name of a case is a member of a type that is left out.
fn cases<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    for child in children(node) {
        match child.kind() {
            "pattern" => pattern(binder, child, Value::UNKNOWN),
            "simple_identifier" if node.kind() == "pattern" && binder.slice(node).contains('.') => {}
            _ => {
                binder.at(child, visit);
            }
        }
    }
}

fn class<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let Some(named) = node.child_by_field_name("name") else { return };
    let is_extension = has_token(node, "extension");
    let key = binder.key_or(named, binder.marked_path(CLASS));
    if is_extension {
        binder.at(named, of_type);
    }
    binder.open(ScopeKind::Block);
    let mut first = Value::UNKNOWN;
    for child in children(node) {
        match child.kind() {
            "inheritance_specifier" => {
                let value = child.named_child(0).map_or(Value::UNKNOWN, |of| binder.at(of, of_type));
                first = first.or(value);
                binder.lead(LeadKind::Base, key, value);
            }
            "type_parameters" | "attribute" | "modifiers" | "type_constraints" => {
                binder.at(child, visit);
            }
            _ => {}
        }
    }
    let outer = (binder.marked(CLASS), binder.marked(BASE));
    binder.mark(CLASS, Binding::Path(key));
    binder.mark(BASE, Binding::Local(first));
    if let Some(body) = node.child_by_field_name("body") {
        binder.each(body, visit);
    }
    binder.mark(CLASS, outer.0.unwrap_or(NOTHING));
    binder.mark(BASE, outer.1.unwrap_or(NOTHING));
    binder.close();
}

fn function<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let named = node.child_by_field_name("name").filter(|named| named.kind() == "simple_identifier");
    let key = named.and_then(|named| binder.key(named));
    if let (Some(named), None) = (named, key) {
        // A function in a function.
        binder.declare(binder.slice(named), Binding::Local(Value::UNKNOWN));
    }
    binder.open(ScopeKind::Function);
    for (nth, child) in (0..).zip(children(node)) {
        match (child.kind(), node.field_name_for_named_child(nth)) {
            ("parameter", _) => parameter(binder, child),
            ("simple_identifier", Some("name")) => {}
            (kind, Some("name" | "return_type")) if kind.ends_with("_type") => {
                let value = binder.at(child, of_type);
                if let Some(key) = key {
                    let result = binder.below(key, "()");
                    binder.lead(LeadKind::Type, result, value);
                }
            }
            _ => {
                binder.at(child, visit);
            }
        }
    }
    binder.close();
}

fn parameter<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let of = children(node).filter(|child| !matches!(child.kind(), "simple_identifier" | "parameter_modifiers")).last();
    let value = of.map_or(Value::UNKNOWN, |of| binder.at(of, of_type));
    if let Some(named) = children(node).filter(|child| child.kind() == "simple_identifier").last() {
        binder.declare(binder.slice(named), Binding::Local(value));
    }
}

fn lambda<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let element = match binder.marked(ELEMENT) {
        Some(Binding::Local(element)) => element,
        _ => Value::UNKNOWN,
    };
    binder.mark(ELEMENT, NOTHING);
    binder.open(ScopeKind::Block);
    binder.declare("$0", Binding::Local(element));
    binder.declare("$1", Binding::Local(Value::UNKNOWN));
    for child in children(node) {
        if child.kind() != "lambda_function_type" {
            binder.at(child, visit);
            continue;
        }
        for part in children(child) {
            if part.kind() != "lambda_function_type_parameters" {
                binder.at(part, of_type);
                continue;
            }
            for (nth, parameter) in children(part).enumerate() {
                let of = children(parameter).filter(|child| child.kind().ends_with("_type")).last();
                let written = of.map_or(Value::UNKNOWN, |of| binder.at(of, of_type));
                let value = if nth == 0 { written.or(element) } else { written };
                if let Some(named) = children(parameter).filter(|child| child.kind() == "simple_identifier").last() {
                    binder.declare(binder.slice(named), Binding::Local(value));
                }
            }
        }
    }
    binder.close();
}

fn property<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let (mut of, mut value) = (Value::UNKNOWN, Value::UNKNOWN);
    let mut patterns = Vec::new();
    for (nth, child) in (0..).zip(children(node)) {
        match (child.kind(), node.field_name_for_named_child(nth)) {
            ("pattern", _) => patterns.push(child),
            ("type_annotation", _) => of = binder.at(child, visit),
            (_, Some("value")) => value = binder.at(child, visit),
            ("computed_property" | "willset_didset_block", _) => {
                binder.open(ScopeKind::Function);
                binder.at(child, visit);
                binder.close();
            }
            _ => {
                binder.at(child, visit);
            }
        }
    }
    for written in patterns {
        let named = written.child_by_field_name("bound_identifier");
        match named.and_then(|named| binder.key(named)).filter(|_| !in_function(node)) {
            Some(key) => binder.lead(LeadKind::Type, key, of.or(value)),
            None => pattern(binder, written, of.or(value)),
        }
    }
}

/// Whether a node lies in the body of a function.
fn in_function(node: Node<'_>) -> bool {
    let mut parent = node.parent();
    while let Some(node) = parent {
        match node.kind() {
            "statements" | "lambda_literal" => return node.parent().is_some_and(|outer| outer.kind() != "source_file"),
            "class_body" | "enum_class_body" | "protocol_body" | "source_file" => return false,
            _ => parent = node.parent(),
        }
    }
    false
}

/// Binds a type, and returns what a value of it stands for.
fn of_type<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "type_identifier" => name(binder, node),
        "user_type" => {
            let (mut value, mut argument, mut last) = (Value::UNKNOWN, None, "");
            for (nth, part) in children(node).enumerate() {
                match part.kind() {
                    "type_identifier" => {
                        last = binder.slice(part);
                        value = if nth == 0 { name(binder, part) } else { binder.use_member(value, part) };
                    }
                    _ => {
                        for of in children(part) {
                            argument = Some(binder.at(of, of_type));
                        }
                    }
                }
            }
            match (last, argument) {
                ("Array" | "Set" | "Dictionary" | "ArraySlice", Some(argument)) => argument.wrapped(),
                ("Optional", Some(argument)) => argument,
                _ => value,
            }
        }
        "optional_type"
        | "existential_type"
        | "opaque_type"
        | "metatype"
        | "protocol_composition_type"
        | "implicitly_unwrapped_type" => binder.first_of(node, of_type),
        "array_type" | "dictionary_type" => {
            let value = binder.last_of(node, of_type);
            value.wrapped()
        }
        "simple_identifier" => Value::UNKNOWN,
        "function_type" | "tuple_type" | "tuple_type_item" => {
            binder.each(node, of_type);
            Value::UNKNOWN
        }
        // Counted, in case `visit` takes it for a type.
        _ => binder.at(node, visit),
    }
}
