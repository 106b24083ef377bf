//! The middleware around every request: request id, metrics, log line, common headers.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use gristmill_pipeline::trace_context::is_traceparent;

use super::problem::{Failed, normalise};
use super::request_ids::{RequestIds, TenantName};

/// The header with the request id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The header with the user for whom a client asks, such as a gateway for its own users.
const USER: HeaderName = HeaderName::from_static("x-user");

/// The header with the W3C trace context.
const TRACE: HeaderName = HeaderName::from_static("traceparent");

/// Length of a request id.
const MAX_ID_LENGTH: usize = 64;

/// Middleware: identifies the request, measures and logs it, and sets the headers that all
/// responses have.
pub(super) async fn record(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let ids = request_ids(request.headers());
    let route = request.extensions().get::<MatchedPath>().map_or("none".into(), |path| path.as_str().to_owned());
    let method = request.method().clone();
    request.extensions_mut().insert(ids.clone());
    let mut response = normalise(next.run(request).await);
    let (took, status) = (started.elapsed(), response.status());
    let labels = [("route", route.clone()), ("status", status.as_str().to_owned())];
    metrics::counter!("gristmill_http_requests_total", &labels).increment(1);
    metrics::histogram!("gristmill_http_request_duration_seconds", "route" => route.clone()).record(took.as_secs_f64());
    let tenant = response.extensions().get::<TenantName>().map(|tenant| Arc::clone(&tenant.0));
    let outcome = response.extensions().get::<Failed>().map_or("ok", |failed| failed.0.as_str());
    tracing::info!(
        request = %ids.id,
        trace = ids.trace.as_deref(),
        tenant = tenant.as_deref(),
        user = ids.user.as_deref(),
        outcome,
        %method,
        route,
        status = status.as_u16(),
        duration_ms = took.as_secs_f64() * 1e3,
        "request finished"
    );
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&ids.id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Responses depend on the tenant and on the newest epoch.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The identifiers that the client sent; a generated id if it sent none or a malformed one.
fn request_ids(headers: &HeaderMap) -> RequestIds {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let user = text(USER).filter(|user| is_user(user)).map(Into::into);
    let trace = text(TRACE).filter(|trace| is_traceparent(trace)).map(Into::into);
    match text(REQUEST_ID).filter(|id| is_id(id)) {
        Some(id) => RequestIds { id: id.into(), user, trace },
        None => RequestIds { user, trace, ..RequestIds::new() },
    }
}

/// Whether an id is safe to log: letters, digits, `-`, `_` and `.`.
fn is_id(id: &str) -> bool {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=MAX_ID_LENGTH).contains(&id.len()) && id.bytes().all(is_safe)
}

/// Whether the name of a user is safe to log: as an id, and as addresses are written.
fn is_user(user: &str) -> bool {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@+".contains(&byte);
    (1..=MAX_ID_LENGTH).contains(&user.len()) && user.bytes().all(is_safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_request_ids_are_replaced() {
        let used = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(id).unwrap());
            request_ids(&headers).id
        };
        assert_eq!(&*used("job-1_a.b"), "job-1_a.b");
        let long = "x".repeat(65);
        for bad in ["", "a b", "a\"b", "<script>", &long] {
            assert_ne!(&*used(bad), bad);
            assert!(is_id(&used(bad)), "{bad}");
        }
    }
}
