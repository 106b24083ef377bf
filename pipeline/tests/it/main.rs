//! The pipeline with small operators and a sink in memory: what the laws say, without
//! any language, model or store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod agreement;
mod contracts;
mod decisions;
mod faults;
mod graph;
mod job;
mod lanes;
mod open;
mod paths;
mod refs;
mod requests;
mod revisions;
mod slow_reads;
mod views;
