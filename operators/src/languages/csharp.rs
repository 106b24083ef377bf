//! C#.

mod modules;
mod scopes;

use std::borrow::Cow;

use gristmill_pipeline::port::DefinitionKind as Kind;
use gristmill_pipeline::port::ReferenceKind::{Call, Implements, Mention};
use tree_sitter::Node;

use crate::spec::{
    Found, Grammar, Language, Part, Rank, Scopes, Use, Uses, Verdict, child_of_kind, children, named, rule,
};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["cs", "csx"],
    grammar: Some(&GRAMMAR),
    modules: Some(&modules::MODULES),
    ..Language::new("csharp")
};

static GRAMMAR: Grammar = Grammar {
    attributes: &["attribute_list"],
    through: &["declaration_list", "enum_member_declaration_list"],
    closures: &["lambda_expression", "anonymous_method_expression"],
    bodies: &["accessor_list", "arrow_expression_clause"],
    rules: &[
        rule("namespace_declaration", Kind::Module, named),
        rule("file_scoped_namespace_declaration", Kind::Module, file_scoped),
        rule("class_declaration", Kind::Class, named),
        rule("interface_declaration", Kind::Interface, named),
        rule("struct_declaration", Kind::Struct, named),
        rule("record_declaration", Kind::Struct, named),
        rule("enum_declaration", Kind::Enum, named),
        rule("enum_member_declaration", Kind::Variant, named),
        rule("delegate_declaration", Kind::Type, named),
        rule("method_declaration", Kind::Method, named),
        rule("local_function_statement", Kind::Function, named),
        rule("constructor_declaration", Kind::Constructor, named),
        rule("destructor_declaration", Kind::Method, destructor),
        rule("operator_declaration", Kind::Method, operator),
        rule("conversion_operator_declaration", Kind::Method, operator),
        rule("indexer_declaration", Kind::Method, indexer),
        rule("property_declaration", Kind::Field, named),
        rule("event_declaration", Kind::Field, named),
        rule("event_field_declaration", Kind::Field, variables),
        rule("field_declaration", Kind::Field, variables),
    ],
    uses: &[
        ("invocation_expression", Use::Field(Call, "function")),
        ("object_creation_expression", Use::Field(Call, "type")),
        ("attribute", Use::Field(Call, "name")),
        ("base_list", Use::Each(Implements)),
        ("type_argument_list", Use::Each(Mention)),
        ("method_declaration", Use::Field(Mention, "returns")),
        ("as_expression", Use::Field(Mention, "right")),
        ("is_expression", Use::Field(Mention, "right")),
        ("array_creation_expression", Use::Field(Mention, "type")),
        ("cast_expression", Use::Field(Mention, "type")),
        ("catch_declaration", Use::Field(Mention, "type")),
        ("conversion_operator_declaration", Use::Field(Mention, "type")),
        ("declaration_expression", Use::Field(Mention, "type")),
        ("declaration_pattern", Use::Field(Mention, "type")),
        ("default_expression", Use::Field(Mention, "type")),
        ("delegate_declaration", Use::Field(Mention, "type")),
        ("event_declaration", Use::Field(Mention, "type")),
        ("foreach_statement", Use::Field(Mention, "type")),
        ("indexer_declaration", Use::Field(Mention, "type")),
        ("local_function_statement", Use::Field(Mention, "type")),
        ("operator_declaration", Use::Field(Mention, "type")),
        ("parameter", Use::Field(Mention, "type")),
        ("property_declaration", Use::Field(Mention, "type")),
        ("recursive_pattern", Use::Field(Mention, "type")),
        ("tuple_element", Use::Field(Mention, "type")),
        ("type_parameter_constraint", Use::Field(Mention, "type")),
        ("type_pattern", Use::Field(Mention, "type")),
        ("typeof_expression", Use::Field(Mention, "type")),
        ("variable_declaration", Use::Field(Mention, "type")),
        ("using_directive", Use::By(using)),
    ],
    parts: &[
        ("identifier", Part::Name),
        ("member_access_expression", Part::Field("name")),
        ("member_binding_expression", Part::Field("name")),
        ("conditional_access_expression", Part::Last),
        ("generic_name", Part::First),
        ("qualified_name", Part::Field("name")),
        ("alias_qualified_name", Part::Field("name")),
        ("nullable_type", Part::Field("type")),
        ("array_type", Part::Field("type")),
        ("pointer_type", Part::Field("type")),
        ("ref_type", Part::Field("type")),
        ("primary_constructor_base_type", Part::Field("type")),
    ],
    transparent: |definition| definition.kind == Kind::Module,
    scopes: Some(Scopes { rules: scopes::bind, local: modules::local_names }),
    ..Grammar::new(|| tree_sitter_c_sharp::LANGUAGE.into(), "tree-sitter-c-sharp 0.23.5")
};

fn file_scoped(found: &mut Found<'_>) -> Verdict {
    found.open = Some(Rank(0));
    named(found)
}

fn destructor(found: &mut Found<'_>) -> Verdict {
    found.name = Cow::Owned(format!("~{}", found.field_text("name")));
    found.verdict()
}

/// Names an operator as it is written: `operator +`.
fn operator(found: &mut Found<'_>) -> Verdict {
    let head = found.slice(found.node);
    let from = head.find("operator").unwrap_or(head.len());
    let head = &head[from..];
    found.add_name(head[..head.find('(').unwrap_or(0)].trim());
    found.verdict()
}

fn indexer(found: &mut Found<'_>) -> Verdict {
    found.add_name("this");
    found.verdict()
}

fn variables(found: &mut Found<'_>) -> Verdict {
    if children(found.node).any(|node| node.kind() == "modifier" && found.slice(node) == "const") {
        found.kind = Kind::Constant;
    }
    let Some(declaration) = child_of_kind(found.node, "variable_declaration") else { return Verdict::Nothing };
    for declarator in children(declaration) {
        if let Some(name) =
            declarator.child_by_field_name("name").filter(|_| declarator.kind() == "variable_declarator")
        {
            found.add_name(found.slice(name));
        }
    }
    found.verdict()
}

/// Records a `using`: a namespace imports all its types, and `static` all members of a type.
fn using<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let alias = node.child_by_field_name("name");
    let Some(of) = children(node).filter(|child| Some(child.id()) != alias.map(|alias| alias.id())).last() else {
        return;
    };
    let module = uses.slice(of);
    match alias {
        Some(alias) => uses.import_path(node, module, ".", uses.slice(alias)),
        None => uses.import(node, module, "*", ""),
    }
}

#[cfg(test)]
mod tests;
