//! The graph, its types and check, the executors, the Merkle tree, the fact plane and
//! the commit protocol. This crate knows no language, no model and no store.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod diagnostic;
mod execute;
pub mod failpoint;
pub mod graph;
mod hash;
pub mod incremental;
pub mod index;
mod measure;
pub mod merkle;
mod nearest;
mod operator;
mod path;
pub mod port;
pub mod run;
mod sink;
pub mod source;
mod view;

pub use diagnostic::{Diagnostic, Severity};
pub use execute::Mode;
pub use graph::Graph;
pub use hash::{ChunkHash, ContentHash, Fingerprint, Hash, Key};
pub use measure::{Meters, Percentiles, StageMeter, StageReport, resident_memory};
#[doc(hidden)]
pub use nearest::nearest;
pub use operator::{Batch, BatchSize, Emitter, ErasedOperator, Operator, OperatorError, TokenCount};
pub use path::RelPath;
pub use sink::{
    Analysis, Epoch, EpochMeta, FactStore, Record, RecordChunks, RowId, Sink, SinkContext, SinkError, StagedRows,
    StoredFacts, StoredVectors, Token, row_key,
};
pub use view::{ViewColumn, ViewDelta, ViewRow, ViewSchema, ViewType, ViewValue};
