//! JSON, which has blocks but no definitions. The manifest of a package says which files its
//! modules are.

use super::ecmascript::manifest;
use crate::spec::{Grammar, Language, Part, Use};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["json", "jsonc", "webmanifest"],
    file_names: &[".babelrc", ".eslintrc"],
    grammar: Some(&GRAMMAR),
    modules: Some(&manifest::MODULES),
    ..Language::new("json")
};

static GRAMMAR: Grammar = Grammar {
    uses: &[("object", Use::By(manifest::object))],
    // Nothing below them is looked at.
    parts: &[("pair", Part::Name), ("array", Part::Name)],
    ..Grammar::new(|| tree_sitter_json::LANGUAGE.into(), "tree-sitter-json 0.24.8")
};

#[cfg(test)]
mod tests;
