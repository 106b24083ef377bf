//! The chunk operator: a parsed text to the passages that are indexed and embedded.
//!
//! ```text
//! text ─► atoms (lines, with token counts) ─► pieces (along the blocks) ─► chunks (labelled)
//! ```
//!
//! Chunks cover the text in order, without gap or overlap; none has more tokens than
//! the budget. A definition stays whole, with its documentation and attributes, while
//! it fits; a larger one is cut between the blocks inside it, and where there are none
//! between lines. Small neighbours share a chunk. All of it is linear in the text.

mod atoms;
mod label;
mod pieces;

use std::sync::Arc;

use gristmill_pipeline::port::{Chunk, Chunked, Header, Span, Syntax};
use gristmill_pipeline::{Batch, Chunker, Emitter, Extras, Fingerprint, Hash, Operator, OperatorError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::atoms::Atoms;
use self::label::label;

pub use self::atoms::estimate_tokens;

/// Raised by every change that lets the same syntax give other chunks.
const VERSION: &str = "1";

/// The least budget: below it, chunks would be scraps.
const LEAST_TOKENS: u32 = 16;

/// Configuration of the chunk operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChunkConfig {
    /// No chunk has more tokens than this, by [`estimate_tokens`]; at least 16.
    ///
    /// 300 is about 1,000 bytes of code, and keeps most functions whole (measured: 70 %
    /// in large Rust crates, 88 % in Python packages); the mean chunk then has some 150.
    /// Embedders gain little beyond 128 tokens; past that, a function is kept whole so
    /// that it is found, and shown, as one.
    pub max_tokens: u32,
    /// A definition of at least this many tokens has a chunk of its own; smaller
    /// neighbours share one.
    pub min_tokens: u32,
    /// What stands before a chunk's text in what is embedded.
    #[schemars(with = "HeaderName")]
    pub header: Header,
}

/// The names of [`Header`], for the schema.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
enum HeaderName {
    /// Path, scope and symbol: the best quality, but a renamed file is embedded again.
    Path,
    /// Scope and symbol only.
    Scope,
    /// Nothing.
    None,
}

impl Default for ChunkConfig {
    fn default() -> Self {
        Self { max_tokens: 300, min_tokens: 32, header: Header::Path }
    }
}

/// A chunk configuration that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkConfigError {
    /// The budget is too small.
    #[error("chunk: `max_tokens` = {0} is too small for a passage; set it to 16 or more (the default is 300)")]
    Budget(u32),
    /// A definition would have to stand alone and could not.
    #[error("chunk: `min_tokens` = {min} exceeds `max_tokens` = {max}; lower it (the default is 32)")]
    Order {
        /// `min_tokens`
        min: u32,
        /// `max_tokens`
        max: u32,
    },
}

/// Cuts parsed texts into chunks.
#[derive(Debug)]
pub struct Chunking {
    config: ChunkConfig,
    fingerprint: Fingerprint,
}

impl Chunking {
    /// A chunk operator of that configuration.
    ///
    /// # Errors
    /// If the limits contradict each other.
    pub fn new(config: ChunkConfig) -> Result<Self, ChunkConfigError> {
        let (min, max) = (config.min_tokens, config.max_tokens);
        if max < LEAST_TOKENS {
            return Err(ChunkConfigError::Budget(max));
        }
        if min > max {
            return Err(ChunkConfigError::Order { min, max });
        }
        let header: &[u8] = match config.header {
            Header::Path => b"path",
            Header::Scope => b"scope",
            Header::None => b"none",
        };
        let parts = [b"chunk".as_slice(), VERSION.as_bytes(), &max.to_le_bytes(), &min.to_le_bytes(), header];
        let fingerprint = Hash::of_parts(parts);
        Ok(Self { config, fingerprint })
    }

    /// Cuts one text.
    fn chunks(&self, syntax: &Syntax) -> Vec<Chunk> {
        let text: &str = &syntax.content.text;
        let atoms = Atoms::of(text, self.config.max_tokens);
        let pieces = pieces::cut(syntax, &atoms, self.config.max_tokens, self.config.min_tokens);
        let chunk = |piece: &pieces::Piece| {
            let (kind, symbol, scope) = label(syntax, piece);
            let span = Span {
                start_byte: atoms.start(piece.from),
                end_byte: atoms.start(piece.to),
                start_line: atoms.line(piece.from),
                end_line: atoms.line(piece.to.saturating_sub(1)),
            };
            let body = text.get(span.bytes()).unwrap_or_default();
            let body_hash = self.config.header.body_hash(&scope, &symbol, body);
            let tokens = atoms.tokens(piece.from, piece.to);
            Chunk { span, kind, symbol, scope, tokens, body_hash, extras: Extras::default() }
        };
        pieces.iter().map(chunk).collect()
    }
}

impl Operator for Chunking {
    type In = Arc<Syntax>;
    type Out = Arc<Chunked>;

    fn name(&self) -> &str {
        "chunk"
    }

    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
        for syntax in batch {
            let chunks = self.chunks(&syntax);
            out.emit(Arc::new(Chunked { syntax, chunks }));
        }
        Ok(())
    }
}

impl Chunker for Chunking {
    fn header(&self) -> Header {
        self.config.header
    }
}
