//! How Kotlin binds names.
//!
//! An extension function is found by its own name, where the type of what it is called on has no such
//! member. The members of a companion are those of its class. A lambda that gets its receiver as `this` is bound as if it did not.

use gristmill_pipeline::port::{Anchor, Definition, LeadKind, NamePath};
use tree_sitter::Node;

use crate::bind::{Binder, Binding, PathId, ScopeKind, Value};
use crate::languages::classes;
use crate::spec::{child_of_kind, children, has_token};

/// Kinds of nodes that are types.
const TYPES: [&str; 5] = ["user_type", "nullable_type", "function_type", "parenthesized_type", "non_nullable_type"];

/// Binds a file.
pub(super) fn bind<'t>(binder: &mut Binder<'t>, root: Node<'t>) {
    classes::declare_file(binder);
    classes::bodies(binder, children(root), &["property_declaration"], visit);
}

/// Binds a statement, a declaration or an expression, and returns what an expression stands for.
fn visit<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "identifier" => classes::name(binder, node),
        "this_expression" => match node.named_child(0) {
            // `this@Outer`
            Some(label) => match binder.lookup_type(binder.slice(label)) {
                Some(Binding::Path(class)) => Value::of(class),
                _ => Value::UNKNOWN,
            },
            None => classes::this(binder),
        },
        "super_expression" => {
            let named = children(node).find(|part| TYPES.contains(&part.kind()));
            match named {
                Some(of) => binder.at(of, of_type),
                None => classes::base(binder),
            }
        }
        "navigation_expression" => navigation(binder, node),
        "call_expression" => call(binder, node),
        "callable_reference" => {
            let name = children(node).last().filter(|name| name.kind() == "identifier");
            let of = children(node).find(|of| Some(*of) != name).map(|of| binder.at(of, of_type));
            if let Some(name) = name {
                match of {
                    Some(of) => member(binder, of, name, false),
                    None => classes::method_name(binder, name),
                };
            }
            Value::UNKNOWN
        }
        "value_argument" => {
            let named = has_token(node, "=");
            let mut value = Value::UNKNOWN;
            for part in children(node).skip(usize::from(named)) {
                value = binder.at(part, visit);
            }
            value
        }
        "index_expression" => {
            let mut parts = children(node);
            let of = parts.next().map_or(Value::UNKNOWN, |of| binder.at(of, visit));
            for index in parts {
                binder.at(index, visit);
            }
            binder.element(of)
        }
        "as_expression" => {
            binder.at_field(node, "left", visit);
            binder.at_field(node, "right", of_type)
        }
        "parenthesized_expression"
        | "unary_expression"
        | "annotated_expression"
        | "labeled_expression"
        | "try_expression"
        | "if_expression"
        | "when_expression"
        | "when_entry"
        | "annotated_lambda"
        | "property_delegate"
        | "block" => joined(binder, node),
        "binary_expression" => {
            let elvis = has_token(node, "?:");
            let value = joined(binder, node);
            if elvis { value } else { Value::UNKNOWN }
        }
        "infix_expression" => infix(binder, node),
        "lambda_literal" => lambda(binder, node),
        "object_literal" => {
            let base = classes_of(binder, node, None).unwrap_or(Value::UNKNOWN);
            if let Some(body) = child_of_kind(node, "class_body") {
                let outside = classes::open_anonymous(binder, body, base);
                classes::bodies(binder, children(body), &["property_declaration"], visit);
                classes::close(binder, outside);
            }
            base
        }
        "class_declaration" | "object_declaration" | "companion_object" => class(binder, node),
        "enum_entry" => {
            for part in children(node).filter(|part| part.kind() != "identifier") {
                if part.kind() == "class_body" {
                    let base = classes::this(binder);
                    let outside = classes::open_anonymous(binder, part, base);
                    binder.each(part, visit);
                    classes::close(binder, outside);
                } else {
                    binder.at(part, visit);
                }
            }
            Value::UNKNOWN
        }
        "function_declaration" | "anonymous_function" => function(binder, node),
        "secondary_constructor" => {
            binder.open(ScopeKind::Function);
            for part in children(node) {
                if part.kind() == "function_value_parameters" {
                    parameters(binder, part);
                } else {
                    binder.at(part, visit);
                }
            }
            binder.close();
            Value::UNKNOWN
        }
        "property_declaration" => property(binder, node),
        "setter" => {
            binder.open(ScopeKind::Function);
            if let Some(name) = child_of_kind(node, "identifier") {
                classes::variable(binder, name, Value::UNKNOWN);
            }
            for part in children(node).filter(|part| part.kind() != "identifier") {
                binder.at(part, visit);
            }
            binder.close();
            Value::UNKNOWN
        }
        "getter" | "anonymous_initializer" => {
            binder.open(ScopeKind::Function);
            let value = joined(binder, node);
            binder.close();
            value
        }
        "function_body" => joined(binder, node),
        "for_statement" => {
            binder.open(ScopeKind::Block);
            let loops = |part: &Node<'t>| part.kind().ends_with("variable_declaration");
            let (declared, others): (Vec<_>, Vec<_>) = children(node).partition(loops);
            let mut others = others.into_iter().filter(|part| part.kind() != "label");
            let iterated = others.next().map_or(Value::UNKNOWN, |of| binder.at(of, visit));
            let element = binder.element(iterated);
            for name in declared {
                declare(binder, name, element);
            }
            for part in others {
                binder.at(part, visit);
            }
            binder.close();
            Value::UNKNOWN
        }
        "when_subject" => {
            let declared = child_of_kind(node, "variable_declaration");
            let mut value = Value::UNKNOWN;
            for part in children(node).filter(|part| Some(*part) != declared) {
                value = binder.at(part, visit);
            }
            if let Some(declared) = declared {
                declare(binder, declared, value);
            }
            Value::UNKNOWN
        }
        "catch_block" => {
            binder.open(ScopeKind::Block);
            let of = children(node).find(|part| TYPES.contains(&part.kind()));
            let of = of.map_or(Value::UNKNOWN, |of| binder.at(of, of_type));
            if let Some(name) = child_of_kind(node, "identifier") {
                classes::variable(binder, name, of);
            }
            let value = child_of_kind(node, "block").map_or(Value::UNKNOWN, |block| binder.at(block, visit));
            binder.close();
            value
        }
        "return_expression" => {
            let value = children(node).last().filter(|part| Some(*part) != node.child_by_field_name("label"));
            if let Some(value) = value {
                binder.at(value, visit);
            }
            Value::UNKNOWN
        }
        "type_alias" => {
            let name = node.child_by_field_name("type");
            let of = children(node).find(|part| TYPES.contains(&part.kind()));
            binder.open(ScopeKind::Block);
            type_parameters(binder, node);
            let of = of.map_or(Value::UNKNOWN, |of| binder.at(of, of_type));
            binder.close();
            if let Some(key) = name.and_then(|name| binder.key(name)) {
                binder.lead(LeadKind::Type, key, of);
            }
            Value::UNKNOWN
        }
        "import" => {
            let path = child_of_kind(node, "qualified_identifier");
            let alias = child_of_kind(node, "identifier");
            let name = path.and_then(|path| children(path).last()).filter(|_| !has_token(node, "*"));
            if let Some(name) = name {
                let local = binder.slice(alias.unwrap_or(name));
                classes::imported(binder, name, local);
            }
            Value::UNKNOWN
        }
        "package_header" | "line_comment" | "block_comment" | "label" => Value::UNKNOWN,
        kind if TYPES.contains(&kind) => of_type(binder, node),
        "string_literal" | "multiline_string_literal" => {
            binder.each(node, visit);
            Value::of(binder.path(Anchor::Free, "String"))
        }
        _ => {
            binder.each(node, visit);
            Value::UNKNOWN
        }
    }
}

/// Binds the parts of a node in a block; the value is the last one's that is known.
fn joined<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    binder.open(ScopeKind::Block);
    let is_statements = matches!(node.kind(), "block" | "lambda_literal");
    let mut value = Value::UNKNOWN;
    for part in children(node) {
        let next = binder.at(part, visit);
        value = if is_statements { next } else { next.or(value) };
    }
    binder.close();
    value
}

/// Binds a member of a value. One that the file imports by its name is an extension, and so may be one
/// that is called and that no type is known to have.
fn member<'t>(binder: &mut Binder<'t>, value: Value, name: Node<'t>, is_called: bool) -> Value {
    let text = binder.slice(name);
    match binder.lookup(text) {
        Some(known @ Binding::Path(path)) if binder.is_import(path) && !text.starts_with(char::is_uppercase) => {
            return binder.use_binding(name, known);
        }
        // A companion has no name of its own in the paths of its members.
        _ if text == "Companion" => return value,
        _ => {}
    }
    let plain = value.plain();
    let is_member = binder.named(text).any(|(_, key)| plain.is_some() && binder.parent(key).map(|(of, _)| of) == plain);
    let extension = binder.named(text).find(|(definition, key)| is_extension(binder, definition, *key));
    match (plain, extension) {
        _ if value.wraps() > 0 || is_member => classes::member(binder, value, name),
        (None, Some((_, key))) => binder.use_binding(name, Binding::Path(key)),
        (Some(path), _) if is_called || extension.is_some() => {
            let extended = binder.below(path, NamePath::EXTENDED);
            binder.use_member(Value::of(extended), name)
        }
        _ => classes::member(binder, value, name),
    }
}

/// Whether a definition extends a type: its qualified name has more parts than its path.
fn is_extension(binder: &Binder<'_>, definition: &Definition, key: PathId) -> bool {
    let mut names = 0;
    let mut at = key;
    while let Some((above, _)) = binder.parent(at) {
        names += 1;
        at = above;
    }
    definition.parent.is_none() && definition.qualified_name.split('.').count() > names
}

fn navigation<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let mut parts = children(node);
    let of = parts.next().map_or(Value::UNKNOWN, |of| binder.at(of, visit));
    parts.last().map_or(Value::UNKNOWN, |name| member(binder, of, name, false))
}

fn call<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let mut parts = children(node);
    let Some(called) = parts.next() else { return Value::UNKNOWN };
    let (mut receiver, mut name) = (Value::UNKNOWN, "");
    let value = match called.kind() {
        "navigation_expression" => {
            let mut inner = children(called);
            receiver = inner.next().map_or(Value::UNKNOWN, |of| binder.at(of, visit));
            match inner.last() {
                Some(last) => {
                    name = binder.slice(last);
                    member(binder, receiver, last, true)
                }
                None => Value::UNKNOWN,
            }
        }
        _ => binder.at(called, visit),
    };
    let mut result = Value::UNKNOWN;
    for part in parts {
        classes::expect_lambda(binder, receiver, name);
        let next = binder.at(part, visit);
        if part.kind() == "annotated_lambda" {
            result = next;
        }
    }
    match name {
        "let" | "run" | "use" | "with" if result.path().is_some() => result,
        // `by lazy { it }`
        "" if binder.slice(called) == "lazy" => result,
        _ => classes::call_member(binder, receiver, name, value),
    }
}

fn infix<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let parts: Vec<Node<'t>> = children(node).collect();
    let [left, name, right] = parts.as_slice() else {
        binder.each(node, visit);
        return Value::UNKNOWN;
    };
    let of = binder.at(*left, visit);
    let known = binder.lookup(binder.slice(*name));
    let member = match known {
        Some(known @ Binding::Path(_)) => binder.use_binding(*name, known),
        _ => member(binder, of, *name, true),
    };
    binder.at(*right, visit);
    binder.call(member)
}

fn lambda<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let argument = classes::lambda_argument(binder);
    binder.open(ScopeKind::Function);
    let list = child_of_kind(node, "lambda_parameters");
    match list {
        Some(list) => {
            for (nth, parameter) in children(list).enumerate() {
                declare(binder, parameter, if nth == 0 { argument } else { Value::UNKNOWN });
            }
        }
        None => binder.declare("it", Binding::Local(argument)),
    }
    let mut value = Value::UNKNOWN;
    for part in children(node).filter(|part| Some(*part) != list) {
        value = binder.at(part, visit);
    }
    binder.close();
    value
}

/// Declares the variables of a declaration; what is taken apart has no known parts.
fn declare<'t>(binder: &mut Binder<'t>, node: Node<'t>, value: Value) {
    if node.kind() == "multi_variable_declaration" {
        for part in children(node) {
            declare(binder, part, Value::UNKNOWN);
        }
        return;
    }
    let mut of = Value::UNKNOWN;
    for part in children(node).filter(|part| part.kind() != "identifier") {
        let next = binder.at(part, visit);
        of = of.or(next);
    }
    if let Some(name) = child_of_kind(node, "identifier") {
        classes::variable(binder, name, of.or(value));
    }
}

fn property<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let declared = children(node).find(|part| part.kind().ends_with("variable_declaration"));
    let name = declared.and_then(|declared| child_of_kind(declared, "identifier"));
    binder.open(ScopeKind::Block);
    type_parameters(binder, node);
    let receiver = children(node).find(|part| TYPES.contains(&part.kind()));
    let receiver = receiver.map(|receiver| binder.at(receiver, of_type));
    let of = declared.into_iter().flat_map(children).find(|part| TYPES.contains(&part.kind()));
    let of = of.map_or(Value::UNKNOWN, |of| binder.at(of, of_type));
    binder.close();
    if let (Some(receiver), Some(name)) = (receiver, name) {
        let outside = classes::open_extension(binder, receiver);
        for part in children(node).filter(|part| matches!(part.kind(), "getter" | "setter")) {
            binder.at(part, visit);
        }
        classes::close(binder, outside);
        let key = binder.key(name);
        if let Some(key) = key {
            binder.lead(LeadKind::Type, key, of);
        }
        return Value::UNKNOWN;
    }
    let mut value = Value::UNKNOWN;
    for part in children(node).filter(|part| Some(*part) != declared && part.kind() != "type_parameters") {
        let next = binder.at(part, visit);
        if part.kind() != "setter" && part.kind() != "modifiers" {
            value = value.or(next);
        }
    }
    if let Some(declared) = declared {
        if declared.kind() == "multi_variable_declaration" {
            declare(binder, declared, Value::UNKNOWN);
        } else if let Some(name) = name {
            classes::variable(binder, name, of.or(value));
        }
    }
    Value::UNKNOWN
}

fn type_parameters<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let list = child_of_kind(node, "type_parameters").into_iter().flat_map(children);
    for (parameter, name) in list.filter_map(|parameter| Some((parameter, child_of_kind(parameter, "identifier")?))) {
        classes::type_parameter(binder, name, Value::UNKNOWN);
        let bound = children(parameter).find(|part| TYPES.contains(&part.kind()));
        if let Some(bound) = bound {
            let bound = binder.at(bound, of_type);
            classes::type_parameter(binder, name, bound);
        }
    }
}

/// Declares the parameters of a function.
fn parameters<'t>(binder: &mut Binder<'t>, list: Node<'t>) {
    for part in children(list) {
        if part.kind() == "parameter" {
            let of = children(part).find(|of| TYPES.contains(&of.kind()));
            let of = of.map_or(Value::UNKNOWN, |of| binder.at(of, of_type));
            let is_many = part.prev_sibling().is_some_and(|before| binder.slice(before).contains("vararg"));
            if let Some(name) = child_of_kind(part, "identifier") {
                classes::variable(binder, name, if is_many { of.wrapped() } else { of });
            }
        } else {
            binder.at(part, visit);
        }
    }
}

fn function<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let name = node.child_by_field_name("name");
    let key = name.and_then(|name| binder.key(name));
    if let (Some(name), Some(key), false) = (name, key, binder.in_body()) {
        binder.declare_new(binder.slice(name), Binding::Path(key));
    }
    let list = child_of_kind(node, "function_value_parameters");
    let of_types = |part: &Node<'t>| TYPES.contains(&part.kind());
    let behind = |part: &Node<'t>| list.is_some_and(|list| part.start_byte() > list.start_byte());
    let receiver = children(node).find(|part| of_types(part) && !behind(part));
    binder.open(ScopeKind::Block);
    if let Some(modifiers) = child_of_kind(node, "modifiers") {
        binder.at(modifiers, visit);
    }
    type_parameters(binder, node);
    let receiver = receiver.map(|receiver| binder.at(receiver, of_type));
    let outside = match receiver {
        Some(receiver) => Some(classes::open_extension(binder, receiver)),
        None => {
            binder.open(ScopeKind::Function);
            None
        }
    };
    if let Some(list) = list {
        parameters(binder, list);
    }
    let of = children(node).find(|part| of_types(part) && behind(part));
    let of = of.map_or(Value::UNKNOWN, |of| binder.at(of, of_type));
    if let Some(constraints) = child_of_kind(node, "type_constraints") {
        binder.at(constraints, visit);
    }
    let body = child_of_kind(node, "function_body");
    let value = body.map_or(Value::UNKNOWN, |body| binder.at(body, visit));
    // The value of a body in braces is none.
    let value = if body.is_some_and(|body| child_of_kind(body, "block").is_some()) { Value::UNKNOWN } else { value };
    if let Some(key) = key {
        let call = binder.below(key, "()");
        binder.lead(LeadKind::Type, call, of.or(value));
    }
    match outside {
        Some(outside) => classes::close(binder, outside),
        None => binder.close(),
    }
    binder.close();
    Value::UNKNOWN
}

/// Binds the types that a class inherits from, and what it hands to them.
fn classes_of<'t>(binder: &mut Binder<'t>, node: Node<'t>, key: Option<PathId>) -> Option<Value> {
    let mut first = None;
    for specifier in child_of_kind(node, "delegation_specifiers").into_iter().flat_map(children) {
        for part in children(specifier) {
            let of = match part.kind() {
                "constructor_invocation" | "explicit_delegation" => {
                    let mut parts = children(part);
                    let of = parts.next().map_or(Value::UNKNOWN, |of| binder.at(of, of_type));
                    for part in parts {
                        binder.at(part, visit);
                    }
                    of
                }
                _ => binder.at(part, of_type),
            };
            if let Some(key) = key {
                binder.lead(LeadKind::Base, key, of);
            }
            first = Some(first.unwrap_or(of).or(of));
        }
    }
    first
}

fn class<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    if let Some(modifiers) = child_of_kind(node, "modifiers") {
        binder.at(modifiers, visit);
    }
    let name = node.child_by_field_name("name");
    let outer = classes::class(binder);
    let is_companion = node.kind() == "companion_object";
    let key = match name {
        Some(name) if !is_companion => Some(classes::class_key(binder, name)),
        _ => outer,
    };
    let Some(key) = key else { return Value::UNKNOWN };
    binder.open(ScopeKind::Block);
    type_parameters(binder, node);
    let constructor = child_of_kind(node, "primary_constructor");
    // Parameters of the constructor are seen where a base gets its arguments.
    let list = constructor.and_then(|constructor| child_of_kind(constructor, "class_parameters"));
    let mut properties = Vec::new();
    for parameter in list.into_iter().flat_map(children).filter(|part| part.kind() == "class_parameter") {
        let of = children(parameter).find(|of| TYPES.contains(&of.kind()));
        let of = of.map_or(Value::UNKNOWN, |of| binder.at(of, of_type));
        let Some(name) = child_of_kind(parameter, "identifier") else { continue };
        binder.declare(binder.slice(name), Binding::Local(of));
        if has_token(parameter, "val") || has_token(parameter, "var") {
            properties.push((name, of));
        }
        for part in children(parameter).filter(|part| part.kind() == "modifiers" || part.start_byte() > name.end_byte())
        {
            if !TYPES.contains(&part.kind()) {
                binder.at(part, visit);
            }
        }
    }
    let base = classes_of(binder, node, Some(key));
    let outside = classes::open_class(binder, name.filter(|_| !is_companion), key, base);
    for (name, of) in properties {
        classes::property_parameter(binder, name, of);
    }
    let body = children(node).find(|part| matches!(part.kind(), "class_body" | "enum_class_body"));
    if let Some(body) = body {
        classes::bodies(binder, children(body), &["property_declaration", "enum_entry"], visit);
    }
    classes::close(binder, outside);
    binder.close();
    Value::UNKNOWN
}

/// Binds a type, and returns what a value of it stands for.
fn of_type<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "user_type" => {
            let (mut of, mut name, mut arguments) = (None, "", Vec::new());
            for part in children(node) {
                match part.kind() {
                    "identifier" => {
                        name = binder.slice(part);
                        of = Some(match of {
                            Some(outer) => binder.use_member(outer, part),
                            None => classes::type_name(binder, part),
                        });
                    }
                    "type_arguments" => {
                        arguments = children(part).map(|argument| binder.at(argument, of_type)).collect();
                    }
                    _ => {
                        binder.at(part, visit);
                    }
                }
            }
            classes::generic(binder, name, of.unwrap_or(Value::UNKNOWN), &arguments)
        }
        "function_type" => {
            binder.each(node, of_type);
            Value::UNKNOWN
        }
        "identifier" => classes::name(binder, node),
        "call_expression" | "navigation_expression" => binder.at(node, visit),
        "annotation" => {
            binder.each(node, visit);
            Value::UNKNOWN
        }
        _ => binder.first_of(node, of_type),
    }
}
