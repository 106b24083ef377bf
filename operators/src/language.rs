//! Which language a file is in.
//!
//! The path decides, and for a path that says nothing the interpreter that a first line
//! `#!…` names. Nothing else of the content is asked: two files of equal bytes and equal
//! path variant are in the same language.

use gristmill_pipeline::RelPath;

use crate::parse::grammar::{self, Grammar};

/// The name of text in no known language.
pub const PLAIN_TEXT: &str = "text";

/// A language that files are recognised to be in.
#[derive(Debug)]
pub struct Language {
    /// Its name in lower case, such as `rust`: what tables store.
    pub name: &'static str,
    /// File name extensions, without the dot; compared without regard to case.
    pub extensions: &'static [&'static str],
    /// Whole file names.
    pub file_names: &'static [&'static str],
    /// Programs that a first line `#!` may name; a version after the name is ignored.
    pub interpreters: &'static [&'static str],
    /// How it is parsed; `None` for plain text.
    pub(crate) grammar: Option<&'static Grammar>,
}

/// Every language known, in order of name.
#[must_use]
pub fn known_languages() -> &'static [Language] {
    LANGUAGES
}

/// The language that the path names, if it names one.
///
/// A header `.h` counts as C: only its content could tell it from C++.
pub(crate) fn of_path(path: &RelPath) -> Option<&'static Language> {
    let name = path.file_name();
    if let Some(extension) = path.extension() {
        let known = |known: &&str| known.eq_ignore_ascii_case(extension);
        if let Some(language) = LANGUAGES.iter().find(|language| language.extensions.iter().any(known)) {
            return Some(language);
        }
    }
    LANGUAGES.iter().find(|language| language.file_names.contains(&name))
}

/// The language of the interpreter that a first line `#!` names.
pub(crate) fn of_first_line(text: &str) -> Option<&'static Language> {
    let line = text.strip_prefix("#!")?.lines().next()?;
    let mut words = line.split_ascii_whitespace();
    let mut program = words.next()?.rsplit('/').next()?;
    if program == "env" {
        program = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
    }
    let program = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    LANGUAGES.iter().find(|language| language.interpreters.contains(&program))
}

const fn language(
    name: &'static str,
    grammar: &'static Grammar,
    extensions: &'static [&'static str],
    file_names: &'static [&'static str],
    interpreters: &'static [&'static str],
) -> Language {
    Language { name, extensions, file_names, interpreters, grammar: Some(grammar) }
}

static LANGUAGES: &[Language] = &[
    language(
        "bash",
        &grammar::bash::BASH,
        &["sh", "bash", "zsh", "ksh", "bats"],
        &[".bashrc", ".bash_profile", ".profile", ".zshrc", "PKGBUILD"],
        &["sh", "bash", "zsh", "dash", "ksh"],
    ),
    language("c", &grammar::c::C, &["c", "h"], &[], &[]),
    language(
        "cpp",
        &grammar::c::CPP,
        &["cpp", "cc", "cxx", "c++", "hpp", "hh", "hxx", "h++", "ipp", "inl", "cu"],
        &[],
        &[],
    ),
    language("csharp", &grammar::csharp::CSHARP, &["cs", "csx"], &[], &[]),
    language("css", &grammar::markup::CSS, &["css"], &[], &[]),
    language("elixir", &grammar::elixir::ELIXIR, &["ex", "exs"], &[], &["elixir"]),
    language("go", &grammar::go::GO, &["go"], &[], &[]),
    language("haskell", &grammar::haskell::HASKELL, &["hs"], &[], &["runhaskell", "runghc"]),
    language("html", &grammar::markup::HTML, &["html", "htm", "xhtml"], &[], &[]),
    language("java", &grammar::java::JAVA, &["java"], &[], &[]),
    language("javascript", &grammar::ecmascript::JAVASCRIPT, &["js", "jsx", "mjs", "cjs"], &[], &["node", "nodejs"]),
    language("json", &grammar::markup::JSON, &["json", "jsonc", "webmanifest"], &[".babelrc", ".eslintrc"], &[]),
    language("kotlin", &grammar::kotlin::KOTLIN, &["kt", "kts"], &[], &["kotlin"]),
    language("lua", &grammar::lua::LUA, &["lua"], &[], &["lua", "luajit"]),
    language("markdown", &grammar::markup::MARKDOWN, &["md", "markdown", "mdx"], &[], &[]),
    language("php", &grammar::php::PHP, &["php", "phtml", "php5", "inc"], &[], &["php"]),
    language(
        "python",
        &grammar::python::PYTHON,
        &["py", "pyi", "pyw"],
        &["SConstruct", "wscript"],
        &["python", "pypy"],
    ),
    language(
        "ruby",
        &grammar::ruby::RUBY,
        &["rb", "rake", "gemspec", "ru"],
        &["Gemfile", "Rakefile", "Vagrantfile", "Podfile"],
        &["ruby", "jruby"],
    ),
    language("rust", &grammar::rust::RUST, &["rs"], &[], &["rust-script"]),
    language("scala", &grammar::scala::SCALA, &["scala", "sc", "sbt"], &[], &["scala"]),
    language("swift", &grammar::swift::SWIFT, &["swift"], &[], &["swift"]),
    Language {
        name: PLAIN_TEXT,
        extensions: &["txt", "text", "rst", "adoc"],
        file_names: &[],
        interpreters: &[],
        grammar: None,
    },
    language("toml", &grammar::markup::TOML, &["toml"], &["Cargo.lock", "poetry.lock", "uv.lock", "Pipfile"], &[]),
    language("tsx", &grammar::ecmascript::TSX, &["tsx"], &[], &[]),
    language(
        "typescript",
        &grammar::ecmascript::TYPESCRIPT,
        &["ts", "mts", "cts"],
        &[],
        &["deno", "ts-node", "tsx", "bun"],
    ),
    language("yaml", &grammar::markup::YAML, &["yaml", "yml"], &[".clang-format"], &[]),
    language("zig", &grammar::zig::ZIG, &["zig", "zon"], &[], &[]),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn name(path: &str) -> Option<&'static str> {
        of_path(&RelPath::from(path)).map(|language| language.name)
    }

    #[test]
    fn paths_decide() {
        assert_eq!(name("a/b.rs"), Some("rust"));
        assert_eq!(name("a/B.PY"), Some("python"));
        assert_eq!(name("include/a.h"), Some("c"));
        assert_eq!(name("a.tsx"), Some("tsx"));
        assert_eq!(name("Cargo.lock"), Some("toml"));
        assert_eq!(name("Rakefile"), Some("ruby"));
        assert_eq!(name("notes.txt"), Some("text"));
        assert_eq!(name("configure"), None);
        assert_eq!(name(".rs"), None, "a hidden file, not an extension");
    }

    #[test]
    fn first_lines_name_interpreters() {
        let name = |text| of_first_line(text).map(|language| language.name);
        assert_eq!(name("#!/bin/sh\necho"), Some("bash"));
        assert_eq!(name("#!/usr/bin/env python3.12\n"), Some("python"));
        assert_eq!(name("#! /usr/bin/env -S A=1 node --x"), Some("javascript"));
        assert_eq!(name("#!/opt/unheard-of"), None);
        assert_eq!(name("#!"), None);
        assert_eq!(name("echo"), None);
    }

    #[test]
    fn no_name_or_extension_is_claimed_twice() {
        let mut claims: Vec<&str> =
            LANGUAGES.iter().flat_map(|l| l.extensions.iter().chain(l.file_names)).copied().collect();
        let mut names: Vec<&str> = LANGUAGES.iter().map(|language| language.name).collect();
        assert!(names.is_sorted());
        for list in [&mut claims, &mut names] {
            list.sort_unstable();
            let all = list.len();
            list.dedup();
            assert_eq!(list.len(), all);
        }
    }
}
