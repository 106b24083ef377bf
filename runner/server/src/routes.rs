//! The routes.

use std::any::Any;
use std::sync::Arc;

use axum::extract::FromRef as _;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;

use super::access::{Access, authenticate, check_host};
use super::problem::{Problem, unknown_route};
use super::record::record;
use super::request_path::normalise_path;
use super::state::ServerState;
use super::{calls, events, health, mcp_http, openapi, page, status};
use gristmill_query::{ErrorCode, ToolError};

/// All routes of a server.
pub(super) fn router(state: ServerState) -> Router {
    let access = Arc::<Access>::from_ref(&state);
    let authenticated = Router::new()
        .route("/v1/ask", post(calls::ask))
        .route("/v1/tools", get(calls::list))
        .route("/v1/tools/{tool}", post(calls::ask_one))
        .route("/v1/jobs", get(status::jobs))
        .route("/v1/jobs/{job}/run", post(calls::run))
        .route("/v1/status", get(status::status))
        .route("/v1/events", get(events::events))
        .route("/mcp", any(mcp_http::mcp))
        .route("/mcp/", any(mcp_http::mcp))
        // Without a token, unknown routes answer 401 like known ones.
        .route("/v1/{*rest}", any(not_found))
        .route("/mcp/{*rest}", any(not_found))
        .layer(middleware::from_fn_with_state(Arc::clone(&access), authenticate));
    let routes = Router::new()
        .route("/", get(page::index))
        .route("/assets/{name}", get(page::asset))
        .route("/openapi.json", get(openapi::get_document))
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
        .merge(authenticated)
        .fallback(not_found)
        .layer(middleware::from_fn_with_state(access, check_host))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(record))
        .with_state(state);
    // Routes are found by the path, so it is rewritten before they are.
    Router::new().fallback_service(routes).layer(middleware::map_request(normalise_path))
}

async fn not_found() -> Problem {
    Problem::new(unknown_route())
}

/// The panic hook has logged the panic.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    Problem::new(ToolError::new(ErrorCode::Internal, "internal error; see the server log")).into_response()
}
