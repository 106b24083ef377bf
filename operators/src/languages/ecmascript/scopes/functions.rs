//! Functions, their parameters, and what calls of them give.

use gristmill_pipeline::port::LeadKind;
use tree_sitter::Node;

use super::{EXPECTED, NOTHING, RESULT, THIS, expressions, hoist, patterns, stored, types, visit};
use crate::bind::{Binder, Binding, PathId, ScopeKind, Value};
use crate::spec::{child_of_kind, children, has_token};

/// A function that is declared: `this` is what it constructs.
pub(super) fn declaration<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let key = hoist::key(binder, node);
    with_this(binder, key.map_or(Value::UNKNOWN, Value::of), |binder| {
        function(binder, node, key, &[]);
    });
    Value::UNKNOWN
}

/// Calls `body` where `this` is a value.
pub(super) fn with_this<'t>(binder: &mut Binder<'t>, this: Value, body: impl FnOnce(&mut Binder<'t>)) {
    let outer = stored(binder.marked(THIS));
    binder.mark(THIS, Binding::Local(this));
    body(binder);
    binder.mark(THIS, Binding::Local(outer));
}

/// A method of what `owner` leads to. What a getter returns is the type of its property.
pub(super) fn method<'t>(binder: &mut Binder<'t>, node: Node<'t>, owner: Option<PathId>) {
    let Some(name) = node.child_by_field_name("name") else { return };
    if name.kind() == "computed_property_name" {
        binder.at(name, visit);
    }
    let key = member_key(binder, node, name, owner);
    let this = owner.map_or(Value::UNKNOWN, Value::of);
    with_this(binder, this, |binder| {
        let is_getter = has_token(node, "get");
        let result = key.map(|key| if is_getter { key } else { binder.below(key, "()") });
        giving(binder, node, key, result, &[]);
    });
}

/// The path of a member that is named at `name`.
pub(super) fn member_key<'t>(
    binder: &mut Binder<'t>,
    node: Node<'t>,
    name: Node<'t>,
    owner: Option<PathId>,
) -> Option<PathId> {
    let text = binder.slice(name).trim_matches(['"', '\'']);
    let is_name = !text.is_empty() && !text.contains(char::is_whitespace);
    let path = owner.filter(|_| is_name).map(|owner| binder.below(owner, text));
    match binder.defined_from(text, node.start_byte(), name.start_byte()) {
        // What lies in an object that nothing leads to is no member of what is around it.
        Some(index) => binder.move_definition(index, path),
        None => path,
    }
}

/// Binds a function or a signature whose path is `key`; `given` is what its first parameters are
/// known to be. Returns what it gives, if that is an expression.
pub(super) fn function<'t>(binder: &mut Binder<'t>, node: Node<'t>, key: Option<PathId>, given: &[Value]) -> Value {
    let result = key.map(|key| binder.below(key, "()"));
    giving(binder, node, key, result, given)
}

/// As [`function`]; `result` leads to what it gives.
fn giving<'t>(
    binder: &mut Binder<'t>,
    node: Node<'t>,
    key: Option<PathId>,
    result: Option<PathId>,
    given: &[Value],
) -> Value {
    binder.open(ScopeKind::Function);
    let is_expression = matches!(node.kind(), "function_expression" | "generator_function");
    if let Some(name) = node.child_by_field_name("name").filter(|_| is_expression) {
        let own = key.map_or(NOTHING, Binding::Path);
        binder.declare(binder.slice(name), own);
    }
    type_parameters(binder, node);
    parameters(binder, node, given);
    let returned = returned(binder, node, result);
    let outer = stored(binder.marked(RESULT));
    let expected = stored(binder.marked(EXPECTED));
    binder.mark(EXPECTED, Binding::Local(returned));
    let result = result.filter(|_| returned.path().is_none());
    binder.mark(RESULT, Binding::Local(result.map_or(Value::UNKNOWN, Value::of)));
    let mut value = returned;
    if let Some(body) = node.child_by_field_name("body") {
        if body.kind() == "statement_block" {
            hoist::variables(binder, body);
            hoist::block(binder, body);
            binder.each(body, visit);
        } else {
            let body = expressions::owned(binder, body, result, returned);
            if let Some(result) = result {
                binder.lead(LeadKind::Type, result, body);
            }
            value = value.or(body);
        }
    }
    binder.mark(RESULT, Binding::Local(outer));
    binder.mark(EXPECTED, Binding::Local(expected));
    binder.close();
    value
}

/// The type of what a function gives.
fn returned<'t>(binder: &mut Binder<'t>, node: Node<'t>, result: Option<PathId>) -> Value {
    let Some(of) = node.child_by_field_name("return_type") else { return Value::UNKNOWN };
    types::of(binder, of, result)
}

/// Declares type parameters: what bounds one has its members.
pub(super) fn type_parameters<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    let Some(list) = node.child_by_field_name("type_parameters") else { return };
    for parameter in children(list) {
        if let Some(name) = parameter.child_by_field_name("name") {
            binder.declare(binder.slice(name), NOTHING);
        }
    }
    for parameter in children(list) {
        let bound = binder.at_field(parameter, "constraint", types::value);
        binder.at_field(parameter, "value", types::value);
        if let Some(name) = parameter.child_by_field_name("name").filter(|_| bound.path().is_some()) {
            binder.declare(binder.slice(name), Binding::Local(bound));
        }
    }
}

fn parameters<'t>(binder: &mut Binder<'t>, node: Node<'t>, given: &[Value]) {
    if let Some(parameter) = node.child_by_field_name("parameter") {
        let value = given.first().copied().unwrap_or(Value::UNKNOWN);
        binder.declare(binder.slice(parameter), Binding::Local(value));
    }
    let Some(list) = node.child_by_field_name("parameters") else { return };
    for (nth, parameter) in children(list).filter(|parameter| parameter.kind() != "comment").enumerate() {
        let typed = matches!(parameter.kind(), "required_parameter" | "optional_parameter");
        let pattern = if typed { parameter.child_by_field_name("pattern") } else { Some(parameter) };
        let Some(pattern) = pattern else { continue };
        let mut value = given.get(nth).copied().unwrap_or(Value::UNKNOWN);
        if typed {
            for decorator in children(parameter).filter(|child| child.kind() == "decorator") {
                binder.at(decorator, visit);
            }
            let key = property_key(binder, parameter, pattern);
            if let Some(of) = parameter.child_by_field_name("type") {
                value = types::of(binder, of, key).or(value);
            }
            let default = binder.at_field(parameter, "value", visit);
            value = value.or(default);
        }
        if pattern.kind() == "this" {
            binder.mark(THIS, Binding::Local(value));
            continue;
        }
        declare_parameter(binder, pattern);
        patterns::assign(binder, pattern, value);
    }
}

/// Declares the names of a parameter, which no definition stands for.
fn declare_parameter<'t>(binder: &mut Binder<'t>, pattern: Node<'t>) {
    match pattern.kind() {
        "identifier" | "shorthand_property_identifier_pattern" => binder.declare(binder.slice(pattern), NOTHING),
        "pair_pattern" => {
            if let Some(value) = pattern.child_by_field_name("value") {
                declare_parameter(binder, value);
            }
        }
        "assignment_pattern" | "object_assignment_pattern" => {
            if let Some(left) = pattern.child_by_field_name("left") {
                declare_parameter(binder, left);
            }
        }
        "object_pattern" | "array_pattern" | "rest_pattern" => {
            for part in children(pattern) {
                declare_parameter(binder, part);
            }
        }
        _ => {}
    }
}

/// The path of the property that a parameter such as `private a: A` of a constructor declares.
fn property_key<'t>(binder: &mut Binder<'t>, parameter: Node<'t>, pattern: Node<'t>) -> Option<PathId> {
    let declares = child_of_kind(parameter, "accessibility_modifier").is_some() || has_token(parameter, "readonly");
    let class = stored(binder.marked(THIS)).plain()?;
    declares.then(|| binder.below(class, binder.slice(pattern)))
}
