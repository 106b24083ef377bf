//! The graph, its types and check, the executors, the Merkle tree, the fact plane and
//! the commit protocol. This crate knows no language, no model and no store.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod diagnostic;
mod execute;
mod extra;
pub mod failpoint;
pub mod graph;
pub mod index;
mod interrupt;
mod measure;
pub mod merkle;
mod nearest;
mod operator;
mod origin;
mod past_files;
mod path;
pub mod port;
pub mod run;
mod semaphore;
mod sink;
pub mod source;
pub mod testing;
mod trace;
pub mod trace_context;

pub use diagnostic::{Diagnostic, Severity};
pub use execute::{Mode, StandaloneStage};
pub use extra::{ExtraColumn, ExtraOwner, ExtraType, ExtraValue, Extras};
pub use graph::Graph;
pub use gristmill_ids::{
    ChunkHash, ChunkKey, ChunkLaneId, ContentHash, ContentKey, EmbedLaneId, Epoch, Fingerprint, Hash, Key, NameKey,
    PassageKey, PathKey, RowKey, StageId,
};
pub use gristmill_plane as plane;
pub use gristmill_views as views;
pub use gristmill_views::{View, ViewColumn, ViewDelta, ViewRow, ViewSchema, ViewType, ViewValue};
pub use index::Depth;
pub use measure::{Meters, Percentiles, StageMeter, StageReport, resident_memory};
#[doc(hidden)]
pub use nearest::nearest;
pub use operator::{
    AnswerLog, AnyOperator, Batch, BatchSize, Chunker, Declared, Embedder, Emitter, ErasedChunker, ErasedEmbedder,
    ErasedOperator, ErasedParser, ErasedVectorMap, ModuleName, ModulePlace, ModuleUnit, NamedPlace, Operator,
    OperatorConfig, OperatorConfigError, OperatorError, Parser, RolePorts, TokenCount, VectorMap, contained,
    is_contained,
};
pub use past_files::PastFiles;
pub use path::RelPath;
#[doc(hidden)]
pub use semaphore::{Permit, Semaphore};
pub use sink::{
    Analysis, EpochMeta, EpochWriter, FactForm, FactStore, Published, Record, RecordChunks, RowId, Salvaged, Sink,
    SinkConfig, SinkConfigError, SinkContext, SinkError, StagedEpoch, StagedRows, StoredFacts, StoredVectors, Token,
    row_key,
};
pub use trace::{Trace, TraceKind, TraceLevel, TraceSpan};
