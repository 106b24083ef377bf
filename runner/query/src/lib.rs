//! The query runner: answers concurrent tool calls, each request from one epoch, while the next
//! epoch is being written.
//!
//! ```text
//! Request ─► Runner ─► QueriedIndex ─(atomic pointer)─► OpenEpoch ─► Tantivy searcher
//!              │                                            ├─────► tables in memory (rows)
//!              └─► calls, each on a thread: Tool::answer ◄──┘     └─ Lance at a pinned version
//! ```
//!
//! A [`Tool`] is a typed query with its answer, which Rust, the command line, HTTP and MCP share.
//! Tools read an [`OpenEpoch`], which is immutable, so that reads take no locks. This crate has no
//! tools: a [`Runner`] gets a [`ToolSet`], which `gristmill-tools` fills and any program can
//! extend.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod answered;
mod answers;
mod blocking;
mod call;
mod epoch;
mod erased_query;
mod erased_tool;
mod error;
mod index;
mod lazy;
mod observer;
pub mod past;
mod paths;
mod quote;
mod request;
mod rows;
mod runner;
mod snapshot;
mod threads;
mod tool;
mod tool_set;

pub use answered::Answered;
pub use blocking::BlockingRunner;
pub use call::{CallContext, DEFAULT_DEADLINE, new_request};
pub use epoch::{OpenEpoch, Tables, VectorScan, Visible};
pub use erased_query::ErasedQuery;
pub use erased_tool::ErasedTool;
pub use error::{ErrorCode, ToolError};
pub use index::QueriedIndex;
pub use observer::CallObserver;
pub use paths::{did_you_mean, relative_path};
pub use quote::quote;
pub use request::{
    AnswerContext, AnswerNote, AnswerOrError, Coverage, Outcome, Request, RequestOptions, Response, ToolCall,
};
pub use rows::{
    ChunkRows, EdgeRows, ExtraValues, FileRows, ImportRows, NearestRow, Numbered, OfFile, ReferenceRows, Row, Run,
    SymbolRows, TableRows, VectorRows, all, at as row_at, find, nearest, runs, scorer,
};
pub use runner::{Load, MAX_CALLS, Runner, default_threads};
pub use snapshot::{Snapshot, SnapshotError};
pub use tool::{Tool, ToolContext, in_range};
pub use tool_set::ToolSet;
