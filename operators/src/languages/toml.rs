//! TOML, where a table is a definition. The manifest of a Rust package says which crates lie where.

use gristmill_pipeline::port::DefinitionKind as Kind;

use super::rust::manifest;
use crate::spec::{Found, Grammar, Language, Use, Verdict, children, rule};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["toml"],
    file_names: &["Cargo.lock", "poetry.lock", "uv.lock", "Pipfile"],
    grammar: Some(&GRAMMAR),
    modules: Some(&manifest::MODULES),
    ..Language::new("toml")
};

static GRAMMAR: Grammar = Grammar {
    uses: &[("table", Use::By(manifest::table))],
    rules: &[rule("table", Kind::Section, table), rule("table_array_element", Kind::Section, table)],
    ..Grammar::new(|| tree_sitter_toml_ng::LANGUAGE.into(), "tree-sitter-toml-ng 0.7.0")
};

fn table(found: &mut Found<'_>) -> Verdict {
    let Some(key) = children(found.node).next() else { return Verdict::Nothing };
    found.body = key.next_named_sibling();
    found.name_at(Some(key))
}

#[cfg(test)]
mod tests;
