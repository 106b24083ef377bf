//! The query runner: many questions at once, each answered from one epoch, while the next is
//! being written.
//!
//! ```text
//! Request ─► Runner ─► QueriedIndex ─(atomic pointer)─► OpenEpoch ─► Tantivy searcher
//!              │                                            ├─────► tables in memory (rows)
//!              └─► calls, each on a thread: Tool::answer ◄──┘     └─ Lance at its version
//! ```
//!
//! A [`Tool`] is a question with its answer; the same tools are reached from Rust, from the
//! command line, over HTTP and over MCP. [`OpenEpoch`] is what they ask: nothing in it
//! changes, so that no lock is taken to read it. This crate knows no tool: a [`Runner`] is
//! given a [`ToolSet`], which `gristmill-tools` fills and any program can extend.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod answered;
mod blocking;
mod call;
mod epoch;
mod erased_query;
mod error;
mod index;
mod observer;
pub mod past;
mod request;
mod rows;
mod runner;
mod snapshot;
mod threads;
mod tool;
mod tool_set;

pub use answered::Answered;
pub use blocking::BlockingRunner;
pub use call::{Call, DEFAULT_DEADLINE, new_request};
pub use epoch::{OpenEpoch, Tables, Visible};
pub use erased_query::ErasedQuery;
pub use error::{ErrorCode, ToolError};
pub use index::QueriedIndex;
pub use observer::CallObserver;
pub use request::{AnswerOrError, Coverage, Note, Outcome, Place, Request, Response, ToolCall};
pub use rows::{
    ChunkRows, Counted, EdgeRows, FileRows, ImportRows, Near, OfFile, ReferenceRows, Row, Run, SymbolRows, TableRows,
    VectorRows, all, at as row_at, find, nearest, nearness, runs,
};
pub use runner::{MOST_CALLS, Runner, default_threads};
pub use snapshot::{Snapshot, SnapshotError};
pub use tool::{At, ErasedTool, Tool, in_range};
pub use tool_set::ToolSet;
