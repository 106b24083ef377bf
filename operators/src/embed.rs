//! The embed operators: compute the vectors of passages.
//!
//! | operator | model | reproducibility of vectors |
//! |---|---|---|
//! | `embed` ([`StaticEmbed`]) | a static token table, built in or a Model2Vec folder | bit-identical |
//! | `fastembed` ([`FastEmbed`]) | a folder with an ONNX model | within 1e-4; dynamic int8: bit-identical |
//! | `http` ([`HttpEmbed`]) | an OpenAI-compatible server | within 1e-3 |
//!
//! `fastembed` and `http` are an [`EmbeddingModel`] each, run by the operator [`Embed`], which
//! forms the batches and checks the vectors.

mod batches;
pub mod catalog;
mod embedding_model;
mod http;
pub mod models;
mod onnx;
mod operator;
mod static_table;

pub use embedding_model::{BatchLimits, EmbeddingModel, EmbeddingModelError, Exactness};
pub use http::{HttpConfig, HttpEmbed, HttpError, HttpModel};
pub use onnx::{Device, FastEmbed, OnnxConfig, OnnxError, OnnxModel, runtime_library};
pub use operator::{Embed, EmbedSettings};
pub use static_table::{
    Scratch, StaticConfig, StaticEmbed, StaticModel, StaticModelError, Tokenizer, split_identifiers,
};
