//! The names that a text uses and what it imports, for each language.

use std::fmt::Write as _;
use std::path::Path;

use gristmill_operators::known_languages;
use gristmill_operators::parse::ParseConfig;
use gristmill_pipeline::port::{ReferenceKind, Syntax};
use proptest::prelude::*;

use crate::parse::{parse, parse_with};

/// What holds for the references and imports of every text.
pub fn check_references(syntax: &Syntax) {
    let text: &str = &syntax.content.text;
    let mut after = None;
    for reference in &syntax.references {
        let start = reference.start_byte as usize;
        assert!(after < Some(start), "out of order or twice: {reference:?}");
        after = Some(start);
        assert!(!reference.name.is_empty());
        assert!(text.get(start..).is_some_and(|rest| rest.starts_with(&*reference.name)), "{reference:?}");
        assert!(text[..start].contains(&*reference.qualifier), "{reference:?}");
        assert_eq!(reference.line as usize, 1 + text[..start].matches('\n').count(), "{reference:?}");
        let around = |span: gristmill_pipeline::port::Span| span.bytes().contains(&start);
        if let Some(within) = reference.within {
            assert!(around(syntax.definitions[within as usize].span), "{reference:?}");
        }
        let innermost = syntax.definitions.iter().filter(|d| around(d.span)).map(|d| d.span.start_byte).max();
        let within = reference.within.map(|within| syntax.definitions[within as usize].span.start_byte);
        assert_eq!(within, innermost, "not the innermost definition: {reference:?}");
    }
    for import in &syntax.imports {
        assert!(!import.module.is_empty() && import.line >= 1 && import.line <= syntax.lines, "{import:?}");
    }
}

/// A line for each reference and each import.
fn table(syntax: &Syntax) -> String {
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

fn check(sample: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/uses").join(sample);
    let text = std::fs::read_to_string(&path).expect("a sample");
    let (syntax, diagnostics) = parse_with(ParseConfig::default(), sample, &text);
    assert_eq!(diagnostics, [], "samples are correct code");
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "uses" }, {
        insta::assert_snapshot!(sample, table(&syntax));
    });
}

macro_rules! samples {
    ($($name:ident: $sample:literal,)*) => {
        $(
            #[test]
            fn $name() {
                check($sample);
            }
        )*

        #[test]
        fn every_language_with_code_is_sampled() {
            let sampled: &[&str] = &[$($sample),*];
            let data = ["text", "markdown", "json", "toml", "yaml", "html"];
            for language in known_languages().iter().filter(|language| !data.contains(&language.name)) {
                let has = |sample: &&str| language.extensions.iter().any(|e| sample.ends_with(&format!(".{e}")));
                assert!(sampled.iter().any(has), "no sample for {}", language.name);
            }
        }
    };
}

samples! {
    bash: "bash.sh",
    c: "c.c",
    cpp: "cpp.cpp",
    csharp: "CSharp.cs",
    css: "css.css",
    elixir: "elixir.ex",
    go: "go.go",
    haskell: "haskell.hs",
    java: "Java.java",
    javascript: "javascript.js",
    kotlin: "kotlin.kt",
    lua: "lua.lua",
    php: "php.php",
    python: "python.py",
    ruby: "ruby.rb",
    rust: "rust.rs",
    scala: "scala.scala",
    swift: "swift.swift",
    tsx: "tsx.tsx",
    typescript: "typescript.ts",
    zig: "zig.zig",
}
