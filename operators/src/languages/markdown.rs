//! Markdown, where a section is a definition.

use gristmill_pipeline::port::DefinitionKind as Kind;

use crate::spec::{Found, Grammar, Language, Rank, Verdict, children, one_line, rule};

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
    let Some(content) = heading.child_by_field_name("heading_content") else { return Verdict::Nothing };
    found.name = one_line(without_closing_marks(found.slice(content)));
    found.verdict()
}

/// Returns the title of a heading such as `## Title ##`, without the marks at its end.
fn without_closing_marks(title: &str) -> &str {
    let title = title.trim();
    let rest = title.trim_end_matches('#');
    if rest.is_empty() || rest.ends_with([' ', '\t']) { rest.trim_end() } else { title }
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
