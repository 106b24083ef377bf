//! Who may ask, and which indexes.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::desk::Desk;
use super::mcp::McpService;
use gristmill_query::{ErrorCode, ToolError};

/// The SHA-256 of a token. Tokens themselves are not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenDigest([u8; 32]);

/// Whoever has a token, with the jobs that it opens.
pub struct Tenant {
    /// Where its questions go.
    pub desk: Desk,
    /// The same for agents.
    pub(super) mcp: McpService,
    token: Option<TokenDigest>,
}

/// All tenants of a server.
pub struct Tenants(Vec<Arc<Tenant>>);

impl TokenDigest {
    /// The digest of a token.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// A digest by its hexadecimal digits.
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

    /// Whether they are equal; takes as long whatever differs.
    fn is(&self, other: &Self) -> bool {
        let differing = self.0.iter().zip(&other.0).fold(0, |differing, (left, right)| differing | (left ^ right));
        std::hint::black_box(differing) == 0
    }
}

impl Tenant {
    /// A tenant; `None` as its token lets everybody be it. Bodies of its questions by MCP
    /// have at most so many bytes.
    #[must_use]
    pub fn new(desk: Desk, token: Option<TokenDigest>, max_body: usize) -> Self {
        let mcp = super::mcp::over_http(&desk, max_body);
        Self { desk, mcp, token }
    }
}

impl Tenants {
    /// These tenants.
    #[must_use]
    pub fn new(tenants: impl IntoIterator<Item = Tenant>) -> Self {
        Self(tenants.into_iter().map(Arc::new).collect())
    }

    /// Whether whoever asks needs a token.
    #[must_use]
    pub fn need_tokens(&self) -> bool {
        self.0.iter().all(|tenant| tenant.token.is_some())
    }

    /// The tenant that a token opens.
    ///
    /// # Errors
    /// If it opens none.
    pub fn find(&self, token: Option<&str>) -> Result<&Arc<Tenant>, ToolError> {
        let digest = token.map(TokenDigest::of);
        // All are compared, so that the time does not tell which one was near.
        let mut found = None;
        for tenant in &self.0 {
            let opens = match (&tenant.token, &digest) {
                (None, _) => true,
                (Some(wanted), Some(digest)) => wanted.is(digest),
                (Some(_), None) => false,
            };
            if opens {
                found = Some(tenant);
            }
        }
        found.ok_or_else(|| {
            ToolError::new(ErrorCode::Unauthorised, "the request has no token that opens anything here")
                .help("send the header `authorization: Bearer TOKEN`")
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
            Deadlines { default_ms: 1, most_ms: 1 },
        );
        Tenant::new(desk, token.map(TokenDigest::of), 1024)
    }

    #[test]
    fn a_token_opens_its_tenant() {
        let tenants = Tenants::new([tenant("a", Some("token of a")), tenant("b", Some("token of b"))]);
        assert!(tenants.need_tokens());
        assert_eq!(&**tenants.find(Some("token of b")).unwrap().desk.tenant(), "b");
        for wrong in [None, Some(""), Some("token of c"), Some("token of")] {
            let refused = tenants.find(wrong).map(|tenant| tenant.desk.tenant().clone());
            assert_eq!(refused.unwrap_err().code, ErrorCode::Unauthorised, "{wrong:?}");
        }
    }

    #[test]
    fn without_tokens_everybody_is_the_tenant() {
        let tenants = Tenants::new([tenant("local", None)]);
        assert!(!tenants.need_tokens());
        assert!(tenants.find(None).is_ok() && tenants.find(Some("any")).is_ok());
    }

    #[test]
    fn digests_are_read() {
        let digest = TokenDigest::of("x");
        let digits: String = digest.0.iter().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(TokenDigest::from_hex(&digits), Some(digest));
        assert_eq!(TokenDigest::from_hex(&digits[1..]), None);
        assert_eq!(TokenDigest::from_hex(&"+1".repeat(32)), None);
    }
}
