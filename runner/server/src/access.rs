//! Who may ask: from which site, and with which token.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State as Shared};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::desk::{Desk, RequestName};
use super::problem::Problem;
use super::state::State;
use super::tenants::Tenant;
use gristmill_query::{ErrorCode, ToolError};

/// Lets a request pass that may ask, as that of its tenant.
pub(super) async fn admit(Shared(state): Shared<Arc<State>>, mut request: Request, next: Next) -> Response {
    match tenant_of(&state, request.headers()) {
        Ok(tenant) => {
            request.extensions_mut().insert(tenant);
            next.run(request).await
        }
        Err(error) => Problem::new(error).into_response(),
    }
}

fn tenant_of(state: &State, headers: &HeaderMap) -> Result<Arc<Tenant>, ToolError> {
    check_site(headers, &state.origins, state.tenants.need_tokens())?;
    state.tenants.find(bearer(headers)).cloned()
}

/// Refuses what a browser sends for a page of another site: such pages must not ask with the
/// powers of the one who looks at them.
fn check_site(headers: &HeaderMap, origins: &[String], need_tokens: bool) -> Result<(), ToolError> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let refused = |message: &str| ToolError::new(ErrorCode::Forbidden, message);
    let host = text(HOST);
    // A name of another site may be made to lead to this machine. A token such a page does
    // not have, so where one is needed any name will do.
    if !need_tokens && !host.is_none_or(is_local) {
        return Err(refused("a server without tokens is asked by the names of its own machine only")
            .help("ask it as localhost or 127.0.0.1, or give it tokens: gristmill serve --config FILE"));
    }
    let Some(origin) = text(ORIGIN) else { return Ok(()) };
    let is_own = origin
        .split_once("://")
        .is_some_and(|(_, authority)| host.is_some_and(|host| host.eq_ignore_ascii_case(authority)));
    if is_own || origins.iter().any(|known| known.trim_end_matches('/').eq_ignore_ascii_case(origin)) {
        return Ok(());
    }
    Err(refused("pages of other sites may not ask").help("list the site under `origins` in the server's settings"))
}

/// Whether a host, with or without a port, names this machine.
fn is_local(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The token of a request.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whoever asks, and the name of what they ask.
pub(super) struct Caller {
    tenant: Arc<Tenant>,
    /// The request's name.
    pub(super) request: RequestName,
}

impl Caller {
    pub(super) fn desk(&self) -> &Desk {
        &self.tenant.desk
    }

    pub(super) fn tenant(&self) -> &Arc<Tenant> {
        &self.tenant
    }
}

impl FromRequestParts<Arc<State>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<State>) -> Result<Self, Problem> {
        let request = parts.extensions.get::<RequestName>().cloned().unwrap_or_default();
        let tenant = parts.extensions.get::<Arc<Tenant>>().cloned();
        // Only a route that was put outside of `admit` has none.
        let tenant = tenant.ok_or_else(|| Problem::new(ToolError::new(ErrorCode::Unauthorised, "nobody asks")))?;
        Ok(Self { tenant, request })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn tokens_are_found() {
        let token = |value: &str| bearer(&headers(&[(AUTHORIZATION, value)])).map(ToOwned::to_owned);
        assert_eq!(token("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(token("bearer  abc ").as_deref(), Some("abc"));
        assert_eq!(token("Basic abc"), None);
        assert_eq!(token("Bearer"), None);
        assert_eq!(bearer(&HeaderMap::new()), None);
    }

    #[test]
    fn local_names_are_known() {
        for local in ["localhost", "LOCALHOST:7878", "127.0.0.1:80", "127.9.9.9", "[::1]:7878"] {
            assert!(is_local(local), "{local}");
        }
        for other in ["example.com", "localhost.example.com", "10.0.0.1:80", "0.0.0.0", "", "a b"] {
            assert!(!is_local(other), "{other}");
        }
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let origins = ["https://code.example/".to_owned()];
        let may =
            |pairs: &[(HeaderName, &str)], need_tokens| check_site(&headers(pairs), &origins, need_tokens).is_ok();
        let local = (HOST, "127.0.0.1:7878");
        assert!(may(std::slice::from_ref(&local), false));
        assert!(may(&[local.clone(), (ORIGIN, "http://127.0.0.1:7878")], false));
        assert!(may(&[local.clone(), (ORIGIN, "https://code.example")], false));
        for origin in ["http://evil.example", "http://127.0.0.1:9999", "null", ""] {
            assert!(!may(&[local.clone(), (ORIGIN, origin)], false), "{origin}");
        }
        assert!(!may(&[(HOST, "evil.example:7878")], false), "a name that was made to lead here");
        assert!(may(&[(HOST, "code.example")], true));
        assert!(!may(&[(HOST, "code.example"), (ORIGIN, "http://evil.example")], true));
    }
}
