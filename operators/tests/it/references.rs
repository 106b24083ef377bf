//! The names that a text uses and what it imports, for each language.

use std::fmt::Write as _;
use std::path::Path;

use gristmill_operators::known_languages;
use gristmill_operators::parse::ParseConfig;
use gristmill_pipeline::port::{ReferenceKind, Span, Syntax};
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
        let around = |span: Span| span.bytes().contains(&start);
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
        const SAMPLES: &[&str] = &[$($sample),*];

        $(
            #[test]
            fn $name() {
                check($sample);
            }
        )*

        #[test]
        fn every_language_with_code_is_sampled() {
            let data = ["text", "markdown", "json", "toml", "yaml", "html"];
            for language in known_languages().iter().filter(|language| !data.contains(&language.name)) {
                let has = |sample: &&str| language.extensions.iter().any(|e| sample.ends_with(&format!(".{e}")));
                assert!(SAMPLES.iter().any(has), "no sample for {}", language.name);
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

/// The kind and name of each reference.
fn names(path: &str, text: &str) -> Vec<(ReferenceKind, String)> {
    let syntax = parse(path, text);
    syntax.references.iter().map(|reference| (reference.kind, reference.name.to_string())).collect()
}

#[test]
fn the_stronger_of_two_uses_at_one_byte_stays() {
    use ReferenceKind::{Call, Implements};
    assert_eq!(names("a.rs", "impl A for B {}"), [(Implements, "A".into())]);
    assert_eq!(names("a.java", "class A { Object a = new B(); }")[1], (Call, "B".into()));
    assert_eq!(names("a.kt", "class A : B()"), [(Implements, "B".into())]);
}

#[test]
fn a_definition_does_not_use_its_own_name() {
    for (path, text) in [
        ("a.rs", "struct A;\nenum B { C }\ntype D = u8;\nfn f<T>() {}"),
        ("a.go", "package a\ntype A struct { b int }\nfunc (A) F() {}\nconst C = 1"),
        ("a.c", "typedef struct a { int b; } a_t;\nvoid f(void);"),
        ("a.cpp", "template <typename T> class A { A(); };\nA::A() {}"),
        ("a.ts", "class A<T> {}\ntype B<U> = 1;\ninterface C {}\nenum D { E }"),
        ("a.java", "class A<T> { A() {} void f() {} }"),
        ("a.swift", "struct A {}\nextension A {}"),
        ("a.hs", "module A where\ndata B = C\nf x = x"),
        ("a.ex", "defmodule A.B do\n  def f(x), do: x\nend"),
        ("a.rb", "module A\n  class B::C\n    D = 1\n  end\nend"),
    ] {
        let found = names(path, text);
        let own = |name: &str| !matches!(name, "int");
        let found: Vec<_> = found.iter().filter(|(_, name)| own(name)).collect();
        // Only a Go method names its receiver's type.
        let expected = usize::from(path == "a.go");
        assert_eq!(found.len(), expected, "{path}: {found:?}");
    }
}

/// What a macro is given is not parsed, but calls in it are seen.
#[test]
fn calls_in_macros_are_found() {
    let text =
        "fn f() { assert!(self.a.is_x(b) && !c(1), std::fs::read(&mut (d)), vec![g(1), H { a: i() }, j!(k)], l.m) }";
    let found = parse("a.rs", text);
    let calls: Vec<String> =
        found.references.iter().map(|call| format!("{} {}", call.qualifier, call.name).trim().to_owned()).collect();
    assert_eq!(calls, ["assert", "self.a is_x", "c", "std::fs read", "vec", "g", "i", "j"]);
}

/// What an import passes over ends with it.
#[test]
fn calls_around_imports_are_found() {
    use ReferenceKind::Call;
    assert_eq!(names("a.zig", "const a = @as(u8, b());"), [(Call, "b".into())]);
    assert_eq!(names("a.js", "const a = require('b')(c());"), [(Call, "c".into())]);
    assert_eq!(names("a.lua", "local a = require('b').c(d())"), [(Call, "c".into()), (Call, "d".into())]);
    assert_eq!(names("a.rb", "require_relative name(1)"), [(Call, "require_relative".into()), (Call, "name".into())]);
}

/// Neither of what is looked up once for each node may grow with its neighbours: this
/// would take minutes.
#[test]
fn many_imports_and_uses_in_a_row_cost_no_more_each() {
    for (path, line) in [
        ("a.rs", "use super::a;\n"),
        ("a.lua", "local a = require 'b'\n"),
        ("a.zig", "const a = @import(\"b.zig\");\n"),
        ("a.rb", "A::B\n"),
        ("a.js", "const a = require('b');\n"),
        ("a.py", "from a import b\n"),
    ] {
        let syntax = parse(path, &line.repeat(20_000));
        assert_eq!(syntax.imports.len() + syntax.references.len() / 2, 20_000, "{path}");
    }
}

/// A chain of calls nests as deep as it is long.
#[test]
fn long_chains_are_skimmed_without_recursion() {
    for path in ["a.js", "a.rs", "a.py", "a.java"] {
        let syntax = parse(path, &format!("x = a{};\n", ".b()".repeat(20_000)));
        assert!(syntax.references.len() < 20_000);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is done to a text, its references lie in it, in order, in the definitions
    /// that they name; `parse` checks that.
    #[test]
    fn references_of_damaged_text_are_sound(
        sample in 0..SAMPLES.len(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..40), 0..6),
        insert in "[(){}<>:;.,é\\n\"'=@#a-cA-C ]{0,12}",
    ) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/uses").join(SAMPLES[sample]);
        let mut text: Vec<char> = std::fs::read_to_string(path).expect("a sample").chars().collect();
        for (at, length) in cuts {
            let at = at.index(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, insert.chars());
            if text.is_empty() {
                text.push('a');
            }
        }
        parse(SAMPLES[sample], &text.iter().collect::<String>());
    }
}
