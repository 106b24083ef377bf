//! Errors of requests for embeddings.

use std::time::Duration;

/// A request for embeddings failed, or cannot be made.
///
/// No message contains the API key.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum HttpError {
    /// A parameter is missing or invalid.
    #[error("{message}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// What is wrong, and what to do.
        message: String,
    },
    /// The connection failed.
    #[error("no response from the server ({reason}); check that it is running and that `url` is correct")]
    NoResponse {
        /// The cause.
        reason: String,
    },
    /// The request timed out.
    #[error("no response within {} ms; raise `timeout_ms` or lower `batch_texts`", after.as_millis())]
    Timeout {
        /// The timeout.
        after: Duration,
    },
    /// The response is truncated or does not follow the protocol.
    #[error("malformed response ({reason}); check that `url` is the address of an OpenAI-compatible server")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// The response has fewer vectors than the request had texts.
    #[error("the server returned {found} vectors for {expected} texts; check that it is OpenAI-compatible")]
    MissingVectors {
        /// Number of texts in the request.
        expected: usize,
        /// Number of vectors in the response.
        found: usize,
    },
    /// The response has vectors of another dimension.
    #[error(
        "expected vectors with {expected} components, found {found}; correct `dimension`, or remove it to query the \
         server for it"
    )]
    Dimension {
        /// The dimension in the configuration.
        expected: usize,
        /// The dimension in the response.
        found: usize,
    },
    /// The API key is missing, wrong or lacks permission.
    #[error(
        "the server rejected the API key (status {status}); set `key_env` to the name of the environment variable \
         that contains it"
    )]
    Unauthorized {
        /// 401 or 403.
        status: u16,
    },
    /// The server has no such model or address.
    #[error("model or address not found (status 404{detail}); check `model` and `url`")]
    NotFound {
        /// The server's message.
        detail: String,
    },
    /// The server rejected the texts, for example because they are too many or too long.
    #[error("the server rejected the texts (status {status}{detail})")]
    Rejected {
        /// 400, 413 or 422.
        status: u16,
        /// The server's message.
        detail: String,
    },
    /// The server's rate limit was exceeded.
    #[error("rate limit exceeded (status 429{detail}); set `requests_per_minute` or lower `concurrency`")]
    RateLimited {
        /// The server's message.
        detail: String,
        /// The delay that the server asks for.
        retry_after: Option<Duration>,
    },
    /// The server failed.
    #[error("server error (status {status}{detail})")]
    Server {
        /// 408, or at least 500.
        status: u16,
        /// The server's message.
        detail: String,
        /// The delay that the server asks for.
        retry_after: Option<Duration>,
    },
    /// Any other status.
    #[error("unexpected status {status}{detail}; check `url`")]
    Status {
        /// The status.
        status: u16,
        /// The server's message.
        detail: String,
    },
}

impl HttpError {
    /// Whether a retry may succeed.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::NoResponse { .. }
                | Self::Timeout { .. }
                | Self::Malformed { .. }
                | Self::MissingVectors { .. }
                | Self::RateLimited { .. }
                | Self::Server { .. }
        )
    }

    /// Returns the delay that the server asks for before a retry.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::Server { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Returns the parameter that caused the error.
    #[must_use]
    pub const fn parameter(&self) -> &'static str {
        match self {
            Self::Parameter { name, .. } => name,
            Self::Unauthorized { .. } => "key_env",
            Self::Dimension { .. } => "dimension",
            _ => "url",
        }
    }
}
