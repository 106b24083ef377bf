//! C, and what C++ shares with it.

pub(super) mod modules;
pub(super) mod prepare;
pub(super) mod scopes;

use std::borrow::Cow;

use gristmill_pipeline::port::DefinitionKind as Kind;
use gristmill_pipeline::port::Linkage;
use gristmill_pipeline::port::ReferenceKind::{Call, Mention};
use tree_sitter::Node;

use crate::spec::{
    Found, Grammar, Language, Part, Scopes, Seen, Use, Uses, Verdict, children, fields, has_token, named,
    named_with_body, one_line, rule,
};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["c", "h"],
    grammar: Some(&GRAMMAR),
    modules: Some(&modules::MODULES),
    ..Language::new("c")
};

/// Expands to the rows of `Grammar::rules` that C and C++ share, and to those given.
macro_rules! common_rules {
    ($($more:expr,)*) => {{
        use $crate::languages::c::{declaration, enumerator, function, preprocessor_macro, type_definition};
        &[
            rule("function_definition", Kind::Function, function),
            rule("declaration", Kind::Variable, declaration),
            rule("struct_specifier", Kind::Struct, named_with_body),
            rule("union_specifier", Kind::Union, named_with_body),
            rule("enum_specifier", Kind::Enum, named_with_body),
            rule("enumerator", Kind::Variant, enumerator),
            rule("field_declaration", Kind::Field, declaration),
            rule("type_definition", Kind::Type, type_definition),
            rule("preproc_def", Kind::Macro, preprocessor_macro),
            rule("preproc_function_def", Kind::Macro, preprocessor_macro),
            $($more,)*
        ]
    }};
}
pub(super) use common_rules;

/// Expands to the rows of `Grammar::uses` that C and C++ share, and to those given.
macro_rules! common_uses {
    ($($more:expr,)*) => {{
        use $crate::languages::c::{include, tag};
        &[
            ("call_expression", Use::Field(Call, "function")),
            ("type_identifier", Use::Type),
            ("struct_specifier", Use::By(tag)),
            ("union_specifier", Use::By(tag)),
            ("enum_specifier", Use::By(tag)),
            ("preproc_include", Use::By(include)),
            $($more,)*
        ]
    }};
}
pub(super) use common_uses;

/// Expands to the rows of `Grammar::parts` that C and C++ share, and to those given.
macro_rules! common_parts {
    ($($more:expr,)*) => {
        &[
            ("identifier", Part::Name),
            ("type_identifier", Part::Name),
            ("field_identifier", Part::Name),
            ("field_expression", Part::Field("field")),
            $($more,)*
        ]
    };
}
pub(super) use common_parts;

pub(super) const THROUGH: &[&str] = &[
    "declaration_list",
    "field_declaration_list",
    "enumerator_list",
    "linkage_specification",
    "preproc_if",
    "preproc_ifdef",
    "preproc_else",
    "preproc_elif",
];

pub(super) const SCOPES: Scopes = Scopes { rules: scopes::bind, local: modules::local_names };

static GRAMMAR: Grammar = Grammar {
    separator: "::",
    member_separator: "::",
    through: THROUGH,
    rules: common_rules![],
    uses: common_uses![],
    parts: common_parts![],
    prepare: Some(prepare::prepare),
    scopes: Some(SCOPES),
    ..Grammar::new(|| tree_sitter_c::LANGUAGE.into(), "tree-sitter-c 0.24.2")
};

/// Limit on the depth of declarators: nobody writes deeper ones.
const MAX_DECLARATOR: usize = 32;

/// A declarator, followed down to its name.
#[derive(Clone, Copy)]
struct Declared<'t> {
    name: Node<'t>,
    /// The outermost qualified name around it.
    qualified: Option<Node<'t>>,
    function: bool,
}

/// Returns what a declarator declares.
fn declared(declarator: Node<'_>) -> Option<Declared<'_>> {
    let mut declared = Declared { name: declarator, qualified: None, function: false };
    for _ in 0..MAX_DECLARATOR {
        let node = declared.name;
        let inner = match node.kind() {
            "identifier" | "field_identifier" | "type_identifier" | "primitive_type" | "destructor_name"
            | "operator_name" | "operator_cast" => return Some(declared),
            "qualified_identifier" => {
                declared.qualified.get_or_insert(node);
                node.child_by_field_name("name")
            }
            "template_function" | "template_type" | "template_method" => node.child_by_field_name("name"),
            kind => {
                // `(*name)(…)` declares a pointer, `*name(…)` a function.
                match kind {
                    "function_declarator" => declared.function = true,
                    "parenthesized_declarator" => {}
                    "pointer_declarator"
                    | "reference_declarator"
                    | "array_declarator"
                    | "init_declarator"
                    | "attributed_declarator" => {}
                    _ => return None,
                }
                let inner = node.child_by_field_name("declarator").or_else(|| node.named_child(0));
                if kind == "function_declarator"
                    && inner.is_some_and(|inner| inner.kind() == "parenthesized_declarator" && points(inner))
                {
                    declared.function = false;
                }
                inner
            }
        };
        declared.name = inner?;
    }
    None
}

/// Returns whether `(…)` in a declarator holds a pointer to what it names.
fn points(parenthesized: Node<'_>) -> bool {
    let Some(inner) = parenthesized.named_child(0) else { return false };
    matches!(inner.kind(), "pointer_declarator" | "reference_declarator")
        && inner
            .child_by_field_name("declarator")
            .or_else(|| inner.named_child(0))
            .is_none_or(|inner| inner.kind() != "function_declarator")
}

/// Returns the scopes before a qualified name, without template arguments.
fn scope<'t>(found: &Found<'t>, declared: &Declared<'t>) -> Cow<'t, str> {
    let Some(qualified) = declared.qualified else { return Cow::Borrowed("") };
    let text = found.text.get(qualified.start_byte()..declared.name.start_byte()).unwrap_or_default();
    let mut scope = String::with_capacity(text.len());
    let mut depth = 0_usize;
    for c in text.chars() {
        match c {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            c if depth == 0 && !c.is_whitespace() => scope.push(c),
            _ => {}
        }
    }
    scope.trim_matches(':').to_owned().into()
}

fn operator_name<'t>(found: &Found<'t>, name: Node<'t>) -> Cow<'t, str> {
    if name.kind() == "operator_cast" {
        let until = name.child_by_field_name("declarator").map_or(name.end_byte(), |d| d.start_byte());
        return one_line(found.text.get(name.start_byte()..until).unwrap_or_default());
    }
    one_line(found.slice(name))
}

pub(super) fn function(found: &mut Found<'_>) -> Verdict {
    let Some(declarator) = found.field("declarator") else { return Verdict::Nothing };
    let Some(declared) = declared(declarator) else { return Verdict::Nothing };
    // `class EXPORT Name : Base { … }` is read as a function without parameters.
    let of = found.field("type").map(|of| of.kind());
    if declarator.kind() == "identifier" && matches!(of, Some("class_specifier" | "struct_specifier")) {
        found.kind = if of == Some("class_specifier") { Kind::Class } else { Kind::Struct };
        found.absorbed = found.field("type").map(|of| of.id());
    } else {
        found.scope = scope(found, &declared);
        if !found.scope.is_empty() {
            found.kind = Kind::Method;
        }
    }
    found.name = operator_name(found, declared.name);
    // One in the body of its class is where its class is.
    if !is_static(found) && !found.in_type() && !found.local {
        found.linkage = Some(Linkage::Body);
    }
    found.verdict()
}

/// Whether a declaration is of its file alone.
fn is_static(found: &Found<'_>) -> bool {
    let mut parent = Some(found.node);
    while let Some(node) = parent {
        if node.kind() == "namespace_definition" && node.child_by_field_name("name").is_none() {
            return true;
        }
        parent = node.parent();
    }
    let mut storage = children(found.node).filter(|node| node.kind() == "storage_class_specifier");
    !found.in_type() && storage.any(|node| found.slice(node) == "static")
}

/// Finds an enumerator, which is seen beside its `enum` if that is no `enum class`.
pub(super) fn enumerator(found: &mut Found<'_>) -> Verdict {
    let of = found.node.parent().and_then(|list| list.parent());
    let scoped = of.is_some_and(|of| has_token(of, "class") || has_token(of, "struct"));
    // One without a name is no definition around it.
    if !scoped && found.owner == Some(Kind::Enum) {
        found.seen = Seen::Outside;
    }
    named(found)
}

/// Finds variables, fields and prototypes.
pub(super) fn declaration(found: &mut Found<'_>) -> Verdict {
    // `int x(y);` in a body is mostly a variable.
    if found.local {
        return Verdict::Nothing;
    }
    let constant = children(found.node).any(|node| {
        node.kind() == "type_qualifier" && matches!(found.slice(node), "const" | "constexpr" | "constinit")
    });
    let mut functions = false;
    for declarator in fields(found.node, "declarator") {
        let Some(declared) = declared(declarator) else { continue };
        functions |= declared.function;
        if found.name.is_empty() {
            found.scope = scope(found, &declared);
        }
        let name = operator_name(found, declared.name);
        if found.name.is_empty() {
            found.name = name;
        } else {
            found.more.push(found.slice(declared.name));
        }
    }
    let of = found.field("type").filter(|of| of.child_by_field_name("body").is_some());
    found.absorbed = of.filter(|_| !found.name.is_empty()).map(|of| of.id());
    if functions {
        found.kind = Kind::Function;
        if !is_static(found) {
            found.linkage = Some(Linkage::Declaration);
        }
    } else if constant && !found.in_type() {
        found.kind = Kind::Constant;
    }
    // Variables of the whole program, and static members.
    let mut storage = children(found.node).filter(|node| node.kind() == "storage_class_specifier");
    let external = storage.any(|node| matches!((found.slice(node), found.in_type()), ("extern", _) | ("static", true)));
    if !functions && external {
        found.linkage = Some(Linkage::Declaration);
    } else if !(functions || found.in_type() || is_static(found) || constant && found.scope.is_empty()) {
        found.linkage = Some(Linkage::Body);
    }
    found.verdict()
}

/// Finds the names of a `typedef`. One that holds the body of a struct defines the struct.
pub(super) fn type_definition(found: &mut Found<'_>) -> Verdict {
    for declarator in fields(found.node, "declarator") {
        if let Some(declared) = declared(declarator) {
            found.add_name(found.slice(declared.name));
        }
    }
    let Some(of) = found.field("type") else { return found.verdict() };
    let Some(body) = of.child_by_field_name("body") else { return found.verdict() };
    found.kind = match of.kind() {
        "struct_specifier" => Kind::Struct,
        "union_specifier" => Kind::Union,
        "enum_specifier" => Kind::Enum,
        _ => Kind::Type,
    };
    found.absorbed = Some(of.id());
    found.body = Some(body);
    let tag = of.child_by_field_name("name").map(|tag| found.slice(tag));
    if let Some(tag) = tag.filter(|tag| *tag != found.name) {
        found.add_name(tag);
    }
    found.verdict()
}

pub(super) fn preprocessor_macro(found: &mut Found<'_>) -> Verdict {
    if found.local {
        return Verdict::Nothing;
    }
    // An include guard defines nothing of use.
    if found.field("value").is_none() {
        return Verdict::Nothing;
    }
    found.seen = Seen::Everywhere;
    named(found)
}

/// Records `struct name` without a body, which mentions the struct.
pub(super) fn tag<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    if let Some(name) = node.child_by_field_name("name").filter(|_| node.child_by_field_name("body").is_none()) {
        uses.refer(Mention, name);
    }
}

/// Records an `#include`. A file in quotes is looked for beside this one and imports `*`; one
/// in `<…>` is looked for in the compiler's folders alone and imports no name.
pub(super) fn include<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let Some(path) = node.child_by_field_name("path") else { return };
    let text = uses.slice(path).trim();
    match path.kind() {
        "string_literal" => uses.import(node, text.trim_matches('"'), "*", ""),
        "system_lib_string" => uses.import(node, text.trim_matches(['<', '>']), "", ""),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
