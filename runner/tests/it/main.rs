//! The job file and the command line, as a user meets them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod command_line;
mod config;
mod crashes;
mod examples;
mod invalid;
mod json_schema;
mod runs;
mod world;
