//! The parse operator as a stage sees it.
#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use gristmill_operators::parse::{Parse, ParseConfig};
use gristmill_pipeline::{Operator, RelPath, Severity};

use crate::parsed::{parse, parse_with};

#[test]
fn a_first_line_names_the_language_of_a_path_without_one() {
    let text = "#!/usr/bin/env python3\ndef main():\n    pass\n";
    let syntax = parse("bin/tool", text);
    assert_eq!((syntax.language, syntax.definitions.len()), ("python", 1));
    assert_eq!(parse("bin/tool.rb", text).language, "ruby", "the path goes first");
    assert_eq!(parse("LICENSE", "MIT").language, "text");
    assert_eq!(Parse::default().variant(&RelPath::from("a.go")), "go");
    assert_eq!(Parse::default().variant(&RelPath::from("a")), "");
}

#[test]
fn code_with_errors_yields_what_it_can() {
    let text = "fn before() {}\n\nfn broken( {\n    let = ;\n}\n\nfn after() {}\n";
    let (syntax, diagnostics) = parse_with(ParseConfig::default(), "a.rs", text);
    let names: Vec<&str> = syntax.definitions.iter().map(|definition| &*definition.name).collect();
    assert!(names.contains(&"before") && names.contains(&"after"), "{names:?}");
    assert_eq!(diagnostics.len(), 1);
    assert_eq!((diagnostics[0].severity, &*diagnostics[0].code), (Severity::Note, "syntax"));
    assert!((3..=4).contains(&diagnostics[0].line), "{:?}", diagnostics[0]);
}

/// What follows the error lies in a node of its own, below which all goes on.
#[test]
fn definitions_and_uses_inside_an_error_are_found() {
    let text = "#if A\nstatic int f(int a) {\n#else\nstatic int g(wheel_t a) {\n#endif\n  return turn(a);\n}\nint h(void) { return 1; }\n}}}\n";
    let (syntax, diagnostics) = parse_with(ParseConfig::default(), "a.c", text);
    assert_eq!(&*diagnostics[0].code, "syntax");
    let names: Vec<&str> = syntax.definitions.iter().map(|definition| &*definition.name).collect();
    let uses: Vec<&str> = syntax.references.iter().map(|reference| &*reference.name).collect();
    assert!(names.contains(&"h"), "{names:?}");
    assert!(uses.contains(&"turn") && uses.contains(&"wheel_t"), "{uses:?}");
}

#[test]
fn a_wrap_does_not_reach_over_definitions_inside_an_error() {
    let text = "template <typename T>\nclass A : B {\n    explicit A(int a) : B(a) {}\n    int f() const;\n    x.A()\" <typename T>\nint A<T>::f() const {\n    return *new C(1);\n}\n}\n";
    let (syntax, _) = parse_with(ParseConfig::default(), "a.cpp", text);
    assert!(syntax.definitions.iter().any(|definition| &*definition.name == "f"));
}

#[test]
fn large_files_are_not_parsed() {
    let config = ParseConfig { max_bytes: 10, ..ParseConfig::default() };
    let (syntax, diagnostics) = parse_with(config, "a.rs", "fn main() {}\n");
    assert_eq!((syntax.language, syntax.lines, syntax.definitions.len()), ("rust", 1, 0));
    assert_eq!(&*diagnostics[0].code, "large");
}

#[test]
fn deep_nesting_neither_overflows_nor_stalls() {
    let open = 100_000;
    let shapes = [
        format!("x = {}{};", "[".repeat(open), "]".repeat(open)),
        format!("void f() {}{}", "{".repeat(open), "}".repeat(open)),
        "(".repeat(open),
    ];
    let anything = ParseConfig { max_nesting: u32::MAX, ..ParseConfig::default() };
    for path in ["a.json", "a.js", "a.c", "a.rs"] {
        for text in &shapes {
            let (_, diagnostics) = parse_with(ParseConfig::default(), path, text);
            let nesting = diagnostics.iter().find(|diagnostic| &*diagnostic.code == "nesting").expect("a diagnostic");
            assert_eq!((nesting.severity, nesting.line), (Severity::Warning, 1));
            // Without the guard it takes longer, and no more.
            parse_with(anything.clone(), path, text);
        }
    }
}

/// Left-associated operators nest without any bracket.
#[test]
fn long_operator_chains_are_walked_without_recursion() {
    for path in ["a.js", "a.c", "a.rs", "a.py"] {
        let syntax = parse(path, &format!("x = a{};\n", " + a\n".repeat(50_000)));
        assert!(syntax.blocks.len() < 100_000);
    }
}

#[test]
fn the_fingerprint_depends_on_the_configuration_alone() {
    let default = Parse::default().fingerprint();
    assert_eq!(default, Parse::new(ParseConfig::default()).fingerprint());
    assert_ne!(default, Parse::new(ParseConfig { max_bytes: 1, ..ParseConfig::default() }).fingerprint());
    assert_ne!(default, Parse::new(ParseConfig { max_nesting: 1, ..ParseConfig::default() }).fingerprint());
}

#[test]
fn unknown_configuration_keys_are_refused() {
    let config: Result<ParseConfig, _> = serde_json::from_str(r#"{ "max_byte": 1 }"#);
    assert!(config.expect_err("a typo").to_string().contains("max_bytes"));
}
