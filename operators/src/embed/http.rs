//! Models on an OpenAI-compatible server: `POST …/v1/embeddings`.

mod client;
mod error;
mod throttle;

pub(super) use client::agent;
pub use error::HttpError;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gristmill_pipeline::{Fingerprint, Hash, Permit, Semaphore};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::client::{ApiKey, Client};
use self::throttle::{RateLimiter, retry_delay};
use super::embedding_model::{BatchLimits, EmbeddingModel, EmbeddingModelError, Exactness};
use super::operator::{Embed, EmbedSettings};
use crate::chunk::estimate_tokens;
use gristmill_pipeline::{OperatorConfig, OperatorConfigError};

/// Configuration of [`HttpEmbed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Base URL of the server including `/v1`, such as `http://localhost:8080/v1`. Required.
    pub url: Option<String>,
    /// Name of the model on the server. Required.
    pub model: Option<String>,
    /// Number of components of a vector; if absent, the server is queried for it when the job is
    /// built.
    pub dimension: Option<NonZeroUsize>,
    /// A label for the version of the model's weights, which the server does not report. Change
    /// it when the weights change, to embed every chunk again. A change of `url` alone embeds
    /// nothing again.
    pub revision: String,
    /// Name of the environment variable with the API key, if the server requires one.
    pub key_env: Option<String>,
    /// Maximum number of texts in a request.
    pub batch_texts: NonZeroUsize,
    /// Maximum number of tokens in a request, estimated.
    pub batch_tokens: NonZeroUsize,
    /// Maximum number of concurrent requests.
    pub concurrency: NonZeroUsize,
    /// Maximum number of requests per minute; 0 means no limit.
    pub requests_per_minute: u32,
    /// Timeout of a request in milliseconds.
    pub timeout_ms: u64,
    /// Maximum number of retries of a failed request.
    pub retries: u32,
    /// Backoff before the first retry in milliseconds; it doubles with each retry, up to 30
    /// seconds.
    pub backoff_ms: u64,
    /// Text that is prepended to each query.
    pub query_prefix: String,
    /// Text that is prepended to each passage.
    pub passage_prefix: String,
    /// Whether to normalise vectors to unit length.
    pub normalize: bool,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            url: None,
            model: None,
            dimension: None,
            revision: String::new(),
            key_env: None,
            batch_texts: NonZeroUsize::MIN.saturating_add(31),
            batch_tokens: NonZeroUsize::MIN.saturating_add(8_191),
            concurrency: NonZeroUsize::MIN.saturating_add(3),
            requests_per_minute: 0,
            timeout_ms: 60_000,
            retries: 5,
            backoff_ms: 500,
            query_prefix: String::new(),
            passage_prefix: String::new(),
            normalize: true,
        }
    }
}

impl OperatorConfig for HttpConfig {
    type Operator = HttpEmbed;

    const NAME: &'static str = "http";

    fn build(&self, _folder: &Path) -> Result<HttpEmbed, OperatorConfigError> {
        HttpEmbed::connect(self).map_err(|error| OperatorConfigError::of(error.parameter(), error))
    }
}

/// Maximum difference between components of two vectors of the same text: servers form their own
/// batches.
const TOLERANCE: f32 = 1e-3;

/// Embeds passages with a model on an OpenAI-compatible server.
pub type HttpEmbed = Embed<HttpModel>;

impl HttpEmbed {
    /// Returns an operator for the server in `config`. Queries the server for the dimension if
    /// `config` has none.
    ///
    /// # Errors
    /// If a parameter is missing or invalid, or the query for the dimension fails.
    pub fn connect(config: &HttpConfig) -> Result<Self, HttpError> {
        let settings = EmbedSettings {
            passage_prefix: config.passage_prefix.clone(),
            query_prefix: config.query_prefix.clone(),
            normalize: config.normalize,
        };
        Ok(Self::new(HttpModel::connect(config)?, settings))
    }
}

/// A model on an OpenAI-compatible server.
#[derive(Debug)]
pub struct HttpModel {
    client: Client,
    dimension: usize,
    identity: Fingerprint,
    semaphore: Semaphore,
    rate_limiter: RateLimiter,
    retries: u32,
    first_backoff: Duration,
    limits: BatchLimits,
    /// Whether the server has embedded any text. If so, a rejection is the fault of the texts.
    has_embedded: AtomicBool,
    /// What requests took since it was last asked for.
    waited_ns: AtomicU64,
}

/// Maximum total backoff of a request outside the run: a query, or the query for the dimension.
const MAX_QUERY_BACKOFF: Duration = Duration::from_secs(10);

impl HttpModel {
    fn connect(config: &HttpConfig) -> Result<Self, HttpError> {
        let missing = |name: &'static str, example: &str| HttpError::Parameter {
            name,
            message: format!("`{name}` is missing; set it, for example `{name} = \"{example}\"`"),
        };
        let url = config.url.as_deref().ok_or_else(|| missing("url", "http://localhost:8080/v1"))?;
        let model = config.model.as_deref().ok_or_else(|| missing("model", "nomic-embed-text"))?;
        if !(url.starts_with("http://") || url.starts_with("https://")) {
            let message = "`url` must start with `http://` or `https://`".to_owned();
            return Err(HttpError::Parameter { name: "url", message });
        }
        if url.split('/').nth(2).is_some_and(|host| host.contains('@')) {
            let message = "`url` must not contain a user name or password; put the API key into an environment \
                           variable and set `key_env` to its name";
            return Err(HttpError::Parameter { name: "url", message: message.into() });
        }
        let key = config.key_env.as_deref().map(api_key).transpose()?;
        let concurrency = config.concurrency.get();
        let timeout = Duration::from_millis(config.timeout_ms.max(1));
        let mut connected = Self {
            client: Client::new(url, model, key, timeout, concurrency + 1),
            dimension: 0,
            identity: Hash::of(b""),
            semaphore: Semaphore::new(concurrency),
            rate_limiter: RateLimiter::new(config.requests_per_minute),
            retries: config.retries,
            first_backoff: Duration::from_millis(config.backoff_ms),
            limits: BatchLimits {
                max_texts: config.batch_texts.get(),
                max_tokens: config.batch_tokens.get(),
                pads: false,
                concurrency,
            },
            has_embedded: AtomicBool::new(false),
            waited_ns: AtomicU64::new(0),
        };
        connected.dimension = match config.dimension {
            Some(dimension) => dimension.get(),
            None => connected.query_dimension(url)?,
        };
        connected.identity = Hash::of_parts([
            b"http 1".as_slice(),
            model.as_bytes(),
            &(connected.dimension as u64).to_le_bytes(),
            config.revision.as_bytes(),
        ]);
        Ok(connected)
    }

    /// Embeds a short text to find the dimension.
    fn query_dimension(&self, url: &str) -> Result<usize, HttpError> {
        let vectors = self.request(&["a"], None, Some(MAX_QUERY_BACKOFF)).map_err(|error| match error {
            HttpError::NoResponse { .. } | HttpError::Timeout { .. } => HttpError::Parameter {
                name: "url",
                message: format!("cannot query {url} for the dimension of the model: {error}; or set `dimension`"),
            },
            other => other,
        })?;
        match vectors.first().map(Vec::len) {
            Some(dimension) if dimension > 0 => Ok(dimension),
            _ => Err(HttpError::Malformed { reason: "an empty vector".into() }),
        }
    }

    /// Sends a request, and retries it while the error is transient and retries are left.
    ///
    /// With `max_backoff` it ignores the rate limit, and fails rather than back off for longer
    /// than that in total.
    fn request(
        &self,
        texts: &[&str],
        dimension: Option<usize>,
        max_backoff: Option<Duration>,
    ) -> Result<Vec<Vec<f32>>, HttpError> {
        let (mut attempt, mut total) = (0, Duration::ZERO);
        loop {
            if max_backoff.is_none() {
                std::thread::sleep(self.rate_limiter.reserve(Instant::now()));
            }
            match self.client.embed(texts, dimension) {
                Ok(vectors) => {
                    self.has_embedded.store(true, Ordering::Relaxed);
                    return Ok(vectors);
                }
                Err(error) => {
                    let delay = retry_delay(self.first_backoff, attempt, error.retry_after());
                    total += delay;
                    let is_within_backoff = max_backoff.is_none_or(|max_backoff| total <= max_backoff);
                    if !error.is_transient() || attempt >= self.retries || !is_within_backoff {
                        return Err(error);
                    }
                    std::thread::sleep(delay);
                    attempt += 1;
                }
            }
        }
    }

    /// Returns what an error means for the `texts` texts of a batch.
    fn batch_error(&self, error: &HttpError, texts: usize) -> EmbeddingModelError {
        match error {
            HttpError::Rejected { status, .. } if texts > 1 || self.accepts_any_text() => {
                EmbeddingModelError::Rejected(format!("the server refuses a text (status {status})"))
            }
            error if error.is_transient() => EmbeddingModelError::Failed(format!(
                "gave up after {} attempts: {error}; the vectors so far are kept, so run again when the server is available",
                self.retries + 1
            )),
            error => EmbeddingModelError::Failed(error.to_string()),
        }
    }

    /// Whether the server embeds any text. With a wrong parameter it rejects every one, and
    /// reporting each text would hide the cause.
    fn accepts_any_text(&self) -> bool {
        self.has_embedded.load(Ordering::Relaxed) || self.request(&["a"], Some(self.dimension), None).is_ok()
    }
}

/// Returns the API key in an environment variable.
fn api_key(variable: &str) -> Result<ApiKey, HttpError> {
    let value = std::env::var(variable).unwrap_or_default();
    let key = value.trim();
    let problem = if key.is_empty() {
        "is not set"
    } else if key.contains(|c: char| c.is_control() || !c.is_ascii()) {
        "contains a character that is not printable ASCII"
    } else {
        return Ok(ApiKey(key.to_owned()));
    };
    let message = format!("the environment variable `{variable}` {problem}; set it to the API key of the server");
    Err(HttpError::Parameter { name: "key_env", message })
}

impl EmbeddingModel for HttpModel {
    fn kind(&self) -> &'static str {
        "http"
    }

    fn identity(&self) -> Fingerprint {
        self.identity
    }

    fn dimension(&self) -> usize {
        self.dimension
    }

    /// Unlimited: only the server knows its limit.
    fn max_tokens(&self) -> usize {
        usize::MAX
    }

    fn exactness(&self) -> Exactness {
        Exactness::Within(TOLERANCE)
    }

    fn requests(&self) -> usize {
        self.limits.concurrency
    }

    fn take_wait(&self) -> Duration {
        Duration::from_nanos(self.waited_ns.swap(0, Ordering::Relaxed))
    }

    fn turn(&self) -> Option<Permit<'_>> {
        Some(self.semaphore.acquire())
    }

    fn batch_limits(&self) -> BatchLimits {
        self.limits
    }

    fn count_tokens(&self, text: &str) -> Result<usize, EmbeddingModelError> {
        Ok(estimate_tokens(text) as usize)
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbeddingModelError> {
        let started = Instant::now();
        let vectors = self.request(texts, Some(self.dimension), None);
        let waited = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.waited_ns.fetch_add(waited, Ordering::Relaxed);
        vectors.map_err(|error| self.batch_error(&error, texts.len()))
    }

    fn embed_query(&self, text: &str) -> Result<Vec<f32>, EmbeddingModelError> {
        let vectors = self.request(&[text], Some(self.dimension), Some(MAX_QUERY_BACKOFF));
        let vectors = vectors.map_err(|error| EmbeddingModelError::Failed(error.to_string()))?;
        vectors.into_iter().next().ok_or_else(|| EmbeddingModelError::Failed("the server returned no vector".into()))
    }
}
