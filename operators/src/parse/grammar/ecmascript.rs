//! JavaScript, TypeScript and TSX.

mod imports;

use gristmill_pipeline::port::DefinitionKind as Kind;
use gristmill_pipeline::port::ReferenceKind::{Call, Implements, Mention};
use tree_sitter::Node;

use super::{Grammar, Part, Rule, Use, rule};
use crate::parse::found::{Found, Verdict, fields, has_token, named, named_member};
use crate::parse::uses::Uses;

/// What the three share.
macro_rules! common_rules {
    ($($more:expr,)*) => {
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
    };
}

macro_rules! common_uses {
    ($($more:expr,)*) => {
        &[
            ("call_expression", Use::By(imports::call)),
            ("new_expression", Use::Field(Call, "constructor")),
            ("decorator", Use::First(Call)),
            ("import_statement", Use::By(imports::import)),
            ("export_statement", Use::By(imports::export)),
            ("variable_declarator", Use::By(imports::required)),
            $($more,)*
        ]
    };
}

macro_rules! typed_uses {
    ($($more:expr,)*) => {
        common_uses![
            ("extends_clause", Use::Field(Implements, "value")),
            ("implements_clause", Use::Each(Implements)),
            ("extends_type_clause", Use::Each(Implements)),
            ("type_identifier", Use::Type),
            ("generic_type", Use::Itself(Mention)),
            ("nested_type_identifier", Use::Itself(Mention)),
            $($more,)*
        ]
    };
}

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

static TYPESCRIPT_RULES: &[Rule] = common_rules![
    rule("abstract_class_declaration", Kind::Class, named),
    rule("public_field_definition", Kind::Field, field),
    rule("interface_declaration", Kind::Interface, named),
    rule("type_alias_declaration", Kind::Type, alias),
    rule("enum_declaration", Kind::Enum, named),
    rule("enum_assignment", Kind::Variant, named),
    rule("property_identifier", Kind::Variant, variant),
    rule("method_signature", Kind::Method, named),
    rule("abstract_method_signature", Kind::Method, named),
    rule("property_signature", Kind::Field, named_member),
    rule("function_signature", Kind::Function, named),
    rule("module", Kind::Module, module),
    rule("internal_module", Kind::Module, module),
];

const CLOSURES: &[&str] = &[
    "arrow_function",
    "function_expression",
    "generator_function",
    "class_static_block",
    "for_statement",
    "for_in_statement",
    "while_statement",
];

pub(crate) static JAVASCRIPT: Grammar = Grammar {
    attributes: &["decorator"],
    wraps: &["export_statement"],
    through: &["class_body"],
    closures: CLOSURES,
    constructors: &["constructor"],
    rules: common_rules![rule("field_definition", Kind::Field, field),],
    uses: common_uses![
        ("jsx_opening_element", Use::By(element)),
        ("jsx_self_closing_element", Use::By(element)),
        ("class_heritage", Use::First(Implements)),
    ],
    parts: common_parts![],
    ..Grammar::new(|| tree_sitter_javascript::LANGUAGE.into(), "tree-sitter-javascript 0.25.0")
};

const TYPED: Grammar = Grammar {
    attributes: &["decorator"],
    wraps: &["export_statement", "ambient_declaration"],
    through: &["class_body", "interface_body", "enum_body"],
    closures: CLOSURES,
    constructors: &["constructor"],
    rules: TYPESCRIPT_RULES,
    uses: typed_uses![],
    parts: common_parts![
        ("type_identifier", Part::Name),
        ("generic_type", Part::Field("name")),
        ("nested_type_identifier", Part::Field("name")),
        ("non_null_expression", Part::First),
    ],
    ..Grammar::new(|| tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(), "tree-sitter-typescript 0.23.2")
};

pub(crate) static TYPESCRIPT: Grammar = TYPED;

pub(crate) static TSX: Grammar = Grammar {
    language: || tree_sitter_typescript::LANGUAGE_TSX.into(),
    uses: typed_uses![("jsx_opening_element", Use::By(element)), ("jsx_self_closing_element", Use::By(element)),],
    ..TYPED
};

/// What a value makes of the name it is given to.
fn kind_of(value: Option<Node<'_>>) -> Option<Kind> {
    match value?.kind() {
        "arrow_function" | "function_expression" | "generator_function" => Some(Kind::Function),
        "class" => Some(Kind::Class),
        _ => None,
    }
}

/// `const a = …, b = …`.
fn variables(found: &mut Found<'_>) -> Verdict {
    let constant = has_token(found.node, "const");
    let mut cursor = found.node.walk();
    let mut more = cursor.goto_first_child();
    let mut first = None;
    while more {
        let node = cursor.node();
        let name = node.child_by_field_name("name").filter(|name| name.kind() == "identifier");
        if let (true, Some(name)) = (node.kind() == "variable_declarator", name) {
            first.get_or_insert(node);
            found.add_name(found.slice(name));
        }
        more = cursor.goto_next_sibling();
    }
    let value = first.and_then(|node| node.child_by_field_name("value"));
    found.body = value.and_then(|value| value.child_by_field_name("body"));
    found.kind = kind_of(value).unwrap_or(if constant { Kind::Constant } else { Kind::Variable });
    found.verdict()
}

/// `a.b = function …`, which defines a method of `a`.
fn assignment(found: &mut Found<'_>) -> Verdict {
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

/// A function in an object literal.
fn pair(found: &mut Found<'_>) -> Verdict {
    let value = found.field("value");
    if kind_of(value) != Some(Kind::Function) {
        return Verdict::Nothing;
    }
    found.body = value.and_then(|value| value.child_by_field_name("body"));
    let name = found.field_text("key");
    found.add_name(name.trim_matches(['"', '\'']));
    found.verdict()
}

fn field(found: &mut Found<'_>) -> Verdict {
    let value = found.field("value");
    if kind_of(value) == Some(Kind::Function) {
        found.kind = Kind::Method;
        found.body = value.and_then(|value| value.child_by_field_name("body"));
    }
    found.name_at(found.field("name").or_else(|| found.field("property")))
}

/// A bare name in an enum.
fn variant(found: &mut Found<'_>) -> Verdict {
    if found.parent.kind() != "enum_body" {
        return Verdict::Nothing;
    }
    found.name_at(Some(found.node))
}

/// The members of an object type on several lines are no part of its head.
fn alias(found: &mut Found<'_>) -> Verdict {
    found.body = fields(found.node, "value")
        .find(|value| value.kind() == "object_type" && value.end_position().row > value.start_position().row);
    named(found)
}

fn module(found: &mut Found<'_>) -> Verdict {
    let name = found.field_text("name");
    found.add_name(name.trim_matches(['"', '\'']));
    found.verdict()
}

/// An element makes a component if its name is no tag's.
fn element<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let Some(name) = node.child_by_field_name("name") else { return };
    if name.kind() == "member_expression" || uses.slice(name).starts_with(char::is_uppercase) {
        uses.refer(Call, name);
    }
}
