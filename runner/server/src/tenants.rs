//! Tenants: who may query which indexes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::desk::Desk;
use super::rate_limit::RateLimit;
use gristmill_query::{ErrorCode, ToolError};

/// The SHA-256 digest of a bearer token. The token itself is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenDigest([u8; 32]);

/// The holder of a token, with a desk that has the indexes which the token grants.
pub struct Tenant {
    /// Runs the tenant's requests.
    pub desk: Desk,
    token: Option<TokenDigest>,
    /// Permits of its event streams.
    streams: Arc<Semaphore>,
    rate: Option<RateLimit>,
}

/// All tenants of a server.
pub struct Tenants(Vec<Arc<Tenant>>);

impl TokenDigest {
    /// Hashes a token.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Parses a digest of 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(digits: &str) -> Option<Self> {
        let digits = digits.as_bytes();
        let mut digest = [0; 32];
        if digits.len() != digest.len() * 2 {
            return None;
        }
        let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else { return None };
            *byte = value(*high)? << 4 | value(*low)?;
        }
        Some(Self(digest))
    }

    /// Compares in constant time.
    fn equals(&self, other: &Self) -> bool {
        let differing = self.0.iter().zip(&other.0).fold(0, |differing, (left, right)| differing | (left ^ right));
        std::hint::black_box(differing) == 0
    }
}

impl Tenant {
    /// A tenant, with so many event streams at once. Without a token, every request is the tenant's.
    #[must_use]
    pub fn new(desk: Desk, token: Option<TokenDigest>, max_event_streams: usize) -> Self {
        Self { desk, token, streams: Arc::new(Semaphore::new(max_event_streams)), rate: None }
    }

    /// Limits the tenant to that many requests a second.
    #[must_use]
    pub fn limited_to(self, requests_per_second: u32) -> Self {
        Self { rate: Some(RateLimit::new(requests_per_second, Instant::now())), ..self }
    }

    /// Takes a request.
    ///
    /// # Errors
    /// [`ErrorCode::Busy`] if the tenant sends more than it may; with the time to wait.
    pub(super) fn admit(&self) -> Result<(), (ToolError, Duration)> {
        self.rate.as_ref().map_or(Ok(()), |rate| rate.admit(Instant::now())).map_err(|wait| {
            let message = "more requests than the rate limit of this token";
            (ToolError::new(ErrorCode::Busy, message).help("send them more slowly"), wait)
        })
    }

    /// A permit to hold an event stream open.
    ///
    /// # Errors
    /// [`ErrorCode::Busy`] if the tenant holds as many as it may.
    pub(super) fn event_stream(&self) -> Result<OwnedSemaphorePermit, ToolError> {
        Arc::clone(&self.streams).try_acquire_owned().map_err(|_| {
            let message = "too many event streams are open for this token";
            ToolError::new(ErrorCode::Busy, message).help("close one, or raise `limits.max_event_streams`")
        })
    }
}

impl Tenants {
    /// Collects the tenants of a server.
    #[must_use]
    pub fn new(tenants: impl IntoIterator<Item = Tenant>) -> Self {
        Self(tenants.into_iter().map(Arc::new).collect())
    }

    /// Whether every request needs a token.
    #[must_use]
    pub fn require_tokens(&self) -> bool {
        self.0.iter().all(|tenant| tenant.token.is_some())
    }

    /// The tenant to whom a token belongs.
    ///
    /// # Errors
    /// [`ErrorCode::Unauthorised`] if a token is required, and this one is missing or unknown.
    pub fn authenticate(&self, token: Option<&str>) -> Result<&Arc<Tenant>, ToolError> {
        let digest = token.map(TokenDigest::of);
        // All are compared, so that the time does not depend on which one matches.
        let mut found = None;
        for tenant in &self.0 {
            let is_its = match (&tenant.token, &digest) {
                (None, _) => true,
                (Some(wanted), Some(digest)) => wanted.equals(digest),
                (Some(_), None) => false,
            };
            if is_its {
                found = Some(tenant);
            }
        }
        found.ok_or_else(|| {
            let message = if token.is_some() { "unknown bearer token" } else { "missing bearer token" };
            ToolError::new(ErrorCode::Unauthorised, message).help("send the header `authorization: Bearer TOKEN`")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Deadlines;
    use super::*;
    use gristmill_query::Runner;

    fn tenant(name: &str, token: Option<&str>) -> Tenant {
        let desk = Desk::new(
            Runner::new([], gristmill_query::ToolSet::new(), 1),
            name,
            Deadlines { default_ms: 1, max_ms: 1 },
        );
        Tenant::new(desk, token.map(TokenDigest::of), 2)
    }

    #[test]
    fn a_token_authenticates_its_tenant() {
        let tenants = Tenants::new([tenant("a", Some("token of a")), tenant("b", Some("token of b"))]);
        assert!(tenants.require_tokens());
        assert_eq!(&**tenants.authenticate(Some("token of b")).unwrap().desk.tenant(), "b");
        for wrong in [None, Some(""), Some("token of c"), Some("token of")] {
            let refused = tenants.authenticate(wrong).map(|tenant| tenant.desk.tenant().clone());
            let error = refused.unwrap_err();
            assert_eq!(error.code, ErrorCode::Unauthorised, "{wrong:?}");
            assert_eq!(error.message.starts_with("missing"), wrong.is_none(), "{wrong:?}: {error}");
        }
    }

    #[test]
    fn without_tokens_every_request_is_the_tenants() {
        let tenants = Tenants::new([tenant("local", None)]);
        assert!(!tenants.require_tokens());
        assert!(tenants.authenticate(None).is_ok() && tenants.authenticate(Some("any")).is_ok());
    }

    #[test]
    fn digests_are_parsed() {
        let digest = TokenDigest::of("x");
        let digits: String = digest.0.iter().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(TokenDigest::from_hex(&digits), Some(digest));
        assert_eq!(TokenDigest::from_hex(&digits[1..]), None);
        assert_eq!(TokenDigest::from_hex(&"+1".repeat(32)), None);
    }
}
