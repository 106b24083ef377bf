//! Embeddings.

use gristmill_ids::PassageKey;

/// The embedding of one passage; the item of the `Vectors` port.
#[derive(Clone, Debug, PartialEq)]
pub struct Vector {
    /// The key of the [`Passage`](super::Passage) it belongs to.
    pub key: PassageKey,
    /// Its components; their number is the embedder's dimension.
    pub values: Box<[f32]>,
}
