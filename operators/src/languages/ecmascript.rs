//! What JavaScript, TypeScript and TSX share.

pub(super) mod imports;
pub(super) mod manifest;
pub(super) mod modules;
mod scopes;

use gristmill_pipeline::port::DefinitionKind as Kind;
use gristmill_pipeline::port::ReferenceKind::Call;
use tree_sitter::Node;

use crate::spec::{Found, Scopes, Uses, Verdict, children, has_token};

/// How the names of the three are bound.
pub(super) const SCOPES: Scopes = Scopes { rules: scopes::bind, local: modules::local_names };

/// Expands to the rows of `Grammar::rules` that the three share, and to those given.
macro_rules! common_rules {
    ($($more:expr,)*) => {{
        use $crate::languages::ecmascript::{assignment, pair, variables};
        &[
            rule("function_declaration", Kind::Function, named),
            rule("generator_function_declaration", Kind::Function, named),
            rule("class_declaration", Kind::Class, named),
            rule("method_definition", Kind::Method, named),
            rule("lexical_declaration", Kind::Variable, variables),
            rule("variable_declaration", Kind::Variable, variables),
            rule("expression_statement", Kind::Function, assignment),
            rule("pair", Kind::Method, pair),
            $($more,)*
        ]
    }};
}
pub(super) use common_rules;

/// Expands to the rows of `Grammar::uses` that the three share, and to those given.
macro_rules! common_uses {
    ($($more:expr,)*) => {{
        use $crate::languages::ecmascript::imports;
        &[
            ("call_expression", Use::By(imports::call)),
            ("new_expression", Use::Field(Call, "constructor")),
            ("decorator", Use::First(Call)),
            ("import_statement", Use::By(imports::import)),
            ("export_statement", Use::By(imports::export)),
            ("variable_declarator", Use::By(imports::required)),
            $($more,)*
        ]
    }};
}
pub(super) use common_uses;

/// Expands to the rows of `Grammar::parts` that the three share, and to those given.
macro_rules! common_parts {
    ($($more:expr,)*) => {
        &[
            ("identifier", Part::Name),
            ("property_identifier", Part::Name),
            ("member_expression", Part::Field("property")),
            $($more,)*
        ]
    };
}
pub(super) use common_parts;

pub(super) const CLOSURES: &[&str] = &[
    "arrow_function",
    "function_expression",
    "generator_function",
    "class_static_block",
    "for_statement",
    "for_in_statement",
    "while_statement",
];

/// Returns the kind of definition that a variable is with that value.
fn kind_of(value: Option<Node<'_>>) -> Option<Kind> {
    match value?.kind() {
        "arrow_function" | "function_expression" | "generator_function" => Some(Kind::Function),
        "class" => Some(Kind::Class),
        _ => None,
    }
}

/// Finds the variables of `const a = …, b = …`.
pub(super) fn variables(found: &mut Found<'_>) -> Verdict {
    let constant = has_token(found.node, "const");
    let mut first = None;
    for node in children(found.node).filter(|node| node.kind() == "variable_declarator") {
        let value = node.child_by_field_name("value");
        let (Some(name), false) = (node.child_by_field_name("name"), value.is_some_and(|value| imports(found, value)))
        else {
            continue;
        };
        first.get_or_insert(node);
        add_pattern(found, name);
    }
    let value = first.and_then(|node| node.child_by_field_name("value"));
    found.body = value.and_then(|value| value.child_by_field_name("body"));
    found.kind = kind_of(value).unwrap_or(if constant { Kind::Constant } else { Kind::Variable });
    found.verdict()
}

/// Returns whether a value is `require("module")` or `await import("module")`: a variable that holds
/// it is an import.
fn imports(found: &Found<'_>, value: Node<'_>) -> bool {
    let value = if value.kind() == "await_expression" { value.named_child(0) } else { Some(value) };
    let called = value.and_then(|value| value.child_by_field_name("function"));
    let arguments = value.and_then(|value| value.child_by_field_name("arguments"));
    called.is_some_and(|called| matches!(found.text.get(called.byte_range()), Some("require" | "import")))
        && arguments.and_then(|arguments| arguments.named_child(0)).is_some_and(|module| module.kind() == "string")
}

/// Adds the names of a pattern such as `{ a, b: [c] }`.
fn add_pattern<'t>(found: &mut Found<'t>, pattern: Node<'t>) {
    let mut stack = vec![pattern];
    while let Some(pattern) = stack.pop() {
        match pattern.kind() {
            "identifier" | "shorthand_property_identifier_pattern" => found.add_name(found.slice(pattern)),
            "object_pattern" | "array_pattern" | "rest_pattern" => {
                let parts: Vec<Node<'t>> = children(pattern).collect();
                stack.extend(parts.into_iter().rev());
            }
            "pair_pattern" => stack.extend(pattern.child_by_field_name("value")),
            "assignment_pattern" | "object_assignment_pattern" => stack.extend(pattern.child_by_field_name("left")),
            _ => {}
        }
    }
}

/// Finds `a.b = function …`, which defines a method of `a`.
pub(super) fn assignment(found: &mut Found<'_>) -> Verdict {
    let Some(assignment) = found.node.named_child(0).filter(|node| node.kind() == "assignment_expression") else {
        return Verdict::Nothing;
    };
    let (left, right) = (assignment.child_by_field_name("left"), assignment.child_by_field_name("right"));
    let (Some(left), Some(kind)) = (left.filter(|left| left.kind() == "member_expression"), kind_of(right)) else {
        return Verdict::Nothing;
    };
    found.kind = kind;
    found.body = right.and_then(|right| right.child_by_field_name("body"));
    let object = left.child_by_field_name("object").map_or("", |object| found.slice(object));
    if object.contains(['(', '[', '{', '\n']) {
        return Verdict::Nothing;
    }
    let object = object.strip_suffix(".prototype").unwrap_or(object);
    if !matches!(object, "exports" | "module" | "module.exports" | "window" | "globalThis" | "this") {
        found.scope = object.into();
        found.separator = Some(".");
    }
    found.name_at(left.child_by_field_name("property"))
}

/// Finds a function in an object literal.
pub(super) fn pair(found: &mut Found<'_>) -> Verdict {
    let value = found.field("value");
    if kind_of(value) != Some(Kind::Function) {
        return Verdict::Nothing;
    }
    found.body = value.and_then(|value| value.child_by_field_name("body"));
    let name = found.field_text("key");
    found.add_name(name.trim_matches(['"', '\'']));
    found.verdict()
}

/// Finds a field of a class, or a method where its value is a function.
pub(super) fn field(found: &mut Found<'_>) -> Verdict {
    let value = found.field("value");
    if kind_of(value) == Some(Kind::Function) {
        found.kind = Kind::Method;
        found.body = value.and_then(|value| value.child_by_field_name("body"));
    }
    found.name_at(found.field("name").or_else(|| found.field("property")))
}

/// Records a JSX element that renders a component: its name is not that of an HTML tag.
pub(super) fn element<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let Some(name) = node.child_by_field_name("name") else { return };
    if name.kind() == "member_expression" || uses.slice(name).starts_with(char::is_uppercase) {
        uses.refer(Call, name);
    }
}

#[cfg(test)]
mod tests;
