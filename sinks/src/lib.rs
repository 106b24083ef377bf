//! The stores: Lance tables, a Tantivy index and Arrow IPC files.
//!
//! Each is a [`Sink`](gristmill_pipeline::Sink): an epoch is staged out of sight, then
//! published under a token, and what was published later than a token can be rolled back
//! to it. Each store that is read has a reader that opens a folder at a token, so that
//! it sees one epoch while the next is being written.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod arrow_ipc;
mod durable;
mod failure;
pub mod lance;
mod registry;
pub mod tables;
pub mod tantivy;

pub use arrow_ipc::{ArrowConfig, ArrowSink};
pub use lance::{LanceConfig, LanceReader, LanceSink};
pub use registry::{KINDS, accepted_ports, build, config_schema, form, retain};
pub use tantivy::{TantivyConfig, TantivyReader, TantivySink};
