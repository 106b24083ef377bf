//! Access control: the Host and Origin headers, and bearer tokens.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::desk::Desk;
use super::problem::Problem;
use super::request_ids::{RequestIds, TenantName};
use super::tenants::{Tenant, Tenants};
use gristmill_query::{ErrorCode, ToolError, quote};

/// Who may send requests.
pub(super) struct Access {
    /// Web origins that may call the API besides the server's own.
    origins: Vec<String>,
    tenants: Tenants,
}

impl Access {
    pub(super) fn new(origins: Vec<String>, tenants: Tenants) -> Self {
        Self { origins, tenants }
    }

    /// Whether every request needs a token.
    pub(super) fn requires_tokens(&self) -> bool {
        self.tenants.require_tokens()
    }

    /// The tenant that sent a request.
    fn tenant(&self, headers: &HeaderMap) -> Result<Arc<Tenant>, ToolError> {
        check_origin(headers, &self.origins)?;
        self.tenants.authenticate(bearer_token(headers)).cloned()
    }
}

/// Middleware: rejects requests without access, and attaches the tenant to the others.
pub(super) async fn authenticate(State(access): State<Arc<Access>>, mut request: Request, next: Next) -> Response {
    match access.tenant(request.headers()) {
        Ok(tenant) => {
            let name = TenantName(Arc::clone(tenant.desk.tenant()));
            let mut response = match tenant.admit() {
                Ok(()) => {
                    request.extensions_mut().insert(tenant);
                    next.run(request).await
                }
                Err((error, wait)) => too_many(error, wait),
            };
            response.extensions_mut().insert(name);
            response
        }
        Err(error) => Problem::new(error).into_response(),
    }
}

fn too_many(error: ToolError, wait: Duration) -> Response {
    let mut response = Problem::new(error).into_response();
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
    response
}

/// Middleware of all routes: rejects requests that name another host, which an attacker's name may resolve to.
pub(super) async fn check_host(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    match host_allowed(request.headers(), access.requires_tokens()) {
        Ok(()) => next.run(request).await,
        Err(error) => Problem::new(error).into_response(),
    }
}

fn forbidden(message: String) -> ToolError {
    ToolError::new(ErrorCode::Forbidden, message)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

/// DNS rebinding: another site's name may resolve to this machine. Its page has no token, so any name is accepted
/// where tokens are required.
fn host_allowed(headers: &HeaderMap, requires_tokens: bool) -> Result<(), ToolError> {
    let Some(host) = text(headers, HOST).filter(|host| !requires_tokens && !is_loopback(host)) else { return Ok(()) };
    let message = format!("Host header {} not allowed: without tokens, only loopback names are accepted", quote(host));
    Err(forbidden(message)
        .help("connect to localhost or 127.0.0.1, or configure tokens: gristmill serve --config FILE"))
}

/// Rejects cross-origin requests of browsers, so that a page of another site cannot query with
/// the access of the user who has it open.
fn check_origin(headers: &HeaderMap, origins: &[String]) -> Result<(), ToolError> {
    let host = text(headers, HOST);
    let Some(origin) = text(headers, ORIGIN) else { return Ok(()) };
    let is_own = origin
        .split_once("://")
        .is_some_and(|(_, authority)| host.is_some_and(|host| host.eq_ignore_ascii_case(authority)));
    if is_own || origins.iter().any(|known| known.trim_end_matches('/').eq_ignore_ascii_case(origin)) {
        return Ok(());
    }
    Err(forbidden(format!("Origin header {} not allowed", quote(origin)))
        .help("add the origin to `origins` in the server settings"))
}

/// Whether a host, with or without a port, is a loopback name or address.
fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The token of the header `authorization: Bearer TOKEN`.
fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The tenant that sent a request, and the request's identifiers.
pub(super) struct Caller {
    tenant: Arc<Tenant>,
    /// The request's identifiers.
    pub(super) ids: RequestIds,
}

impl Caller {
    /// Runs the tenant's requests.
    pub(super) fn desk(&self) -> &Desk {
        &self.tenant.desk
    }

    /// The tenant.
    pub(super) fn tenant(&self) -> &Tenant {
        &self.tenant
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let ids = parts.extensions.get::<RequestIds>().cloned().unwrap_or_default();
        let tenant = parts.extensions.get::<Arc<Tenant>>().cloned();
        // Only a route outside of `authenticate` has no tenant.
        let missing = || Problem::new(ToolError::new(ErrorCode::Unauthorised, "missing bearer token"));
        Ok(Self { tenant: tenant.ok_or_else(missing)?, ids })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn bearer_tokens_are_parsed() {
        let token = |value: &str| bearer_token(&headers(&[(AUTHORIZATION, value)])).map(ToOwned::to_owned);
        assert_eq!(token("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(token("bearer  abc ").as_deref(), Some("abc"));
        assert_eq!(token("Basic abc"), None);
        assert_eq!(token("Bearer"), None);
        assert_eq!(bearer_token(&HeaderMap::new()), None);
    }

    #[test]
    fn loopback_names_are_recognised() {
        for local in ["localhost", "LOCALHOST:7878", "127.0.0.1:80", "127.9.9.9", "[::1]:7878"] {
            assert!(is_loopback(local), "{local}");
        }
        for other in ["example.com", "localhost.example.com", "10.0.0.1:80", "0.0.0.0", "", "a b"] {
            assert!(!is_loopback(other), "{other}");
        }
    }

    #[test]
    fn cross_origin_requests_are_rejected() {
        let origins = ["https://code.example/".to_owned()];
        let may = |pairs: &[(HeaderName, &str)], requires_tokens| {
            let headers = headers(pairs);
            host_allowed(&headers, requires_tokens).is_ok() && check_origin(&headers, &origins).is_ok()
        };
        let local = (HOST, "127.0.0.1:7878");
        assert!(may(std::slice::from_ref(&local), false));
        assert!(may(&[local.clone(), (ORIGIN, "http://127.0.0.1:7878")], false));
        assert!(may(&[local.clone(), (ORIGIN, "https://code.example")], false));
        for origin in ["http://evil.example", "http://127.0.0.1:9999", "null", ""] {
            assert!(!may(&[local.clone(), (ORIGIN, origin)], false), "{origin}");
        }
        assert!(!may(&[(HOST, "evil.example:7878")], false), "DNS rebinding");
        assert!(may(&[(HOST, "code.example")], true));
        assert!(!may(&[(HOST, "code.example"), (ORIGIN, "http://evil.example")], true));
    }
}
