//! Chunks, and the passages that an embedder sees.

use std::sync::Arc;

use gristmill_ids::{ChunkHash, Hash, PassageKey};

use super::{Span, Syntax, Text};
use crate::extra::{ExtraValue, Extras};
use crate::path::RelPath;

/// A stretch of a file, and what is known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Where it lies. The chunks that a chunker gives cover the file in order, without gap or
    /// overlap; operators after it may drop some.
    pub span: Span,
    /// The kind of the definition it holds (see
    /// [`DefinitionKind::as_str`](super::DefinitionKind::as_str)), `code` where it holds
    /// several or a part of one, `text` where the file has no grammar.
    pub kind: &'static str,
    /// The name of the definition it holds or belongs to; empty if none.
    pub symbol: Box<str>,
    /// The qualified name of what surrounds it; empty at the top of a file.
    pub scope: Box<str>,
    /// About how many tokens of a model it has, by the chunk stage's measure.
    pub tokens: u32,
    /// BLAKE3 of scope, symbol, [context](Self::context) and text (see
    /// [`Header::body_hash`]).
    pub body_hash: Hash,
    /// Values of [extra columns](crate::ExtraColumn).
    pub extras: Extras,
}

/// The extra column of chunks whose text the embedder sees before the chunk's own. An operator
/// declares it like any other column, and sets it with [`Chunk::set_context`].
pub const CONTEXT: &str = "context";

impl Chunk {
    /// What the embedder sees before the chunk's text, beside the header: the value of the
    /// extra column [`CONTEXT`]. Empty if it has none.
    #[must_use]
    pub fn context(&self) -> &str {
        match self.extras.get(CONTEXT) {
            Some(ExtraValue::Text(context)) => context,
            _ => "",
        }
    }

    /// Sets [`context`](Self::context), and the body hash that follows from it. `text` is the
    /// text of the chunk, and `header` that of its chunker. An empty context removes it.
    ///
    /// The context must not depend on the path: files with equal content share their chunks.
    pub fn set_context(&mut self, context: &str, header: Header, text: &str) {
        if context.is_empty() {
            self.extras.remove(CONTEXT);
            self.body_hash = header.body_hash(&self.scope, &self.symbol, text);
            return;
        }
        self.extras.set(CONTEXT, context);
        self.body_hash = Hash::of_parts([
            header.body_hash(&self.scope, &self.symbol, text).as_bytes().as_slice(),
            context.as_bytes(),
        ]);
    }
}

/// A content cut into chunks; the item that a chunk stage gives.
#[derive(Debug)]
pub struct Chunked {
    /// The text and its definitions.
    pub syntax: Arc<Syntax>,
    /// The chunks, in the order of the text; see [`Chunk::span`].
    pub chunks: Vec<Chunk>,
}

/// What of a chunk's path stands in its header.
///
/// A header that holds the path helps quality, and makes a rename embed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Header {
    /// Path, scope and symbol.
    Path,
    /// Scope and symbol only: a rename embeds nothing.
    Scope,
    /// No header.
    None,
}

impl Header {
    /// The part of the header that depends on the path.
    #[must_use]
    pub fn path_part(self, path: &RelPath) -> &str {
        match self {
            Self::Path => path.as_str(),
            Self::Scope | Self::None => "",
        }
    }

    /// The hash of all that the embedder sees of a chunk but the path.
    #[must_use]
    pub fn body_hash(self, scope: &str, symbol: &str, text: &str) -> Hash {
        match self {
            Self::Path | Self::Scope => Hash::of_parts([scope.as_bytes(), symbol.as_bytes(), text.as_bytes()]),
            Self::None => Hash::of_parts([text.as_bytes()]),
        }
    }

    /// The hash of all that the embedder sees of a chunk.
    ///
    /// It is computed from hashes alone, so that a rename needs no text.
    #[must_use]
    pub fn chunk_hash(self, path: &RelPath, body_hash: &Hash) -> ChunkHash {
        Hash::of_parts([self.path_part(path).as_bytes(), body_hash.as_bytes()])
    }

    /// Writes what the embedder sees: path, then scope and symbol, then the text.
    pub fn write_passage(self, path: &str, scope: &str, symbol: &str, text: &str, out: &mut String) {
        if self == Self::Path {
            out.push_str(path);
            out.push('\n');
        }
        if self != Self::None && !(scope.is_empty() && symbol.is_empty()) {
            out.push_str(scope);
            if !scope.is_empty() && !symbol.is_empty() {
                out.push(' ');
            }
            out.push_str(symbol);
            out.push('\n');
        }
        out.push_str(text);
    }
}

/// A chunk that needs a vector; the item that an embed stage takes.
#[derive(Clone, Debug)]
pub struct Passage {
    /// Names the vector.
    pub key: PassageKey,
    /// What of the path the header holds.
    pub header: Header,
    /// The file it comes from.
    pub path: RelPath,
    /// See [`Chunk::scope`].
    pub scope: Box<str>,
    /// See [`Chunk::symbol`].
    pub symbol: Box<str>,
    /// See [`Chunk::context`].
    pub context: Box<str>,
    /// The chunk's text.
    pub text: Text,
    /// See [`Chunk::tokens`].
    pub tokens: u32,
}

impl Passage {
    /// The passage of a chunk in a file at `path` that holds `text`. `hash` is the
    /// [hash of the chunk](Header::chunk_hash) there.
    #[must_use]
    pub fn of(chunk: &Chunk, path: &RelPath, text: &Text, header: Header, hash: &ChunkHash) -> Self {
        Self {
            key: PassageKey::from(hash),
            header,
            path: path.clone(),
            scope: chunk.scope.clone(),
            symbol: chunk.symbol.clone(),
            context: chunk.context().into(),
            text: text.slice(chunk.span.bytes()).unwrap_or_else(|| Text::new("")),
            tokens: chunk.tokens,
        }
    }

    /// Appends what the embedder sees.
    pub fn write_to(&self, out: &mut String) {
        if self.context.is_empty() {
            self.header.write_passage(self.path.as_str(), &self.scope, &self.symbol, &self.text, out);
        } else {
            self.header.write_passage(self.path.as_str(), &self.scope, &self.symbol, &self.context, out);
            out.push('\n');
            out.push_str(&self.text);
        }
    }
}
