//! Single-file components of Vue, whose definitions are those of their scripts.

use super::{ecmascript, html};
use crate::spec::Language;

pub(super) static LANGUAGE: Language = Language {
    extensions: &["vue"],
    has_scripts: true,
    grammar: Some(&html::GRAMMAR),
    modules: Some(&ecmascript::modules::MODULES),
    ..Language::new("vue")
};

#[cfg(test)]
mod tests;
