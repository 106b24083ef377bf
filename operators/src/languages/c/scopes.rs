//! How C and C++ bind names.
//!
//! A name of a C file that the file does not declare comes from what it includes. In C++ a name
//! that is not local may be a member of the class, of its bases, of the namespaces around, or of
//! the file: the path of the scope that the use lies in, with a `^` behind it, stands for all of
//! these, in this order. Types come from declarations and from the results of functions.

mod types;

use gristmill_pipeline::port::{Anchor, LeadKind};
use tree_sitter::Node;

use self::types::{declarator, of_type, smart};
use super::declared;
use crate::bind::{Binder, Binding, PathId, ScopeKind, Value};
use crate::spec::{child_of_kind, children, fields};

/// The namespace or class that is bound.
const SCOPE: &str = "scope";
/// The class that is bound, which `this` is of.
const CLASS: &str = "class";
/// Whether a class is bound whose bases are not all in this file.
const BASES: &str = "bases";
/// What is remembered where there is none of these.
const NOTHING: Binding = Binding::Local(Value::UNKNOWN);

/// Binds a file.
pub(in crate::languages) fn bind<'t>(binder: &mut Binder<'t>, root: Node<'t>) {
    binder.each(root, visit);
}

/// Calls `visit` with a scope, and a class if it is one, marked.
fn within<'t>(binder: &mut Binder<'t>, scope: PathId, class: Option<PathId>, visit: impl FnOnce(&mut Binder<'t>)) {
    let outer = (binder.marked(SCOPE), binder.marked(CLASS));
    binder.mark(SCOPE, Binding::Path(scope));
    if let Some(class) = class {
        binder.mark(CLASS, Binding::Path(class));
    }
    visit(binder);
    binder.mark(SCOPE, outer.0.unwrap_or(NOTHING));
    binder.mark(CLASS, outer.1.unwrap_or(NOTHING));
}

/// The path of a name that is not local: what the file defines in the scopes around, or else the
/// name as it is seen from the innermost.
fn seen<'t>(binder: &mut Binder<'t>, name: &'t str) -> PathId {
    let scope = binder.marked_path(SCOPE);
    let bases = binder.marked(BASES).is_some_and(|bases| bases != NOTHING);
    let mut at = scope;
    while let Some(path) = at {
        let Some((above, last)) = binder.parent(path) else { break };
        // A class, which has its own name among its members.
        if last == name && !binder.is_import(path) {
            return path;
        }
        let own = binder.below(path, name);
        if binder.defines(own) {
            return own;
        }
        // Members of a class that is elsewhere, or of its bases, come before what is around it.
        if bases || !binder.defines(path) {
            let seen = binder.below(path, "^");
            return binder.below(seen, name);
        }
        at = Some(above);
    }
    let own = binder.path(Anchor::Unit, name);
    match scope {
        _ if binder.defines(own) => own,
        Some(scope) => {
            let seen = binder.below(scope, "^");
            binder.below(seen, name)
        }
        None => binder.path(Anchor::Free, name),
    }
}

/// Binds a plain name, and returns what it stands for.
fn name<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let text = binder.slice(node);
    match binder.lookup(text) {
        Some(_) => binder.use_name(node),
        None if text.is_empty() || text == "std" => Value::UNKNOWN,
        None => {
            let value = Value::of(seen(binder, text));
            binder.record(node, value);
            value
        }
    }
}

/// Binds a statement, a declaration or an expression, and returns what an expression stands for.
fn visit<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "identifier" | "namespace_identifier" => name(binder, node),
        "this" => binder.marked_path(CLASS).map_or(Value::UNKNOWN, Value::of),
        "field_expression" => field(binder, node),
        "call_expression" => call(binder, node),
        "subscript_expression" => {
            let value = binder.at_field(node, "argument", visit);
            for part in ["index", "indices"] {
                binder.at_field(node, part, visit);
            }
            // A pointer is what it points to.
            value.unwrapped().unwrap_or(value)
        }
        "pointer_expression" => {
            let value = binder.at_field(node, "argument", visit);
            value.unwrapped().unwrap_or(value)
        }
        "parenthesized_expression" | "condition_clause" => binder.last_of(node, visit),
        "conditional_expression" => {
            binder.at_field(node, "condition", visit);
            binder.either(node, ["consequence", "alternative"], visit)
        }
        "assignment_expression" => {
            let value = binder.at_field(node, "left", visit);
            binder.at_field(node, "right", visit);
            value
        }
        "cast_expression" | "compound_literal_expression" => {
            let value = binder.at_field(node, "type", of_type);
            binder.at_field(node, "value", visit);
            value
        }
        "new_expression" => {
            let value = binder.at_field(node, "type", of_type);
            for part in ["placement", "declarator", "arguments"] {
                binder.at_field(node, part, visit);
            }
            value
        }
        "function_definition" => function(binder, node),
        "declaration" => declaration(binder, node),
        "field_declaration" => member_declaration(binder, node),
        "condition_declaration" => declaration(binder, node),
        "type_definition" => type_definition(binder, node),
        "alias_declaration" => {
            let value = binder.at_field(node, "type", of_type);
            if let Some(name) = node.child_by_field_name("name") {
                define(binder, name, value);
            }
            Value::UNKNOWN
        }
        "using_declaration" => using(binder, node),
        "namespace_definition" => {
            namespace(binder, node);
            Value::UNKNOWN
        }
        "template_declaration" => {
            binder.open(ScopeKind::Block);
            binder.each(node, visit);
            binder.close();
            Value::UNKNOWN
        }
        "type_parameter_declaration"
        | "variadic_type_parameter_declaration"
        | "optional_type_parameter_declaration" => {
            binder.at_field(node, "default_type", of_type);
            if let Some(name) = node.child_by_field_name("name").or_else(|| child_of_kind(node, "type_identifier")) {
                binder.declare(binder.slice(name), Binding::Local(Value::UNKNOWN));
            }
            Value::UNKNOWN
        }
        "parameter_declaration" | "optional_parameter_declaration" | "variadic_parameter_declaration" => {
            parameter(binder, node);
            Value::UNKNOWN
        }
        "lambda_expression" => {
            binder.open(ScopeKind::Function);
            for part in ["captures", "declarator", "body"] {
                binder.at_field(node, part, visit);
            }
            binder.close();
            Value::UNKNOWN
        }
        "compound_statement" | "for_statement" | "if_statement" | "while_statement" | "case_statement"
        | "catch_clause" | "switch_statement" => {
            binder.open(ScopeKind::Block);
            binder.each(node, visit);
            binder.close();
            Value::UNKNOWN
        }
        "for_range_loop" => {
            range_loop(binder, node);
            Value::UNKNOWN
        }
        "initializer_pair" => {
            // A designator is a field of what is made, which the declaration says.
            binder.at_field(node, "value", visit);
            Value::UNKNOWN
        }
        "enum_specifier"
        | "struct_specifier"
        | "class_specifier"
        | "union_specifier"
        | "type_identifier"
        | "type_descriptor"
        | "template_type"
        | "qualified_identifier"
        | "template_function"
        | "template_method"
        | "dependent_name"
        | "dependent_type"
        | "decltype" => of_type(binder, node),
        "comment"
        | "preproc_include"
        | "preproc_def"
        | "preproc_function_def"
        | "preproc_call"
        | "statement_identifier"
        | "goto_statement"
        | "field_designator"
        | "attribute_declaration"
        | "attribute_specifier"
        | "concept_definition" => Value::UNKNOWN,
        _ => {
            binder.each(node, visit);
            Value::UNKNOWN
        }
    }
}

/// Members of containers and smart pointers that give what these hold.
const ELEMENTS: &[&str] =
    &["at", "back", "front", "get", "load", "lock", "operator*", "operator->", "release", "top", "value"];
/// Members that give a position in what these hold.
const POSITIONS: &[&str] =
    &["begin", "cbegin", "cend", "crbegin", "crend", "end", "find", "lower_bound", "rbegin", "rend", "upper_bound"];

fn field<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let value = binder.at_field(node, "argument", visit);
    let Some(member) = node.child_by_field_name("field") else { return Value::UNKNOWN };
    let arrow = node.child_by_field_name("operator").is_some_and(|operator| binder.slice(operator) == "->");
    let value = if arrow { value.unwrapped().unwrap_or(value) } else { value };
    if matches!(member.kind(), "template_method" | "dependent_name") {
        let inner = if member.kind() == "dependent_name" { member.named_child(0) } else { Some(member) };
        let name = inner.and_then(|inner| inner.child_by_field_name("name"));
        let found = name.map_or(Value::UNKNOWN, |name| binder.use_member(value, name));
        if let Some(arguments) = inner.and_then(|inner| inner.child_by_field_name("arguments")) {
            binder.each(arguments, of_type);
        }
        return found;
    }
    if member.kind() == "qualified_identifier" {
        return of_type(binder, member);
    }
    match (value.unwrapped(), binder.slice(member)) {
        // See `call`: what a call of these gives.
        (Some(element), name) if ELEMENTS.contains(&name) => element,
        (Some(_), name) if POSITIONS.contains(&name) => value,
        // The value in a pair of a map.
        (_, "second") if value.path().is_some() => value,
        _ => binder.use_member(value, member),
    }
}

fn call<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let function = node.child_by_field_name("function");
    let cast = function.and_then(|function| types::cast(binder, function));
    let called = match cast {
        Some(_) => Value::UNKNOWN,
        None => function.map_or(Value::UNKNOWN, |function| binder.at(function, visit)),
    };
    binder.at_field(node, "arguments", visit);
    let is_element = |function: Node<'t>| {
        function.kind() == "field_expression"
            && [ELEMENTS, POSITIONS].iter().any(|names| names.contains(&binder.field_text(function, "field")))
            && called.plain().is_none_or(|path| {
                binder.parent(path).is_none_or(|(_, name)| name != binder.field_text(function, "field"))
            })
    };
    match (cast, function) {
        (Some(value), _) => value,
        (None, Some(function)) if is_element(function) => called,
        (None, Some(function)) => match smart(binder, function) {
            Some(value) => value,
            None => binder.call(called),
        },
        _ => Value::UNKNOWN,
    }
}

/// Gives a name that a declaration declares a value: a local one, or what the file defines.
fn define<'t>(binder: &mut Binder<'t>, name: Node<'t>, value: Value) {
    let text = binder.slice(name);
    match binder.key(name).filter(|_| binder.at_module() || binder.marked_path(CLASS).is_some()) {
        Some(key) if !in_function(name) => binder.lead(LeadKind::Type, key, value),
        _ => binder.declare(text, Binding::Local(value)),
    }
}

/// Whether a node lies in the body of a function.
fn in_function(node: Node<'_>) -> bool {
    let mut parent = node.parent();
    while let Some(node) = parent {
        match node.kind() {
            "compound_statement" | "lambda_expression" => return true,
            "field_declaration_list" | "translation_unit" | "declaration_list" => return false,
            _ => parent = node.parent(),
        }
    }
    false
}

fn declaration<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let of = binder.at_field(node, "type", of_type);
    for part in children(node).filter(|part| part.kind() == "attribute_specifier") {
        binder.at(part, visit);
    }
    // That of a condition, `if (auto x = y)`.
    let value = binder.at_field(node, "value", visit);
    let mut last = value;
    for part in fields(node, "declarator") {
        last = declarator(binder, part, of.or(value));
    }
    last
}

fn member_declaration<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let of = binder.at_field(node, "type", of_type);
    for part in fields(node, "declarator") {
        declarator(binder, part, of);
    }
    binder.at_field(node, "default_value", visit)
}

fn type_definition<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let of = binder.at_field(node, "type", of_type);
    for part in fields(node, "declarator") {
        declarator(binder, part, of);
    }
    Value::UNKNOWN
}

/// Declares a parameter.
fn parameter<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let of = binder.at_field(node, "type", of_type);
    binder.at_field(node, "default_value", visit);
    let Some(written) = node.child_by_field_name("declarator") else { return };
    if let Some(declared) = declared(written) {
        binder.declare(binder.slice(declared.name), Binding::Local(of));
    }
    if written.kind().starts_with("abstract_") {
        binder.each(written, visit);
    }
}

fn function<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let of = binder.at_field(node, "type", of_type);
    let Some(written) = node.child_by_field_name("declarator") else { return Value::UNKNOWN };
    let Some(declared) = declared(written) else { return Value::UNKNOWN };
    let key = binder.key(declared.name);
    // `Foo::bar`, outside of its class.
    let class = declared.qualified.and(key).and_then(|key| binder.parent(key)).map(|(class, _)| class);
    if let Some(qualified) = declared.qualified {
        types::qualifier(binder, qualified);
    }
    if let Some(key) = key {
        let result = binder.below(key, "()");
        binder.lead(LeadKind::Type, result, of);
    }
    let bind_body = |binder: &mut Binder<'t>| {
        binder.open(ScopeKind::Function);
        types::parameters(binder, written);
        for part in children(node) {
            match part.kind() {
                "field_initializer_list" => initializers(binder, part),
                "compound_statement" | "try_statement" => {
                    binder.at(part, visit);
                }
                _ => {}
            }
        }
        binder.close();
    };
    match class {
        Some(class) => within(binder, class, Some(class), bind_body),
        None => bind_body(binder),
    }
    Value::UNKNOWN
}

/// Binds the initializers of a constructor: each names a member, or a base.
fn initializers<'t>(binder: &mut Binder<'t>, list: Node<'t>) {
    for initializer in children(list) {
        for part in children(initializer) {
            match part.kind() {
                "field_identifier" => {
                    let path = seen(binder, binder.slice(part));
                    binder.record(part, Value::of(path));
                }
                _ => {
                    binder.at(part, visit);
                }
            }
        }
    }
}

fn namespace<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let Some(body) = node.child_by_field_name("body") else { return };
    let scope = node.child_by_field_name("name").map(|name| {
        let outer = binder.marked_path(SCOPE);
        let mut path = outer;
        for part in binder.slice(name).split("::").map(str::trim).filter(|part| *part != "inline") {
            path = Some(match path {
                Some(path) => binder.below(path, part),
                None => binder.path(Anchor::Unit, part),
            });
        }
        path
    });
    binder.open(ScopeKind::Block);
    match scope.flatten() {
        Some(scope) => within(binder, scope, None, |binder| {
            binder.each(body, visit);
        }),
        None => binder.each(body, visit),
    }
    binder.close();
}

/// Binds `using a::b`, which makes `b` a name here, and `using namespace a`.
fn using<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let whole = crate::spec::has_token(node, "namespace");
    let Some(named) = children(node).last() else { return Value::UNKNOWN };
    let value = binder.at(named, visit);
    let scope = binder.marked_path(SCOPE);
    if whole {
        let from = scope.unwrap_or_else(|| binder.root(Anchor::Unit));
        binder.lead(LeadKind::Base, from, value);
    } else if let Some(path) = value.plain()
        && let Some((_, name)) = binder.parent(path)
    {
        if in_function(node) {
            binder.declare(name, Binding::Path(path));
        } else {
            let from = match scope {
                Some(scope) => binder.below(scope, name),
                None => binder.path(Anchor::Unit, name),
            };
            binder.lead(LeadKind::Alias, from, value);
        }
    }
    Value::UNKNOWN
}

fn range_loop<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    binder.open(ScopeKind::Block);
    binder.at_field(node, "initializer", visit);
    let ranged = binder.at_field(node, "right", visit);
    let of = binder.at_field(node, "type", of_type).or(ranged.unwrapped().unwrap_or(Value::UNKNOWN));
    if let Some(written) = node.child_by_field_name("declarator") {
        declarator(binder, written, of);
    }
    binder.at_field(node, "body", visit);
    binder.close();
}
