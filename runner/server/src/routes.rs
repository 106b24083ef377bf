//! The routes.

use std::any::Any;
use std::sync::Arc;

use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;

use super::access::admit;
use super::problem::{Problem, no_route};
use super::record::record;
use super::state::State;
use super::{calls, events, health, mcp, openapi, page, status};
use gristmill_query::{ErrorCode, ToolError};

/// All routes of a server.
pub(super) fn router(state: &Arc<State>) -> Router {
    let asked = Router::new()
        .route("/v1/ask", post(calls::ask))
        .route("/v1/tools", get(calls::list))
        .route("/v1/tools/{tool}", post(calls::ask_one))
        .route("/v1/jobs", get(status::jobs))
        .route("/v1/status", get(status::status))
        .route("/v1/events", get(events::events))
        .route("/mcp", any(mcp::over_http_route))
        // So that who has no token cannot tell what is there from what is not.
        .route("/v1/{*rest}", any(nothing))
        .route("/mcp/{*rest}", any(nothing))
        .layer(middleware::from_fn_with_state(Arc::clone(state), admit));
    Router::new()
        .route("/", get(page::index))
        .route("/assets/{name}", get(page::asset))
        .route("/openapi.json", get(document))
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
        .merge(asked)
        .fallback(nothing)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(record))
        .with_state(Arc::clone(state))
}

async fn nothing() -> Problem {
    Problem::new(no_route())
}

async fn document() -> Json<&'static serde_json::Value> {
    Json(openapi::document())
}

/// The panic itself was told to the log by its hook.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    Problem::new(ToolError::new(ErrorCode::Internal, "the server failed; its log says more")).into_response()
}
