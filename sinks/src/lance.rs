//! The Lance store: one table per kind of row, each a Lance dataset of its own.
//!
//! ```text
//! add ─► rows ─► record batches ─► [bounded channel] ─► Lance encodes and writes fragments
//!                                                                     │
//! remove ─► row addresses ─► deletion files ──────────► stage ◄───────┘   flushed to disk, in no manifest
//!                                                         │
//!                                                      publish            one manifest per changed table
//! ```
//!
//! Each table goes through the steps of an epoch by value, as its store does:
//!
//! ```text
//! TableLayout ──open──► StoredTable ──begin──► TableWriter ──stage──► StagedTable ──publish──► PublishedTable
//!                            ▲                                                                     │
//!                            └───────────────────────────────settle────────────────────────────────┘
//! ```
//!
//! The token names the version of each table, and the key runs that find its rows (see
//! `keys.rs`): `{"files": {"version": 3, "rows": 17, "keys": ["rows-1-3.run",
//! "contents-1-3.run"]}, "chunks": {…}, …}`. A table that an epoch does not change keeps its
//! version. A table whose newest version is newer than the token's is rolled back by a
//! version that restores the token's, so that what readers pinned stays as it is.
//!
//! Rows that an epoch deletes stay in older versions of their table for as long as one of
//! these is [retained](gristmill_pipeline::SinkConfig::retain), and the key runs say in
//! which: a branch that is checked out again is recalled from there.

mod blocking;
mod chunk_text;
mod deletions;
mod digest;
mod epoch;
mod error;
mod fact_store;
mod items;
mod join;
mod keys;
mod layout;
mod load;
mod location;
mod metric;
mod nearest;
mod past;
mod publish;
mod reader;
mod recall;
mod resident;
mod retain;
mod salvage;
mod sink;
mod stage;
mod stored_facts;
mod table;
mod table_writer;
mod take;
mod token;
mod vector_index;
mod vector_state;
mod writer;
mod written;

use lance::session::Session;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::tables::VectorForm;
pub use metric::{Nearness, VectorMetric, product_of_bytes};
pub use nearest::NearChunk;
pub use reader::{ChunkLocator, ChunkVectors, LanceReader};
pub use resident::{Resident, RowFiles, Segment};
pub use salvage::damaged_key_runs;
pub use vector_index::{VectorIndexConfig, VectorIndexKind};

/// How the Lance store writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LanceConfig {
    /// Rows that are buffered before they are handed to Lance.
    pub batch_rows: usize,
    /// Bytes that are buffered before they are handed to Lance. Each table holds at most three
    /// times as much: one batch being filled, one waiting, one being written.
    pub batch_bytes: usize,
    /// Maximum rows of one data file.
    pub max_rows_per_file: usize,
    /// Maximum fragments of a table; an epoch that exceeds it joins the small ones.
    pub max_fragments: usize,
    /// Whether staged files are flushed to the disk. Without it a power cut (though no
    /// crash of the process) can lose epochs that were committed.
    pub sync: bool,
    /// How vectors are stored. Changing it rebuilds the index.
    pub vectors: VectorForm,
    /// The approximate index over the vectors of a large table.
    pub vector_index: VectorIndexConfig,
}

impl Default for LanceConfig {
    fn default() -> Self {
        Self {
            batch_rows: 4096,
            batch_bytes: 8 << 20,
            max_rows_per_file: 1 << 20,
            max_fragments: 64,
            sync: true,
            vectors: VectorForm::default(),
            vector_index: VectorIndexConfig::default(),
        }
    }
}

/// Caches for one store, far smaller than Lance's defaults: a process may open many stores, and
/// rows are not cached here anyway.
fn session() -> Session {
    Session::new(64 << 20, 64 << 20, std::sync::Arc::default())
}
