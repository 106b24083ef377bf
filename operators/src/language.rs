//! Which language a file is in.
//!
//! The path decides, or else the interpreter in a first line `#!…`. The rest of the content is not
//! read: two files with equal bytes and equal path variants are in the same language.

use gristmill_pipeline::RelPath;

use crate::languages::known_languages;
use crate::spec::Language;

/// Returns the language of that name.
pub(crate) fn of_name(name: &str) -> Option<&'static Language> {
    known_languages().iter().copied().find(|language| language.name == name)
}

/// Returns the language that the path names, if it names one.
///
/// A header `.h` counts as C: only its content could tell it from C++.
pub(crate) fn of_path(path: &RelPath) -> Option<&'static Language> {
    let name = path.file_name();
    if let Some(extension) = path.extension() {
        let known = |known: &&str| known.eq_ignore_ascii_case(extension);
        if let Some(language) = known_languages().iter().copied().find(|language| language.extensions.iter().any(known))
        {
            return Some(language);
        }
    }
    known_languages().iter().copied().find(|language| language.file_names.contains(&name))
}

/// Returns the language of the interpreter that a first line `#!` names.
pub(crate) fn of_first_line(text: &str) -> Option<&'static Language> {
    let line = text.strip_prefix("#!")?.lines().next()?;
    let mut words = line.split_ascii_whitespace();
    let mut program = words.next()?.rsplit('/').next()?;
    if program == "env" {
        program = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
    }
    let program = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    known_languages().iter().copied().find(|language| language.interpreters.contains(&program))
}

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
}
