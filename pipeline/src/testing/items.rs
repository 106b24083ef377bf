//! Items for testing one operator or sink, and a way to run an operator on them.

use std::sync::Arc;

use gristmill_ids::{Hash, PassageKey};

use crate::extra::Extras;
use crate::operator::{Batch, Emitter, Operator};
use crate::port::{Content, FileItem, Header, Passage, Syntax, Text};
use crate::sink::{Analysis, Record};
use crate::source::Origin;

/// A file with this text, as the read stage outputs it.
#[must_use]
pub fn content(path: &str, text: &str) -> Arc<Content> {
    let content_hash = Hash::of(text.as_bytes());
    let (origin, bytes) = (Origin::File(path.into()), text.len() as u64);
    let file = Arc::new(FileItem { path: path.into(), origin, bytes, content_hash, variant: "" });
    Arc::new(Content { file, text: Text::new(text), content_hash, encoding: "UTF-8", extras: Extras::default() })
}

/// A file with this text and no definitions, as the parse stage outputs it.
#[must_use]
pub fn syntax(path: &str, text: &str) -> Arc<Syntax> {
    Arc::new(Syntax {
        content: content(path, text),
        language: "text",
        lines: text.lines().count() as u32,
        definitions: Vec::new(),
        references: Vec::new(),
        imports: Vec::new(),
        blocks: Vec::new(),
        extras: Extras::default(),
    })
}

/// A passage with this text and no header, as the embed stage takes it.
#[must_use]
pub fn passage(text: &str) -> Arc<Passage> {
    Arc::new(Passage {
        key: PassageKey::from(&Hash::of(text.as_bytes())),
        header: Header::None,
        path: "a.txt".into(),
        scope: "".into(),
        symbol: "".into(),
        context: "".into(),
        text: Text::new(text),
        tokens: 1,
    })
}

/// The record of a file without definitions, for a sink that takes no chunks.
#[must_use]
pub fn record(path: &str, text: &str) -> Record {
    let analysis = Analysis {
        content_hash: Hash::of(text.as_bytes()),
        language: "text".into(),
        bytes: text.len() as u64,
        lines: text.lines().count() as u32,
        text: Text::new(text),
        definitions: Vec::new(),
        references: Vec::new(),
        imports: Vec::new(),
        diagnostics: Vec::new(),
        extras: Extras::default(),
    };
    Record { path: path.into(), analysis: Arc::new(analysis), chunks: None }
}

/// Runs an operator on these items and returns its output.
///
/// # Panics
/// If the operator returns an error.
pub fn outputs<O: Operator>(operator: &O, items: impl IntoIterator<Item = O::In>) -> Vec<O::Out> {
    let mut out = Emitter::new(operator.name().into());
    operator.process(Batch(items.into_iter().collect()), &mut out).expect("the operator works");
    out.into_parts().0
}
