//! Integration tests of the `gristmill` binary and its libraries.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod ask;
mod bench;
mod cases;
mod clear;
mod collect;
mod command_line;
mod config;
mod crashes;
mod damage;
mod eval;
mod examples;
mod extending;
mod extra_columns;
mod faults;
mod git;
mod graph_questions;
mod history;
mod invalid;
mod isolation;
mod json_schema;
mod limits;
mod own_tool;
mod own_types;
mod pipeline_builder;
mod process;
mod queries;
mod questions;
mod replay;
mod repository;
mod runs;
mod serve;
mod servers;
mod views;
mod watch;
mod world;
