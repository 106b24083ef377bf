//! Parsing in tests. The integration tests include this file too, so it sees the crate from
//! outside.

use std::sync::Arc;

use gristmill_operators::parse::{Parse, ParseConfig};
use gristmill_pipeline::port::{Content, FileItem, NO_DEFINITION, Span, Syntax, Text};
use gristmill_pipeline::source::Origin;
use gristmill_pipeline::{Batch, ContentHash, Diagnostic, Emitter, Extras, Operator, RelPath};

/// Returns a content as the hash stage makes it.
fn content(path: &str, text: &str) -> Arc<Content> {
    let content_hash = ContentHash::of(text.as_bytes());
    let path = RelPath::from(path);
    let file = FileItem { path, origin: Origin::File("".into()), bytes: text.len() as u64, content_hash, variant: "" };
    let extras = Extras::default();
    Arc::new(Content { file: Arc::new(file), text: Text::new(text), content_hash, encoding: "UTF-8", extras })
}

/// Parses a text that is the file at `path`, and checks what holds for every text.
pub fn parse_with(config: ParseConfig, path: &str, text: &str) -> (Arc<Syntax>, Vec<Diagnostic>) {
    let mut out = Emitter::new("parse".into());
    Parse::new(config).process(Batch(vec![content(path, text)]), &mut out).expect("parsing never fails");
    let (mut items, diagnostics) = out.into_parts();
    let syntax = items.pop().expect("one syntax for one content");
    check_invariants(&syntax);
    (syntax, diagnostics.into_iter().map(|(_, diagnostic)| diagnostic).collect())
}

/// As [`parse_with`], in the default configuration.
pub fn parse(path: &str, text: &str) -> Arc<Syntax> {
    parse_with(ParseConfig::default(), path, text).0
}

/// Asserts what holds for every text.
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
        check_references(syntax);
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

/// Asserts what holds for the references and imports of every text.
fn check_references(syntax: &Syntax) {
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
