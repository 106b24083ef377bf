//! Whether the server lives, whether it can answer, and what it measures.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::problem::Problem;
use super::state::State;
use gristmill_query::{ErrorCode, ToolError};

/// `GET /health`: the process lives.
pub(super) async fn health() -> impl IntoResponse {
    Json(json!({ "status": "alive", "version": env!("CARGO_PKG_VERSION") }))
}

/// `GET /ready`: every index can answer. Where tokens are needed, jobs are not named.
pub(super) async fn ready(Shared(state): Shared<Arc<State>>) -> Response {
    let closed = state.served.iter().filter(|served| served.index().open_now().is_none());
    let closed: Vec<String> = closed.map(|served| format!("`{}`", served.index().name())).collect();
    if closed.is_empty() {
        return Json(json!({ "status": "ready" })).into_response();
    }
    let which = if state.tenants.need_tokens() { String::new() } else { format!(": {}", closed.join(", ")) };
    let message = format!("{} of {} indexes have no epoch yet{which}", closed.len(), state.served.len());
    let error = ToolError::new(ErrorCode::NoEpoch, message).help("run their jobs, or serve them with `--watch`");
    (StatusCode::SERVICE_UNAVAILABLE, Problem::new(error)).into_response()
}

/// `GET /metrics`: the measures, as Prometheus reads them.
pub(super) async fn metrics(Shared(state): Shared<Arc<State>>) -> impl IntoResponse {
    let text = state.telemetry.render(&state, state.runner.load());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
