//! The graph, its types and check, the executors, the Merkle tree, the fact plane and
//! the commit protocol. This crate knows no language, no model and no store.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod diagnostic;
mod hash;
mod operator;
mod path;
pub mod port;
mod sink;

pub use diagnostic::{Diagnostic, Severity};
pub use hash::{ChunkHash, ContentHash, Fingerprint, Hash, Key};
pub use operator::{Batch, BatchSize, Emitter, ErasedOperator, Operator, OperatorError};
pub use path::RelPath;
pub use sink::{
    Analysis, Epoch, EpochMeta, FactStore, Record, RecordChunks, Sink, SinkContext, SinkError, StagedRows, StoredChunk,
    Token,
};
