//! The Tantivy store: one document per chunk, found by BM25 over code-aware tokens.
//!
//! ```text
//! add ─► documents ─► [Tantivy's queue] ─► worker: tokens, postings ─► segment files
//! remove ─► terms to delete ──────┐                                        │
//!                                 └──► stage: commit, merge, flush, write meta.<epoch>.json
//!                                         │
//!                                      publish: replace meta.json by it
//! ```
//!
//! Segment files are never changed, so an epoch is the list of files in its
//! `meta.<epoch>.json`: the token names that file, and a reader opens the index by it.
//! The text of a chunk is indexed but not stored: a hit's row and ordinal identify the row of
//! `chunks` in a Lance store, and its bytes the place in the source file. Extra columns are not
//! indexed.

mod collect;
mod digest;
mod directory;
mod document;
mod glob;
mod options;
mod query;
mod reader;
mod sink;
pub mod tokenizer;
mod writer;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use options::SearchOptions;
pub use query::has_words;
pub use reader::{ChunkHit, RowHit, TantivyReader};

/// How the Tantivy store writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TantivyConfig {
    /// Bytes of postings that all threads together buffer before they write a segment; at least
    /// 15 MB for each thread. More than an eighth of the job's `memory_limit` counts as that.
    pub writer_memory: usize,
    /// Indexing threads, between 1 and 8. Each writes one segment or more per epoch.
    pub threads: usize,
    /// Maximum segments; an epoch that exceeds it merges the small ones.
    pub max_segments: usize,
    /// Whether staged files are flushed to the disk. Without it a power cut (though no
    /// crash of the process) can lose epochs that were committed.
    pub sync: bool,
}

impl Default for TantivyConfig {
    fn default() -> Self {
        Self { writer_memory: 64_000_000, threads: 1, max_segments: 10, sync: true }
    }
}
