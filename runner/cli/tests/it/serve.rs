//! `gristmill serve` and `gristmill mcp`, tested through their protocols.
#![cfg(unix)]

mod agents;
mod asking;
mod changes;
mod client;
mod connections;
mod embedders;
mod indexing;
mod refusals;
mod tenants;
