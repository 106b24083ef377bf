//! Documents and data: Markdown, HTML, CSS, JSON, YAML, TOML.
//!
//! Markdown has sections and TOML has tables; the others have blocks only.

use gristmill_pipeline::port::DefinitionKind as Kind;
use tree_sitter::Node;

use super::{Grammar, Use, rule};
use crate::parse::found::{Found, Rank, Verdict, children};
use crate::parse::uses::Uses;

pub(crate) static MARKDOWN: Grammar = Grammar {
    separator: " > ",
    member_separator: " > ",
    comments: &[],
    rules: &[rule("section", Kind::Section, section), rule("setext_heading", Kind::Section, setext)],
    ..Grammar::new(|| tree_sitter_md::LANGUAGE.into(), "tree-sitter-md 0.5.4")
};

pub(crate) static TOML: Grammar = Grammar {
    rules: &[rule("table", Kind::Section, table), rule("table_array_element", Kind::Section, table)],
    ..Grammar::new(|| tree_sitter_toml_ng::LANGUAGE.into(), "tree-sitter-toml-ng 0.7.0")
};

pub(crate) static HTML: Grammar = Grammar::new(|| tree_sitter_html::LANGUAGE.into(), "tree-sitter-html 0.23.2");
pub(crate) static CSS: Grammar = Grammar {
    uses: &[("import_statement", Use::By(css_import))],
    ..Grammar::new(|| tree_sitter_css::LANGUAGE.into(), "tree-sitter-css 0.25.0")
};
pub(crate) static JSON: Grammar = Grammar::new(|| tree_sitter_json::LANGUAGE.into(), "tree-sitter-json 0.24.8");
pub(crate) static YAML: Grammar = Grammar::new(|| tree_sitter_yaml::LANGUAGE.into(), "tree-sitter-yaml 0.7.2");

/// A section under an ATX heading (`# Title`).
fn section(found: &mut Found<'_>) -> Verdict {
    let Some(heading) = children(found.node).next().filter(|node| node.kind() == "atx_heading") else {
        return Verdict::Nothing;
    };
    found.body = heading.next_named_sibling();
    found.name_at(heading.child_by_field_name("heading_content"))
}

/// A heading underlined with `===` or `---`, whose section the grammar does not nest.
fn setext(found: &mut Found<'_>) -> Verdict {
    let first = children(found.node).any(|node| node.kind() == "setext_h1_underline");
    found.open = Some(Rank(if first { 1 } else { 2 }));
    found.body = children(found.node).last();
    found.name_at(found.field("heading_content"))
}

fn table(found: &mut Found<'_>) -> Verdict {
    let Some(key) = children(found.node).next() else { return Verdict::Nothing };
    found.body = key.next_named_sibling();
    found.name_at(Some(key))
}

/// `@import "a.css"` and `@import url("a.css")`.
fn css_import<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let Some(mut file) = node.named_child(0) else { return };
    if file.kind() == "call_expression" {
        let arguments = children(file).find(|child| child.kind() == "arguments");
        let Some(inner) = arguments.and_then(|arguments| arguments.named_child(0)) else { return };
        file = inner;
    }
    if let Some(path) = uses.literal(file) {
        uses.import(node, path, "*", "");
    }
}
