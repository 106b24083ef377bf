//! The `gristmill` command line, and what a program of your own starts from.
//!
//! - [`Program`] is the whole command line, with your operators, sinks, sources, views and tools in it.
//! - [`Pipeline`] indexes a source from within a program, without a job file.
//!
//! The commands are modules of [`commands`]. The crates below are re-exported, so that a program needs
//! no other dependency of gristmill: [`pipeline`] has the traits of operators, sinks, sources and views,
//! [`operators`] and [`sinks`] those that come with gristmill, [`config`] job files, [`query`] the trait
//! of tools, [`tools`] those that come with gristmill. `examples/` has a program for each extension.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod cli;
pub mod commands;
mod diagnostic;
mod exit;
mod failure;
mod json_log;
mod limits;
mod panics;
mod program;
pub mod progress;
mod report_file;
mod signals;
mod summary;
pub mod terminal;

pub use diagnostic::Style;
pub use exit::Exit;
pub use failure::{CommandError, Failure};
pub use gristmill_config as config;
pub use gristmill_config::{
    Directory, Pipeline, PipelineBuilder, PipelineError, PipelineFault, Registry, SourceFactory, ViewFactory,
};
pub use gristmill_operators as operators;
pub use gristmill_pipeline as pipeline;
pub use gristmill_query as query;
pub use gristmill_query::{Tool, ToolSet};
pub use gristmill_sinks as sinks;
pub use gristmill_tools as tools;
pub use program::Program;
