//! Components of Svelte, whose definitions are those of their scripts.

use super::{ecmascript, html};
use crate::spec::Language;

pub(super) static LANGUAGE: Language = Language {
    extensions: &["svelte"],
    has_scripts: true,
    grammar: Some(&html::GRAMMAR),
    modules: Some(&ecmascript::modules::MODULES),
    ..Language::new("svelte")
};

#[cfg(test)]
mod tests;
