//! The fact plane: who has what, kept by a timely + differential dataflow.
//!
//! Facts are hashes and small numbers, never text. Changes go in; what comes out is work
//! to do (contents to analyse, passages to embed) and rows to add or delete:
//!
//! ```text
//!  (content, path) ──┬─► least path of each content ─► without those analysed ─► contents to analyse
//!                    ├─► ⋈ analysed contents ────────────────────────────────► rows (path, content) ±
//!                    └─► ⋈ (content, chunk) ─► distinct over header and body ─► passages ±
//! ```
//!
//! All three outputs are differences: a passage shows up once however many chunks of
//! however many files hold it, and a rename shows up as rows alone.
//!
//! An epoch takes several *rounds*, each a tick of the dataflow's clock: the Merkle diff
//! enters with the first, and facts enter as contents are analysed, so that embedding and
//! writing go on while parsing does. The paths of an epoch enter with its first round and
//! a content's chunks enter at once, hence no row that a round adds is taken back by a
//! later one (but for a file that changes under the reader: see
//! [`Facts::files`]).

mod dataflow;
mod plane;

pub use plane::{FactPlane, PlaneError};

use crate::hash::Key;

/// A change of multiplicity: how many more times something holds.
pub type Difference = isize;

/// A chunk of a content, as the plane knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct ChunkFact {
    /// The chunk lane that cut it.
    pub lane: u16,
    /// The key of its [`body_hash`](crate::port::Chunk::body_hash).
    pub body: Key,
}

/// What an embedder sees of a chunk, by identity: chunks with equal identities have
/// equal vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct PassageId {
    /// The embed lane.
    pub lane: u16,
    /// The key of the path, where the header holds it; 0 where it does not.
    pub header: Key,
    /// The key of the chunk's body hash.
    pub body: Key,
}

/// How an embed lane identifies passages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassageLane {
    /// The chunk lane that it embeds.
    pub chunk_lane: u16,
    /// Whether its header holds the path.
    pub path_in_header: bool,
}

/// Facts that change in one round.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// `(content, path)`: which path holds which content.
    ///
    /// The Merkle diff enters here with the first round of an epoch. Should a file turn
    /// out to hold something else when it is read, its fact is taken back; as its
    /// content was not analysed by then, no row had come of it.
    pub files: Vec<((Key, Key), Difference)>,
    /// Contents that were analysed, all of whose chunks are known.
    pub analysed: Vec<(Key, Difference)>,
    /// `(content, chunk)`.
    pub chunks: Vec<((Key, ChunkFact), Difference)>,
}

impl Facts {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.analysed.is_empty() && self.chunks.is_empty()
    }

    /// The number of facts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len() + self.analysed.len() + self.chunks.len()
    }
}

/// What a round of facts leads to. Each list is in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deltas {
    /// `(content, path)`: contents to analyse, each with the least of the paths that
    /// hold it. Only what is newly so has a positive difference.
    pub contents: Vec<((Key, Key), Difference)>,
    /// `(path, content)`: rows to add and delete.
    pub rows: Vec<((Key, Key), Difference)>,
    /// Passages that came to life or died.
    pub passages: Vec<(PassageId, Difference)>,
}

impl Deltas {
    fn sort(&mut self) {
        self.contents.sort_unstable();
        self.rows.sort_unstable();
        self.passages.sort_unstable();
    }
}
