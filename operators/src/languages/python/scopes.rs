//! How Python binds names.
//!
//! A name that a function assigns anywhere is local to all of it, so a scope's names are declared
//! before its body is bound. Types come from annotations, from calls of classes, and from what
//! functions return.

use gristmill_pipeline::port::{Anchor, LeadKind};
use tree_sitter::Node;

use crate::bind::{Binder, Binding, PathId, ScopeKind, Value};
use crate::spec::{children, fields};

/// The class that is bound.
const CLASS: &str = "class";
/// Its first base.
const BASE: &str = "base";
/// What a call of the function that is bound gives.
const RESULT: &str = "result";
/// What is remembered where there is none of these.
const NOTHING: Binding = Binding::Local(Value::UNKNOWN);

/// Binds a module.
pub(super) fn bind<'t>(binder: &mut Binder<'t>, root: Node<'t>) {
    for (definition, key) in binder.definitions() {
        if let Some(key) = key.filter(|_| definition.parent.is_none()) {
            // An import that fails may be made up for by a variable: the import is meant.
            let is_variable = !matches!(definition.kind.as_str(), "function" | "class" | "type");
            if is_variable {
                binder.declare_new(&definition.name, Binding::Path(key));
            } else {
                binder.declare(&definition.name, Binding::Path(key));
            }
        }
    }
    hoist(binder, root, true);
    binder.each(root, visit);
}

/// Declares the names that the statements of a scope bind, without those of scopes within.
fn hoist<'t>(binder: &mut Binder<'t>, node: Node<'t>, at_module: bool) {
    let mut stack = vec![node];
    while let Some(node) = stack.pop() {
        for child in children(node) {
            match child.kind() {
                "function_definition" | "class_definition" => {
                    if let Some(name) = child.child_by_field_name("name")
                        && let Some(key) = binder.key(name)
                    {
                        binder.declare(binder.slice(name), Binding::Path(key));
                    }
                }
                "lambda"
                | "list_comprehension"
                | "set_comprehension"
                | "dictionary_comprehension"
                | "generator_expression"
                | "import_statement"
                | "import_from_statement" => {}
                "assignment" | "augmented_assignment" | "for_statement" => {
                    declare_pattern(binder, child.child_by_field_name("left"), at_module);
                    stack.push(child);
                }
                "named_expression" => {
                    declare_pattern(binder, child.child_by_field_name("name"), at_module);
                    stack.push(child);
                }
                "as_pattern_target" => declare_pattern(binder, child.named_child(0), at_module),
                "global_statement" | "nonlocal_statement" => {
                    for name in children(child) {
                        let name = binder.slice(name);
                        if let Some(outer) = binder.lookup(name) {
                            binder.declare(name, outer);
                        }
                    }
                }
                _ => stack.push(child),
            }
        }
    }
}

/// Declares the names of a pattern such as `a, (b, *c)`.
fn declare_pattern<'t>(binder: &mut Binder<'t>, pattern: Option<Node<'t>>, at_module: bool) {
    let Some(pattern) = pattern else { return };
    match pattern.kind() {
        "identifier" => {
            let name = binder.slice(pattern);
            let binding =
                if at_module { Binding::Path(binder.path(Anchor::Unit, name)) } else { Binding::Local(Value::UNKNOWN) };
            binder.declare_new(name, binding);
        }
        "pattern_list" | "tuple_pattern" | "list_pattern" | "list_splat_pattern" | "tuple" | "list" => {
            for part in children(pattern) {
                declare_pattern(binder, Some(part), at_module);
            }
        }
        _ => {}
    }
}

/// Binds a statement or an expression, and returns what an expression stands for.
fn visit<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "identifier" => binder.use_name(node),
        "attribute" => {
            let object = binder.at_field(node, "object", visit);
            match node.child_by_field_name("attribute") {
                Some(name) => binder.use_member(object, name),
                None => Value::UNKNOWN,
            }
        }
        "call" => call(binder, node),
        "subscript" => {
            let value = binder.at_field(node, "value", visit);
            for index in fields(node, "subscript") {
                binder.at(index, visit);
            }
            binder.element(value)
        }
        "parenthesized_expression" | "await" | "expression_statement" => binder.last_of(node, visit),
        "conditional_expression" => binder.first_of(node, visit),
        "boolean_operator" => binder.either(node, ["left", "right"], visit),
        "named_expression" => {
            let value = binder.at_field(node, "value", visit);
            if let Some(name) = node.child_by_field_name("name") {
                binder.assign(binder.slice(name), value);
            }
            value
        }
        "list" | "set" | "tuple" => {
            let value = binder.first_of(node, visit);
            value.wrapped()
        }
        "keyword_argument" => binder.at_field(node, "value", visit),
        "assignment" => assignment(binder, node),
        "augmented_assignment" => {
            binder.at_field(node, "right", visit);
            binder.at_field(node, "left", visit)
        }
        "for_statement" => {
            let iterated = binder.at_field(node, "right", visit);
            let element = binder.element(iterated);
            assign_pattern(binder, node.child_by_field_name("left"), element);
            binder.at_field(node, "body", visit);
            binder.at_field(node, "alternative", visit);
            Value::UNKNOWN
        }
        "as_pattern" => {
            let mut value = Value::UNKNOWN;
            for child in children(node) {
                match child.kind() {
                    "as_pattern_target" => assign_pattern(binder, child.named_child(0), value),
                    _ => value = binder.at(child, visit),
                }
            }
            // `with f() as x` most often gives what it was called on.
            value
        }
        "except_clause" => except(binder, node),
        "list_comprehension" | "set_comprehension" | "generator_expression" | "dictionary_comprehension" => {
            comprehension(binder, node)
        }
        "lambda" => {
            binder.open(ScopeKind::Function);
            parameters(binder, node, None);
            binder.at_field(node, "body", visit);
            binder.close();
            Value::UNKNOWN
        }
        "function_definition" => function(binder, node),
        "class_definition" => class(binder, node),
        "decorated_definition" => {
            for child in children(node) {
                binder.at(child, visit);
            }
            Value::UNKNOWN
        }
        "type" => annotation(binder, node),
        "type_alias_statement" => {
            binder.at_field(node, "right", visit);
            Value::UNKNOWN
        }
        "import_statement" | "import_from_statement" | "future_import_statement" => import(binder, node),
        "return_statement" => {
            let value = node.named_child(0).map_or(Value::UNKNOWN, |node| binder.at(node, visit));
            if let Some(Binding::Path(function)) = binder.marked(RESULT) {
                binder.lead(LeadKind::Type, function, value);
            }
            Value::UNKNOWN
        }
        "comment" | "global_statement" | "nonlocal_statement" => Value::UNKNOWN,
        _ => {
            binder.each(node, visit);
            Value::UNKNOWN
        }
    }
}

fn call<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let function = node.child_by_field_name("function");
    let is_super = function.is_some_and(|function| binder.slice(function) == "super");
    let called = function.map_or(Value::UNKNOWN, |function| binder.at(function, visit));
    binder.at_field(node, "arguments", visit);
    if is_super {
        // The members of the bases: those of the class itself come first, which a method that
        // extends one of a base is among. See `class`.
        return match binder.marked(BASE) {
            Some(Binding::Local(value)) => value,
            _ => Value::UNKNOWN,
        };
    }
    let text = function.map_or("", |function| binder.slice(function));
    match (text, node.child_by_field_name("arguments")) {
        // `cast(T, x)` is a T.
        ("cast" | "t.cast" | "typing.cast", Some(arguments)) => {
            arguments.named_child(0).map_or(Value::UNKNOWN, |node| type_value(binder, node, false))
        }
        _ => binder.call(called),
    }
}

fn assignment<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let annotated = binder.at_field(node, "type", visit);
    let value = binder.at_field(node, "right", visit);
    let value = annotated.or(value);
    let Some(left) = node.child_by_field_name("left") else { return value };
    match left.kind() {
        "identifier" if value.path().is_some() => {
            let name = binder.slice(left);
            match binder.lookup(name) {
                Some(Binding::Path(path)) => binder.lead(LeadKind::Type, path, value),
                _ => binder.assign(name, value),
            }
        }
        "attribute" => {
            let owner = binder.at_field(left, "object", visit);
            if let Some(name) = left.child_by_field_name("attribute") {
                let member = binder.use_member(owner, name);
                if let Some(path) = member.plain() {
                    binder.lead(LeadKind::Type, path, value);
                }
            }
        }
        _ => assign_pattern(binder, Some(left), Value::UNKNOWN),
    }
    value
}

/// Gives the names of a pattern a value; those of a tuple get none.
fn assign_pattern<'t>(binder: &mut Binder<'t>, pattern: Option<Node<'t>>, value: Value) {
    let Some(pattern) = pattern else { return };
    match pattern.kind() {
        "identifier" => {
            if !matches!(binder.lookup(binder.slice(pattern)), Some(Binding::Path(_))) {
                binder.assign(binder.slice(pattern), value);
            }
        }
        "attribute" | "subscript" => {
            binder.at(pattern, visit);
        }
        _ => {
            for part in children(pattern) {
                assign_pattern(binder, Some(part), Value::UNKNOWN);
            }
        }
    }
}

fn except<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    for child in children(node) {
        binder.at(child, visit);
    }
    Value::UNKNOWN
}

fn comprehension<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    binder.open(ScopeKind::Block);
    // The clauses bind the names that the body before them uses.
    for clause in children(node).filter(|child| child.kind() == "for_in_clause") {
        let iterated = binder.at_field(clause, "right", visit);
        let element = binder.element(iterated);
        if let Some(left) = clause.child_by_field_name("left") {
            declare_pattern(binder, Some(left), false);
            assign_pattern(binder, Some(left), element);
        }
    }
    let mut value = Value::UNKNOWN;
    for child in children(node).filter(|child| child.kind() != "for_in_clause") {
        let next = binder.at(child, visit);
        value = value.or(next);
    }
    binder.close();
    value.wrapped()
}

/// Declares the parameters of a function; `class` is the class that it is a method of.
fn parameters<'t>(binder: &mut Binder<'t>, node: Node<'t>, class: Option<PathId>) {
    let Some(list) = node.child_by_field_name("parameters") else { return };
    let mut class = class;
    for parameter in children(list) {
        let name = match parameter.kind() {
            "identifier" => Some(parameter),
            "default_parameter" | "typed_default_parameter" => parameter.child_by_field_name("name"),
            "typed_parameter" | "list_splat_pattern" | "dictionary_splat_pattern" => parameter.named_child(0),
            _ => None,
        };
        let value = match parameter.child_by_field_name("type") {
            Some(of) => binder.at(of, visit),
            None => class.take().map_or(Value::UNKNOWN, Value::of),
        };
        class = None;
        let name = name.map(|name| if name.kind() == "identifier" { Some(name) } else { name.named_child(0) });
        if let Some(name) = name.flatten() {
            binder.declare(binder.slice(name), Binding::Local(value));
        }
    }
}

fn function<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let Some(name) = node.child_by_field_name("name") else { return Value::UNKNOWN };
    let key = binder.key(name);
    let decorators = decorators(binder, node);
    let is_static = decorators.contains(&"staticmethod");
    let class = match binder.marked(CLASS) {
        Some(Binding::Path(class)) if !is_static && node.parent().is_some_and(|parent| in_class(parent)) => Some(class),
        _ => None,
    };
    // Annotations and defaults are bound outside, where class names are seen.
    let returned = binder.at_field(node, "return_type", visit);
    if let Some(list) = node.child_by_field_name("parameters") {
        for default in children(list).filter_map(|parameter| parameter.child_by_field_name("value")) {
            binder.at(default, visit);
        }
    }
    if let Some(key) = key {
        let result = binder.below(key, "()");
        binder.lead(LeadKind::Type, result, returned);
        // What is read like an attribute is of the type that the function returns.
        if decorators.iter().any(|decorator| decorator.ends_with("property")) {
            binder.lead(LeadKind::Type, key, returned);
        }
    }
    binder.open(ScopeKind::Function);
    parameters(binder, node, class);
    let outer = binder.marked(RESULT).unwrap_or(NOTHING);
    let result = key.filter(|_| returned.path().is_none()).map(|key| Binding::Path(binder.below(key, "()")));
    binder.mark(RESULT, result.unwrap_or(NOTHING));
    if let Some(body) = node.child_by_field_name("body") {
        hoist(binder, body, false);
        binder.at(body, visit);
    }
    binder.mark(RESULT, outer);
    binder.close();
    Value::UNKNOWN
}

/// Returns whether a definition in `node` is right in the body of a class.
fn in_class(node: Node<'_>) -> bool {
    let outer = if node.kind() == "decorated_definition" { node.parent() } else { Some(node) };
    outer.and_then(|block| block.parent()).is_some_and(|owner| owner.kind() == "class_definition")
}

/// Returns the decorators of a definition, as written.
fn decorators<'t>(binder: &Binder<'t>, node: Node<'t>) -> Vec<&'t str> {
    let outer = node.parent().filter(|parent| parent.kind() == "decorated_definition");
    let of = |outer: Node<'t>| children(outer).filter(|child| child.kind() == "decorator").collect::<Vec<_>>();
    let decorators = outer.map(of).unwrap_or_default();
    decorators.into_iter().map(|decorator| binder.slice(decorator).trim_start_matches('@').trim()).collect()
}

fn class<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let Some(name) = node.child_by_field_name("name") else { return Value::UNKNOWN };
    let key = binder.key_or(name, None);
    let mut first_base = Value::UNKNOWN;
    if let Some(bases) = node.child_by_field_name("superclasses") {
        for base in children(bases) {
            let value =
                if base.kind() == "subscript" { type_value(binder, base, true) } else { binder.at(base, visit) };
            if base.kind() != "keyword_argument" {
                binder.lead(LeadKind::Base, key, value);
                first_base = first_base.or(value);
            }
        }
    }
    binder.open(ScopeKind::Class);
    if let Some(body) = node.child_by_field_name("body") {
        for statement in children(body) {
            let definition = if statement.kind() == "decorated_definition" {
                statement.child_by_field_name("definition")
            } else {
                Some(statement)
            };
            let name = definition.and_then(|definition| definition.child_by_field_name("name"));
            if let Some((name, key)) = name.and_then(|name| Some((binder.slice(name), binder.key(name)?))) {
                binder.declare(name, Binding::Path(key));
            }
            let assigned = statement.named_child(0).filter(|node| node.kind() == "assignment");
            let assigned = assigned.and_then(|node| node.child_by_field_name("left"));
            if let Some(left) = assigned.filter(|left| left.kind() == "identifier") {
                let path = binder.key_or(left, Some(key));
                binder.declare(binder.slice(left), Binding::Path(path));
            }
        }
        within_class(binder, body, key, first_base);
    }
    binder.close();
    Value::UNKNOWN
}

/// Binds the body of a class.
fn within_class<'t>(binder: &mut Binder<'t>, body: Node<'t>, class: PathId, base: Value) {
    let outer = (binder.marked(CLASS), binder.marked(BASE));
    binder.mark(CLASS, Binding::Path(class));
    binder.mark(BASE, Binding::Local(base));
    binder.at(body, visit);
    binder.mark(CLASS, outer.0.unwrap_or(NOTHING));
    binder.mark(BASE, outer.1.unwrap_or(NOTHING));
}

/// Binds what an import names: each name is a use of what it imports.
fn import<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    if node.kind() != "import_from_statement" {
        return Value::UNKNOWN;
    }
    for imported in fields(node, "name") {
        let (name, local) = match imported.kind() {
            "aliased_import" => (imported.child_by_field_name("name"), imported.child_by_field_name("alias")),
            _ => (Some(imported), Some(imported)),
        };
        let (Some(name), Some(local)) = (name, local) else { continue };
        // `a` of `from b import a`; a dotted name here is wrong.
        if let Some(name) = name.named_child(0).filter(|_| name.named_child_count() == 1) {
            let path = binder.path(Anchor::File, binder.slice(local));
            binder.record(name, Value::of(path));
        }
    }
    Value::UNKNOWN
}

fn annotation<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    node.named_child(0).map_or(Value::UNKNOWN, |of| type_value(binder, of, true))
}

/// What a value of the type that is written at `node` is; `records` says whether to record uses.
fn type_value<'t>(binder: &mut Binder<'t>, node: Node<'t>, records: bool) -> Value {
    match node.kind() {
        "binary_operator" => {
            let mut value = Value::UNKNOWN;
            for side in ["left", "right"] {
                if let Some(side) = node.child_by_field_name(side) {
                    let next = type_value(binder, side, records);
                    value = value.or(next);
                }
            }
            value
        }
        "union_type" | "type" | "parenthesized_expression" => {
            let mut value = Value::UNKNOWN;
            for child in children(node) {
                let next = type_value(binder, child, records);
                value = value.or(next);
            }
            value
        }
        "subscript" | "generic_type" => {
            let base = node.named_child(0);
            let name = base.map_or("", |base| binder.slice(base));
            let of = base.map_or(Value::UNKNOWN, |base| type_value(binder, base, records));
            let arguments: Vec<Value> = children(node)
                .skip(1)
                .flat_map(|argument| {
                    if argument.kind() == "type_parameter" { children(argument).collect() } else { vec![argument] }
                })
                .map(|argument| type_value(binder, argument, records))
                .collect();
            let (first, last) = (arguments.first().copied(), arguments.last().copied());
            let (first, last) = (first.unwrap_or(Value::UNKNOWN), last.unwrap_or(Value::UNKNOWN));
            match name.rsplit('.').next().unwrap_or_default() {
                "Optional" | "Annotated" | "ClassVar" | "Final" | "Type" | "type" | "Required" | "NotRequired"
                | "Awaitable" | "Union" => arguments.iter().fold(first, |value, next| value.or(*next)),
                "Coroutine" => last,
                "list" | "List" | "set" | "Set" | "frozenset" | "Sequence" | "Iterable" | "Iterator" | "Collection"
                | "Generator" | "deque" | "Deque" | "tuple" | "Tuple" | "AsyncIterator" | "AsyncIterable" => {
                    first.wrapped()
                }
                "dict" | "Dict" | "Mapping" | "MutableMapping" | "defaultdict" | "OrderedDict" => last.wrapped(),
                _ => of,
            }
        }
        "identifier" if !records => match binder.lookup(binder.slice(node)) {
            Some(Binding::Path(path)) => Value::of(path),
            _ => Value::UNKNOWN,
        },
        "attribute" if !records => Value::UNKNOWN,
        "member_type" => {
            let mut value = Value::UNKNOWN;
            for (nth, part) in children(node).enumerate() {
                value = match (nth, part.kind()) {
                    (0, _) => type_value(binder, part, records),
                    (_, "identifier") => binder.use_member(value, part),
                    _ => value,
                };
            }
            value
        }
        "string" => quoted(binder, node),
        "none" => Value::UNKNOWN,
        _ => binder.at(node, visit),
    }
}

/// A type in quotes: a plain name is bound.
fn quoted<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let Some(content) = children(node).find(|child| child.kind() == "string_content") else { return Value::UNKNOWN };
    let name = binder.slice(content);
    if !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return binder.use_name(content);
    }
    Value::UNKNOWN
}
