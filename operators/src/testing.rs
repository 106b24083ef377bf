//! Checks that the tests of languages share.
//!
//! The samples of a language lie in `languages/<name>/tests/`, each beside the snapshot of
//! what is found in it.

mod parsed;
mod targets;

use std::fmt::Write as _;
use std::path::PathBuf;

use gristmill_pipeline::port::{Import, Syntax};
use gristmill_pipeline::{Declared, ModulePlace, NamedPlace, Parser as _, RelPath};

pub(crate) use self::parsed::parse;
use self::parsed::parse_with;
pub(crate) use self::targets::check_targets;
use crate::parse::{Parse, ParseConfig};
use crate::spec::Language;

/// Compares the definitions in the sample `definitions` of a language with its snapshot.
pub(crate) fn check_definitions(language: &Language) {
    check(language, "definitions", definitions);
}

/// Compares the references and imports in the sample `uses` of a language with its snapshot.
pub(crate) fn check_uses(language: &Language) {
    check(language, "uses", uses);
}

/// Returns where the sample of that name lies: the extension is the language's first. Samples of a language without
/// extensions lie in a folder of their name, under the first name of a file.
pub(crate) fn sample(language: &Language, name: &str) -> PathBuf {
    let languages = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/languages");
    let sample = languages.join(language.name.replace('-', "_")).join("tests").join(name);
    match language.extensions.first() {
        Some(extension) => sample.with_extension(extension),
        None => sample.join(language.file_names[0]),
    }
}

fn check(language: &Language, name: &str, table: fn(&Syntax) -> String) {
    let path = sample(language, name);
    let (folder, file) = (path.parent().expect("a folder"), path.file_name().and_then(|name| name.to_str()));
    let file = file.expect("a name");
    let text = std::fs::read_to_string(&path).expect("a sample");
    let (syntax, diagnostics) = parse_with(ParseConfig::default(), file, &text);
    assert_eq!(syntax.language, language.name);
    assert_eq!(diagnostics, [], "samples are correct code");
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => folder }, {
        insta::assert_snapshot!(file, table(&syntax));
    });
}

/// Returns a line for each definition: `kind qualified_name @lines | signature | doc`.
fn definitions(syntax: &Syntax) -> String {
    let mut table = String::new();
    for definition in &syntax.definitions {
        let span = definition.span;
        let line = |byte: u32| 1 + syntax.content.text[..byte as usize].matches('\n').count();
        let _ = write!(
            table,
            "{} {} @{}-{} | {} |",
            definition.kind.as_str(),
            definition.qualified_name,
            line(definition.extent_start),
            span.end_line,
            definition.signature
        );
        for doc in definition.doc.lines() {
            let _ = write!(table, " {doc} /");
        }
        table = table.trim_end_matches(" /").to_owned();
        table.push('\n');
    }
    table
}

/// Returns a line for each import and each reference.
fn uses(syntax: &Syntax) -> String {
    let mut table = String::new();
    for import in &syntax.imports {
        let _ = write!(table, "{} import {}", import.line, import.module);
        for (what, value) in [("name", &import.name), ("as", &import.alias)] {
            if !value.is_empty() {
                let _ = write!(table, " {what} {value}");
            }
        }
        table.push('\n');
    }
    for reference in &syntax.references {
        let _ = write!(table, "{} {} {}", reference.line, reference.kind.as_str(), reference.name);
        if !reference.qualifier.is_empty() {
            let _ = write!(table, " of {}", reference.qualifier);
        }
        if let Some(within) = reference.within {
            let _ = write!(table, " in {}", syntax.definitions[within as usize].qualified_name);
        }
        table.push('\n');
    }
    table
}

/// Checks what the names in `text`, which is the file at `path`, are bound to: for each use
/// `line name → target`, and behind a comma what it says of another path.
pub(crate) fn check_bindings(path: &str, text: &str, expected: &[&str]) {
    let syntax = parse(path, text);
    let written = syntax.references.iter().map(|used| {
        let lead = used.lead.as_ref().map_or_else(String::new, |lead| format!(", {lead}"));
        let target = if used.target.is_unknown() { "?" } else { used.target.as_str() };
        format!("{} {} → {target}{lead}", used.line, used.name)
    });
    let found: Vec<String> = written.collect();
    let (found, expected) = (found.join("\n"), expected.join("\n"));
    assert!(found == expected, "found:\n{found}\n\nexpected:\n{expected}");
}

/// Returns the files that an import means: those that have the first of its names that any has, or that lie in
/// the place which it names.
fn meant<'f>(files: &[&'f str], path: &str, import: &Import) -> Vec<&'f str> {
    let parse = Parse::default();
    if let Some(Declared::Place(NamedPlace { place, .. })) = parse.declared(&RelPath::from(path), import) {
        let is_below = |at: &ModulePlace| {
            at.root == place.root && format!("{}/", at.path).starts_with(&format!("{}/", place.path))
        };
        let has = |file: &&&str| parse.module_places(&RelPath::from(**file)).iter().any(is_below);
        return files.iter().filter(has).copied().collect();
    }
    for name in parse.import_names(&RelPath::from(path), import) {
        let has = |file: &&&str| parse.module_names(&RelPath::from(**file)).contains(&name.name);
        let found: Vec<&str> = files.iter().filter(has).copied().collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// Checks what the imports of `text`, which is the file at `path`, mean among `files`. Each
/// line of `expected` is an import, `module`, `module name` or `module *`, and the files.
pub(crate) fn check_imports(files: &[&str], path: &str, text: &str, expected: &[(&str, &[&str])]) {
    let syntax = parse(path, text);
    let found: Vec<(String, Vec<&str>)> = syntax
        .imports
        .iter()
        .map(|import| {
            let name = if import.name.is_empty() { String::new() } else { format!(" {}", import.name) };
            (format!("{}{name}", import.module), meant(files, path, import))
        })
        .collect();
    let found: Vec<(&str, &[&str])> = found.iter().map(|(import, files)| (&**import, &**files)).collect();
    assert_eq!(found, expected, "{path}");
}

/// Checks what the names in the sample `scopes` of a language are bound to, by the labels in its
/// comments: `// @ name -> target; name -> target`, each for the uses of a name on its line. A target
/// may be followed by the lead that the use carries: `target [lead]`.
pub(crate) fn check_scopes(language: &Language, least: usize) {
    let path = sample(language, "scopes");
    let text = std::fs::read_to_string(&path).expect("a sample");
    let (syntax, diagnostics) = parse_with(ParseConfig::default(), &path.to_string_lossy(), &text);
    assert_eq!(diagnostics, [], "samples are correct code");
    let (mut labels, mut faults) = (0, String::new());
    for (line, written) in (1..).zip(text.lines()) {
        let Some((_, written)) = written.split_once("// @ ") else { continue };
        for label in written.split("; ") {
            let (name, expected) = label.split_once(" -> ").expect("a label is `name -> target`");
            let on_line = syntax.references.iter().filter(|of| of.line == line && *of.name == *name);
            let found = on_line.map(|of| {
                let target = if of.target.is_unknown() { "?" } else { of.target.as_str() };
                match &of.lead {
                    Some(lead) if expected.ends_with(']') => format!("{target} [{lead}]"),
                    _ => target.to_owned(),
                }
            });
            let found = found.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" & ");
            labels += 1;
            // What is local is mostly no reference at all.
            let found = if found.is_empty() { "local" } else { &found };
            if found != expected {
                let _ = writeln!(faults, "{line}: {name} -> {found}, expected {expected}");
            }
        }
    }
    assert!(faults.is_empty(), "{}:\n{faults}", path.display());
    assert!(labels >= least, "{labels} labels");
}
