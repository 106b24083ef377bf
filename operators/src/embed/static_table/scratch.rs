//! Buffers of the tokenizer.

/// Buffers that are reused from one text to the next.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The token ids of the current text.
    pub(super) ids: Vec<u32>,
    /// The current text, or a part of it, after normalisation.
    pub(super) rewritten: String,
}

impl Scratch {
    /// Returns the token ids of the last call of [`Tokenizer::encode`](super::tokenizer::Tokenizer::encode).
    #[must_use]
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }
}
