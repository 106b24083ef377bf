//! How Scala binds names.
//!
//! A class and its companion object have one key, so members of either are found below it; what a
//! package object defines are names of the package. Implicit conversions and extension methods are not
//! followed.

mod patterns;

use gristmill_pipeline::port::LeadKind;
use tree_sitter::Node;

use self::patterns::{case_clause, pattern};
use crate::bind::{Binder, Binding, PathId, ScopeKind, Value};
use crate::languages::classes;
use crate::spec::{children, fields, has_token};

/// Members of a class that hold something, which are bound before its methods.
const FIELDS: &[&str] = &["val_definition", "var_definition", "val_declaration", "var_declaration"];

/// Binds a file.
pub(super) fn bind<'t>(binder: &mut Binder<'t>, root: Node<'t>) {
    classes::declare_file(binder);
    classes::bodies(binder, children(root), FIELDS, visit);
}

/// Binds a statement, a declaration or an expression, and returns what an expression stands for.
fn visit<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "identifier" => match binder.slice(node) {
            "this" => classes::this(binder),
            "super" => classes::base(binder),
            "_" => Value::UNKNOWN,
            _ => classes::name(binder, node),
        },
        "field_expression" | "stable_identifier" => {
            let (of, name) = select(binder, node);
            name.map_or(Value::UNKNOWN, |name| classes::member(binder, of, name))
        }
        "call_expression" => call(binder, node),
        "generic_function" => {
            let function = binder.at_field(node, "function", visit);
            binder.at_field(node, "type_arguments", of_type);
            function
        }
        "instance_expression" => instance(binder, node),
        "infix_expression" => {
            let left = binder.at_field(node, "left", visit);
            let Some(operator) = node.child_by_field_name("operator") else { return Value::UNKNOWN };
            let text = binder.slice(operator);
            let member = if operator.kind() == "identifier" {
                classes::member(binder, left, operator)
            } else {
                binder.member(left, text)
            };
            classes::expect_lambda(binder, left, text);
            binder.at_field(node, "right", visit);
            classes::call_member(binder, left, text, member)
        }
        "ascription_expression" => {
            for part in children(node) {
                binder.at(part, visit);
            }
            Value::UNKNOWN
        }
        "assignment_expression" => {
            // The name of an argument.
            let named = node.parent().is_some_and(|parent| parent.kind() == "arguments");
            let left = node.child_by_field_name("left").filter(|left| !(named && left.kind() == "identifier"));
            let left = left.map_or(Value::UNKNOWN, |left| binder.at(left, visit));
            let right = binder.at_field(node, "right", visit);
            left.or(right)
        }
        "parenthesized_expression"
        | "block"
        | "indented_block"
        | "if_expression"
        | "try_expression"
        | "case_block"
        | "indented_cases"
        | "template_body"
        | "with_template_body" => block(binder, node),
        "match_expression" => {
            let value = binder.at_field(node, "value", visit);
            let body = node.child_by_field_name("body");
            let mut result = Value::UNKNOWN;
            for case in body.into_iter().flat_map(children) {
                let next = case_clause(binder, case, value);
                result = result.or(next);
            }
            result
        }
        "case_clause" => case_clause(binder, node, Value::UNKNOWN),
        "catch_clause" => {
            binder.open(ScopeKind::Block);
            if let Some(of) = node.child_by_field_name("pattern") {
                pattern(binder, of, Value::UNKNOWN);
            }
            for part in children(node).filter(|part| Some(*part) != node.child_by_field_name("pattern")) {
                binder.at(part, visit);
            }
            binder.close();
            Value::UNKNOWN
        }
        "lambda_expression" => lambda(binder, node),
        "for_expression" => {
            binder.open(ScopeKind::Block);
            for part in children(node) {
                binder.at(part, visit);
            }
            binder.close();
            Value::UNKNOWN
        }
        "enumerator" => {
            let mut parts = children(node);
            if let Some(first) = parts.next() {
                if first.kind() == "guard" {
                    binder.at(first, visit);
                    return Value::UNKNOWN;
                }
                let value = parts.next().map_or(Value::UNKNOWN, |value| binder.at(value, visit));
                let is_definition = has_token(node, "=");
                let element = if is_definition { value } else { binder.element(value) };
                pattern(binder, first, element);
                for part in parts {
                    binder.at(part, visit);
                }
            }
            Value::UNKNOWN
        }
        "val_definition" | "var_definition" | "val_declaration" | "var_declaration" => {
            variable(binder, node);
            Value::UNKNOWN
        }
        "function_definition" | "function_declaration" => function(binder, node),
        "class_definition" | "trait_definition" | "object_definition" | "enum_definition" | "full_enum_case"
        | "simple_enum_case" => class(binder, node),
        "package_object" => package_object(binder, node),
        "given_definition" | "extension_definition" => {
            binder.open(ScopeKind::Function);
            for part in children(node).filter(|part| Some(*part) != node.child_by_field_name("name")) {
                match part.kind() {
                    "parameters" => parameters(binder, part, None),
                    "type_parameters" => type_parameters(binder, part),
                    _ => {
                        binder.at(part, visit);
                    }
                }
            }
            binder.close();
            Value::UNKNOWN
        }
        "type_definition" => {
            binder.open(ScopeKind::Block);
            if let Some(list) = node.child_by_field_name("type_parameters") {
                type_parameters(binder, list);
            }
            for bound in fields(node, "bound") {
                binder.at(bound, of_type);
            }
            let of = binder.at_field(node, "type", of_type);
            binder.close();
            if let Some(key) = node.child_by_field_name("name").and_then(|name| binder.key(name)) {
                binder.lead(LeadKind::Type, key, of);
            }
            Value::UNKNOWN
        }
        "self_type" => {
            let this = classes::this(binder);
            let mut parts = children(node);
            if let Some(name) = parts.next().filter(|name| name.kind() == "identifier") {
                binder.declare(binder.slice(name), Binding::Local(this));
            }
            for of in parts {
                let value = binder.at(of, of_type);
                if let Some(class) = classes::class(binder) {
                    binder.lead(LeadKind::Base, class, value);
                }
            }
            Value::UNKNOWN
        }
        "annotation" => {
            binder.at_field(node, "name", of_type);
            for arguments in fields(node, "arguments") {
                binder.at(arguments, visit);
            }
            Value::UNKNOWN
        }
        "import_declaration" | "export_declaration" => import(binder, node),
        "package_clause" => binder.at_field(node, "body", visit),
        "interpolated_string_expression" => {
            for part in children(node).filter(|part| part.kind() == "interpolated_string") {
                binder.each(part, visit);
            }
            Value::UNKNOWN
        }
        "comment" | "block_comment" | "string" | "modifiers" | "end_marker" | "access_modifier" => Value::UNKNOWN,
        "type_identifier"
        | "generic_type"
        | "stable_type_identifier"
        | "applied_constructor_type"
        | "projected_type"
        | "compound_type"
        | "infix_type"
        | "tuple_type"
        | "function_type"
        | "annotated_type"
        | "lazy_parameter_type"
        | "repeated_parameter_type"
        | "singleton_type"
        | "structural_type"
        | "type_arguments"
        | "upper_bound"
        | "lower_bound"
        | "context_bound"
        | "view_bound" => of_type(binder, node),
        _ => {
            binder.each(node, visit);
            Value::UNKNOWN
        }
    }
}

/// Binds the parts of a node in a block, whose functions and types are seen in all of it. The value is
/// that of the last part.
fn block<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let is_class = matches!(node.kind(), "template_body" | "with_template_body");
    if !is_class {
        binder.open(ScopeKind::Block);
        for part in children(node).filter(|part| part.kind() == "function_definition") {
            let name = part.child_by_field_name("name");
            if let Some((name, key)) = name.and_then(|name| Some((binder.slice(name), binder.key(name)?))) {
                binder.declare(name, Binding::Path(key));
            }
        }
    }
    let branches = node.kind() == "if_expression";
    let mut value = Value::UNKNOWN;
    for part in children(node) {
        let next = binder.at(part, visit);
        value = if branches { next.or(value) } else { next };
    }
    if !is_class {
        binder.close();
    }
    value
}

/// Binds what stands before the last name of a path, and returns it with that name.
fn select<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> (Value, Option<Node<'t>>) {
    if node.kind() == "field_expression" {
        let of = binder.at_field(node, "value", visit);
        return (of, node.child_by_field_name("field"));
    }
    let mut parts = children(node);
    let of = parts.next().map_or(Value::UNKNOWN, |of| binder.at(of, visit));
    (of, parts.last())
}

fn call<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let Some(mut function) = node.child_by_field_name("function") else { return Value::UNKNOWN };
    let mut arguments = None;
    if function.kind() == "generic_function" {
        arguments = function.child_by_field_name("type_arguments");
        function = function.child_by_field_name("function").unwrap_or(function);
    }
    let (mut receiver, mut text) = (Value::UNKNOWN, "");
    let method = if function.kind() == "field_expression" {
        let (of, name) = select(binder, function);
        receiver = of;
        text = name.map_or("", |name| binder.slice(name));
        name.map_or(Value::UNKNOWN, |name| classes::member(binder, of, name))
    } else {
        binder.at(function, visit)
    };
    if let Some(arguments) = arguments {
        binder.each(arguments, of_type);
    }
    classes::expect_lambda(binder, receiver, text);
    binder.at_field(node, "arguments", visit);
    if text.is_empty() && method.wraps() > 0 {
        // `list(0)`
        return binder.element(method);
    }
    classes::call_member(binder, receiver, text, method)
}

fn instance<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let mut of = Value::UNKNOWN;
    for part in children(node) {
        match part.kind() {
            "arguments" | "early_defs" | "end_marker" => {
                binder.at(part, visit);
            }
            "template_body" => {
                let outside = classes::open_anonymous(binder, part, of);
                classes::bodies(binder, children(part), FIELDS, visit);
                classes::close(binder, outside);
            }
            _ => {
                let next = binder.at(part, of_type);
                of = of.or(next);
            }
        }
    }
    of
}

fn lambda<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let argument = classes::lambda_argument(binder);
    binder.open(ScopeKind::Function);
    let list: Vec<Node<'t>> = fields(node, "parameters").filter(Node::is_named).collect();
    for part in &list {
        match part.kind() {
            "identifier" => binder.declare(binder.slice(*part), Binding::Local(argument)),
            "bindings" => {
                for (nth, binding) in children(*part).enumerate() {
                    let of = binder.at_field(binding, "type", of_type);
                    let of = if nth == 0 { of.or(argument) } else { of };
                    if let Some(name) = binding.child_by_field_name("name") {
                        binder.declare(binder.slice(name), Binding::Local(of));
                    }
                }
            }
            _ => {}
        }
    }
    let mut value = Value::UNKNOWN;
    for part in children(node).filter(|part| !list.contains(part)) {
        value = binder.at(part, visit);
    }
    binder.close();
    value
}

fn variable<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let of = binder.at_field(node, "type", of_type);
    let value = binder.at_field(node, "value", visit);
    let of = of.or(value);
    for name in fields(node, "name") {
        classes::variable(binder, name, of);
    }
    match node.child_by_field_name("pattern") {
        Some(name) if name.kind() == "identifier" => classes::variable(binder, name, of),
        Some(names) if names.kind() == "identifiers" => {
            for name in children(names) {
                classes::variable(binder, name, of);
            }
        }
        Some(other) => pattern(binder, other, Value::UNKNOWN),
        None => {}
    }
}

fn type_parameters<'t>(binder: &mut Binder<'t>, list: Node<'t>) {
    for name in fields(list, "name") {
        classes::type_parameter(binder, name, Value::UNKNOWN);
    }
    for part in children(list) {
        if part.kind().ends_with("variant_type_parameter") {
            type_parameters(binder, part);
        }
    }
    let mut bound = Value::UNKNOWN;
    for part in fields(list, "bound") {
        let next = binder.at(part, of_type);
        bound = bound.or(next);
    }
    let names: Vec<Node<'t>> = fields(list, "name").collect();
    if let [name] = names.as_slice() {
        classes::type_parameter(binder, *name, bound);
    }
}

/// Declares parameters; those of a class are its members too.
fn parameters<'t>(binder: &mut Binder<'t>, list: Node<'t>, class: Option<PathId>) {
    for parameter in children(list).filter(|part| part.kind().ends_with("parameter")) {
        let of = binder.at_field(parameter, "type", of_type);
        binder.at_field(parameter, "default_value", visit);
        let Some(name) = parameter.child_by_field_name("name") else { continue };
        if class.is_some() {
            classes::property_parameter(binder, name, of);
        } else {
            binder.declare(binder.slice(name), Binding::Local(of));
        }
    }
}

fn function<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let name = node.child_by_field_name("name");
    let key = name.and_then(|name| binder.key(name));
    for annotation in children(node).filter(|part| part.kind() == "annotation") {
        binder.at(annotation, visit);
    }
    binder.open(ScopeKind::Function);
    for list in fields(node, "parameters") {
        if list.kind() == "type_parameters" {
            type_parameters(binder, list);
        } else {
            parameters(binder, list, None);
        }
    }
    let of = binder.at_field(node, "return_type", of_type);
    let value = binder.at_field(node, "body", visit);
    if let Some(key) = key {
        let of = of.or(value);
        // A method without parameters is called by its name.
        let is_called = fields(node, "parameters").any(|list| list.kind() != "type_parameters");
        if is_called {
            let call = binder.below(key, "()");
            binder.lead(LeadKind::Type, call, of);
        } else {
            binder.hold(key, of);
            binder.lead(LeadKind::Type, key, of);
        }
    }
    binder.close();
    Value::UNKNOWN
}

fn bases<'t>(binder: &mut Binder<'t>, node: Node<'t>, key: PathId) -> Option<Value> {
    let clause = node.child_by_field_name("extend")?;
    let mut types = Vec::new();
    for part in fields(clause, "type").filter(Node::is_named) {
        match part.kind() {
            "arguments" => {
                binder.at(part, visit);
            }
            "compound_type" => types.extend(children(part)),
            _ => types.push(part),
        }
    }
    for arguments in fields(clause, "arguments") {
        binder.at(arguments, visit);
    }
    classes::bases(binder, key, types, of_type)
}

fn class<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let Some(name) = node.child_by_field_name("name") else { return Value::UNKNOWN };
    for annotation in children(node).filter(|part| part.kind() == "annotation") {
        binder.at(annotation, visit);
    }
    let key = classes::class_key(binder, name);
    binder.open(ScopeKind::Block);
    if let Some(list) = node.child_by_field_name("type_parameters") {
        type_parameters(binder, list);
    }
    // Parameters are seen where a base gets its arguments.
    let outside = classes::open_class(binder, Some(name), key, None);
    for list in fields(node, "class_parameters") {
        parameters(binder, list, Some(key));
    }
    let base = bases(binder, node, key);
    classes::inherit(binder, key, base);
    if let Some(derived) = node.child_by_field_name("derive") {
        binder.each(derived, of_type);
    }
    for body in fields(node, "body") {
        classes::bodies(binder, children(body), FIELDS, visit);
    }
    classes::close(binder, outside);
    binder.close();
    Value::UNKNOWN
}

/// Binds a package object: what it defines are names of the package.
fn package_object<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    for part in node.child_by_field_name("extend").into_iter().flat_map(children) {
        binder.at(part, visit);
    }
    for body in fields(node, "body") {
        classes::bodies(binder, children(body), FIELDS, visit);
    }
    Value::UNKNOWN
}

/// Binds the names that an import takes.
fn import<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let last = fields(node, "path").filter(|part| part.kind() == "identifier").last();
    let mut is_path = last.is_some();
    for part in children(node) {
        match part.kind() {
            "namespace_selectors" => {
                is_path = false;
                for selector in children(part) {
                    selected(binder, selector);
                }
            }
            "as_renamed_identifier" | "arrow_renamed_identifier" => {
                is_path = false;
                selected(binder, part);
            }
            "namespace_wildcard" => is_path = false,
            _ => {}
        }
    }
    if let Some(name) = last.filter(|_| is_path) {
        let local = binder.slice(name);
        classes::imported(binder, name, local);
    }
    Value::UNKNOWN
}

fn selected<'t>(binder: &mut Binder<'t>, selector: Node<'t>) {
    let name = selector.child_by_field_name("name").unwrap_or(selector);
    let local = binder.slice(selector.child_by_field_name("alias").unwrap_or(name));
    if name.kind() == "identifier" && local != "_" {
        classes::imported(binder, name, local);
    }
}

/// Binds a type, and returns what a value of it stands for.
fn of_type<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "type_identifier" => classes::type_name(binder, node),
        "stable_type_identifier" | "projected_type" => {
            let mut of = None;
            for part in children(node) {
                of = Some(match of {
                    Some(outer) => classes::member(binder, outer, part),
                    None if part.kind() == "identifier" => classes::name(binder, part),
                    None => binder.at(part, of_type),
                });
            }
            of.unwrap_or(Value::UNKNOWN)
        }
        "stable_identifier" => binder.at(node, visit),
        "singleton_type" => {
            let mut of = Value::UNKNOWN;
            for part in children(node) {
                of = binder.at(part, visit);
            }
            of
        }
        "generic_type" => {
            let base = node.child_by_field_name("type");
            let of = base.map_or(Value::UNKNOWN, |base| binder.at(base, of_type));
            let arguments = node.child_by_field_name("type_arguments").into_iter().flat_map(children);
            let arguments: Vec<Value> = arguments.map(|argument| binder.at(argument, of_type)).collect();
            let name = base.map_or("", |base| binder.slice(base));
            classes::generic(binder, name.rsplit('.').next().unwrap_or(name), of, &arguments)
        }
        "applied_constructor_type" | "compound_type" | "annotated_type" | "lazy_parameter_type" => {
            let mut of = Value::UNKNOWN;
            for part in children(node) {
                let is_type = !matches!(part.kind(), "arguments" | "refinement" | "annotation");
                let next = binder.at(part, if is_type { of_type } else { visit });
                of = of.or(if is_type { next } else { Value::UNKNOWN });
            }
            of
        }
        "repeated_parameter_type" => binder.at_field(node, "type", of_type).wrapped(),
        "infix_type" => {
            binder.at_field(node, "left", of_type);
            binder.at_field(node, "right", of_type);
            Value::UNKNOWN
        }
        "upper_bound" | "lower_bound" | "context_bound" | "view_bound" => binder.at_field(node, "type", of_type),
        "identifier" | "arguments" | "field_expression" | "call_expression" => binder.at(node, visit),
        _ => {
            binder.each(node, of_type);
            Value::UNKNOWN
        }
    }
}
