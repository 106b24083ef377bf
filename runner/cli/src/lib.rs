//! The command line of gristmill: the modules under [`commands`] are what the binary runs.
//! Jobs, queries, tools and the server are crates of their own below this one.
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
