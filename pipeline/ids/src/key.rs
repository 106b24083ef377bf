//! Keys: the first 128 bits of a hash, typed by what they are the key of.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::hash::Hash;

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(u128);

        impl $name {
            /// The key of nothing: it equals the key of no hash that anything has.
            pub const NONE: Self = Self(0);

            /// The key with these bits.
            #[must_use]
            pub const fn from_bits(bits: u128) -> Self {
                Self(bits)
            }

            /// Its bits.
            #[must_use]
            pub const fn to_bits(self) -> u128 {
                self.0
            }

            /// The key with these bytes, little endian.
            #[must_use]
            pub const fn from_le_bytes(bytes: [u8; 16]) -> Self {
                Self(u128::from_le_bytes(bytes))
            }

            /// Its bytes, little endian.
            #[must_use]
            pub const fn to_le_bytes(self) -> [u8; 16] {
                self.0.to_le_bytes()
            }
        }

        impl From<&Hash> for $name {
            fn from(hash: &Hash) -> Self {
                let (head, _) = hash.as_bytes().split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
                Self::from_le_bytes(*head)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }
    )*};
}

keys! {
    /// The key of anything that has a hash: what key indexes of stores hold, whose kind says
    /// what it is the key of.
    Key;
    /// The key of a content as the fact plane knows it: it covers the bytes, the language
    /// that the path implies, and the fingerprints of all operators.
    ContentKey;
    /// The key of a path.
    PathKey;
    /// The key of a text that facts speak of: a name, a folder, a module, a kind. The empty
    /// text has [`NameKey::NONE`].
    NameKey;
    /// The key of a chunk's body: its scope, its symbol and its text.
    ChunkKey;
    /// The key of what an embedder sees of a chunk: names its vector.
    PassageKey;
    /// The key of the rows that one path has while it holds one content.
    RowKey;
}

macro_rules! widen {
    ($($name:ident => $into:ident;)*) => {$(
        impl From<$name> for $into {
            fn from(key: $name) -> Self {
                Self::from_bits(key.to_bits())
            }
        }
    )*};
}

widen! {
    RowKey => Key;
    PassageKey => Key;
    // A path is a text, and has the key of that text.
    PathKey => NameKey;
}

impl NameKey {
    /// The key of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if text.is_empty() { Self::NONE } else { Self::from(&Hash::of(text.as_bytes())) }
    }
}

impl PathKey {
    /// The key of a path, given as text.
    #[must_use]
    pub fn of(path: &str) -> Self {
        Self::from(&Hash::of(path.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_the_key_of_its_text() {
        assert_eq!(NameKey::from(PathKey::of("a/b.rs")), NameKey::of("a/b.rs"));
        assert_eq!(NameKey::of(""), NameKey::NONE);
    }

    #[test]
    fn bytes_round_trip() {
        let key = Key::from(&Hash::of(b"gristmill"));
        assert_eq!(Key::from_le_bytes(key.to_le_bytes()), key);
        assert_eq!(Hash::of(b"gristmill").key(), key);
    }
}
