//! JavaScript.

use gristmill_pipeline::port::DefinitionKind as Kind;
use gristmill_pipeline::port::ReferenceKind::{Call, Implements};

use super::ecmascript::{self, CLOSURES, common_parts, common_rules, common_uses, element, field};
use crate::spec::{Grammar, Language, Part, Use, named, rule};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["js", "jsx", "mjs", "cjs"],
    interpreters: &["node", "nodejs"],
    grammar: Some(&GRAMMAR),
    modules: Some(&ecmascript::modules::MODULES),
    ..Language::new("javascript")
};

static GRAMMAR: Grammar = Grammar {
    attributes: &["decorator"],
    wraps: &["export_statement"],
    through: &["class_body"],
    closures: CLOSURES,
    constructors: &["constructor"],
    rules: common_rules![rule("field_definition", Kind::Field, field),],
    uses: common_uses![
        ("jsx_opening_element", Use::By(element)),
        ("jsx_self_closing_element", Use::By(element)),
        ("class_heritage", Use::First(Implements)),
    ],
    parts: common_parts![],
    scopes: Some(ecmascript::SCOPES),
    ..Grammar::new(|| tree_sitter_javascript::LANGUAGE.into(), "tree-sitter-javascript 0.25.0")
};

#[cfg(test)]
mod tests;
