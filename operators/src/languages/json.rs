//! JSON, which has blocks but no definitions.

use crate::spec::{Grammar, Language};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["json", "jsonc", "webmanifest"],
    file_names: &[".babelrc", ".eslintrc"],
    grammar: Some(&GRAMMAR),
    ..Language::new("json")
};

static GRAMMAR: Grammar = Grammar::new(|| tree_sitter_json::LANGUAGE.into(), "tree-sitter-json 0.24.8");

#[cfg(test)]
mod tests;
