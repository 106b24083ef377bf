//! Types and declarators of C and C++.

use gristmill_pipeline::port::{Anchor, LeadKind};
use tree_sitter::Node;

use super::{BASES, NOTHING, define, name, seen, visit, within};
use crate::bind::{Binder, Binding, PathId, ScopeKind, Value};
use crate::languages::c::declared;
use crate::spec::{children, fields};

/// Containers and smart pointers of the standard library that hold values of their first argument.
const HOLDERS: &[&str] = &[
    "array",
    "atomic",
    "deque",
    "forward_list",
    "initializer_list",
    "list",
    "multiset",
    "optional",
    "priority_queue",
    "queue",
    "set",
    "shared_ptr",
    "span",
    "stack",
    "unique_ptr",
    "unordered_set",
    "vector",
    "weak_ptr",
];
/// Containers that hold values of their second argument.
const MAPS: &[&str] = &["map", "multimap", "unordered_map", "unordered_multimap"];

/// Binds a type, and returns what a value of it stands for.
pub(super) fn of_type<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "type_identifier" => name(binder, node),
        "qualified_identifier" => qualified(binder, node),
        "template_type" | "template_function" | "template_method" => {
            let (value, arguments) = template(binder, node);
            held(binder, node, &arguments).unwrap_or(value)
        }
        "type_descriptor" => {
            let value = binder.at_field(node, "type", of_type);
            binder.at_field(node, "declarator", visit);
            value
        }
        "dependent_type" | "dependent_name" => binder.last_of(node, of_type),
        "struct_specifier" | "class_specifier" | "union_specifier" => class(binder, node),
        "enum_specifier" => {
            let named = node.child_by_field_name("name");
            binder.at_field(node, "base", of_type);
            match (named, node.child_by_field_name("body")) {
                (Some(named), None) => binder.at(named, of_type),
                (named, Some(body)) => {
                    binder.each(body, |binder, enumerator| binder.at_field(enumerator, "value", visit));
                    named.and_then(|named| binder.key(named)).map_or(Value::UNKNOWN, Value::of)
                }
                _ => Value::UNKNOWN,
            }
        }
        "decltype" => binder.last_of(node, visit),
        "primitive_type" | "sized_type_specifier" | "placeholder_type_specifier" | "auto" => Value::UNKNOWN,
        // Counted, in case `visit` takes it for a type.
        _ => binder.at(node, visit),
    }
}

/// Binds the name and the arguments of a template.
fn template<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> (Value, Vec<Value>) {
    let value = match node.child_by_field_name("name") {
        Some(name) if name.kind() == "qualified_identifier" => qualified(binder, name),
        Some(named) => name(binder, named),
        None => Value::UNKNOWN,
    };
    (value, arguments(binder, node))
}

fn arguments<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Vec<Value> {
    let arguments = node.child_by_field_name("arguments");
    arguments.into_iter().flat_map(children).map(|argument| binder.at(argument, of_type)).collect()
}

/// What a container of the standard library holds.
fn held<'t>(binder: &Binder<'t>, template: Node<'t>, arguments: &[Value]) -> Option<Value> {
    let name = binder.field_text(template, "name");
    let argument = match name {
        name if HOLDERS.contains(&name) => arguments.first(),
        name if MAPS.contains(&name) => arguments.get(1),
        _ => None,
    };
    Some(argument?.wrapped())
}

/// Binds `a::b::c`, name by name.
fn qualified<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let scope = node.child_by_field_name("scope");
    let outer = scope.map(|scope| match scope.kind() {
        "template_type" => template(binder, scope).0,
        _ => name(binder, scope),
    });
    let is_std = scope.is_some_and(|scope| binder.slice(scope) == "std");
    below(binder, outer, is_std, node)
}

/// Binds what is behind a scope in a qualified name.
fn below<'t>(binder: &mut Binder<'t>, outer: Option<Value>, is_std: bool, node: Node<'t>) -> Value {
    let Some(inner) = node.child_by_field_name("name") else { return Value::UNKNOWN };
    match inner.kind() {
        "qualified_identifier" => {
            let scope = inner.child_by_field_name("scope");
            let value = scope.map(|scope| {
                let named = scope.child_by_field_name("name").unwrap_or(scope);
                let value = member(binder, outer, named);
                arguments(binder, scope);
                value
            });
            below(binder, value.or(outer), is_std, inner)
        }
        "template_type" | "template_function" | "template_method" => {
            let named = inner.child_by_field_name("name").unwrap_or(inner);
            let value = member(binder, outer, named);
            let arguments = arguments(binder, inner);
            match held(binder, inner, &arguments) {
                Some(held) if is_std => held,
                _ => value,
            }
        }
        "dependent_name" => inner.named_child(0).map_or(Value::UNKNOWN, |name| member(binder, outer, name)),
        _ => member(binder, outer, inner),
    }
}

/// Binds a member of a scope; without one, of the global namespace.
fn member<'t>(binder: &mut Binder<'t>, outer: Option<Value>, node: Node<'t>) -> Value {
    match outer {
        Some(outer) => binder.use_member(outer, node),
        None => {
            let value = Value::of(binder.path(Anchor::Free, binder.slice(node)));
            binder.record(node, value);
            value
        }
    }
}

/// Binds the scopes before the name that a definition outside of its class defines.
pub(super) fn qualifier<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let Some(scope) = node.child_by_field_name("scope") else { return };
    let mut value = match scope.kind() {
        "template_type" => scope.child_by_field_name("name").map_or(Value::UNKNOWN, |named| name(binder, named)),
        _ => name(binder, scope),
    };
    let mut inner = node.child_by_field_name("name");
    while let Some(node) = inner.filter(|inner| inner.kind() == "qualified_identifier") {
        if let Some(scope) = node.child_by_field_name("scope") {
            let named = scope.child_by_field_name("name").unwrap_or(scope);
            value = binder.use_member(value, named);
        }
        inner = node.child_by_field_name("name");
    }
}

/// Binds a class: its bases, then its members.
fn class<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let named = node.child_by_field_name("name");
    let Some(body) = node.child_by_field_name("body") else {
        return named.map_or(Value::UNKNOWN, |named| binder.at(named, of_type));
    };
    let key = named.and_then(|named| binder.key(named)).or_else(|| typedef_key(binder, node));
    let mut has_bases = false;
    for clause in children(node).filter(|child| child.kind() == "base_class_clause") {
        for base in children(clause).filter(|base| base.kind() != "access_specifier") {
            let value = binder.at(base, of_type);
            has_bases = true;
            if let Some(key) = key {
                binder.lead(LeadKind::Base, key, value);
            }
        }
    }
    let outer = binder.marked(BASES);
    binder.mark(BASES, if has_bases { Binding::Local(Value::LOCAL) } else { outer.unwrap_or(NOTHING) });
    match key {
        Some(key) => within(binder, key, Some(key), |binder| {
            binder.open(ScopeKind::Block);
            binder.each(body, visit);
            binder.close();
        }),
        None => binder.each(body, visit),
    }
    binder.mark(BASES, outer.unwrap_or(NOTHING));
    key.map_or(Value::UNKNOWN, Value::of)
}

/// The path of the first name of a `typedef` around the body of a struct.
fn typedef_key<'t>(binder: &Binder<'t>, node: Node<'t>) -> Option<PathId> {
    let outer = node
        .parent()
        .filter(|outer| matches!(outer.kind(), "type_definition" | "declaration" | "field_declaration"))?;
    let written = fields(outer, "declarator").next()?;
    binder.key(declared(written)?.name)
}

/// Declares what a declarator declares, of that type; returns its value.
pub(super) fn declarator<'t>(binder: &mut Binder<'t>, node: Node<'t>, of: Value) -> Value {
    let (written, value) = match node.kind() {
        "init_declarator" => (node.child_by_field_name("declarator"), node.child_by_field_name("value")),
        _ => (Some(node), None),
    };
    let Some(declared) = written.and_then(declared) else {
        binder.each(node, visit);
        return Value::UNKNOWN;
    };
    if let Some(qualified) = declared.qualified {
        qualifier(binder, qualified);
    }
    let class = declared.qualified.and_then(|_| binder.key(declared.name)).and_then(|key| binder.parent(key));
    let mut bind_value = |binder: &mut Binder<'t>| {
        let value = value.map_or(Value::UNKNOWN, |value| match value.kind() {
            "initializer_list" => {
                designated(binder, value, of);
                Value::UNKNOWN
            }
            _ => binder.at(value, visit),
        });
        of.or(value)
    };
    let value = match class {
        Some((class, _)) => within_class(binder, class, &mut bind_value),
        None => bind_value(binder),
    };
    let is_function = declared.function && binder.key(declared.name).is_some();
    if let (true, Some(key)) = (is_function, binder.key(declared.name)) {
        let result = binder.below(key, "()");
        binder.lead(LeadKind::Type, result, value);
        // The types and defaults of its parameters.
        binder.open(ScopeKind::Function);
        if let Some(written) = written {
            parameters(binder, written);
        }
        binder.close();
    } else {
        define(binder, declared.name, value);
        if let Some(written) = written {
            sizes(binder, written);
        }
    }
    value
}

fn within_class<'t>(binder: &mut Binder<'t>, class: PathId, bind: &mut dyn FnMut(&mut Binder<'t>) -> Value) -> Value {
    let mut value = Value::UNKNOWN;
    within(binder, class, Some(class), |binder| value = bind(binder));
    value
}

/// Binds the sizes of arrays, and the types of the parameters of function pointers.
fn sizes<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    binder.at_field(node, "size", visit);
    if let Some(list) = node.child_by_field_name("parameters") {
        binder.open(ScopeKind::Function);
        binder.each(list, visit);
        binder.close();
    }
    let inner = node.child_by_field_name("declarator");
    let inner = inner.or_else(|| node.named_child(0).filter(|_| node.kind().ends_with("_declarator")));
    if let Some(inner) = inner.filter(|inner| inner.kind().ends_with("_declarator")) {
        sizes(binder, inner);
    }
}

/// Declares the parameters of a function's declarator.
pub(super) fn parameters<'t>(binder: &mut Binder<'t>, written: Node<'t>) {
    let mut at = Some(written);
    while let Some(node) = at {
        if node.kind() == "function_declarator" {
            for part in children(node) {
                if matches!(part.kind(), "parameter_list" | "trailing_return_type" | "noexcept" | "requires_clause") {
                    binder.each(part, visit);
                }
            }
            return;
        }
        at = node.child_by_field_name("declarator").or_else(|| node.named_child(0));
    }
}

/// Binds a list of values in braces, whose designators are fields of a type.
fn designated<'t>(binder: &mut Binder<'t>, list: Node<'t>, of: Value) {
    for part in children(list) {
        match part.kind() {
            "initializer_pair" => {
                for designator in fields(part, "designator").filter(|node| node.kind() == "field_designator") {
                    if let Some(field) = designator.named_child(0) {
                        binder.use_member(of, field);
                    }
                }
                binder.at_field(part, "value", visit);
            }
            "initializer_list" => designated(binder, part, of),
            _ => {
                binder.at(part, visit);
            }
        }
    }
}

/// What `static_cast<T>(x)` and its like give.
pub(super) fn cast<'t>(binder: &mut Binder<'t>, function: Node<'t>) -> Option<Value> {
    let casts = ["static_cast", "dynamic_cast", "const_cast", "reinterpret_cast"];
    if function.kind() != "template_function" || !casts.contains(&binder.field_text(function, "name")) {
        return None;
    }
    arguments(binder, function).first().copied()
}

/// What `std::make_unique<T>(…)` and its like give; the function is bound already.
pub(super) fn smart<'t>(binder: &mut Binder<'t>, function: Node<'t>) -> Option<Value> {
    let inner =
        if function.kind() == "qualified_identifier" { function.child_by_field_name("name")? } else { function };
    let makes = ["make_unique", "make_shared"].contains(&binder.field_text(inner, "name"));
    let argument = inner.child_by_field_name("arguments").filter(|_| makes)?.named_child(0)?;
    let of = argument.child_by_field_name("type").unwrap_or(argument);
    let path = match of.kind() {
        "type_identifier" => match binder.lookup(binder.slice(of)) {
            Some(_) => return None,
            None => seen(binder, binder.slice(of)),
        },
        _ => return None,
    };
    Some(Value::of(path).wrapped())
}
