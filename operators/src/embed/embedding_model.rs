//! The interface between the embed operator and a model.

use std::time::Duration;

use gristmill_pipeline::{Fingerprint, Permit};

/// A model that computes the vectors of texts, in this process or on a server.
///
/// All methods but [`embed`](Self::embed), [`embed_query`](Self::embed_query) and
/// [`count_tokens`](Self::count_tokens) answer without loading the model: a job can be
/// checked, and a run with nothing to embed can finish, without it.
pub trait EmbeddingModel: Send + Sync {
    /// Returns the name of the operator that runs it, such as `fastembed`.
    fn kind(&self) -> &'static str;

    /// Returns the hash of the model, and of every setting that changes a vector by more than
    /// [`exactness`](Self::exactness) allows.
    fn identity(&self) -> Fingerprint;

    /// Returns the number of components of its vectors.
    fn dimension(&self) -> usize;

    /// Returns the maximum number of tokens that it takes; a longer text is truncated.
    fn max_tokens(&self) -> usize;

    /// Returns how much a vector may depend on the other texts of its batch.
    fn exactness(&self) -> Exactness;

    /// Returns how many requests to a server it has under way at once; 0 if it computes. See
    /// [`Operator::requests`](gristmill_pipeline::Operator::requests).
    fn requests(&self) -> usize {
        0
    }

    /// Returns the time that requests took since the last call, added up over those that were under
    /// way together. Time in which they waited for their turn is not in it.
    fn take_wait(&self) -> Duration {
        Duration::ZERO
    }

    /// Waits until a call of [`embed`](Self::embed) may send its request; dropped when the call is over. `None` if any
    /// number of calls may run at once.
    fn turn(&self) -> Option<Permit<'_>> {
        None
    }

    /// Returns the limits of the batches that it runs best on.
    fn batch_limits(&self) -> BatchLimits;

    /// Returns the number of tokens in `text`, without the special tokens that the model adds;
    /// an estimate where only a server knows.
    ///
    /// The count may exceed [`max_tokens`](Self::max_tokens).
    ///
    /// # Errors
    /// If the tokenizer cannot be loaded.
    fn count_tokens(&self, text: &str) -> Result<usize, EmbeddingModelError>;

    /// Returns a vector for each text, in their order, not necessarily normalised.
    ///
    /// # Errors
    /// See [`EmbeddingModelError`].
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbeddingModelError>;

    /// Returns the vector of a query. Never waits for a call of [`embed`](Self::embed).
    ///
    /// # Errors
    /// See [`EmbeddingModelError`].
    fn embed_query(&self, text: &str) -> Result<Vec<f32>, EmbeddingModelError>;
}

/// How much the vector of a text may depend on the other texts of its batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Exactness {
    /// Not at all: vectors are bit-identical.
    Bitwise,
    /// Each component differs by at most this much.
    Within(f32),
    /// Without bound. The operator runs such a model with one text per batch, which makes its
    /// vectors bit-identical.
    BatchDependent,
}

/// The limits of a batch for a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Maximum number of texts.
    pub max_texts: usize,
    /// Maximum number of tokens, padding included. A single text may exceed it.
    pub max_tokens: usize,
    /// Whether texts are padded to the longest one of the batch; if so, a batch should hold
    /// texts of similar length.
    pub pads: bool,
    /// Number of batches that the operator runs concurrently.
    pub concurrency: usize,
}

/// Texts could not be embedded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmbeddingModelError {
    /// The model rejected the texts: a smaller batch, or other texts, may succeed. The reason
    /// does not contain the texts.
    #[error("{0}")]
    Rejected(String),
    /// The model does not work at all. The message says what to do.
    #[error("{0}")]
    Failed(String),
}
