//! The languages, each in a module of its own, and the list of them.
//!
//! A module defines a [`Language`]: what its files are called, the [`Grammar`] that finds
//! definitions and names in its syntax trees, and the [`ModuleSystem`] that tells which
//! files its imports mean. `c`, `classes`, `ecmascript` and `jvm` hold what several
//! languages share. A language uses [`crate::spec`] and, at most, what it shares with others; it knows
//! nothing of this list or of the walk, and these know nothing of it but its [`Language`].
//!
//! # Adding a language
//!
//! 1. Create the module `<name>.rs`, and beside it the folder `<name>/` for its tests and for
//!    longer rules. The module may be as short as this:
//!
//!    ```ignore
//!    //! Nim.
//!
//!    use gristmill_pipeline::port::DefinitionKind as Kind;
//!    use gristmill_pipeline::port::ReferenceKind::Call;
//!
//!    use crate::spec::resolution::{ModuleSystem, included};
//!    use crate::spec::{Grammar, Language, Part, Use, named, rule};
//!
//!    pub(super) static LANGUAGE: Language = Language {
//!        extensions: &["nim", "nims"],
//!        interpreters: &["nim"],
//!        grammar: Some(&GRAMMAR),
//!        modules: Some(&MODULES),
//!        ..Language::new("nim")
//!    };
//!
//!    static GRAMMAR: Grammar = Grammar {
//!        rules: &[rule("proc_declaration", Kind::Function, named)],
//!        uses: &[("call", Use::Field(Call, "function"))],
//!        parts: &[("identifier", Part::Name)],
//!        ..Grammar::new(|| tree_sitter_nim::LANGUAGE.into(), "tree-sitter-nim 0.6.2")
//!    };
//!
//!    static MODULES: ModuleSystem = ModuleSystem::new("nim:", included);
//!
//!    #[cfg(test)]
//!    mod tests;
//!    ```
//!
//!    `tests.rs` calls the checks in `crate::testing` on two samples,
//!    `tests/definitions.<extension>` and, for a language with `uses`,
//!    `tests/uses.<extension>`. `cargo insta accept` writes what they expect.
//! 2. List it below: its `mod`, and its line in [`LANGUAGES`].
//!
//! The tree-sitter crate goes into `Cargo.toml`. Tests check that every language has
//! samples, that its tables name node kinds and fields that exist, and that no two
//! languages claim the same files.
//!
//! [`Grammar`]: crate::spec::Grammar
//! [`ModuleSystem`]: crate::spec::resolution::ModuleSystem

mod bash;
mod c;
mod classes;
mod cpp;
mod csharp;
mod css;
mod ecmascript;
mod elixir;
mod go;
mod go_module;
mod haskell;
mod html;
mod java;
mod javascript;
mod json;
mod jvm;
mod kotlin;
mod lua;
mod markdown;
mod php;
mod python;
mod ruby;
mod rust;
mod scala;
mod svelte;
mod swift;
mod text;
mod toml;
mod tsx;
mod typescript;
mod vue;
mod yaml;
mod zig;

pub(crate) use self::text::NAME as PLAIN_TEXT;
use crate::spec::Language;

/// Every language, in order of name. The parse operator's fingerprint depends on the order.
static LANGUAGES: &[&Language] = &[
    &bash::LANGUAGE,
    &c::LANGUAGE,
    &cpp::LANGUAGE,
    &csharp::LANGUAGE,
    &css::LANGUAGE,
    &elixir::LANGUAGE,
    &go::LANGUAGE,
    &go_module::LANGUAGE,
    &haskell::LANGUAGE,
    &html::LANGUAGE,
    &java::LANGUAGE,
    &javascript::LANGUAGE,
    &json::LANGUAGE,
    &kotlin::LANGUAGE,
    &lua::LANGUAGE,
    &markdown::LANGUAGE,
    &php::LANGUAGE,
    &python::LANGUAGE,
    &ruby::LANGUAGE,
    &rust::LANGUAGE,
    &scala::LANGUAGE,
    &svelte::LANGUAGE,
    &swift::LANGUAGE,
    &text::LANGUAGE,
    &toml::LANGUAGE,
    &tsx::LANGUAGE,
    &typescript::LANGUAGE,
    &vue::LANGUAGE,
    &yaml::LANGUAGE,
    &zig::LANGUAGE,
];

/// Returns every language that is known, in order of name.
#[must_use]
pub fn known_languages() -> &'static [&'static Language] {
    LANGUAGES
}

#[cfg(test)]
mod tests;
