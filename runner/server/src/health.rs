//! Liveness, readiness and metrics.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::access::Access;
use super::problem::Problem;
use super::served_indexes::ServedIndexes;
use super::telemetry::{Gauges, Telemetry};
use gristmill_query::{ErrorCode, Runner, ToolError};

/// `GET /health`: liveness. The process answers.
pub(super) async fn health() -> impl IntoResponse {
    Json(json!({ "status": "alive", "version": env!("CARGO_PKG_VERSION") }))
}

/// `GET /ready`: readiness. Every index has an epoch open. Needs no token, so it names jobs only
/// where the server has no tokens.
pub(super) async fn ready(State(access): State<Arc<Access>>, State(indexes): State<ServedIndexes>) -> Response {
    let names: Vec<String> = indexes.without_epoch().map(|served| format!("`{}`", served.index().name())).collect();
    if names.is_empty() {
        return Json(json!({ "status": "ready" })).into_response();
    }
    let which = if access.requires_tokens() { String::new() } else { format!(": {}", names.join(", ")) };
    let message = format!("{} of {} indexes have no epoch yet{which}", names.len(), indexes.len());
    let error = ToolError::new(ErrorCode::NoEpoch, message)
        .help("build them with `gristmill run`, or start the server with `--watch`");
    (StatusCode::SERVICE_UNAVAILABLE, Problem::new(error)).into_response()
}

/// `GET /metrics`: metrics in Prometheus' text format.
pub(super) async fn metrics(
    State(telemetry): State<Telemetry>,
    State(indexes): State<ServedIndexes>,
    State(runner): State<Runner>,
) -> impl IntoResponse {
    let load = runner.load();
    let text = telemetry.render(&Gauges {
        max_calls: load.max,
        running_calls: load.running,
        waiting_calls: load.waiting,
        epoch_lag: indexes.max_epoch_lag(),
        indexes_without_epoch: indexes.without_epoch().count(),
        resident_memory_bytes: gristmill_pipeline::resident_memory(),
    });
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
