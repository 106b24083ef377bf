//! How C# binds names.
//!
//! A namespace is told from the folder (see `modules`), so its definitions have the keys that they
//! would have without it. Attributes are bound by their written name only, and extension methods are
//! members of the class that declares them.

mod types;

use tree_sitter::Node;

use self::types::{TYPES, generic_name, of_type, type_arguments, type_parameters, written_type};
use crate::bind::{Binder, Binding, ScopeKind, Value};
use crate::languages::classes;
use crate::spec::{child_of_kind, children, fields};

/// Members of a class that hold something, which are bound before its methods.
const FIELDS: &[&str] =
    &["field_declaration", "property_declaration", "event_field_declaration", "enum_member_declaration"];

/// Binds a file.
pub(super) fn bind<'t>(binder: &mut Binder<'t>, root: Node<'t>) {
    classes::declare_file(binder);
    binder.each(root, visit);
}

/// Binds a statement, a declaration or an expression, and returns what an expression stands for.
fn visit<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "identifier" => classes::name(binder, node),
        "generic_name" => generic_name(binder, node, false),
        "this" => classes::this(binder),
        "base" => classes::base(binder),
        "member_access_expression" => {
            let of = binder.at_field(node, "expression", visit);
            node.child_by_field_name("name").map_or(Value::UNKNOWN, |name| member(binder, of, name))
        }
        "conditional_access_expression" => {
            let of = binder.at_field(node, "condition", visit);
            conditional(binder, node, of)
        }
        "invocation_expression" => invocation(binder, node),
        "object_creation_expression" => {
            let of = binder.at_field(node, "type", of_type);
            binder.at_field(node, "arguments", visit);
            if let Some(list) = node.child_by_field_name("initializer") {
                initializer(binder, list, of);
            }
            of
        }
        "with_expression" => {
            let mut of = Value::UNKNOWN;
            for part in children(node) {
                if part.kind() == "with_initializer" {
                    initializer(binder, part, of);
                } else {
                    of = binder.at(part, visit);
                }
            }
            of
        }
        "array_creation_expression" => {
            let of = binder.at_field(node, "type", of_type);
            for part in children(node).skip(1) {
                binder.at(part, visit);
            }
            of
        }
        "element_access_expression" => {
            let of = binder.at_field(node, "expression", visit);
            binder.at_field(node, "subscript", visit);
            binder.element(of)
        }
        "cast_expression" => {
            let of = binder.at_field(node, "type", of_type);
            binder.at_field(node, "value", visit);
            of
        }
        "as_expression" => {
            binder.at_field(node, "left", visit);
            binder.at_field(node, "right", of_type)
        }
        "is_expression" => {
            binder.at_field(node, "left", visit);
            binder.at_field(node, "right", of_type);
            Value::UNKNOWN
        }
        "declaration_pattern" | "declaration_expression" | "recursive_pattern" | "var_pattern" => {
            let of = written_type(binder, node, "type");
            let name = node.child_by_field_name("name");
            for part in
                children(node).filter(|part| Some(*part) != name && Some(*part) != node.child_by_field_name("type"))
            {
                if part.kind().contains("clause") {
                    properties(binder, part, of);
                } else {
                    binder.at(part, visit);
                }
            }
            if let Some(name) = name {
                binder.declare(binder.slice(name), Binding::Local(of));
            }
            of
        }
        "type_pattern" | "typeof_expression" | "default_expression" | "sizeof_expression" => {
            binder.at_field(node, "type", of_type);
            Value::UNKNOWN
        }
        "parenthesized_expression"
        | "await_expression"
        | "checked_expression"
        | "ref_expression"
        | "argument"
        | "arrow_expression_clause" => {
            let label = node.child_by_field_name("name");
            let mut value = Value::UNKNOWN;
            for part in children(node).filter(|part| Some(*part) != label) {
                value = binder.at(part, visit);
            }
            value
        }
        "postfix_unary_expression" => node.named_child(0).map_or(Value::UNKNOWN, |node| binder.at(node, visit)),
        "conditional_expression" => {
            binder.at_field(node, "condition", visit);
            binder.either(node, ["consequence", "alternative"], visit)
        }
        "binary_expression" => {
            let left = binder.at_field(node, "left", visit);
            let right = binder.at_field(node, "right", visit);
            let joins = node.child_by_field_name("operator").is_some_and(|operator| binder.slice(operator) == "??");
            if joins { left.or(right) } else { Value::UNKNOWN }
        }
        "assignment_expression" => binder.either(node, ["left", "right"], visit),
        "attribute_argument" => {
            let label = node.child_by_field_name("name");
            for part in children(node).filter(|part| Some(*part) != label) {
                binder.at(part, visit);
            }
            Value::UNKNOWN
        }
        "attribute" => {
            if let Some(name) = node.child_by_field_name("name").filter(|name| name.kind() == "identifier") {
                attribute(binder, name);
            }
            if let Some(arguments) = child_of_kind(node, "attribute_argument_list") {
                binder.each(arguments, visit);
            }
            Value::UNKNOWN
        }
        "lambda_expression" | "anonymous_method_expression" => lambda(binder, node),
        "variable_declaration" => {
            variables(binder, node);
            Value::UNKNOWN
        }
        "foreach_statement" => {
            binder.open(ScopeKind::Block);
            let iterated = binder.at_field(node, "right", visit);
            let element = binder.element(iterated);
            let of = written_type(binder, node, "type").or(element);
            if let Some(left) = node.child_by_field_name("left") {
                declare(binder, left, of);
            }
            binder.at_field(node, "body", visit);
            binder.close();
            Value::UNKNOWN
        }
        "catch_clause" => {
            binder.open(ScopeKind::Block);
            for part in children(node) {
                if part.kind() == "catch_declaration" {
                    let of = written_type(binder, part, "type");
                    if let Some(name) = part.child_by_field_name("name") {
                        declare(binder, name, of);
                    }
                } else {
                    binder.at(part, visit);
                }
            }
            binder.close();
            Value::UNKNOWN
        }
        "from_clause" | "let_clause" | "join_clause" => {
            query(binder, node);
            Value::UNKNOWN
        }
        "method_declaration"
        | "constructor_declaration"
        | "destructor_declaration"
        | "operator_declaration"
        | "conversion_operator_declaration"
        | "indexer_declaration"
        | "delegate_declaration"
        | "local_function_statement" => function(binder, node),
        "property_declaration" | "event_declaration" => property(binder, node),
        "class_declaration"
        | "interface_declaration"
        | "struct_declaration"
        | "record_declaration"
        | "enum_declaration" => class(binder, node),
        "enum_member_declaration" => binder.at_field(node, "value", visit),
        "block"
        | "for_statement"
        | "switch_section"
        | "switch_expression_arm"
        | "using_statement"
        | "fixed_statement"
        | "query_expression" => {
            binder.open(ScopeKind::Block);
            binder.each(node, visit);
            binder.close();
            Value::UNKNOWN
        }
        "accessor_declaration" => {
            binder.open(ScopeKind::Function);
            for part in children(node).filter(|part| Some(*part) != node.child_by_field_name("name")) {
                binder.at(part, visit);
            }
            binder.close();
            Value::UNKNOWN
        }
        "namespace_declaration" | "file_scoped_namespace_declaration" => {
            let name = node.child_by_field_name("name");
            for part in children(node).filter(|part| Some(*part) != name) {
                binder.at(part, visit);
            }
            Value::UNKNOWN
        }
        "using_directive" => {
            let alias = node.child_by_field_name("name");
            let of = children(node).filter(|part| Some(*part) != alias).last();
            let name =
                of.map(|of| of.child_by_field_name("name").unwrap_or(of)).filter(|name| name.kind() == "identifier");
            if let (Some(alias), Some(name)) = (alias, name) {
                let local = binder.slice(alias);
                classes::imported(binder, name, local);
            }
            Value::UNKNOWN
        }
        "labeled_statement" => {
            for part in children(node).skip(1) {
                binder.at(part, visit);
            }
            Value::UNKNOWN
        }
        "comment" | "goto_statement" | "modifier" | "implicit_type" | "preproc_if_in_attribute_list" => Value::UNKNOWN,
        kind if TYPES.contains(&kind) => of_type(binder, node),
        _ => {
            binder.each(node, visit);
            Value::UNKNOWN
        }
    }
}

/// The identifier of a name, which may have type arguments.
fn identifier(name: Node<'_>) -> Node<'_> {
    if name.kind() == "generic_name" { child_of_kind(name, "identifier").unwrap_or(name) } else { name }
}

fn member<'t>(binder: &mut Binder<'t>, of: Value, name: Node<'t>) -> Value {
    type_arguments(binder, name);
    classes::member(binder, of, identifier(name))
}

/// Binds what stands behind `?.` of a value.
fn conditional<'t>(binder: &mut Binder<'t>, node: Node<'t>, of: Value) -> Value {
    match children(node).last() {
        Some(last) if last.kind() == "member_binding_expression" => {
            last.child_by_field_name("name").map_or(Value::UNKNOWN, |name| member(binder, of, name))
        }
        Some(last) if Some(last) != node.child_by_field_name("condition") => {
            binder.each(last, visit);
            binder.element(of)
        }
        _ => of,
    }
}

fn invocation<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let Some(function) = node.child_by_field_name("function") else { return Value::UNKNOWN };
    let (mut receiver, mut text) = (Value::UNKNOWN, "");
    let method = match function.kind() {
        "member_access_expression" => {
            receiver = binder.at_field(function, "expression", visit);
            let name = function.child_by_field_name("name");
            text = name.map_or("", |name| binder.slice(identifier(name)));
            name.map_or(Value::UNKNOWN, |name| member(binder, receiver, name))
        }
        "conditional_access_expression" => {
            receiver = binder.at_field(function, "condition", visit);
            let name = children(function).last().and_then(|last| last.child_by_field_name("name"));
            text = name.map_or("", |name| binder.slice(identifier(name)));
            conditional(binder, function, receiver)
        }
        // `nameof(x)` is no call.
        "identifier" if binder.slice(function) == "nameof" => Value::UNKNOWN,
        _ => binder.at(function, visit),
    };
    classes::expect_lambda(binder, receiver, text);
    binder.at_field(node, "arguments", visit);
    classes::call_member(binder, receiver, text, method)
}

/// Binds the members that an initializer sets.
fn initializer<'t>(binder: &mut Binder<'t>, list: Node<'t>, of: Value) {
    for part in children(list) {
        let left = part.child_by_field_name("left").or_else(|| child_of_kind(part, "identifier"));
        let right = part.child_by_field_name("right").or_else(|| children(part).last());
        match (left, right) {
            (Some(left), Some(right))
                if part.kind() != "invocation_expression" && left.kind() == "identifier" && left != right =>
            {
                let member = classes::member(binder, of, left);
                if right.kind() == "initializer_expression" {
                    initializer(binder, right, member);
                } else {
                    binder.at(right, visit);
                }
            }
            _ => {
                binder.at(part, visit);
            }
        }
    }
}

/// Binds the properties that a pattern asks for.
fn properties<'t>(binder: &mut Binder<'t>, clause: Node<'t>, of: Value) {
    for part in children(clause).filter(|part| part.kind() == "subpattern") {
        let names = part.named_child_count() > 1;
        for (nth, inner) in children(part).enumerate() {
            if nth == 0 && names && inner.kind() == "identifier" {
                classes::member(binder, of, inner);
            } else {
                binder.at(inner, visit);
            }
        }
    }
}

/// Binds the name of an attribute. That of its class may end in `Attribute`.
fn attribute<'t>(binder: &mut Binder<'t>, name: Node<'t>) {
    let text = binder.slice(name);
    let long = binder.definitions().find(|(definition, _)| definition.name.strip_suffix("Attribute") == Some(text));
    let long = long.and_then(|(_, key)| key);
    match (long, binder.lookup_type(text)) {
        (Some(key), _) => {
            binder.use_binding(name, Binding::Path(key));
        }
        (None, Some(known)) => {
            binder.use_binding(name, known);
        }
        // A class without the suffix may be called so and be no attribute.
        (None, None) => binder.record(name, Value::UNKNOWN),
    }
}

fn lambda<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let argument = classes::lambda_argument(binder);
    binder.open(ScopeKind::Function);
    if let Some(list) = node.child_by_field_name("parameters") {
        if list.kind() == "implicit_parameter" {
            binder.declare(binder.slice(list), Binding::Local(argument));
        } else {
            parameters(binder, list, argument, false);
        }
    }
    match node.child_by_field_name("body") {
        Some(body) => {
            binder.at(body, visit);
        }
        None => {
            if let Some(block) = child_of_kind(node, "block") {
                binder.at(block, visit);
            }
        }
    }
    binder.close();
    Value::UNKNOWN
}

/// Declares a variable; what is taken apart has no known parts.
fn declare<'t>(binder: &mut Binder<'t>, name: Node<'t>, of: Value) {
    if name.kind() == "identifier" {
        classes::variable(binder, name, of);
    } else {
        for part in children(name) {
            declare(binder, part, Value::UNKNOWN);
        }
    }
}

fn variables<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let of = written_type(binder, node, "type");
    for declarator in children(node).filter(|part| part.kind() == "variable_declarator") {
        let name = declarator.child_by_field_name("name");
        let mut value = Value::UNKNOWN;
        for part in children(declarator).filter(|part| Some(*part) != name) {
            value = binder.at(part, visit);
        }
        match name {
            Some(name) => classes::variable(binder, name, of.or(value)),
            None => {
                if let Some(tuple) = child_of_kind(declarator, "tuple_pattern") {
                    declare(binder, tuple, Value::UNKNOWN);
                }
            }
        }
    }
}

fn query<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let of = written_type(binder, node, "type");
    let name = node.child_by_field_name("name").or_else(|| child_of_kind(node, "identifier"));
    let mut source = Value::UNKNOWN;
    for part in children(node).filter(|part| Some(*part) != name && Some(*part) != node.child_by_field_name("type")) {
        source = binder.at(part, visit);
    }
    if let Some(name) = name {
        let element = if node.kind() == "let_clause" { source } else { binder.element(source) };
        declare(binder, name, of.or(element));
    }
}

/// Declares parameters; those of a record are properties too.
fn parameters<'t>(binder: &mut Binder<'t>, list: Node<'t>, first: Value, are_properties: bool) {
    for (nth, parameter) in children(list).filter(|part| part.kind() == "parameter").enumerate() {
        let of = written_type(binder, parameter, "type");
        let of = if nth == 0 { of.or(first) } else { of };
        let (name, written) = (parameter.child_by_field_name("name"), parameter.child_by_field_name("type"));
        for part in children(parameter).filter(|part| Some(*part) != name && Some(*part) != written) {
            binder.at(part, visit);
        }
        match name {
            Some(name) if are_properties => classes::property_parameter(binder, name, of),
            Some(name) => binder.declare(binder.slice(name), Binding::Local(of)),
            None => {}
        }
    }
    // `params` stands beside its type and name.
    let of = written_type(binder, list, "type");
    for name in fields(list, "name") {
        binder.declare(binder.slice(name), Binding::Local(of));
    }
}

fn attributes<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    for list in children(node).filter(|part| part.kind() == "attribute_list") {
        binder.at(list, visit);
    }
}

fn function<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    attributes(binder, node);
    let name = node.child_by_field_name("name");
    if let (Some(name), "local_function_statement") = (name, node.kind())
        && let Some(key) = binder.key(name)
    {
        binder.declare_new(binder.slice(name), Binding::Path(key));
    }
    binder.open(ScopeKind::Function);
    type_parameters(binder, node);
    let of = written_type(binder, node, "returns");
    let of = if of.path().is_some() { of } else { written_type(binder, node, "type") };
    if let Some(name) = name {
        classes::result(binder, name, of);
    }
    let interface = child_of_kind(node, "explicit_interface_specifier");
    if let Some(interface) = interface {
        binder.each(interface, of_type);
    }
    if let Some(list) = node.child_by_field_name("parameters") {
        parameters(binder, list, Value::UNKNOWN, false);
    }
    if let Some(arguments) = child_of_kind(node, "constructor_initializer") {
        binder.each(arguments, visit);
    }
    for part in ["accessors", "value", "body"] {
        binder.at_field(node, part, visit);
    }
    binder.close();
    Value::UNKNOWN
}

fn property<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    attributes(binder, node);
    let of = written_type(binder, node, "type");
    if let Some(interface) = child_of_kind(node, "explicit_interface_specifier") {
        binder.each(interface, of_type);
    } else if let Some(name) = node.child_by_field_name("name") {
        classes::variable(binder, name, of);
    }
    binder.open(ScopeKind::Function);
    for part in ["accessors", "value"] {
        binder.at_field(node, part, visit);
    }
    binder.close();
    Value::UNKNOWN
}

fn class<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let Some(name) = node.child_by_field_name("name") else { return Value::UNKNOWN };
    attributes(binder, node);
    let key = classes::class_key(binder, name);
    binder.open(ScopeKind::Block);
    type_parameters(binder, node);
    let list = child_of_kind(node, "base_list");
    let mut types = Vec::new();
    for part in list.into_iter().flat_map(children) {
        match part.kind() {
            "primary_constructor_base_type" => types.extend(part.child_by_field_name("type")),
            "argument_list" => {}
            _ => types.push(part),
        }
    }
    let base = classes::bases(binder, key, types, of_type);
    // A part of it in another file may have bases.
    let is_partial = children(node).any(|part| part.kind() == "modifier" && binder.slice(part) == "partial");
    let base = base.or(is_partial.then_some(Value::UNKNOWN));
    let outside = classes::open_class(binder, Some(name), key, base);
    if let Some(list) = child_of_kind(node, "parameter_list") {
        parameters(binder, list, Value::UNKNOWN, true);
    }
    for arguments in list.into_iter().flat_map(children) {
        for part in child_of_kind(arguments, "argument_list").into_iter().chain(Some(arguments)) {
            if part.kind() == "argument_list" {
                binder.at(part, visit);
            }
        }
    }
    let members = node.child_by_field_name("body").into_iter().flat_map(children);
    classes::bodies(binder, members, FIELDS, visit);
    classes::close(binder, outside);
    binder.close();
    Value::UNKNOWN
}
