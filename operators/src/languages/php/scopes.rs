//! How PHP binds names.
//!
//! Names are fully qualified by the namespace and the `use` clauses of their file alone, and classes
//! are loaded by their names, so that all files of a source are one unit. Types come from
//! declarations and from `new`.

use gristmill_pipeline::port::{Anchor, LeadKind};
use tree_sitter::Node;

use crate::bind::{Binder, Binding, PathId, ScopeKind, Value};
use crate::spec::{child_of_kind, children};

/// The namespace that is bound.
const NAMESPACE: &str = "namespace";
/// The class that is bound.
const CLASS: &str = "class";
/// The base of that class.
const BASE: &str = "base";
/// What is remembered where there is none of these.
const NOTHING: Binding = Binding::Local(Value::UNKNOWN);

/// Binds a file.
pub(super) fn bind<'t>(binder: &mut Binder<'t>, root: Node<'t>) {
    binder.each(root, visit);
}

/// Binds a statement, a declaration or an expression, and returns what an expression stands for.
fn visit<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "variable_name" => variable(binder, node),
        "member_access_expression" | "nullsafe_member_access_expression" => {
            let object = binder.at_field(node, "object", visit);
            match node.child_by_field_name("name") {
                Some(name) if name.kind() == "name" => property(binder, object, name),
                Some(name) => binder.at(name, visit),
                None => Value::UNKNOWN,
            }
        }
        "member_call_expression" | "nullsafe_member_call_expression" => {
            let object = binder.at_field(node, "object", visit);
            method_call(binder, node, object)
        }
        "scoped_call_expression" => {
            let scope = scope_of(binder, node.child_by_field_name("scope"));
            method_call(binder, node, scope)
        }
        "scoped_property_access_expression" => {
            let scope = scope_of(binder, node.child_by_field_name("scope"));
            let name = node.child_by_field_name("name").and_then(|name| name.named_child(0));
            name.map_or(Value::UNKNOWN, |name| property(binder, scope, name))
        }
        "class_constant_access_expression" => {
            let scope = scope_of(binder, node.named_child(0));
            match node.named_child(1) {
                Some(name) if name.kind() == "name" && binder.slice(name) != "class" => binder.use_member(scope, name),
                _ => Value::UNKNOWN,
            }
        }
        "object_creation_expression" => {
            let mut class = Value::UNKNOWN;
            for (nth, child) in children(node).enumerate() {
                match child.kind() {
                    "name" | "qualified_name" | "relative_name" if nth == 0 => class = type_name(binder, child),
                    _ => {
                        binder.at(child, visit);
                    }
                }
            }
            class
        }
        "function_call_expression" => {
            let function = node.child_by_field_name("function");
            let called = match function {
                Some(name) if matches!(name.kind(), "name" | "qualified_name") => function_name(binder, name),
                Some(other) => binder.at(other, visit),
                None => Value::UNKNOWN,
            };
            binder.at_field(node, "arguments", visit);
            binder.call(called)
        }
        "name" | "qualified_name" => function_name(binder, node),
        "argument" => {
            for child in children(node).filter(|child| Some(*child) != node.child_by_field_name("name")) {
                binder.at(child, visit);
            }
            Value::UNKNOWN
        }
        "parenthesized_expression" | "expression_statement" => {
            node.named_child(0).map_or(Value::UNKNOWN, |node| binder.at(node, visit))
        }
        "clone_expression" => children(node).last().map_or(Value::UNKNOWN, |node| binder.at(node, visit)),
        "conditional_expression" => {
            binder.at_field(node, "condition", visit);
            binder.either(node, ["body", "alternative"], visit)
        }
        "binary_expression" => {
            let left = binder.at_field(node, "left", visit);
            let operator = node.child_by_field_name("operator").map_or("", |operator| binder.slice(operator));
            let right = match node.child_by_field_name("right") {
                Some(class) if operator == "instanceof" && matches!(class.kind(), "name" | "qualified_name") => {
                    type_name(binder, class);
                    Value::UNKNOWN
                }
                Some(right) => binder.at(right, visit),
                None => Value::UNKNOWN,
            };
            if operator == "??" { left.or(right) } else { Value::UNKNOWN }
        }
        "assignment_expression" => assignment(binder, node),
        "subscript_expression" => {
            let mut value = Value::UNKNOWN;
            for (nth, child) in children(node).enumerate() {
                let next = binder.at(child, visit);
                value = if nth == 0 { next } else { value };
            }
            value.unwrapped().unwrap_or(Value::UNKNOWN)
        }
        "namespace_definition" => {
            namespace(binder, node);
            Value::UNKNOWN
        }
        "namespace_use_declaration" => import(binder, node),
        "class_declaration"
        | "interface_declaration"
        | "trait_declaration"
        | "enum_declaration"
        | "anonymous_class" => {
            class(binder, node);
            Value::UNKNOWN
        }
        "function_definition" | "method_declaration" | "anonymous_function" | "arrow_function" => {
            function(binder, node);
            Value::UNKNOWN
        }
        "property_declaration" => {
            let of = binder.at_field(node, "type", of_type);
            for element in children(node).filter(|child| child.kind() == "property_element") {
                let value = binder.at_field(element, "default_value", visit);
                let name = element.child_by_field_name("name").and_then(|name| name.named_child(0));
                if let Some(key) = name.and_then(|name| binder.key(name)) {
                    binder.lead(LeadKind::Type, key, of.or(value));
                }
            }
            Value::UNKNOWN
        }
        "const_element" | "enum_case" => {
            for child in children(node).skip(1) {
                binder.at(child, visit);
            }
            Value::UNKNOWN
        }
        "use_declaration" => {
            for of in children(node).filter(|child| matches!(child.kind(), "name" | "qualified_name")) {
                let value = type_name(binder, of);
                if let Some(class) = binder.marked_path(CLASS) {
                    binder.lead(LeadKind::Base, class, value);
                }
            }
            Value::UNKNOWN
        }
        "catch_clause" => {
            let of = binder.at_field(node, "type", of_type);
            if let Some(name) = node.child_by_field_name("name") {
                binder.assign(binder.slice(name), of);
            }
            binder.at_field(node, "body", visit)
        }
        "foreach_statement" => {
            let mut parts = children(node);
            let ranged = parts.next().map_or(Value::UNKNOWN, |ranged| binder.at(ranged, visit));
            for part in parts {
                match part.kind() {
                    "variable_name" => binder.assign(binder.slice(part), ranged.unwrapped().unwrap_or(Value::UNKNOWN)),
                    _ => {
                        binder.at(part, visit);
                    }
                }
            }
            Value::UNKNOWN
        }
        "array_creation_expression" => {
            let mut value = Value::UNKNOWN;
            for element in children(node) {
                let last = children(element).last();
                for part in children(element) {
                    let next = binder.at(part, visit);
                    if Some(part) == last {
                        value = value.or(next);
                    }
                }
            }
            value.wrapped()
        }
        "attribute" => {
            if let Some(name) = node.named_child(0) {
                type_name(binder, name);
            }
            binder.at_field(node, "parameters", visit)
        }
        "named_type"
        | "optional_type"
        | "union_type"
        | "intersection_type"
        | "primitive_type"
        | "type_list"
        | "disjunctive_normal_form_type" => of_type(binder, node),
        "comment" | "text" | "php_tag" | "goto_statement" | "named_label_statement" => Value::UNKNOWN,
        _ => {
            binder.each(node, visit);
            Value::UNKNOWN
        }
    }
}

fn variable<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let name = binder.slice(node);
    if name == "$this" {
        return binder.marked_path(CLASS).map_or(Value::UNKNOWN, Value::of);
    }
    match binder.lookup(name) {
        Some(Binding::Local(value)) => value,
        _ => Value::UNKNOWN,
    }
}

/// Binds a property: these have names apart from those of methods.
fn property<'t>(binder: &mut Binder<'t>, object: Value, name: Node<'t>) -> Value {
    let properties = binder.member(object, "$");
    binder.use_member(properties, name)
}

fn method_call<'t>(binder: &mut Binder<'t>, node: Node<'t>, object: Value) -> Value {
    let called = match node.child_by_field_name("name") {
        Some(name) if name.kind() == "name" => binder.use_member(object, name),
        Some(name) => {
            binder.at(name, visit);
            Value::UNKNOWN
        }
        None => Value::UNKNOWN,
    };
    binder.at_field(node, "arguments", visit);
    binder.call(called)
}

/// What stands before `::`.
fn scope_of<'t>(binder: &mut Binder<'t>, node: Option<Node<'t>>) -> Value {
    let Some(node) = node else { return Value::UNKNOWN };
    match node.kind() {
        "relative_scope" => own_class(binder, node).unwrap_or(Value::UNKNOWN),
        "name" | "qualified_name" => type_name(binder, node),
        _ => binder.at(node, visit),
    }
}

/// What `self`, `static` and `parent` stand for.
fn relative(binder: &Binder<'_>, name: &str) -> Option<Value> {
    let class = || binder.marked_path(CLASS).map_or(Value::UNKNOWN, Value::of);
    match name {
        "self" | "static" => Some(class()),
        "parent" => match binder.marked(BASE) {
            Some(Binding::Local(base)) => Some(base),
            _ => Some(Value::UNKNOWN),
        },
        _ => None,
    }
}

/// Binds `self`, `static` and `parent`, each of which is a use of a class.
fn own_class<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Option<Value> {
    let value = relative(binder, binder.slice(node))?;
    binder.record(node, value);
    Some(value)
}

/// The parts of a name, and the node of the last one.
fn parts<'t>(binder: &Binder<'t>, node: Node<'t>) -> (Vec<&'t str>, Node<'t>) {
    let parts = binder.slice(node).split('\\').map(str::trim).filter(|part| !part.is_empty()).collect();
    let last =
        if node.kind() == "name" { Some(node) } else { children(node).filter(|part| part.kind() == "name").last() };
    (parts, last.unwrap_or(node))
}

/// The path of a name by the `use` clauses and, unless it is a plain one of a function, the namespace.
fn qualified<'t>(binder: &mut Binder<'t>, node: Node<'t>, parts: &[&'t str]) -> Option<PathId> {
    let (first, rest) = parts.split_first()?;
    let mut path = match binder.lookup(first) {
        _ if binder.slice(node).starts_with('\\') => binder.path(Anchor::Unit, first),
        Some(Binding::Path(path)) => path,
        _ if *first == "namespace" && !rest.is_empty() => {
            binder.marked_path(NAMESPACE).unwrap_or_else(|| binder.root(Anchor::Unit))
        }
        _ => match binder.marked_path(NAMESPACE) {
            Some(namespace) => binder.below(namespace, first),
            None => binder.path(Anchor::Unit, first),
        },
    };
    for part in rest {
        path = binder.below(path, part);
    }
    Some(path)
}

/// Binds the name of a class.
fn type_name<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    if let Some(value) = own_class(binder, node) {
        return value;
    }
    let (parts, last) = parts(binder, node);
    let value = qualified(binder, node, &parts).map_or(Value::UNKNOWN, Value::of);
    binder.record(last, value);
    value
}

/// Binds the name of a function or a constant: one that the namespace lacks is a global one.
fn function_name<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let (parts, last) = parts(binder, node);
    if parts.last().is_some_and(|name| name.starts_with("__")) {
        return Value::UNKNOWN;
    }
    let path = qualified(binder, node, &parts);
    let is_plain = parts.len() == 1 && !binder.slice(node).starts_with('\\');
    let bound = is_plain && matches!(parts.first().and_then(|first| binder.lookup(first)), Some(Binding::Path(_)));
    let path = match (path, binder.marked_path(NAMESPACE), parts.first()) {
        (Some(path), Some(namespace), Some(first)) if is_plain && !bound && !binder.defines(path) => {
            let seen = binder.below(namespace, "^");
            Some(binder.below(seen, first))
        }
        (path, ..) => path,
    };
    let value = path.map_or(Value::UNKNOWN, Value::of);
    binder.record(last, value);
    value
}

/// Binds a type, and returns what a value of it stands for.
fn of_type<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "name" | "qualified_name" => type_name(binder, node),
        "primitive_type" | "static_modifier" | "bottom_type" => own_class(binder, node).unwrap_or(Value::UNKNOWN),
        _ => binder.first_of(node, of_type),
    }
}

fn assignment<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let value = binder.at_field(node, "right", visit);
    let Some(left) = node.child_by_field_name("left") else { return value };
    match left.kind() {
        "variable_name" => binder.assign(binder.slice(left), value),
        _ => {
            let target = binder.at(left, visit);
            if let Some(path) = target.plain().filter(|_| left.kind() == "member_access_expression") {
                binder.lead(LeadKind::Type, path, value);
            }
        }
    }
    value
}

/// Binds a namespace; one without a body reaches to the next.
fn namespace<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let mut path = None;
    for part in binder.field_text(node, "name").split('\\').map(str::trim).filter(|part| !part.is_empty()) {
        path = Some(match path {
            Some(path) => binder.below(path, part),
            None => binder.path(Anchor::Unit, part),
        });
    }
    binder.mark(NAMESPACE, path.map_or(NOTHING, Binding::Path));
    if let Some(body) = node.child_by_field_name("body") {
        binder.open(ScopeKind::Block);
        binder.each(body, visit);
        binder.close();
        binder.mark(NAMESPACE, NOTHING);
    }
}

/// Declares the names of `use A\B, A\{C, D as E}`.
fn import<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let prefix = child_of_kind(node, "namespace_name").map_or("", |prefix| binder.slice(prefix));
    let clauses = node.child_by_field_name("body").unwrap_or(node);
    for clause in children(clauses).filter(|child| child.kind() == "namespace_use_clause") {
        let Some(named) = children(clause).find(|child| matches!(child.kind(), "name" | "qualified_name")) else {
            continue;
        };
        let (names, last) = parts(binder, named);
        let mut path = None;
        for part in prefix.split('\\').filter(|part| !part.is_empty()).chain(names) {
            path = Some(match path {
                Some(path) => binder.below(path, part),
                None => binder.path(Anchor::Unit, part),
            });
        }
        let Some(path) = path else { continue };
        let alias = clause.child_by_field_name("alias").map_or(binder.slice(last), |alias| binder.slice(alias));
        binder.record(last, Value::of(path));
        binder.declare(alias, Binding::Path(path));
    }
    Value::UNKNOWN
}

fn class<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let key = node.child_by_field_name("name").map(|name| binder.key_or(name, binder.marked_path(NAMESPACE)));
    let mut first = Value::UNKNOWN;
    for child in children(node) {
        match child.kind() {
            "base_clause" | "class_interface_clause" => {
                for base in children(child) {
                    let value = type_name(binder, base);
                    if child.kind() == "base_clause" {
                        first = first.or(value);
                    }
                    if let Some(key) = key {
                        binder.lead(LeadKind::Base, key, value);
                    }
                }
            }
            "attribute_list" | "arguments" => {
                binder.at(child, visit);
            }
            _ => {}
        }
    }
    let outer = (binder.marked(CLASS), binder.marked(BASE));
    binder.mark(CLASS, key.map_or(NOTHING, Binding::Path));
    binder.mark(BASE, Binding::Local(first));
    binder.open(ScopeKind::Block);
    binder.at_field(node, "body", visit);
    binder.close();
    binder.mark(CLASS, outer.0.unwrap_or(NOTHING));
    binder.mark(BASE, outer.1.unwrap_or(NOTHING));
}

fn function<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let key = node.child_by_field_name("name").and_then(|name| binder.key(name));
    binder.at_field(node, "attributes", visit);
    let closure = matches!(node.kind(), "anonymous_function" | "arrow_function");
    // A closure may use variables of what is around it.
    binder.open(if closure { ScopeKind::Block } else { ScopeKind::Function });
    for parameter in node.child_by_field_name("parameters").into_iter().flat_map(children) {
        binder.at_field(parameter, "attributes", visit);
        let of = binder.at_field(parameter, "type", of_type);
        binder.at_field(parameter, "default_value", visit);
        let of = if parameter.kind() == "variadic_parameter" { of.wrapped() } else { of };
        let Some(name) = parameter.child_by_field_name("name") else { continue };
        binder.declare(binder.slice(name), Binding::Local(of));
        if let (Some(class), "property_promotion_parameter") = (binder.marked_path(CLASS), parameter.kind()) {
            let properties = binder.below(class, "$");
            let property = binder.below(properties, binder.slice(name).trim_start_matches('$'));
            binder.lead(LeadKind::Type, property, of);
        }
    }
    let returned = binder.at_field(node, "return_type", of_type);
    if let Some(key) = key {
        let result = binder.below(key, "()");
        binder.lead(LeadKind::Type, result, returned);
    }
    binder.at_field(node, "body", visit);
    binder.close();
}
