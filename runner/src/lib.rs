//! Indexes source code: jobs, their configuration, and the commands over them.
//!
//! [`config::load`] reads a job file and builds the checked graph; the modules under
//! [`commands`] are what the binary runs.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod cli;
pub mod commands;
pub mod config;
pub mod eval;
mod exit;
mod past;
mod percentile;
mod plan;
pub mod progress;
pub mod query;
pub mod search;
pub mod serve;
pub mod snapshot;
mod summary;
pub mod table;
pub mod terminal;

pub use commands::CommandError;
pub use exit::Exit;
