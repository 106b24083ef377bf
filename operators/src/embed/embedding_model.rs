//! What the operator asks of a model.

use gristmill_pipeline::Fingerprint;

/// A model that turns texts into vectors, wherever it runs.
///
/// What is cheap to know is known before the model is loaded: a job can be checked, and
/// a run that has nothing to embed can end, without it.
pub trait EmbeddingModel: Send + Sync {
    /// The name of the operator over it, such as `fastembed`.
    fn kind(&self) -> &'static str;

    /// Hash of the model and of whatever else changes a vector by more than
    /// [`exactness`](Self::exactness) allows.
    fn identity(&self) -> Fingerprint;

    /// The number of components of its vectors.
    fn dimension(&self) -> usize;

    /// How much of a text it looks at.
    fn max_tokens(&self) -> usize;

    /// How far a vector depends on what else is in the batch.
    fn exactness(&self) -> Exactness;

    /// The batches it works best on.
    fn batch_limits(&self) -> BatchLimits;

    /// The tokens of `text`, those that the model adds at its ends left out, or an
    /// estimate where only the server knows; more than [`max_tokens`](Self::max_tokens)
    /// means all that is looked at.
    ///
    /// # Errors
    /// If the tokenizer cannot be had.
    fn count_tokens(&self, text: &str) -> Result<usize, EmbeddingModelError>;

    /// A vector for each text, in their order, not necessarily normalised.
    ///
    /// # Errors
    /// See [`EmbeddingModelError`].
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbeddingModelError>;

    /// The vector of a query. It never waits for a call of [`embed`](Self::embed).
    ///
    /// # Errors
    /// See [`EmbeddingModelError`].
    fn embed_query(&self, text: &str) -> Result<Vec<f32>, EmbeddingModelError>;
}

/// How far the vector of a text depends on the other texts of its batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Exactness {
    /// Not at all: vectors are equal to the bit.
    Bitwise,
    /// No component differs by more than this.
    Within(f32),
    /// So far that a text has to be a batch of its own; then it is equal to the bit.
    Batch,
}

/// What a model wants to compute at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// At most this many texts.
    pub texts: usize,
    /// At most this many tokens, padding included; a single text may have more.
    pub tokens: usize,
    /// Whether texts are padded to the longest of the batch: then they should be of like
    /// length.
    pub pads: bool,
    /// How many batches it takes at once from one caller.
    pub concurrency: usize,
}

/// Texts were not embedded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmbeddingModelError {
    /// The fault may lie with the texts: fewer at once, or others, may pass. The reason
    /// holds none of their text.
    #[error("{0}")]
    Rejected(String),
    /// The model does not work. The message says what to do.
    #[error("{0}")]
    Failed(String),
}
