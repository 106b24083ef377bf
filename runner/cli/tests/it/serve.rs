//! `gristmill serve` and `gristmill mcp`, as clients meet them.
#![cfg(unix)]

mod agents;
mod asking;
mod changes;
mod client;
mod connections;
mod embedders;
mod refusals;
mod tenants;
