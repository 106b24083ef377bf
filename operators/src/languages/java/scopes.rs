//! How Java binds names.
//!
//! Types of variables come from declarations, and from creations, casts and the results of methods
//! for `var`.

use gristmill_pipeline::port::LeadKind;
use tree_sitter::Node;

use crate::bind::{Binder, Binding, ScopeKind, Value};
use crate::languages::classes;
use crate::spec::{child_of_kind, children, fields};

/// Binds a file.
pub(super) fn bind<'t>(binder: &mut Binder<'t>, root: Node<'t>) {
    classes::declare_file(binder);
    binder.each(root, visit);
}

/// Binds a statement, a declaration or an expression, and returns what an expression stands for.
fn visit<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "identifier" => classes::name(binder, node),
        "this" => classes::this(binder),
        "super" => classes::base(binder),
        "field_access" => {
            let object = binder.at_field(node, "object", visit);
            match node.child_by_field_name("field") {
                Some(field) if field.kind() == "identifier" => classes::member(binder, object, field),
                // `Outer.this`
                _ => object,
            }
        }
        "method_invocation" => invocation(binder, node),
        "method_reference" => {
            let mut parts = children(node);
            let of = parts.next().map_or(Value::UNKNOWN, |of| binder.at(of, visit));
            if let Some(name) = parts.last().filter(|name| name.kind() == "identifier") {
                classes::member(binder, of, name);
            }
            Value::UNKNOWN
        }
        "object_creation_expression" => creation(binder, node),
        "array_access" => {
            let array = binder.at_field(node, "array", visit);
            binder.at_field(node, "index", visit);
            binder.element(array)
        }
        "array_creation_expression" => {
            let of = binder.at_field(node, "type", of_type);
            for part in children(node).skip(1) {
                binder.at(part, visit);
            }
            of.wrapped()
        }
        "cast_expression" => {
            let of = binder.at_field(node, "type", of_type);
            binder.at_field(node, "value", visit);
            of
        }
        "instanceof_expression" => {
            binder.at_field(node, "left", visit);
            let of = binder.at_field(node, "right", of_type);
            if let Some(name) = node.child_by_field_name("name") {
                binder.declare(binder.slice(name), Binding::Local(of));
            }
            binder.at_field(node, "pattern", visit)
        }
        "type_pattern" | "record_pattern_component" => {
            pattern(binder, node);
            Value::UNKNOWN
        }
        "record_pattern" => {
            for part in children(node) {
                if part.kind() == "identifier" {
                    classes::type_name(binder, part);
                } else {
                    binder.at(part, visit);
                }
            }
            Value::UNKNOWN
        }
        "parenthesized_expression" => node.named_child(0).map_or(Value::UNKNOWN, |node| binder.at(node, visit)),
        "ternary_expression" => {
            binder.at_field(node, "condition", visit);
            binder.either(node, ["consequence", "alternative"], visit)
        }
        "assignment_expression" => binder.either(node, ["left", "right"], visit),
        "class_literal" => {
            binder.each(node, of_type);
            Value::UNKNOWN
        }
        "lambda_expression" => lambda(binder, node),
        "switch_expression" => switch(binder, node),
        "local_variable_declaration" | "field_declaration" | "constant_declaration" => {
            variables(binder, node);
            Value::UNKNOWN
        }
        "resource" => {
            let of = declared_type(binder, node);
            let value = binder.at_field(node, "value", visit);
            match node.child_by_field_name("name") {
                Some(name) => classes::variable(binder, name, of.or(value)),
                None => binder.each(node, visit),
            }
            Value::UNKNOWN
        }
        "enhanced_for_statement" => {
            binder.open(ScopeKind::Block);
            let iterated = binder.at_field(node, "value", visit);
            let element = binder.element(iterated);
            let of = declared_type(binder, node).or(element);
            if let Some(name) = node.child_by_field_name("name") {
                classes::variable(binder, name, of);
            }
            binder.at_field(node, "body", visit);
            binder.close();
            Value::UNKNOWN
        }
        "catch_clause" => {
            binder.open(ScopeKind::Block);
            if let Some(parameter) = child_of_kind(node, "catch_formal_parameter") {
                let mut of = Value::UNKNOWN;
                for caught in child_of_kind(parameter, "catch_type").into_iter().flat_map(children) {
                    let next = binder.at(caught, of_type);
                    of = of.or(next);
                }
                if let Some(name) = parameter.child_by_field_name("name") {
                    classes::variable(binder, name, of);
                }
            }
            binder.at_field(node, "body", visit);
            binder.close();
            Value::UNKNOWN
        }
        "method_declaration"
        | "constructor_declaration"
        | "compact_constructor_declaration"
        | "annotation_type_element_declaration" => method(binder, node),
        "class_declaration"
        | "interface_declaration"
        | "enum_declaration"
        | "record_declaration"
        | "annotation_type_declaration" => class(binder, node),
        "enum_constant" => {
            binder.at_field(node, "arguments", visit);
            if let Some(body) = node.child_by_field_name("body") {
                let base = classes::this(binder);
                anonymous(binder, body, base);
            }
            Value::UNKNOWN
        }
        "annotation" | "marker_annotation" => annotation(binder, node),
        "block"
        | "for_statement"
        | "try_with_resources_statement"
        | "switch_block_statement_group"
        | "switch_rule"
        | "static_initializer"
        | "while_statement"
        | "constructor_body" => {
            binder.open(ScopeKind::Block);
            binder.each(node, visit);
            binder.close();
            Value::UNKNOWN
        }
        "import_declaration" => {
            // `*` names nothing.
            let path = children(node).find(|child| child.kind() == "scoped_identifier");
            let name = path.and_then(|path| path.child_by_field_name("name"));
            if let Some(name) = name.filter(|_| child_of_kind(node, "asterisk").is_none()) {
                let local = binder.slice(name);
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
        "package_declaration"
        | "module_declaration"
        | "break_statement"
        | "continue_statement"
        | "line_comment"
        | "block_comment" => Value::UNKNOWN,
        "type_identifier" | "scoped_type_identifier" | "generic_type" | "array_type" | "annotated_type" => {
            of_type(binder, node)
        }
        _ => {
            binder.each(node, visit);
            Value::UNKNOWN
        }
    }
}

fn invocation<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let object = node.child_by_field_name("object");
    let receiver = object.map_or(Value::UNKNOWN, |object| binder.at(object, visit));
    binder.at_field(node, "type_arguments", visit);
    let Some(name) = node.child_by_field_name("name") else { return Value::UNKNOWN };
    let method = match object {
        Some(_) => classes::member(binder, receiver, name),
        None => classes::method_name(binder, name),
    };
    let text = binder.slice(name);
    classes::expect_lambda(binder, receiver, text);
    binder.at_field(node, "arguments", visit);
    classes::call_member(binder, receiver, text, method)
}

fn creation<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let written = node.child_by_field_name("type");
    let mut before = children(node).take_while(|part| Some(*part) != written);
    // `outer.new Inner()`
    let outer = before.find(|part| !part.kind().ends_with("annotation")).map(|outer| binder.at(outer, visit));
    let of = match (outer, written) {
        (Some(outer), Some(written)) if written.kind() == "type_identifier" => binder.use_member(outer, written),
        (_, Some(written)) => binder.at(written, of_type),
        (_, None) => Value::UNKNOWN,
    };
    binder.at_field(node, "type_arguments", visit);
    binder.at_field(node, "arguments", visit);
    if let Some(body) = child_of_kind(node, "class_body") {
        anonymous(binder, body, of);
    }
    of
}

fn anonymous<'t>(binder: &mut Binder<'t>, body: Node<'t>, base: Value) {
    let outside = classes::open_anonymous(binder, body, base);
    binder.each(body, visit);
    classes::close(binder, outside);
}

fn lambda<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let argument = classes::lambda_argument(binder);
    binder.open(ScopeKind::Function);
    if let Some(list) = node.child_by_field_name("parameters") {
        match list.kind() {
            "identifier" => classes::variable(binder, list, argument),
            "inferred_parameters" => {
                for (nth, name) in children(list).enumerate() {
                    classes::variable(binder, name, if nth == 0 { argument } else { Value::UNKNOWN });
                }
            }
            _ => parameters(binder, list, false),
        }
    }
    binder.at_field(node, "body", visit);
    binder.close();
    Value::UNKNOWN
}

fn switch<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let value = binder.at_field(node, "condition", visit);
    let body = node.child_by_field_name("body");
    for group in body.into_iter().flat_map(children) {
        binder.open(ScopeKind::Block);
        for part in children(group) {
            if part.kind() != "switch_label" {
                binder.at(part, visit);
                continue;
            }
            for label in children(part) {
                // A constant of an enum stands without its type.
                if label.kind() == "identifier" && value.plain().is_some() {
                    let known = binder.lookup_any(binder.slice(label), true);
                    match known {
                        Some(known) => binder.use_binding(label, known),
                        None => binder.use_member(value, label),
                    };
                } else {
                    binder.at(label, visit);
                }
            }
        }
        binder.close();
    }
    Value::UNKNOWN
}

/// Declares the variable of a pattern: a type, and a name if there is one.
fn pattern<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let mut of = Value::UNKNOWN;
    for (nth, part) in children(node).enumerate() {
        if nth == 0 {
            of = binder.at(part, of_type);
        } else if part.kind() == "identifier" {
            binder.declare(binder.slice(part), Binding::Local(of));
        }
    }
}

/// Binds the declared type of a variable; `var` is none.
fn declared_type<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    for modifiers in children(node).filter(|child| child.kind() == "modifiers") {
        binder.at(modifiers, visit);
    }
    let of = node.child_by_field_name("type").filter(|of| binder.slice(*of) != "var");
    let of = of.map_or(Value::UNKNOWN, |of| binder.at(of, of_type));
    if node.child_by_field_name("dimensions").is_some() { of.wrapped() } else { of }
}

fn variables<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let of = declared_type(binder, node);
    for declarator in fields(node, "declarator") {
        let value = binder.at_field(declarator, "value", visit);
        if let Some(name) = declarator.child_by_field_name("name") {
            let of = if declarator.child_by_field_name("dimensions").is_some() { of.wrapped() } else { of };
            classes::variable(binder, name, of.or(value));
        }
    }
}

fn parameters<'t>(binder: &mut Binder<'t>, list: Node<'t>, properties: bool) {
    for parameter in children(list) {
        let (of, name) = match parameter.kind() {
            "formal_parameter" => (declared_type(binder, parameter), parameter.child_by_field_name("name")),
            "spread_parameter" => {
                let mut of = Value::UNKNOWN;
                for part in children(parameter).filter(|part| part.kind() != "variable_declarator") {
                    let next = binder.at(part, visit);
                    of = of.or(next);
                }
                let declarator = child_of_kind(parameter, "variable_declarator");
                (of.wrapped(), declarator.and_then(|declarator| declarator.child_by_field_name("name")))
            }
            _ => continue,
        };
        match name {
            Some(name) if properties => {
                if let Some(class) = classes::class(binder) {
                    let property = binder.below(class, binder.slice(name));
                    let accessor = binder.below(property, "()");
                    binder.lead(LeadKind::Type, property, of);
                    binder.lead(LeadKind::Type, accessor, of);
                    binder.declare(binder.slice(name), Binding::Path(property));
                }
            }
            Some(name) => binder.declare(binder.slice(name), Binding::Local(of)),
            None => {}
        }
    }
}

fn type_parameters<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let list = node.child_by_field_name("type_parameters");
    let names: Vec<(Node<'t>, Node<'t>)> = list
        .into_iter()
        .flat_map(children)
        .filter_map(|parameter| Some((parameter, child_of_kind(parameter, "type_identifier")?)))
        .collect();
    for (_, name) in &names {
        classes::type_parameter(binder, *name, Value::UNKNOWN);
    }
    for (parameter, name) in names {
        let mut bound = Value::UNKNOWN;
        for of in child_of_kind(parameter, "type_bound").into_iter().flat_map(children) {
            let next = binder.at(of, of_type);
            bound = bound.or(next);
        }
        classes::type_parameter(binder, name, bound);
    }
}

fn method<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    binder.open(ScopeKind::Function);
    type_parameters(binder, node);
    let of = declared_type(binder, node);
    if let Some(name) = node.child_by_field_name("name").filter(|_| node.child_by_field_name("type").is_some()) {
        classes::result(binder, name, of);
    }
    if let Some(list) = node.child_by_field_name("parameters") {
        parameters(binder, list, false);
    }
    if let Some(throws) = child_of_kind(node, "throws") {
        binder.each(throws, of_type);
    }
    binder.at_field(node, "value", visit);
    binder.at_field(node, "body", visit);
    binder.close();
    Value::UNKNOWN
}

fn class<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let Some(name) = node.child_by_field_name("name") else { return Value::UNKNOWN };
    for modifiers in children(node).filter(|child| child.kind() == "modifiers") {
        binder.at(modifiers, visit);
    }
    let key = classes::class_key(binder, name);
    binder.open(ScopeKind::Block);
    type_parameters(binder, node);
    let bases: Vec<Node<'t>> = children(node)
        .filter(|child| matches!(child.kind(), "superclass" | "super_interfaces" | "extends_interfaces"))
        .flat_map(children)
        .flat_map(|of| if of.kind() == "type_list" { children(of).collect() } else { vec![of] })
        .collect();
    let base = classes::bases(binder, key, bases, of_type);
    if let Some(permits) = node.child_by_field_name("permits") {
        binder.each(permits, visit);
    }
    let outside = classes::open_class(binder, Some(name), key, base);
    if let Some(list) = node.child_by_field_name("parameters") {
        parameters(binder, list, true);
    }
    let members = node.child_by_field_name("body").into_iter().flat_map(children);
    let members = members.flat_map(|member| match member.kind() {
        "enum_body_declarations" => children(member).collect(),
        _ => vec![member],
    });
    classes::bodies(binder, members, &["field_declaration", "constant_declaration"], visit);
    classes::close(binder, outside);
    binder.close();
    Value::UNKNOWN
}

fn annotation<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let Some(name) = node.child_by_field_name("name") else { return Value::UNKNOWN };
    let of = if name.kind() == "identifier" { classes::type_name(binder, name) } else { Value::UNKNOWN };
    for argument in node.child_by_field_name("arguments").into_iter().flat_map(children) {
        if argument.kind() == "element_value_pair" {
            if let Some(key) = argument.child_by_field_name("key") {
                binder.use_member(of, key);
            }
            binder.at_field(argument, "value", visit);
        } else {
            binder.at(argument, visit);
        }
    }
    Value::UNKNOWN
}

/// Binds a type, and returns what a value of it stands for.
fn of_type<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "type_identifier" => classes::type_name(binder, node),
        "scoped_type_identifier" => {
            let mut of = None;
            for part in children(node) {
                of = match (part.kind(), of) {
                    ("type_identifier", Some(outer)) => Some(binder.use_member(outer, part)),
                    ("annotation" | "marker_annotation", of) => {
                        binder.at(part, visit);
                        of
                    }
                    _ => Some(binder.at(part, of_type)),
                };
            }
            of.unwrap_or(Value::UNKNOWN)
        }
        "generic_type" => {
            let base = node.named_child(0);
            let of = base.map_or(Value::UNKNOWN, |base| binder.at(base, of_type));
            let arguments: Vec<Value> = child_of_kind(node, "type_arguments")
                .into_iter()
                .flat_map(children)
                .map(|argument| binder.at(argument, of_type))
                .collect();
            let name = base.map_or("", |base| binder.slice(base));
            classes::generic(binder, name.rsplit('.').next().unwrap_or(name), of, &arguments)
        }
        "array_type" => binder.at_field(node, "element", of_type).wrapped(),
        "wildcard" | "annotated_type" => {
            let mut of = Value::UNKNOWN;
            for part in children(node) {
                let is_annotation = part.kind().ends_with("annotation");
                let next = binder.at(part, if is_annotation { visit } else { of_type });
                of = of.or(next);
            }
            of
        }
        _ => {
            binder.each(node, of_type);
            Value::UNKNOWN
        }
    }
}
