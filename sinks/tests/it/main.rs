//! Tests of the stores through their public interface.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod arrow_ipc;
mod epochs;
mod extras;
mod fixture;
mod keys;
mod lance;
mod registration;
mod resident;
mod tantivy;
mod vector_index;
mod views;
