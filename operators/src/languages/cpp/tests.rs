use super::LANGUAGE;
use crate::testing::{check_definitions, check_targets, check_uses, parse};

#[test]
fn definitions() {
    check_definitions(&LANGUAGE);
}

#[test]
fn uses() {
    check_uses(&LANGUAGE);
}

#[test]
fn macros_in_the_heads_of_types_hide_no_members() {
    let text = "class CORE_EXPORT Foo : public Bar {\npublic:\n  void draw();\n  int deep() { return 2; }\n};\nclass DLL(x) Qux { int q() { return 3; } };\nstruct PACKED Pair { int left; };\nenum API_ENUM Kind { ONE };\n";
    let syntax = parse("a.cpp", text);
    let found: Vec<_> =
        syntax.definitions.iter().map(|d| (d.kind.as_str(), &*d.qualified_name, d.span.start_line)).collect();
    assert_eq!(
        found,
        [
            ("class", "Foo", 1),
            ("method", "Foo::draw", 3),
            ("method", "Foo::deep", 4),
            ("class", "Qux", 6),
            ("method", "Qux::q", 6),
            ("struct", "Pair", 7),
            ("field", "Pair::left", 7),
            ("enum", "Kind", 8),
            ("variant", "Kind::ONE", 8),
        ]
    );
    assert_eq!(&*syntax.definitions[0].signature, "class CORE_EXPORT Foo : public Bar");
}

#[test]
fn branches_that_tear_a_block_hide_nothing() {
    let text = "void f() {\n#if A\n  if (x) {\n#else\n  if (y) {\n#endif\n    z();\n  }\n}\nvoid g() {}\n";
    let syntax = parse("a.cpp", text);
    let found: Vec<_> = syntax.definitions.iter().map(|d| (&*d.name, d.span.start_line, d.span.end_line)).collect();
    assert_eq!(found, [("f", 1, 9), ("g", 10, 10)]);
}

#[test]
fn types_of_expressions_are_bound() {
    let text = "int size();\nauto f() -> decltype(size());\ndecltype(auto) g();\ntemplate <typename T> using Of = decltype(T().size());\nauto h(int a) -> decltype(::size(), (a + 1)) { return a; }\n";
    let syntax = parse("a.cpp", text);
    let found: Vec<_> = syntax.definitions.iter().map(|d| &*d.name).collect();
    assert_eq!(found, ["size", "f", "g", "Of", "h"]);
    let used: Vec<_> = syntax.references.iter().filter(|r| &*r.name == "size").map(|r| r.line).collect();
    assert_eq!(used, [2, 4, 5]);
}

#[test]
fn targets() {
    check_targets(&LANGUAGE, 40);
}
