//! What happens to every request: it gets a name, is measured, and is answered in our form.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::desk::RequestName;
use super::problem::in_our_form;

/// The header with a request's name.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The header with the caller's trace.
const TRACE: HeaderName = HeaderName::from_static("traceparent");

/// Letters of a request's name.
const LONGEST_ID: usize = 64;

/// Names the request, measures it, and gives the answer the headers that all have.
pub(super) async fn record(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let name = name_of(request.headers());
    let route = request.extensions().get::<MatchedPath>().map_or("none".into(), |path| path.as_str().to_owned());
    let method = request.method().clone();
    request.extensions_mut().insert(name.clone());
    let mut response = in_our_form(next.run(request).await);
    let (took, status) = (started.elapsed(), response.status());
    let labels = [("route", route.clone()), ("status", status.as_str().to_owned())];
    metrics::counter!("gristmill_http_requests_total", &labels).increment(1);
    metrics::histogram!("gristmill_http_request_seconds", "route" => route.clone()).record(took.as_secs_f64());
    tracing::info!(
        request = %name.id,
        trace = name.trace.as_deref(),
        %method,
        route,
        status = status.as_u16(),
        ms = took.as_secs_f64() * 1e3,
        "answered"
    );
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&name.id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // What an index says of itself is of now, and of one tenant.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The request's name, as its caller gives it, or one of ours.
fn name_of(headers: &HeaderMap) -> RequestName {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let trace = text(TRACE).filter(|trace| is_trace(trace)).map(Into::into);
    match text(REQUEST_ID).filter(|id| is_id(id)) {
        Some(id) => RequestName { id: id.into(), trace },
        None => RequestName { trace, ..RequestName::new() },
    }
}

/// Whether a name can stand in a log without doing harm.
fn is_id(id: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(is_good)
}

/// Whether it is a `traceparent`: version, trace, parent and flags.
fn is_trace(trace: &str) -> bool {
    let parts: Vec<&str> = trace.split('-').collect();
    let is_hex = |part: &&str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts.iter().map(|part| part.len()).eq([2, 32, 16, 2]) && parts.iter().all(is_hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_if_it_does_no_harm() {
        let name = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(id).unwrap());
            name_of(&headers).id
        };
        assert_eq!(&*name("job-1_a.b"), "job-1_a.b");
        let long = "x".repeat(65);
        for bad in ["", "a b", "a\"b", "<script>", &long] {
            assert_ne!(&*name(bad), bad);
            assert!(is_id(&name(bad)), "{bad}");
        }
    }

    #[test]
    fn a_trace_is_what_the_standard_says() {
        assert!(is_trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        for bad in ["", "00-4bf9-00f0-01", "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01"] {
            assert!(!is_trace(bad), "{bad}");
        }
    }
}
