//! How Go binds names.
//!
//! What the file does not declare belongs to its package, to what it imports with `.`, or to the
//! universe. Types come from declarations, literals, conversions, and the results of functions.

use gristmill_pipeline::port::{Anchor, LeadKind};
use tree_sitter::Node;

use crate::bind::{Binder, Binding, PathId, ScopeKind, Value};
use crate::spec::{child_of_kind, children, fields};

/// Names that the language declares, in order; what a package may well declare itself is not
/// among them.
const UNIVERSE: &[&str] = &[
    "any",
    "append",
    "bool",
    "byte",
    "cap",
    "comparable",
    "complex128",
    "complex64",
    "copy",
    "delete",
    "error",
    "float32",
    "float64",
    "int",
    "int16",
    "int32",
    "int64",
    "int8",
    "len",
    "make",
    "new",
    "panic",
    "print",
    "println",
    "recover",
    "rune",
    "string",
    "uint",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
    "uintptr",
];

/// What the results of a function are called in paths.
const RESULTS: [&str; 4] = ["()", "()1", "()2", "()3"];

/// Binds a file.
pub(super) fn bind<'t>(binder: &mut Binder<'t>, root: Node<'t>) {
    for (definition, key) in binder.definitions() {
        // A method has its receiver's type in its key, and is no name of the package.
        let is_name = definition.parent.is_none() && definition.kind.as_str() != "method";
        if let Some(key) = key.filter(|_| is_name) {
            binder.declare_new(&definition.name, Binding::Path(key));
        }
    }
    binder.each(root, visit);
}

/// Binds a statement, a declaration or an expression, and returns what an expression stands for.
fn visit<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "identifier" => name(binder, node),
        "selector_expression" => {
            let operand = binder.at_field(node, "operand", visit);
            node.child_by_field_name("field").map_or(Value::UNKNOWN, |field| binder.use_member(operand, field))
        }
        "call_expression" => call(binder, node),
        "index_expression" | "slice_expression" => {
            let operand = binder.at_field(node, "operand", visit);
            for part in ["index", "start", "end", "capacity"] {
                binder.at_field(node, part, visit);
            }
            if node.kind() == "slice_expression" { operand } else { binder.element(operand) }
        }
        "unary_expression" => {
            let operand = binder.at_field(node, "operand", visit);
            match node.child_by_field_name("operator").map(|operator| binder.slice(operator)) {
                Some("&" | "*") => operand,
                Some("<-") => binder.element(operand),
                _ => Value::UNKNOWN,
            }
        }
        "parenthesized_expression" => node.named_child(0).map_or(Value::UNKNOWN, |node| binder.at(node, visit)),
        "type_assertion_expression" | "type_conversion_expression" => {
            binder.at_field(node, "operand", visit);
            binder.at_field(node, "type", of_type)
        }
        "composite_literal" => {
            let of = binder.at_field(node, "type", of_type);
            if let Some(body) = node.child_by_field_name("body") {
                literal(binder, body, of);
            }
            of
        }
        "func_literal" => {
            binder.open(ScopeKind::Function);
            parameters(binder, node.child_by_field_name("parameters"));
            results(binder, node.child_by_field_name("result"), None);
            binder.at_field(node, "body", visit);
            binder.close();
            Value::UNKNOWN
        }
        "function_declaration" | "method_declaration" => function(binder, node),
        "type_spec" | "type_alias" => type_declaration(binder, node),
        "const_spec" | "var_spec" => variables(binder, node),
        "short_var_declaration" => {
            let values = values(binder, node.child_by_field_name("right"));
            for (nth, name) in node.child_by_field_name("left").into_iter().flat_map(children).enumerate() {
                declare(binder, name, values.get(nth).copied().unwrap_or(Value::UNKNOWN));
            }
            Value::UNKNOWN
        }
        "assignment_statement" => {
            let values = values(binder, node.child_by_field_name("right"));
            for (nth, target) in node.child_by_field_name("left").into_iter().flat_map(children).enumerate() {
                let member = binder.at(target, visit);
                let value = values.get(nth).copied().unwrap_or(Value::UNKNOWN);
                if target.kind() == "identifier" && member.path().is_none() && value.path().is_some() {
                    binder.assign(binder.slice(target), value);
                }
            }
            Value::UNKNOWN
        }
        "range_clause" => {
            let ranged = binder.at_field(node, "right", visit);
            let element = binder.element(ranged);
            for (nth, name) in node.child_by_field_name("left").into_iter().flat_map(children).enumerate() {
                declare(binder, name, if nth == 1 { element } else { Value::UNKNOWN });
            }
            Value::UNKNOWN
        }
        "block"
        | "for_statement"
        | "if_statement"
        | "expression_switch_statement"
        | "select_statement"
        | "expression_case"
        | "default_case"
        | "communication_case" => {
            binder.open(ScopeKind::Block);
            binder.each(node, visit);
            binder.close();
            Value::UNKNOWN
        }
        "type_switch_statement" => {
            type_switch(binder, node);
            Value::UNKNOWN
        }
        "receive_statement" => {
            let value = binder.at_field(node, "right", visit);
            for name in node.child_by_field_name("left").into_iter().flat_map(children) {
                declare(binder, name, value);
            }
            Value::UNKNOWN
        }
        "package_clause" | "import_declaration" | "comment" | "break_statement" | "continue_statement"
        | "goto_statement" | "label_name" | "field_identifier" | "blank_identifier" => Value::UNKNOWN,
        "type_identifier"
        | "qualified_type"
        | "pointer_type"
        | "slice_type"
        | "array_type"
        | "map_type"
        | "channel_type"
        | "generic_type"
        | "struct_type"
        | "interface_type"
        | "function_type"
        | "implicit_length_array_type"
        | "parenthesized_type" => of_type(binder, node),
        _ => {
            binder.each(node, visit);
            Value::UNKNOWN
        }
    }
}

/// Binds a plain name. Those of the universe are no uses.
fn name<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let text = binder.slice(node);
    match binder.lookup(text) {
        // The name of a package stands for nothing that is defined.
        Some(Binding::Path(path)) if binder.is_import(path) => Value::of(path),
        None if text == "_" || UNIVERSE.binary_search(&text).is_ok() => Value::UNKNOWN,
        _ => binder.use_name(node),
    }
}

fn call<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let function = node.child_by_field_name("function");
    let called = function.map_or(Value::UNKNOWN, |function| binder.at(function, visit));
    binder.at_field(node, "type_arguments", visit);
    let builtin = function.filter(|function| function.kind() == "identifier").map(|function| binder.slice(function));
    let arguments = node.child_by_field_name("arguments");
    let mut first = Value::UNKNOWN;
    for (nth, argument) in arguments.into_iter().flat_map(children).enumerate() {
        let value = binder.at(argument, visit);
        if nth == 0 {
            first = value;
        }
    }
    match builtin {
        // They give a value of their first argument's type.
        Some("new" | "make" | "append") if called.path().is_none() => first,
        _ => binder.call(called),
    }
}

/// What the expressions of a list stand for; one call may give several values.
fn values<'t>(binder: &mut Binder<'t>, list: Option<Node<'t>>) -> Vec<Value> {
    let Some(list) = list else { return Vec::new() };
    let expressions: Vec<Node<'t>> =
        if list.kind() == "expression_list" { children(list).collect() } else { vec![list] };
    let single = expressions.len() == 1;
    let mut values = Vec::new();
    for expression in expressions {
        let value = binder.at(expression, visit);
        values.push(value);
        if single && expression.kind() == "call_expression" && value.wraps() == 0 {
            let called = value.plain().and_then(|path| binder.above(path, "()"));
            for result in RESULTS.iter().skip(1) {
                let next = called.map_or(Value::UNKNOWN, |called| Value::of(binder.below(called, result)));
                values.push(next);
            }
        }
    }
    values
}

/// Declares a variable in the innermost scope.
fn declare<'t>(binder: &mut Binder<'t>, name: Node<'t>, value: Value) {
    if name.kind() == "identifier" {
        binder.declare(binder.slice(name), Binding::Local(value));
    } else {
        binder.at(name, visit);
    }
}

/// Binds the elements of a composite literal of a type.
fn literal<'t>(binder: &mut Binder<'t>, body: Node<'t>, of: Value) {
    let element = of.unwrapped();
    for part in children(body) {
        if part.kind() != "keyed_element" {
            literal_element(binder, part, element.unwrap_or(Value::UNKNOWN));
            continue;
        }
        let mut parts = children(part);
        let (Some(key), Some(value)) = (parts.next(), parts.next()) else { continue };
        let field = key.named_child(0).filter(|key| key.kind() == "identifier");
        let mut inner = element.unwrap_or(Value::UNKNOWN);
        match (element, field) {
            // A field of a struct; a name in anything else is a value.
            (None, Some(field)) => inner = binder.use_member(of, field),
            _ => literal_element(binder, key, Value::UNKNOWN),
        }
        literal_element(binder, value, inner);
    }
}

/// Binds one element, which may be a literal that leaves its type out.
fn literal_element<'t>(binder: &mut Binder<'t>, element: Node<'t>, of: Value) {
    let inner = if element.kind() == "literal_element" { element.named_child(0) } else { Some(element) };
    match inner {
        Some(body) if body.kind() == "literal_value" => literal(binder, body, of),
        Some(value) => {
            binder.at(value, visit);
        }
        None => {}
    }
}

fn function<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let key = node.child_by_field_name("name").and_then(|name| binder.key(name));
    binder.open(ScopeKind::Function);
    type_parameters(binder, node.child_by_field_name("type_parameters"));
    parameters(binder, node.child_by_field_name("receiver"));
    parameters(binder, node.child_by_field_name("parameters"));
    results(binder, node.child_by_field_name("result"), key);
    binder.at_field(node, "body", visit);
    binder.close();
    Value::UNKNOWN
}

fn type_parameters<'t>(binder: &mut Binder<'t>, list: Option<Node<'t>>) {
    for parameter in list.into_iter().flat_map(children) {
        for name in fields(parameter, "name") {
            binder.declare(binder.slice(name), Binding::Local(Value::UNKNOWN));
        }
        let bound = binder.at_field(parameter, "type", visit);
        for name in fields(parameter, "name") {
            binder.declare(binder.slice(name), Binding::Local(bound));
        }
    }
}

/// Declares parameters with their types.
fn parameters<'t>(binder: &mut Binder<'t>, list: Option<Node<'t>>) {
    for parameter in list.into_iter().flat_map(children) {
        // A receiver's type may declare type parameters: `func (l *List[T])`.
        if let Some(generic) = parameter.child_by_field_name("type").and_then(generic) {
            for argument in children(generic)
                .filter_map(|elem| if elem.kind() == "type_elem" { elem.named_child(0) } else { Some(elem) })
            {
                if argument.kind() == "type_identifier" && is_receiver(parameter) {
                    binder.declare(binder.slice(argument), Binding::Local(Value::UNKNOWN));
                }
            }
        }
        let of = binder.at_field(parameter, "type", of_type);
        let of = if parameter.kind() == "variadic_parameter_declaration" { of.wrapped() } else { of };
        for name in fields(parameter, "name") {
            binder.declare(binder.slice(name), Binding::Local(of));
        }
    }
}

fn is_receiver(parameter: Node<'_>) -> bool {
    let list = parameter.parent();
    let method = list.and_then(|list| list.parent()).filter(|node| node.kind() == "method_declaration");
    method.and_then(|method| method.child_by_field_name("receiver")) == list
}

/// The type arguments of a type, behind its pointer.
fn generic(of: Node<'_>) -> Option<Node<'_>> {
    let of = if of.kind() == "pointer_type" { of.named_child(0)? } else { of };
    of.child_by_field_name("type_arguments")
}

/// Binds the results of a function: what a call of `function` gives.
fn results<'t>(binder: &mut Binder<'t>, result: Option<Node<'t>>, function: Option<PathId>) {
    let Some(result) = result else { return };
    let types: Vec<(Node<'t>, Vec<Node<'t>>)> = if result.kind() == "parameter_list" {
        children(result)
            .filter_map(|part| Some((part.child_by_field_name("type")?, fields(part, "name").collect())))
            .collect()
    } else {
        vec![(result, Vec::new())]
    };
    let mut nth = 0;
    for (of, names) in types {
        let value = binder.at(of, of_type);
        for _ in 0..names.len().max(1) {
            if let (Some(function), Some(result)) = (function, RESULTS.get(nth)) {
                let result = binder.below(function, result);
                binder.lead(LeadKind::Type, result, value);
            }
            nth += 1;
        }
        for name in names {
            binder.declare(binder.slice(name), Binding::Local(value));
        }
    }
}

fn type_declaration<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let Some(name) = node.child_by_field_name("name") else { return Value::UNKNOWN };
    let key = binder.key(name);
    if key.is_none() {
        // A type within a function.
        binder.declare(binder.slice(name), Binding::Local(Value::UNKNOWN));
    } else if let (Some(key), false) = (key, binder.at_module()) {
        binder.declare(binder.slice(name), Binding::Path(key));
    }
    binder.open(ScopeKind::Block);
    type_parameters(binder, node.child_by_field_name("type_parameters"));
    if let Some(of) = node.child_by_field_name("type") {
        match of.kind() {
            "struct_type" => struct_fields(binder, of, key),
            "interface_type" => interface(binder, of, key),
            _ => {
                let value = binder.at(of, of_type);
                if let Some(key) = key {
                    // An alias is that type; a type of its own has at least its fields.
                    let kind = if node.kind() == "type_alias" { LeadKind::Type } else { LeadKind::Base };
                    binder.lead(kind, key, value);
                }
            }
        }
    }
    binder.close();
    Value::UNKNOWN
}

fn struct_fields<'t>(binder: &mut Binder<'t>, node: Node<'t>, key: Option<PathId>) {
    let Some(list) = child_of_kind(node, "field_declaration_list") else { return };
    for field in children(list).filter(|field| field.kind() == "field_declaration") {
        let Some(of) = field.child_by_field_name("type") else { continue };
        let inner = (of.kind() == "struct_type").then_some(of);
        let value = if inner.is_some() { Value::UNKNOWN } else { binder.at(of, of_type) };
        let mut named = false;
        for name in fields(field, "name") {
            named = true;
            if let Some(owner) = key {
                let field = binder.key_or(name, Some(owner));
                binder.lead(LeadKind::Type, field, value);
                if let Some(inner) = inner {
                    struct_fields(binder, inner, Some(field));
                }
            }
        }
        if let (Some(key), false) = (key, named) {
            binder.lead(LeadKind::Base, key, value);
            // It is a field, too, of the type's own name.
            if let Some((_, name)) = value.path().and_then(|path| binder.parent(path)) {
                let field = binder.below(key, name);
                binder.lead(LeadKind::Type, field, value);
            }
        }
    }
}

fn interface<'t>(binder: &mut Binder<'t>, node: Node<'t>, key: Option<PathId>) {
    for part in children(node) {
        match part.kind() {
            "method_elem" | "method_spec" => {
                let name = part.child_by_field_name("name");
                let method = name.and_then(|name| Some(binder.key_or(name, Some(key?))));
                binder.open(ScopeKind::Function);
                parameters(binder, part.child_by_field_name("parameters"));
                results(binder, part.child_by_field_name("result"), method);
                binder.close();
            }
            _ => {
                let value = binder.at(part, of_type);
                if let Some(key) = key.filter(|_| part.named_child_count() == 1) {
                    binder.lead(LeadKind::Base, key, value);
                }
            }
        }
    }
}

fn variables<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let of = binder.at_field(node, "type", of_type);
    let values = values(binder, node.child_by_field_name("value"));
    let at_module = binder.at_module();
    for (nth, name) in fields(node, "name").enumerate() {
        let value = of.or(values.get(nth).copied().unwrap_or(Value::UNKNOWN));
        if at_module {
            if binder.slice(name) != "_" {
                let key = binder.key(name).unwrap_or_else(|| binder.path(Anchor::Unit, binder.slice(name)));
                binder.lead(LeadKind::Type, key, value);
            }
        } else {
            binder.declare(binder.slice(name), Binding::Local(value));
        }
    }
    Value::UNKNOWN
}

fn type_switch<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    binder.open(ScopeKind::Block);
    binder.at_field(node, "initializer", visit);
    let value = binder.at_field(node, "value", visit);
    let alias = node.child_by_field_name("alias").and_then(|list| list.named_child(0));
    for case in children(node).filter(|child| matches!(child.kind(), "type_case" | "default_case")) {
        binder.open(ScopeKind::Block);
        let types: Vec<Node<'t>> = fields(case, "type").collect();
        let mut of = value;
        for written in &types {
            of = binder.at(*written, of_type);
        }
        if let Some(alias) = alias {
            let of = if types.len() == 1 { of } else { value };
            binder.declare(binder.slice(alias), Binding::Local(of));
        }
        for statement in children(case).filter(|child| !types.contains(child)) {
            binder.at(statement, visit);
        }
        binder.close();
    }
    binder.close();
}

/// Binds a type, and returns what a value of it stands for.
fn of_type<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "type_identifier" => name(binder, node),
        "qualified_type" => {
            let package = node.child_by_field_name("package").map_or("", |package| binder.slice(package));
            let package = match binder.lookup(package) {
                Some(Binding::Path(path)) => Value::of(path),
                _ => Value::UNKNOWN,
            };
            node.child_by_field_name("name").map_or(Value::UNKNOWN, |name| binder.use_member(package, name))
        }
        "pointer_type" | "parenthesized_type" | "type_elem" | "negated_type" => binder.first_of(node, of_type),
        "slice_type" | "array_type" | "implicit_length_array_type" => {
            binder.at_field(node, "length", visit);
            binder.at_field(node, "element", of_type).wrapped()
        }
        "channel_type" => binder.at_field(node, "value", of_type).wrapped(),
        "map_type" => {
            binder.at_field(node, "key", of_type);
            binder.at_field(node, "value", of_type).wrapped()
        }
        "generic_type" => {
            let of = binder.at_field(node, "type", of_type);
            binder.at_field(node, "type_arguments", visit);
            of
        }
        "function_type" => {
            binder.open(ScopeKind::Function);
            parameters(binder, node.child_by_field_name("parameters"));
            results(binder, node.child_by_field_name("result"), None);
            binder.close();
            Value::UNKNOWN
        }
        "struct_type" => {
            struct_fields(binder, node, None);
            Value::UNKNOWN
        }
        "interface_type" => {
            interface(binder, node, None);
            Value::UNKNOWN
        }
        // A conversion may look like a call.
        "identifier" | "selector_expression" => binder.at(node, visit),
        _ => {
            binder.each(node, of_type);
            Value::UNKNOWN
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_that_is_searched_is_in_order() {
        assert!(super::UNIVERSE.is_sorted());
    }
}
