//! What a language declares: the types it fills in, and the functions that its rules call.
//!
//! A [`Language`] is data: names of files, and, where it has them, a [`Grammar`] and a
//! [`ModuleSystem`]. What a table cannot express is a function in one of three places:
//!
//! - a [`Rule`] turns a node into a definition: it fills in a [`Found`];
//! - a [`Use::By`] records the names that a node uses and what it imports, in [`Uses`];
//! - a [`ModuleSystem`] adds the [`Names`] of a file, and those that an import may mean.
//!
//! An arrow points to what a module depends on:
//!
//! ```text
//! nodes ◄─┬─ found ◄──────────┬─ grammar ◄─┬─ Language ◄── languages::* ◄── languages ◄── parse
//!         └─ parts ◄── uses ◄─┘            │
//!                            resolution ◄──┘
//! ```
//!
//! So a language knows neither the list of languages (`languages`) nor the walk over syntax
//! trees (`parse`), and the walk knows a language by its [`Language`] alone.
//!
//! [`ModuleSystem`]: resolution::ModuleSystem
//! [`Names`]: resolution::Names

mod found;
mod grammar;
mod nodes;
mod parts;
pub(crate) mod resolution;
mod uses;

pub(crate) use self::found::{Found, Rank, Seen, Verdict, is_callable, is_type, named, named_member, named_with_body};
pub(crate) use self::grammar::{Embedded, Grammar, Piece, Rule, Scopes, Use, UseFn, rule};
pub(crate) use self::nodes::{byte, child_of_kind, children, fields, has_token, one_line, token};
pub(crate) use self::parts::{Part, Step, Steps};
pub(crate) use self::uses::{Mark, Uses};

/// A language, and how files are recognised to be in it.
#[derive(Debug)]
pub struct Language {
    /// Its name in lower case, such as `rust`: what tables store.
    pub name: &'static str,
    /// File name extensions, without the dot; compared without regard to case.
    pub extensions: &'static [&'static str],
    /// Whole file names, such as `Rakefile`.
    pub file_names: &'static [&'static str],
    /// Interpreters that a first line `#!` may name; a version after the name is ignored.
    pub interpreters: &'static [&'static str],
    /// Whether the code in `<script>` elements is parsed as well, in its own language.
    pub(crate) has_scripts: bool,
    /// How it is parsed; `None` for plain text.
    pub(crate) grammar: Option<&'static Grammar>,
    /// How its imports name files; `None` if it has no imports.
    pub(crate) modules: Option<&'static resolution::ModuleSystem>,
}

impl Language {
    /// Returns a language that no file is in: the base that a language fills in.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self {
            name,
            extensions: &[],
            file_names: &[],
            interpreters: &[],
            has_scripts: false,
            grammar: None,
            modules: None,
        }
    }
}
