//! The parse operator as a stage sees it.
#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use gristmill_operators::known_languages;
use gristmill_operators::parse::{Parse, ParseConfig};
use gristmill_pipeline::port::{Content, FileItem, NO_DEFINITION, Syntax, Text};
use gristmill_pipeline::source::Origin;
use gristmill_pipeline::{Batch, ContentHash, Diagnostic, Emitter, Operator, RelPath, Severity};

/// A content as the hash stage gives it.
pub fn content(path: &str, text: &str) -> Arc<Content> {
    let content_hash = ContentHash::of(text.as_bytes());
    let path = RelPath::from(path);
    let file = FileItem { path, origin: Origin::File("".into()), bytes: text.len() as u64, content_hash, variant: "" };
    Arc::new(Content { file: Arc::new(file), text: Text::new(text), content_hash, encoding: "UTF-8" })
}

pub fn parse_with(config: ParseConfig, path: &str, text: &str) -> (Arc<Syntax>, Vec<Diagnostic>) {
    let mut out = Emitter::new("parse".into());
    Parse::new(config).process(Batch(vec![content(path, text)]), &mut out).expect("parsing never fails");
    let (mut items, diagnostics) = out.into_parts();
    let syntax = items.pop().expect("one syntax for one content");
    check_invariants(&syntax);
    (syntax, diagnostics.into_iter().map(|(_, diagnostic)| diagnostic).collect())
}

pub fn parse(path: &str, text: &str) -> Arc<Syntax> {
    parse_with(ParseConfig::default(), path, text).0
}

/// What holds for every text.
pub fn check_invariants(syntax: &Syntax) {
    let text: &str = &syntax.content.text;
    assert_eq!(syntax.lines as usize, text.split_inclusive('\n').count());
    let line_of = |byte: u32| 1 + text.as_bytes()[..byte as usize].iter().filter(|b| **b == b'\n').count() as u32;
    let mut before = 0;
    for (index, definition) in syntax.definitions.iter().enumerate() {
        let span = definition.span;
        assert!(text.get(span.bytes()).is_some_and(|s| !s.is_empty()), "{definition:?}");
        assert!(before <= span.start_byte, "out of order: {definition:?}");
        before = span.start_byte;
        assert!(definition.extent_start <= span.start_byte && text.is_char_boundary(definition.extent_start as usize));
        if text.len() < 100_000 {
            assert_eq!((span.start_line, span.end_line), (line_of(span.start_byte), line_of(span.end_byte - 1)));
        }
        assert!(!definition.name.is_empty() && definition.qualified_name.ends_with(&*definition.name));
        assert!(definition.signature.len() <= 203 && definition.doc.len() <= 2048);
        if let Some(parent) = definition.parent {
            assert!((parent as usize) < index);
            let parent = &syntax.definitions[parent as usize];
            assert!(
                parent.span.start_byte <= span.start_byte && span.end_byte <= parent.span.end_byte,
                "{parent:?} {definition:?}"
            );
            assert!(definition.qualified_name.starts_with(&*parent.qualified_name));
        }
    }
    check_blocks(syntax, 0..syntax.blocks.len(), 0, text.len() as u32);
    if text.len() < 100_000 {
        crate::references::check_references(syntax);
    }
}

fn check_blocks(syntax: &Syntax, range: std::ops::Range<usize>, mut from: u32, end: u32) {
    let text: &str = &syntax.content.text;
    let mut at = range.start;
    while at < range.end {
        let block = syntax.blocks[at];
        assert!(from <= block.start && block.start < block.end && block.end <= end, "{block:?} not in {from}..{end}");
        assert!(text.is_char_boundary(block.start as usize) && text.is_char_boundary(block.end as usize));
        let next = block.next as usize;
        assert!(at < next && next <= range.end);
        if block.definition != NO_DEFINITION {
            assert!((block.definition as usize) < syntax.definitions.len());
        }
        check_blocks(syntax, at + 1..next, block.start, block.end);
        (at, from) = (next, block.end);
    }
}

/// `kind qualified_name @lines | signature | doc`, a line for each definition.
fn table(syntax: &Syntax) -> String {
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

fn check(sample: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/samples").join(sample);
    let text = std::fs::read_to_string(&path).expect("a sample");
    let (syntax, diagnostics) = parse_with(ParseConfig::default(), sample, &text);
    assert_eq!(diagnostics, [], "samples are correct code");
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "samples" }, {
        insta::assert_snapshot!(sample, table(&syntax));
    });
}

macro_rules! samples {
    ($($name:ident: $sample:literal,)*) => {$(
        #[test]
        fn $name() {
            check($sample);
        }
    )*};
}

samples! {
    bash: "sample.sh",
    c: "sample.c",
    cpp: "sample.cpp",
    csharp: "Sample.cs",
    css: "sample.css",
    elixir: "sample.ex",
    go: "sample.go",
    haskell: "sample.hs",
    html: "sample.html",
    java: "Sample.java",
    javascript: "sample.js",
    json: "sample.json",
    kotlin: "sample.kt",
    lua: "sample.lua",
    markdown: "sample.md",
    php: "sample.php",
    python: "sample.py",
    ruby: "sample.rb",
    rust: "sample.rs",
    scala: "sample.scala",
    swift: "sample.swift",
    toml: "sample.toml",
    tsx: "sample.tsx",
    typescript: "sample.ts",
    yaml: "sample.yaml",
    zig: "sample.zig",
}

#[test]
fn every_language_has_a_sample() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/samples");
    let extensions: Vec<String> = std::fs::read_dir(samples)
        .expect("samples")
        .filter_map(|entry| Some(entry.ok()?.path().extension()?.to_str()?.to_owned()))
        .collect();
    for language in known_languages().iter().filter(|language| language.name != "text") {
        let sampled = language.extensions.iter().any(|e| extensions.iter().any(|sample| sample == e));
        assert!(sampled, "no sample for {}", language.name);
    }
}

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
