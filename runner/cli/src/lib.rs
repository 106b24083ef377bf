//! The `gristmill` command line: one module per command under [`commands`]. Jobs, queries, tools and
//! the server are separate crates.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod cli;
pub mod commands;
mod diagnostic;
mod exit;
mod failure;
mod panics;
pub mod progress;
mod report_file;
mod signals;
mod summary;
pub mod terminal;

pub use diagnostic::Style;
pub use exit::Exit;
pub use failure::{CommandError, Failure};
