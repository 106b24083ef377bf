//! `/mcp`: the Model Context Protocol over HTTP (streamable HTTP, stateless).

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use super::access::Caller;
use super::body::{self, BodyLimits};
use super::mcp::{McpServer, Message, Messages};
use super::problem::Problem;
use gristmill_query::ToolError;

/// `/mcp`: handles one message. There are no sessions: each request carries all that it needs,
/// its token among it.
pub(super) async fn mcp(
    State(limits): State<BodyLimits>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let (mut parts, message) = request.into_parts();
    if parts.method == Method::POST && accepts_json(&parts.headers) {
        // The answer is JSON: who accepts that need not accept event streams.
        parts.headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    }
    let message = body::read(message, limits).await?;
    if parts.method == Method::POST {
        match Messages::without_order().check(&message) {
            Message::Refused(answer) => return Ok((StatusCode::BAD_REQUEST, Json(answer)).into_response()),
            Message::Ignored => return Err(ToolError::bad_input("empty request body").into()),
            Message::Valid => {}
        }
    }
    let request = Request::from_parts(parts, Body::from(message));
    let service = service(McpServer::new(caller.desk().clone()), limits);
    Ok(service.handle(request).await.map(Body::new))
}

/// Whether a client accepts JSON, as does one that does not say what it accepts.
fn accepts_json(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    let is_json = |kind: &str| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        ["application/json", "application/*", "*/*"].iter().any(|json| kind.eq_ignore_ascii_case(json))
    };
    accepted.peek().is_none() || accepted.flat_map(|value| value.split(',')).any(is_json)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_that_accept_json_are_served() {
        let accepts =
            |value: &str| accepts_json(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_str(value).unwrap())]));
        assert!(accepts_json(&HeaderMap::new()));
        for json in ["*/*", "application/json", "text/html, application/json;q=0.5", "Application/*"] {
            assert!(accepts(json), "{json}");
        }
        assert!(!accepts("text/html") && !accepts("text/event-stream"));
    }
}
