//! The names that a text uses and what it imports.

use gristmill_pipeline::port::ReferenceKind;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::parsed::parse;
use crate::samples::samples;

/// The kind and name of each reference.
fn names(path: &str, text: &str) -> Vec<(ReferenceKind, String)> {
    let syntax = parse(path, text);
    syntax.references.iter().map(|reference| (reference.kind, reference.name.to_string())).collect()
}

#[test]
fn the_stronger_of_two_uses_at_one_byte_stays() {
    use ReferenceKind::{Call, Implements, Mention};
    assert_eq!(names("a.rs", "impl A for B {}"), [(Implements, "A".into()), (Mention, "B".into())]);
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
        // A method of Go names its receiver's type, one of C++ outside of its class the class, and an
        // extension of Swift what it extends.
        let expected = usize::from(matches!(path, "a.go" | "a.cpp" | "a.swift"));
        assert_eq!(found.len(), expected, "{path}: {found:?}");
    }
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
        // What an import names is a use, too, where names are bound.
        let found = syntax.imports.len() + syntax.references.len() / 2;
        assert!((20_000..=30_000).contains(&found), "{path}: {found}");
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
        sample in any::<Index>(),
        cuts in prop::collection::vec((any::<Index>(), 0_usize..40), 0..6),
        insert in "[(){}<>:;.,é\\n\"'=@#a-cA-C ]{0,12}",
    ) {
        let samples = samples("uses");
        let (path, text) = sample.get(&samples);
        let mut text: Vec<char> = text.chars().collect();
        for (at, length) in cuts {
            let at = at.index(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, insert.chars());
            if text.is_empty() {
                text.push('a');
            }
        }
        parse(path, &text.iter().collect::<String>());
    }
}
