//! The sinks of gristmill: Lance tables, a Tantivy index and Arrow IPC files.
//!
//! Each is built by its configuration type, which implements
//! [`SinkConfig`](gristmill_pipeline::SinkConfig): an epoch is staged out of sight, then
//! published under a token. Opening a store at a token rolls back whatever was published
//! later. Stores that are searched have a reader, which opens a folder at a token and keeps
//! seeing that epoch while the next is being written.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod arrow_ipc;
mod durable;
pub mod lance;
mod registration;
mod sink_error;
pub mod tables;
pub mod tantivy;

pub use arrow_ipc::ArrowConfig;
pub use lance::{LanceConfig, LanceReader};
pub use registration::{SinkRegistry, register};
pub use tantivy::{TantivyConfig, TantivyReader};
