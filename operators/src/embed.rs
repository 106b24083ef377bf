//! The embed operators: a text to a vector.
//!
//! | operator | model | vectors |
//! |---|---|---|
//! | `embed` ([`StaticEmbed`]) | a static token table, built in or a Model2Vec folder | equal to the bit |
//! | `fastembed` ([`FastEmbed`]) | a folder with an ONNX model | within 1e-4; dynamic int8: equal to the bit |
//! | `http` ([`HttpEmbed`]) | an OpenAI-compatible server | within 1e-3 |
//!
//! All but the first are an [`Embedder`] with the operator [`Embed`] over it, which forms
//! the batches and checks the vectors.

mod batches;
pub mod catalog;
mod embedder;
mod http;
pub mod models;
mod onnx;
mod operator;
mod static_table;

pub use embedder::{BatchLimits, EmbedFailure, Embedder, Exactness};
pub use http::{HttpConfig, HttpEmbed, HttpError, HttpModel};
pub use onnx::{Device, FastEmbed, OnnxConfig, OnnxError, OnnxModel, runtime_library};
pub use operator::{Embed, EmbedSettings};
pub use static_table::{EmbedError, Scratch, StaticConfig, StaticEmbed, StaticModel, Tokenizer, split_identifiers};
