//! HTML, whose definitions are those of its scripts, and what other languages of markup with scripts
//! share with it.

use super::ecmascript;
use crate::spec::{Grammar, Language};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["html", "htm", "xhtml"],
    has_scripts: true,
    grammar: Some(&GRAMMAR),
    modules: Some(&ecmascript::modules::MODULES),
    ..Language::new("html")
};

pub(super) static GRAMMAR: Grammar = Grammar::new(|| tree_sitter_html::LANGUAGE.into(), "tree-sitter-html 0.23.2");

#[cfg(test)]
mod tests;
