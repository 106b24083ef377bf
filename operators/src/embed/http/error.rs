//! What can go wrong between a client and a server of embeddings.

use std::time::Duration;

/// A request for embeddings failed, or cannot be made.
///
/// No message holds the key; only those for the user hold what the server said.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum HttpError {
    /// A parameter is missing or makes no sense.
    #[error("{message}")]
    Parameter {
        /// The parameter.
        key: &'static str,
        /// What is wrong, and what to do.
        message: String,
    },
    /// No answer: there is no server, or the connection broke.
    #[error("no answer ({reason}); see that the server runs and that `url` is right")]
    NoAnswer {
        /// What the system says.
        reason: String,
    },
    /// No answer in time.
    #[error("no answer within {} ms; raise `timeout_ms`, or lower `batch_texts`", after.as_millis())]
    Timeout {
        /// The limit.
        after: Duration,
    },
    /// The answer ended too early, or is not what the protocol asks for.
    #[error(
        "the answer is cut off or is no list of embeddings ({reason}); see that `url` is that of an OpenAI-compatible server"
    )]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// Vectors are missing.
    #[error("{found} vectors came back for {asked} texts; the server is at fault")]
    TooFew {
        /// Texts that were sent.
        asked: usize,
        /// Vectors that came back.
        found: usize,
    },
    /// Vectors of another length.
    #[error(
        "the vectors have {found} components, not {wanted}; correct `dimension`, or leave it out to ask the server"
    )]
    Dimension {
        /// The number that the job names.
        wanted: usize,
        /// The number that came back.
        found: usize,
    },
    /// The key is missing, wrong, or may not do this.
    #[error("the server refuses the key (status {status}); `key_env` names the environment variable that holds it")]
    Key {
        /// 401 or 403.
        status: u16,
    },
    /// There is no such model, or nothing at that address.
    #[error("the server knows no such model or address (status 404{said}); check `model` and `url`")]
    NotFound {
        /// What the server said.
        said: String,
    },
    /// The texts are too many, too long, or not to the server's liking.
    #[error("the server refuses the texts (status {status}{said})")]
    Refused {
        /// 400, 413 or 422.
        status: u16,
        /// What the server said.
        said: String,
    },
    /// Too many requests.
    #[error("the server is asked too often (status 429{said}); set `requests_per_minute`, or lower `concurrency`")]
    TooOften {
        /// What the server said.
        said: String,
        /// How long it wants to be left alone.
        wait: Option<Duration>,
    },
    /// The server failed.
    #[error("the server failed (status {status}{said})")]
    Server {
        /// 408 or from 500 on.
        status: u16,
        /// What the server said.
        said: String,
        /// How long it wants to be left alone.
        wait: Option<Duration>,
    },
    /// Another status.
    #[error("the server answered with status {status}{said}; check `url`")]
    Status {
        /// The status.
        status: u16,
        /// What the server said.
        said: String,
    },
}

impl HttpError {
    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::NoAnswer { .. }
                | Self::Timeout { .. }
                | Self::Malformed { .. }
                | Self::TooFew { .. }
                | Self::TooOften { .. }
                | Self::Server { .. }
        )
    }

    /// How long the server wants to be left alone.
    #[must_use]
    pub const fn wait(&self) -> Option<Duration> {
        match self {
            Self::TooOften { wait, .. } | Self::Server { wait, .. } => *wait,
            _ => None,
        }
    }

    /// The parameter that is to blame.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Parameter { key, .. } => key,
            Self::Key { .. } => "key_env",
            Self::Dimension { .. } => "dimension",
            _ => "url",
        }
    }
}
