//! TSX: TypeScript with JSX elements.

use gristmill_pipeline::port::ReferenceKind::{Call, Implements, Mention};

use super::ecmascript::{self, element};
use super::typescript::{TYPED, typed_uses};
use crate::spec::{Grammar, Language, Use};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["tsx"],
    grammar: Some(&GRAMMAR),
    modules: Some(&ecmascript::modules::MODULES),
    ..Language::new("tsx")
};

static GRAMMAR: Grammar = Grammar {
    language: || tree_sitter_typescript::LANGUAGE_TSX.into(),
    uses: typed_uses![("jsx_opening_element", Use::By(element)), ("jsx_self_closing_element", Use::By(element)),],
    ..TYPED
};

#[cfg(test)]
mod tests;
