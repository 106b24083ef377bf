//! The server: indexes over HTTP and over the Model Context Protocol.
//!
//! ```text
//! connection ─► record ─► site and token ─► tenant ─┬► calls ───┐
//!  (limits)     (name,     (who may ask)            ├► MCP ─────┼► Desk ─► Runner
//!               measures)                           └► status   ┘   (nothing of the machine
//!                                                                     leaves in an error)
//! Live: a thread per index that looks for new epochs ─► events
//!       a thread per watched job that writes them  ────┘
//! ```
//!
//! A *tenant* is whoever has a token, with the jobs that it opens; without tokens there is one
//! tenant, and only this machine can ask. [`Desk`] is where every question of a
//! tenant passes, whatever it came by.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod access;
mod body;
mod call_metrics;
mod calls;
mod connections;
mod desk;
mod events;
mod health;
mod live;
mod mcp;
mod openapi;
mod page;
mod problem;
mod progress;
mod record;
mod routes;
mod schemas;
mod served;
mod settings;
mod state;
mod status;
mod stdio;
mod telemetry;
mod tenants;

pub use call_metrics::CallMetrics;
pub use connections::{Stop, serve};
pub use desk::{Deadlines, Desk};
pub use live::Live;
pub use openapi::document as openapi;
pub use served::Served;
pub use settings::{Limits, Settings, SettingsError, TenantSettings};
pub use state::State;
pub use stdio::serve_stdio;
pub use telemetry::Telemetry;
pub use tenants::{Tenant, Tenants, TokenDigest};
