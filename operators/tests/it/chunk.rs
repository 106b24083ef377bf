//! The chunk operator, and the invariants of chunks.
#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;

use gristmill_operators::chunk::{ChunkConfig, ChunkConfigError, Chunking, estimate_tokens};
use gristmill_pipeline::port::{Chunked, DefinitionKind, Header, Syntax};
use gristmill_pipeline::{Batch, Emitter, Operator};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::parsed::{check_invariants, parse};

fn config(max_tokens: u32, min_tokens: u32) -> ChunkConfig {
    ChunkConfig { max_tokens, min_tokens, ..ChunkConfig::default() }
}

/// Cuts a text and checks the invariants of chunks.
fn chunk_syntax(config: &ChunkConfig, syntax: Arc<Syntax>) -> Arc<Chunked> {
    let mut out = Emitter::new("chunk".into());
    let operator = Chunking::new(config.clone()).expect("a valid configuration");
    operator.process(Batch(vec![syntax]), &mut out).expect("chunking never fails");
    let chunked = out.into_parts().0.pop().expect("one result for one syntax");
    let text: &str = &chunked.syntax.content.text;
    let (mut end, mut line) = (0, 1);
    for chunk in &chunked.chunks {
        let span = chunk.span;
        assert_eq!(span.start_byte, end, "a gap or an overlap");
        assert!(span.start_byte < span.end_byte, "an empty chunk");
        end = span.end_byte;
        let body = text.get(span.bytes()).expect("cuts are between characters");
        assert!(chunk.tokens <= config.max_tokens && estimate_tokens(body) <= chunk.tokens, "{chunk:?}");
        assert_eq!(span.start_line, line);
        let feeds = body.matches('\n').count() as u32;
        assert_eq!(span.end_line, line + feeds - u32::from(body.ends_with('\n')));
        line += feeds;
        let known = ["code", "text"].contains(&chunk.kind) || chunk.kind.parse::<DefinitionKind>().is_ok();
        assert!(known, "{}", chunk.kind);
        assert_eq!(chunk.body_hash, config.header.body_hash(&chunk.scope, &chunk.symbol, body));
    }
    assert_eq!(end as usize, text.len(), "the end is missing");
    chunked
}

fn chunk(config: &ChunkConfig, path: &str, text: &str) -> Arc<Chunked> {
    chunk_syntax(config, parse(path, text))
}

/// Returns a line for each chunk: `kind scope symbol @lines tokens`.
fn table(chunked: &Chunked) -> String {
    let row = |chunk: &gristmill_pipeline::port::Chunk| {
        let span = chunk.span;
        format!(
            "{} [{}] {} @{}-{} {}\n",
            chunk.kind, chunk.scope, chunk.symbol, span.start_line, span.end_line, chunk.tokens
        )
    };
    chunked.chunks.iter().map(row).collect()
}

/// One sample for each language, with nesting, comments and wide characters.
fn samples() -> Vec<(String, String)> {
    let samples = crate::samples::samples("definitions");
    assert!(samples.len() >= 26);
    samples
}

const RUST: &str = r#"use std::fmt;
use std::io;

const LIMIT: usize = 3;
const OTHER: usize = 4;

/// Adds two numbers, and says so at some length, to be big enough to stand alone.
#[inline]
pub fn add(left: usize, right: usize) -> usize {
    let sum = left.checked_add(right).unwrap_or(usize::MAX);
    println!("{left} + {right} = {sum}");
    sum
}

fn tiny() {}
fn small() {}

impl Store {
    /// Opens the store at a path, which must exist and be a folder of this version.
    pub fn open(path: &Path) -> io::Result<Store> {
        let meta = fs::metadata(path)?;
        if !meta.is_dir() {
            return Err(io::Error::new(io::ErrorKind::Other, "not a folder"));
        }
        Ok(Store { path: path.to_owned(), entries: Vec::new() })
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Writes all entries, one after the other, and then tells the disk to keep them.
    pub fn flush(&mut self) -> io::Result<()> {
        for entry in &self.entries {
            self.file.write_all(entry.as_bytes())?;
            self.file.write_all(b"\n")?;
        }
        self.file.sync_all()
    }
}
"#;

#[test]
fn definitions_stand_alone_and_small_neighbours_share() {
    let chunked = chunk(&config(100, 32), "a.rs", RUST);
    insta::assert_snapshot!(table(&chunked), @r"
    code [] LIMIT OTHER @1-6 26
    function [] add @7-14 82
    code [] tiny small @15-17 12
    code [Store] open @18-21 55
    code [Store] open @22-27 62
    method [Store] len @28-31 19
    method [Store] flush @32-40 90
    ");
}

#[test]
fn an_implementation_that_fits_is_one_chunk() {
    let chunked = chunk(&config(1000, 32), "a.rs", RUST);
    insta::assert_snapshot!(table(&chunked), @r"
    code [] LIMIT OTHER @1-6 26
    function [] add @7-14 82
    code [] tiny small @15-17 12
    implementation [] Store @18-40 226
    ");
}

#[test]
fn a_large_function_is_cut_between_statements() {
    let loops = "    for x in xs {\n        total += x * x;\n    }\n\n".repeat(20);
    let text = format!("/// Sums.\nfn sum(xs: &[u32]) -> u32 {{\n    let mut total = 0;\n{loops}    total\n}}\n");
    let chunked = chunk(&config(100, 16), "a.rs", &text);
    for part in &chunked.chunks {
        assert_eq!((part.kind, &*part.symbol, &*part.scope), ("code", "sum", ""));
        let body = &chunked.syntax.content.text[part.span.bytes()];
        assert!(body.starts_with("///") || body.trim_start().starts_with("for"), "cut inside a statement: {body}");
    }
    assert!((4..=6).contains(&chunked.chunks.len()), "{}", table(&chunked));
}

#[test]
fn sections_of_a_document() {
    let text = "Intro.\n\n# A\n\nOne two three.\n\n## B\n\nFour five six seven eight.\n\n## C\n\nNine.\n";
    insta::assert_snapshot!(table(&chunk(&config(16, 8), "a.md", text)), @r"
    code [] A @1-6 8
    section [A] B @7-10 9
    section [A] C @11-13 5
    ");
}

#[test]
fn text_without_a_grammar_is_cut_at_blank_lines() {
    let paragraph = "Words of a paragraph\nthat goes on for\nthree lines.\n\n";
    let chunked = chunk(&config(40, 8), "a.txt", &paragraph.repeat(10));
    for part in &chunked.chunks {
        assert_eq!((part.kind, &*part.symbol), ("text", ""));
        assert!(chunked.syntax.content.text[part.span.bytes()].ends_with("\n\n"), "cut inside a paragraph");
    }
}

#[test]
fn an_empty_text_has_no_chunks() {
    assert!(chunk(&ChunkConfig::default(), "a.rs", "").chunks.is_empty());
    assert_eq!(chunk(&ChunkConfig::default(), "a.rs", "\n").chunks.len(), 1);
}

#[test]
fn a_very_long_line_is_cut() {
    let config = ChunkConfig::default();
    for (path, part) in [("a.js", "f(a,b);"), ("a.txt", "x"), ("a.json", "[1],"), ("a.txt", "麦"), ("a.txt", " ")] {
        let text = part.repeat(300_000);
        let chunks = chunk(&config, path, &text).chunks.len();
        let least = estimate_tokens(&text) / config.max_tokens;
        assert!(chunks as u32 >= least && chunks as u32 <= least * 2 + 1, "{path}: {chunks} for at least {least}");
    }
}

#[test]
fn many_blocks_are_cut_in_linear_time() {
    let function = "fn f() {\n    if a {\n        b();\n    }\n}\n\n";
    let chunked = chunk(&ChunkConfig::default(), "a.rs", &function.repeat(20_000));
    assert!(chunked.chunks.len() > 900);
}

#[test]
fn limits_out_of_range_are_rejected() {
    let error = |max, min| Chunking::new(config(max, min)).expect_err("out of range");
    assert_eq!(error(15, 1), ChunkConfigError::MaxTokens(15));
    assert_eq!(error(20, 21), ChunkConfigError::MinTokens { min: 21, max: 20 });
    let typo: Result<ChunkConfig, _> = serde_json::from_str(r#"{ "max_token": 1 }"#);
    assert!(typo.is_err());
}

#[test]
fn every_option_is_in_the_fingerprint() {
    let fingerprint = |config| Chunking::new(config).expect("valid").fingerprint();
    let all = [
        ChunkConfig::default(),
        config(301, 32),
        config(300, 31),
        ChunkConfig { header: Header::Scope, ..ChunkConfig::default() },
        ChunkConfig { header: Header::None, ..ChunkConfig::default() },
    ]
    .map(fingerprint);
    for (i, a) in all.iter().enumerate() {
        assert!(all[i + 1..].iter().all(|b| a != b));
    }
}

/// The lines that a definition lies on, and whether it shares the first with others.
fn lines_of(syntax: &Syntax, index: usize) -> (std::ops::Range<usize>, bool) {
    let text: &str = &syntax.content.text;
    let definition = &syntax.definitions[index];
    let start = definition.extent_start as usize;
    let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let end = definition.span.end_byte as usize;
    let until = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
    (line..until, !text[line..start].trim().is_empty())
}

#[test]
fn definitions_that_fit_stay_whole() {
    for (path, text) in samples() {
        for max in [24, 60, 150, 1000] {
            let chunked = chunk(&config(max, 16), &path, &text);
            for (index, definition) in chunked.syntax.definitions.iter().enumerate() {
                let (lines, shared) = lines_of(&chunked.syntax, index);
                // White space counts by its runs: leave room for one that a cut splits.
                let fits = estimate_tokens(&text[lines.clone()]) < max;
                if !fits || shared || definition.kind == DefinitionKind::Module {
                    continue;
                }
                let whole = chunked.chunks.iter().any(|chunk| {
                    let bytes = chunk.span.bytes();
                    bytes.start <= lines.start && definition.span.end_byte as usize <= bytes.end
                });
                assert!(whole, "{path}: `{}` was cut at {max}\n{}", definition.qualified_name, table(&chunked));
            }
        }
    }
}

/// An edit of a text: where, how much is removed, what is put there.
fn edit() -> impl Strategy<Value = (Index, Index, String)> {
    let tokens = select(vec![
        "{", "}", "(", ")", "\"", "'", "/*", "*/", "//", "#", "\n", "    ", "é", "麦", "\r\n", "\u{feff}", "\0",
    ]);
    let inserted = prop_oneof![tokens.prop_map(str::to_owned), "[ -~\n]{0,40}", "\\PC{0,8}"];
    (any::<Index>(), any::<Index>(), inserted)
}

fn apply(text: &mut String, (at, length, inserted): &(Index, Index, String)) {
    let at = text.floor_char_boundary(at.index(text.len() + 1));
    let end = text.floor_char_boundary(at + length.index((text.len() - at + 1).min(60)));
    text.replace_range(at..end.max(at), inserted);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chunks_cover_any_text(text in "\\PC*|[ -~\\n\\t]*|(\\PC|\\n){0,400}", max in 16_u32..80, path in select(vec!["a.txt", "a.rs", "a.py", "a.md", "a.hs", "a"])) {
        chunk(&config(max, max / 4), path, &text);
    }

    #[test]
    fn chunks_cover_broken_code(sample in any::<Index>(), edits in prop::collection::vec(edit(), 1..8), max in 16_u32..200) {
        let samples = samples();
        let (path, text) = sample.get(&samples);
        let mut text = text.clone();
        for edit in &edits {
            apply(&mut text, edit);
        }
        let syntax = parse(path, &text);
        check_invariants(&syntax);
        chunk_syntax(&config(max, max / 4), syntax);
    }
}
