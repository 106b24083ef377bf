//! The chunk operator: cuts parsed texts into the chunks that are indexed and embedded.
//!
//! ```text
//! text ─► atoms (lines with token counts) ─► pieces (along the blocks) ─► chunks (with labels)
//! ```
//!
//! Chunks cover the text in order, without gap or overlap, and have at most `max_tokens` tokens
//! each. A definition that fits is kept whole, together with its documentation and attributes. A
//! larger one is cut between the blocks inside it, or between lines where it has none. Small
//! neighbouring definitions share a chunk. Takes time linear in the text.

mod atoms;
mod label;
mod pieces;

use std::path::Path;
use std::sync::Arc;

use gristmill_pipeline::port::{Chunk, Chunked, Header, Span, Syntax};
use gristmill_pipeline::{Batch, Chunker, Emitter, Extras, Fingerprint, Hash, Operator, OperatorError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::atoms::Atoms;
use self::label::label;
use gristmill_pipeline::{OperatorConfig, OperatorConfigError};

pub use self::atoms::estimate_tokens;

/// Must be raised by every change that cuts the same syntax into other chunks.
const VERSION: &str = "1";

/// The minimum of `max_tokens`: chunks below it are too short to search.
const MIN_MAX_TOKENS: u32 = 16;

/// Configuration of [`Chunking`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChunkConfig {
    /// Maximum number of tokens in a chunk, by [`estimate_tokens`]. Must be at least 16.
    ///
    /// 300 tokens are about 1,000 bytes of code and keep most functions whole (measured: 70 %
    /// in large Rust crates, 88 % in Python packages); the mean chunk then has about 150.
    /// Embeddings gain little beyond 128 tokens; larger chunks keep a function in one search
    /// result.
    pub max_tokens: u32,
    /// Minimum number of tokens for a definition to get a chunk of its own; smaller neighbours
    /// share one. Must be at most `max_tokens`.
    pub min_tokens: u32,
    /// The header that is put before a chunk's text when it is embedded.
    #[schemars(with = "HeaderName")]
    pub header: Header,
}

/// The values of [`Header`], for the schema.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
enum HeaderName {
    /// Path, scope and symbol: the best search quality, but a renamed file is embedded again.
    Path,
    /// Scope and symbol only: a renamed file is not embedded again.
    Scope,
    /// No header.
    None,
}

impl Default for ChunkConfig {
    fn default() -> Self {
        Self { max_tokens: 300, min_tokens: 32, header: Header::Path }
    }
}

/// A chunk configuration with a value out of range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkConfigError {
    /// `max_tokens` is too small.
    #[error("`max_tokens` must be at least {MIN_MAX_TOKENS}, got {0}; the default is 300")]
    MaxTokens(u32),
    /// `min_tokens` is greater than `max_tokens`.
    #[error("`min_tokens` must be at most `max_tokens` = {max}, got {min}; the default is 32")]
    MinTokens {
        /// The value of `min_tokens`.
        min: u32,
        /// The value of `max_tokens`.
        max: u32,
    },
}

impl ChunkConfigError {
    /// Returns the parameter that is out of range.
    #[must_use]
    pub const fn parameter(&self) -> &'static str {
        match self {
            Self::MaxTokens(_) => "max_tokens",
            Self::MinTokens { .. } => "min_tokens",
        }
    }
}

impl OperatorConfig for ChunkConfig {
    type Operator = Chunking;

    const NAME: &'static str = "chunk";

    fn build(&self, _folder: &Path) -> Result<Chunking, OperatorConfigError> {
        Chunking::new(self.clone()).map_err(|error| OperatorConfigError::of(error.parameter(), error))
    }
}

/// Cuts parsed texts into chunks.
#[derive(Debug)]
pub struct Chunking {
    config: ChunkConfig,
    fingerprint: Fingerprint,
}

impl Chunking {
    /// Returns a chunk operator with that configuration.
    ///
    /// # Errors
    /// If a limit is out of range.
    pub fn new(config: ChunkConfig) -> Result<Self, ChunkConfigError> {
        let (min, max) = (config.min_tokens, config.max_tokens);
        if max < MIN_MAX_TOKENS {
            return Err(ChunkConfigError::MaxTokens(max));
        }
        if min > max {
            return Err(ChunkConfigError::MinTokens { min, max });
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
