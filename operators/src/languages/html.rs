//! HTML, which has blocks but no definitions.

use crate::spec::{Grammar, Language};

pub(super) static LANGUAGE: Language =
    Language { extensions: &["html", "htm", "xhtml"], grammar: Some(&GRAMMAR), ..Language::new("html") };

static GRAMMAR: Grammar = Grammar::new(|| tree_sitter_html::LANGUAGE.into(), "tree-sitter-html 0.23.2");

#[cfg(test)]
mod tests;
