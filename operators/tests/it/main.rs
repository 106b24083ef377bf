//! The operators through their public interface.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod catalog;
mod chunk;
mod embed;
mod embed_operator;
mod fingerprints;
mod http;
mod imports;
mod labelled_secrets;
mod onnx;
mod parse;
#[path = "../../src/testing/parsed.rs"]
mod parsed;
mod read;
mod references;
mod registration;
mod samples;
