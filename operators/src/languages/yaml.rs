//! YAML, which has blocks but no definitions.

use crate::spec::{Grammar, Language};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["yaml", "yml"],
    file_names: &[".clang-format"],
    grammar: Some(&GRAMMAR),
    ..Language::new("yaml")
};

static GRAMMAR: Grammar = Grammar::new(|| tree_sitter_yaml::LANGUAGE.into(), "tree-sitter-yaml 0.7.2");

#[cfg(test)]
mod tests;
