//! What tests of sinks, views, operators and sources are made with: operators that are
//! small enough to see through, a sink whose disk is a map, and an oracle that computes
//! views with plain maps.
//!
//! Everything here panics where a test could not go on.
#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod between;
mod items;
mod memory;
mod operators;
mod oracle;
mod search;

pub use between::{Contextualise, Qualify, Select, Shorten, Strip};
pub use items::{content, outputs, passage, record, syntax};
pub use memory::{Disk, Memory, Stored, Views};
pub use operators::{
    Counts, Embed, Lines, Parse, Read, declared, import_names, local_names, module_names, module_places, unit,
};
pub use oracle::{Oracle, differences};
