//! Tests of the stores through their public interface.
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

mod arrow_ipc;
mod epochs;
mod fixture;
mod keys;
mod lance;
mod registry;
mod resident;
mod tantivy;
mod vector_index;
mod views;
