//! Markdown, where a section is a definition.

use gristmill_pipeline::port::DefinitionKind as Kind;

use crate::spec::{Found, Grammar, Language, Rank, Verdict, children, rule};

pub(super) static LANGUAGE: Language =
    Language { extensions: &["md", "markdown", "mdx"], grammar: Some(&GRAMMAR), ..Language::new("markdown") };

static GRAMMAR: Grammar = Grammar {
    separator: " > ",
    member_separator: " > ",
    comments: &[],
    rules: &[rule("section", Kind::Section, section), rule("setext_heading", Kind::Section, setext)],
    ..Grammar::new(|| tree_sitter_md::LANGUAGE.into(), "tree-sitter-md 0.5.4")
};

/// Finds a section under an ATX heading (`# Title`).
fn section(found: &mut Found<'_>) -> Verdict {
    let Some(heading) = children(found.node).next().filter(|node| node.kind() == "atx_heading") else {
        return Verdict::Nothing;
    };
    found.body = heading.next_named_sibling();
    found.name_at(heading.child_by_field_name("heading_content"))
}

/// Finds a section under a setext heading (underlined with `===` or `---`), which the grammar
/// does not nest.
fn setext(found: &mut Found<'_>) -> Verdict {
    let first = children(found.node).any(|node| node.kind() == "setext_h1_underline");
    found.open = Some(Rank(if first { 1 } else { 2 }));
    found.body = children(found.node).last();
    found.name_at(found.field("heading_content"))
}

#[cfg(test)]
mod tests;
