//! Tests of the stores through their public interface.

mod arrow_ipc;
mod epochs;
mod fixture;
mod lance;
mod registry;
mod tantivy;
