//! The operators of the data plane: read, hash, parse, chunk, embed.
//!
//! Each is plain synchronous code (see [`gristmill_pipeline::Operator`]); none knows
//! where its results go.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

// The checks that unit tests and integration tests share name the crate.
#[cfg(test)]
extern crate self as gristmill_operators;

pub mod chunk;
pub mod embed;
pub mod hash;
mod language;
mod languages;
pub mod parse;
pub mod read;
mod spec;
#[cfg(test)]
mod testing;

pub use languages::known_languages;
pub use spec::Language;
