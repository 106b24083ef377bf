//! Models behind an OpenAI-compatible server: `POST …/v1/embeddings`.

mod client;
mod error;
mod pace;

pub(super) use client::agent;
pub use error::HttpError;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gristmill_pipeline::{Fingerprint, Hash};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::client::{Client, Key};
use self::pace::{Gate, Pace, backoff};
use super::embedding_model::{BatchLimits, EmbeddingModel, EmbeddingModelError, Exactness};
use super::operator::{Embed, EmbedSettings};
use crate::chunk::estimate_tokens;

/// Configures [`HttpEmbed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// The server's address up to and with `/v1`, such as `http://localhost:8080/v1`.
    pub url: Option<String>,
    /// The model, as the server names it.
    pub model: Option<String>,
    /// The number of components of its vectors; the server is asked, when the job is
    /// built, if absent.
    pub dimension: Option<NonZeroUsize>,
    /// A word of yours for the weights that the server has, which nobody else can know:
    /// change it when they change, and everything is embedded again. Another `url` alone
    /// changes nothing.
    pub revision: String,
    /// The environment variable that holds the key, if the server wants one.
    pub key_env: Option<String>,
    /// Texts in a request, at most.
    pub batch_texts: NonZeroUsize,
    /// Tokens in a request, at most, by estimate.
    pub batch_tokens: NonZeroUsize,
    /// Requests under way at once.
    pub concurrency: NonZeroUsize,
    /// Requests a minute, at most; no limit if 0.
    pub requests_per_minute: u32,
    /// How long a request may take, in milliseconds.
    pub timeout_ms: u64,
    /// How often a request is made again that failed.
    pub retries: u32,
    /// The wait before the first retry, in milliseconds; it doubles with each.
    pub backoff_ms: u64,
    /// Stands before each query.
    pub query_prefix: String,
    /// Stands before each passage.
    pub passage_prefix: String,
    /// Divide each vector by its norm.
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

/// How far vectors of the same text may lie apart: servers batch as they like.
const TOLERANCE: f32 = 1e-3;

/// Embeds passages with a model behind HTTP.
pub type HttpEmbed = Embed<HttpModel>;

impl HttpEmbed {
    /// A client of the server that `config` names, which is asked for the dimension if
    /// `config` does not say it.
    ///
    /// # Errors
    /// If a parameter is missing, or the server does not answer.
    pub fn connect(config: &HttpConfig) -> Result<Self, HttpError> {
        let settings = EmbedSettings {
            passage_prefix: config.passage_prefix.clone(),
            query_prefix: config.query_prefix.clone(),
            normalize: config.normalize,
        };
        Ok(Self::new(HttpModel::connect(config)?, settings))
    }
}

/// A model behind HTTP.
#[derive(Debug)]
pub struct HttpModel {
    client: Client,
    dimension: usize,
    identity: Fingerprint,
    gate: Gate,
    pace: Pace,
    retries: u32,
    first_wait: Duration,
    limits: BatchLimits,
    /// Whether the server has embedded anything, so that a refusal is the text's fault.
    has_answered: AtomicBool,
}

/// Requests that are no part of a run wait no longer than this for their retries.
const PATIENCE: Duration = Duration::from_secs(10);

impl HttpModel {
    fn connect(config: &HttpConfig) -> Result<Self, HttpError> {
        let missing = |key: &'static str, example: &str| HttpError::Parameter {
            key,
            message: format!("`{key}` is missing; name it, such as `{key} = \"{example}\"`"),
        };
        let url = config.url.as_deref().ok_or_else(|| missing("url", "http://localhost:8080/v1"))?;
        let model = config.model.as_deref().ok_or_else(|| missing("model", "nomic-embed-text"))?;
        if !(url.starts_with("http://") || url.starts_with("https://")) {
            let message = "`url` begins with neither `http://` nor `https://`".to_owned();
            return Err(HttpError::Parameter { key: "url", message });
        }
        if url.split('/').nth(2).is_some_and(|host| host.contains('@')) {
            let message = "`url` holds a name or password; put the key into an environment variable, and name it \
                           with `key_env`";
            return Err(HttpError::Parameter { key: "url", message: message.into() });
        }
        let key = config.key_env.as_deref().map(key_of).transpose()?;
        let concurrency = config.concurrency.get();
        let timeout = Duration::from_millis(config.timeout_ms.max(1));
        let mut found = Self {
            client: Client::new(url, model, key, timeout, concurrency + 1),
            dimension: 0,
            identity: Hash::of(b""),
            gate: Gate::new(concurrency),
            pace: Pace::new(config.requests_per_minute),
            retries: config.retries,
            first_wait: Duration::from_millis(config.backoff_ms),
            limits: BatchLimits {
                texts: config.batch_texts.get(),
                tokens: config.batch_tokens.get(),
                pads: false,
                concurrency,
            },
            has_answered: AtomicBool::new(false),
        };
        found.dimension = match config.dimension {
            Some(dimension) => dimension.get(),
            None => found.ask_dimension(url)?,
        };
        found.identity = Hash::of_parts([
            b"http 1".as_slice(),
            model.as_bytes(),
            &(found.dimension as u64).to_le_bytes(),
            config.revision.as_bytes(),
        ]);
        Ok(found)
    }

    fn ask_dimension(&self, url: &str) -> Result<usize, HttpError> {
        let vectors = self.request(&["a"], None, Some(PATIENCE)).map_err(|error| match error {
            HttpError::NoAnswer { .. } | HttpError::Timeout { .. } => HttpError::Parameter {
                key: "url",
                message: format!("{url} was asked for the dimension of the model: {error}; or name `dimension`"),
            },
            other => other,
        })?;
        match vectors.first().map(Vec::len) {
            Some(dimension) if dimension > 0 => Ok(dimension),
            _ => Err(HttpError::Malformed { reason: "an empty vector".into() }),
        }
    }

    /// Makes a request until it succeeds, cannot succeed, or has been made often enough.
    /// With `patience` it does not wait for its turn, and ends before its waits are longer
    /// than that.
    fn request(
        &self,
        texts: &[&str],
        dimension: Option<usize>,
        patience: Option<Duration>,
    ) -> Result<Vec<Vec<f32>>, HttpError> {
        let (mut attempt, mut waited) = (0, Duration::ZERO);
        loop {
            if patience.is_none() {
                std::thread::sleep(self.pace.turn(Instant::now()));
            }
            match self.client.embed(texts, dimension) {
                Ok(vectors) => {
                    self.has_answered.store(true, Ordering::Relaxed);
                    return Ok(vectors);
                }
                Err(error) => {
                    let wait = backoff(self.first_wait, attempt, error.wait());
                    waited += wait;
                    let is_patient = patience.is_none_or(|patience| waited <= patience);
                    if !error.may_pass() || attempt >= self.retries || !is_patient {
                        return Err(error);
                    }
                    std::thread::sleep(wait);
                    attempt += 1;
                }
            }
        }
    }

    /// What a failure means for the texts of a run.
    fn failure(&self, error: &HttpError, texts: usize) -> EmbeddingModelError {
        match error {
            HttpError::Refused { status, .. } if texts > 1 || self.accepts_anything() => {
                EmbeddingModelError::Rejected(format!("the server refuses a text (status {status})"))
            }
            error if error.may_pass() => EmbeddingModelError::Failed(format!(
                "given up after {} attempts: {error}; what was embedded is kept, so run again when the server works",
                self.retries + 1
            )),
            error => EmbeddingModelError::Failed(error.to_string()),
        }
    }

    /// Whether the server embeds at all. A wrong parameter would have it refuse every
    /// text, and it would be wrong to blame them one by one.
    fn accepts_anything(&self) -> bool {
        self.has_answered.load(Ordering::Relaxed) || self.request(&["a"], Some(self.dimension), None).is_ok()
    }
}

/// The key that an environment variable holds.
fn key_of(variable: &str) -> Result<Key, HttpError> {
    let held = std::env::var(variable).unwrap_or_default();
    let key = held.trim();
    let problem = if key.is_empty() {
        "is not set"
    } else if key.contains(|c: char| c.is_control() || !c.is_ascii()) {
        "holds what no key can"
    } else {
        return Ok(Key(key.to_owned()));
    };
    let message =
        format!("the environment variable `{variable}` {problem}; it is where the server's key is taken from");
    Err(HttpError::Parameter { key: "key_env", message })
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

    /// Only the server knows.
    fn max_tokens(&self) -> usize {
        usize::MAX
    }

    fn exactness(&self) -> Exactness {
        Exactness::Within(TOLERANCE)
    }

    fn batch_limits(&self) -> BatchLimits {
        self.limits
    }

    fn count_tokens(&self, text: &str) -> Result<usize, EmbeddingModelError> {
        Ok(estimate_tokens(text) as usize)
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbeddingModelError> {
        let _place = self.gate.enter();
        let vectors = self.request(texts, Some(self.dimension), None);
        vectors.map_err(|error| self.failure(&error, texts.len()))
    }

    fn embed_query(&self, text: &str) -> Result<Vec<f32>, EmbeddingModelError> {
        let vectors = self.request(&[text], Some(self.dimension), Some(PATIENCE));
        let vectors = vectors.map_err(|error| EmbeddingModelError::Failed(error.to_string()))?;
        vectors.into_iter().next().ok_or_else(|| EmbeddingModelError::Failed("the server gave no vector".into()))
    }
}
