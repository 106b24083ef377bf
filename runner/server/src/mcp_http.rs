//! `/mcp`: the Model Context Protocol over HTTP (streamable HTTP, stateless).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use super::access::Caller;
use super::body::{self, BodyLimits};
use super::mcp::McpServer;
use super::problem::Problem;

/// `/mcp`: handles one message. There are no sessions: each request carries all that it needs,
/// its token among it.
pub(super) async fn mcp(
    State(limits): State<BodyLimits>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, message) = request.into_parts();
    let message = body::read(message, limits).await?;
    let request = Request::from_parts(parts, Body::from(message));
    let service = service(McpServer::new(caller.desk().clone()), limits);
    Ok(service.handle(request).await.map(Body::new))
}

fn service(server: McpServer, limits: BodyLimits) -> StreamableHttpService<McpServer, NeverSessionManager> {
    // The headers Host and Origin were checked before; see `access`.
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(limits.max_bytes)
        .disable_allowed_hosts();
    StreamableHttpService::new(move || Ok(server.clone()), Arc::default(), config)
}
