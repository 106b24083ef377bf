//! Rust.

mod generated;
mod imports;
mod macros;
pub(super) mod manifest;
mod modules;
mod scopes;

use gristmill_pipeline::port::DefinitionKind as Kind;
use gristmill_pipeline::port::ReferenceKind::{Call, Implements, Mention};
use tree_sitter::Node;

use crate::spec::{Found, Grammar, Language, Part, Scopes, Seen, Use, Uses, Verdict, named, named_member, rule};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["rs"],
    interpreters: &["rust-script"],
    grammar: Some(&GRAMMAR),
    modules: Some(&modules::MODULES),
    ..Language::new("rust")
};

static GRAMMAR: Grammar = Grammar {
    separator: "::",
    member_separator: "::",
    comments: &["line_comment", "block_comment"],
    inner_docs: &["//!", "/*!"],
    attributes: &["attribute_item"],
    through: &["declaration_list", "field_declaration_list", "enum_variant_list", "foreign_mod_item"],
    closures: &["closure_expression"],
    bodies: &["macro_rule"],
    rules: &[
        rule("function_item", Kind::Function, named),
        rule("function_signature_item", Kind::Function, named),
        rule("struct_item", Kind::Struct, named),
        rule("enum_item", Kind::Enum, named),
        rule("enum_variant", Kind::Variant, named),
        rule("union_item", Kind::Union, named),
        rule("trait_item", Kind::Trait, named),
        rule("impl_item", Kind::Implementation, implementation),
        rule("mod_item", Kind::Module, module),
        rule("field_declaration", Kind::Field, field),
        rule("type_item", Kind::Type, named),
        rule("associated_type", Kind::Type, named),
        rule("const_item", Kind::Constant, named),
        rule("static_item", Kind::Variable, named),
        rule("macro_definition", Kind::Macro, named),
        rule("expression_statement", Kind::Function, generated::generated),
        rule("macro_invocation", Kind::Function, generated::generated),
    ],
    uses: &[
        ("call_expression", Use::Field(Call, "function")),
        ("macro_invocation", Use::Field(Call, "macro")),
        ("struct_expression", Use::Field(Call, "name")),
        ("attribute", Use::By(attribute)),
        ("token_tree", Use::By(token_tree)),
        ("impl_item", Use::Field(Implements, "trait")),
        ("trait_item", Use::By(supertraits)),
        ("type_identifier", Use::Type),
        ("scoped_type_identifier", Use::By(scoped_type)),
        ("scoped_identifier", Use::By(imports::path)),
        ("function_item", Use::By(imports::function)),
        ("use_declaration", Use::By(imports::use_declaration)),
        ("mod_item", Use::By(imports::module)),
        ("extern_crate_declaration", Use::By(imports::extern_crate)),
    ],
    parts: &[
        ("identifier", Part::Name),
        ("type_identifier", Part::Name),
        ("field_identifier", Part::Name),
        ("scoped_identifier", Part::Field("name")),
        ("scoped_type_identifier", Part::Field("name")),
        ("field_expression", Part::Field("field")),
        ("generic_function", Part::Field("function")),
        ("generic_type", Part::Field("type")),
        ("generic_type_with_turbofish", Part::Field("type")),
    ],
    embedded: Some(macros::EMBEDDED),
    scopes: Some(Scopes { rules: scopes::bind, local: modules::local_names }),
    ..Grammar::new(|| tree_sitter_rust::LANGUAGE.into(), "tree-sitter-rust 0.24.2")
};

/// Names an implementation after its type, without the type's arguments.
fn implementation(found: &mut Found<'_>) -> Verdict {
    let Some(mut of) = found.field("type") else { return Verdict::Nothing };
    while let Some(inner) = of.child_by_field_name("type") {
        of = inner;
    }
    if of.kind() == "scoped_type_identifier" {
        return found.name_at(of.child_by_field_name("name"));
    }
    found.name_at(Some(of))
}

/// Finds a module with a body; `mod name;` defines nothing here.
fn module(found: &mut Found<'_>) -> Verdict {
    if found.field("body").is_none() {
        return Verdict::Nothing;
    }
    named(found)
}

/// Records the type at the end of a path.
fn scoped_type<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    uses.refer(Mention, node);
    imports::path(uses, node);
}

/// Finds a field, apart from methods: one of them may have its name.
fn field(found: &mut Found<'_>) -> Verdict {
    found.seen = Seen::Apart;
    named_member(found)
}

/// Records the supertraits of a trait.
fn supertraits<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    if let Some(bounds) = node.child_by_field_name("bounds") {
        uses.refer_each(Implements, bounds);
    }
}

/// Records an attribute as a call, like a macro. What it holds is in a syntax of its own.
fn attribute<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    if let Some(path) = node.named_child(0) {
        uses.refer(Call, path);
    }
    uses.pass(node);
}

/// Records calls in a macro's arguments, which are tokens and not syntax: a name before a
/// parenthesis is a call.
fn token_tree<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let mut cursor = node.walk();
    let mut more = cursor.goto_first_child();
    if node.prev_sibling().is_some_and(|before| uses.slice(before) == "#") {
        // An attribute, whose tokens are in a syntax of their own.
        return uses.pass(node);
    }
    // The last name, where the path to it begins, and whether the path goes on.
    let (mut name, mut path, mut joined): (Option<Node<'t>>, usize, bool) = (None, 0, false);
    while more {
        let token = cursor.node();
        let text = uses.slice(token);
        match text.as_bytes().first() {
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') if token.is_named() => {
                if !joined {
                    path = token.start_byte();
                }
                (name, joined) = (Some(token), false);
            }
            Some(b'.' | b':') if name.is_some() && matches!(text, "." | "::") => joined = true,
            Some(b'!') if text == "!" => {}
            Some(opened @ (b'(' | b'[' | b'{')) if token.is_named() => {
                let called = name.take().filter(|name| {
                    let called = *opened == b'(' || uses.text.as_bytes().get(name.end_byte()) == Some(&b'!');
                    called && name.kind() == "identifier"
                });
                if let Some(called) = called {
                    uses.mark(Call, path, called);
                }
                joined = false;
            }
            _ => (name, joined) = (None, false),
        }
        more = cursor.goto_next_sibling();
    }
}

#[cfg(test)]
mod tests;
