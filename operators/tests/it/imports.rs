//! The names of files and imports, in all languages.

use std::collections::BTreeSet;

use gristmill_operators::parse::Parse;
use gristmill_pipeline::port::Import;
use gristmill_pipeline::{Parser as _, RelPath};

#[test]
fn what_has_no_imports_has_no_names() {
    let parse = Parse::default();
    let import = Import { module: "a".into(), name: "".into(), alias: "".into(), line: 1 };
    for path in ["README.md", "a.json", "LICENSE", "a.txt"] {
        assert!(parse.module_names(&path.into()).is_empty() && parse.import_names(&path.into(), &import).is_empty());
    }
}

/// However deep a path or long an import, the names stay few, and differ.
#[test]
fn names_are_few() {
    let parse = Parse::default();
    let deep = vec!["part"; 60];
    for (extension, separator) in
        [("py", "."), ("ts", "/"), ("rs", "::"), ("java", "."), ("h", "/"), ("cs", "."), ("ex", ".")]
    {
        let path = RelPath::from(format!("{}/a.{extension}", deep.join("/")).as_str());
        let import = Import { module: deep.join(separator).into(), name: "Name".into(), alias: "".into(), line: 1 };
        let imported = parse.import_names(&path, &import).into_iter().map(|module| module.name).collect();
        for names in [parse.module_names(&path), imported] {
            assert!(!names.is_empty() && names.len() <= 32, "{path}: {}", names.len());
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
        }
    }
}

/// Names of one family never mean a file of another.
#[test]
fn families_keep_apart() {
    let parse = Parse::default();
    let paths =
        ["a/b.py", "a/b.ts", "a/b.rs", "a/b.go", "a/b.java", "a/b.c", "a/b.cs", "a/b.php", "a/b.rb", "a/b.swift"];
    let mut names: Vec<String> = paths.iter().flat_map(|path| parse.module_names(&RelPath::from(*path))).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}
