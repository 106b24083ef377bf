//! The server: indexes over HTTP and over the Model Context Protocol.
//!
//! ```text
//! connection ─► record ─────► authenticate ─► tenant ─┬► calls ──┐       ┌► Runner
//!  (limits)     (request id,  (Host, Origin,          ├► MCP ────┼► Desk ┴► Writers ─► Indexing
//!                metrics)      token)                 └► status ─┘  (deadlines; no details in errors)
//!
//! Live: for each index a thread that opens new epochs ───────────────────────► events
//!       and one that commits them: when asked to, and with a watch by itself ─┘
//! ```
//!
//! A *tenant* is the holder of a token, with the jobs that the token grants. A server without
//! tokens has one tenant and answers this machine only. All requests of a tenant pass its
//! [`Desk`], whatever protocol they came by.
//!
//! # Order of the modules
//!
//! There are no cycles: a module uses only modules of the lines above its own.
//!
//! 1. `request_ids`, `request_path`, `url_query`, `body`, `problem`, `schemas`, `telemetry`, `call_metrics`,
//!    `progress`, `rate_limit`: no dependencies within the server.
//! 2. `served`, `page`, `record`; `writers`, which knows `served`; `desk`, which knows `writers`.
//! 3. `tenants`, `served_indexes`, `live`; `mcp`, a protocol over a desk, without a transport.
//! 4. `settings`; `access`, which knows the tenants.
//! 5. Handlers: `calls`, `status`, `health`, `mcp_http`. They take the parts of the state that they
//!    need, never the state.
//! 6. `events`, another handler; `openapi`, which describes all routes.
//! 7. `state`, assembled from the parts.
//! 8. `routes`: handlers, middleware and state together.
//! 9. `connections`; `stdio`, which serves `mcp` and stops as the connections do.
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
mod mcp_http;
mod openapi;
mod page;
mod problem;
mod progress;
mod rate_limit;
mod record;
mod request_ids;
mod request_path;
mod routes;
mod schemas;
mod served;
mod served_indexes;
mod settings;
mod state;
mod status;
mod stdio;
mod telemetry;
mod tenants;
mod url_query;
mod writers;

pub use body::BodyLimits;
pub use call_metrics::CallMetrics;
pub use connections::{Stop, serve};
pub use desk::{Deadlines, Desk};
pub use live::Live;
pub use openapi::document as openapi;
pub use request_ids::RequestIds;
pub use served::Served;
pub use settings::{IndexingSettings, Limits, Settings, SettingsError, TenantSettings};
pub use state::ServerState;
pub use stdio::serve_stdio;
pub use telemetry::Telemetry;
pub use tenants::{Tenant, Tenants, TokenDigest};
