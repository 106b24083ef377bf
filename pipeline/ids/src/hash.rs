//! The hashes that name things: contents, chunks and operator configurations.
//!
//! All are BLAKE3.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::key::Key;

/// A BLAKE3 hash of 32 bytes, written as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

/// BLAKE3 of a file's bytes as they lie on disk.
pub type ContentHash = Hash;

/// BLAKE3 of what the embedder sees of a chunk: its header and its text.
pub type ChunkHash = Hash;

/// BLAKE3 of an operator's code version and configuration (law 7: it is part of the
/// key of everything that the operator produced).
pub type Fingerprint = Hash;

impl Hash {
    /// Hashes one byte string.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// Hashes a sequence of byte strings, each preceded by its length, so that no two
    /// different sequences have the same input to the hash function.
    #[must_use]
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(*hasher.finalize().as_bytes())
    }

    /// Wraps 32 bytes that already are a hash.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 128 bits, little endian.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::from(self)
    }

    /// The first `digits` hex digits, for people.
    #[must_use]
    pub fn short(&self, digits: usize) -> String {
        let mut hex = self.to_string();
        hex.truncate(digits);
        hex
    }
}

impl From<blake3::Hash> for Hash {
    fn from(hash: blake3::Hash) -> Self {
        Self(*hash.as_bytes())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short(12))
    }
}

impl FromStr for Hash {
    type Err = blake3::HexError;

    fn from_str(hex: &str) -> Result<Self, Self::Err> {
        blake3::Hash::from_hex(hex).map(Self::from)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hex = String::deserialize(deserializer)?;
        hex.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_not_concatenated() {
        let split = Hash::of_parts([b"ab".as_slice(), b"c"]);
        assert_ne!(split, Hash::of_parts([b"a".as_slice(), b"bc"]));
        assert_eq!(split, Hash::of_parts([b"ab".as_slice(), b"c"]));
    }

    #[test]
    fn hex_round_trips() {
        let hash = Hash::of(b"gristmill");
        assert_eq!(hash.to_string().parse().ok(), Some(hash));
        assert_eq!(hash.to_string().len(), 64);
    }
}
