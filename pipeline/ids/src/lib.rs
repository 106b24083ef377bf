//! Hashes, typed keys and epoch numbers: the identities that every crate of gristmill
//! shares.
//!
//! A [`struct@Hash`] is 32 bytes and is what tables store. A [`Key`] is its first 16 bytes, which
//! is what the fact plane and the key indexes keep; 128 bits of a cryptographic hash need
//! no interner, so a key means the same in every process. What a key is the key *of* is its
//! type: a [`ContentKey`] cannot be taken for a [`PathKey`].
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod epoch;
mod graph;
mod hash;
mod key;

pub use epoch::Epoch;
pub use graph::{ChunkLaneId, EmbedLaneId, StageId};
pub use hash::{ChunkHash, ContentHash, Fingerprint, Hash};
pub use key::{ChunkKey, ContentKey, Key, NameKey, PassageKey, PathKey, RowKey};
