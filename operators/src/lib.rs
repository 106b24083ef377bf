//! The operators of the data plane: read, hash, parse, chunk, embed.
//!
//! Each is plain synchronous code (see [`gristmill_pipeline::Operator`]) and knows nothing of what
//! stores its results. Each has a configuration type that builds it (see [`OperatorConfig`](gristmill_pipeline::OperatorConfig)):
//!
//! ```
//! use std::path::Path;
//!
//! use gristmill_operators::chunk::ChunkConfig;
//! use gristmill_pipeline::{OperatorConfig as _, OperatorConfigError};
//!
//! let config = ChunkConfig { max_tokens: 200, ..ChunkConfig::default() };
//! let chunking = config.build(Path::new("."))?;
//! # Ok::<(), OperatorConfigError>(())
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

// The checks that unit tests and integration tests share name the crate.
#[cfg(test)]
extern crate self as gristmill_operators;

mod bind;
pub mod chunk;
pub mod embed;
pub mod hash;
mod language;
mod languages;
pub mod parse;
pub mod read;
mod registration;
mod spec;
#[cfg(test)]
mod testing;

pub use languages::known_languages;
pub use registration::{OperatorRegistry, register};
pub use spec::Language;
