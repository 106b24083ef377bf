//! Keys of paths of names, made one name at a time.
//!
//! A chain is a polynomial over hashes of names: that of `a b c` is `((k·M + a)·M + b)·M + c` for the
//! key `k` of where it begins. So the chain of names alone, which a content knows, and the key of
//! the place that a path gives, make the same key as adding the names one by one.

use serde::{Deserialize, Serialize};

use gristmill_ids::NameKey;

/// An odd constant, so that multiplication loses nothing: the fractional part of the golden ratio.
const M: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// Limit on the names that follow the known part of a path.
pub const MAX_THEN: usize = 3;

/// A quarter of the key of a name; 0 stands for no name.
///
/// Searches hold many names, and spend their time on moving them. Two names below the same place
/// are taken for one with a probability of 2⁻³².
pub type ShortName = u32;

/// The key of a place and the names below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChainKey {
    // In halves: a `u128` would align every record that holds a key to 16 bytes.
    high: u64,
    low: u64,
}

impl ChainKey {
    /// The key of a place without names.
    #[must_use]
    pub const fn of(place: NameKey) -> Self {
        Self::from_bits(place.to_bits())
    }

    const fn from_bits(bits: u128) -> Self {
        Self { high: (bits >> 64) as u64, low: bits as u64 }
    }

    const fn bits(self) -> u128 {
        (self.high as u128) << 64 | self.low as u128
    }

    /// Half of the key.
    #[must_use]
    pub const fn half(self) -> u64 {
        self.low
    }

    /// The key of a name below this.
    #[must_use]
    pub const fn below(self, name: ShortName) -> Self {
        self.link(name as u64)
    }

    /// The key of a path of names as a target below this, by the key of its text.
    #[must_use]
    pub const fn target(self, path: NameKey) -> Self {
        self.link(target_link(path))
    }

    const fn link(self, link: u64) -> Self {
        Self::from_bits(self.bits().wrapping_mul(M).wrapping_add(link as u128))
    }

    /// The key of a chain of names below this.
    #[must_use]
    pub fn join(self, chain: NameChain) -> Self {
        let moved = (0..chain.length).fold(self.bits(), |key, _| key.wrapping_mul(M));
        Self::from_bits(moved.wrapping_add(chain.key()))
    }
}

/// A chain of names, without the place that it begins at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NameChain {
    // As bytes: a `u128` would align every fact that holds a chain to 16 bytes.
    key: [u8; 16],
    length: u8,
}

impl NameChain {
    /// The chain of these names.
    #[must_use]
    pub fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        names.into_iter().fold(Self::default(), |chain, name| chain.then(short_name(name)))
    }

    /// The chain of a path of names as a target, by its text.
    #[must_use]
    pub fn of_target(path: &str) -> Self {
        Self::default().link(target_link(NameKey::of(path)))
    }

    /// This chain with one more name.
    #[must_use]
    pub const fn then(self, name: ShortName) -> Self {
        self.link(name as u64)
    }

    const fn link(self, link: u64) -> Self {
        let key = ChainKey::from_bits(self.key()).link(link).bits();
        Self { key: key.to_le_bytes(), length: self.length.saturating_add(1) }
    }

    /// Whether it has no names.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.length == 0
    }

    const fn key(self) -> u128 {
        u128::from_le_bytes(self.key)
    }
}

/// What stands for a target in a chain: more than for a name, as a file has many targets in one place.
const fn target_link(path: NameKey) -> u64 {
    path.to_bits() as u64
}

/// The short form of a name.
#[must_use]
pub fn short_name(name: &str) -> ShortName {
    (NameKey::of(name).to_bits() as ShortName).max(1)
}

/// The short forms of names, if they are no more than [`MAX_THEN`].
pub fn short_names<'n>(names: impl IntoIterator<Item = &'n str>) -> Option<[ShortName; MAX_THEN]> {
    let mut short = [0; MAX_THEN];
    let mut slots = short.iter_mut();
    for name in names {
        *slots.next()? = short_name(name);
    }
    Some(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_joined_to_a_place_is_the_key_of_its_names_below_it() {
        let place = ChainKey::of(NameKey::of("src/a.py"));
        let names = ["Mill", "grind", "()"];
        let one_by_one = names.iter().fold(place, |key, name| key.below(short_name(name)));
        assert_eq!(place.join(NameChain::of(names)), one_by_one);
        assert_eq!(place.join(NameChain::of([])), place);
        let (head, tail) = (NameChain::of(["Mill"]), NameChain::of(["grind", "()"]));
        assert_eq!(place.join(head).join(tail), one_by_one);
        assert_ne!(NameChain::of(["a", "b"]), NameChain::of(["b", "a"]));
        assert_eq!(short_names(["a", "b", "c", "d"]), None);
    }
}
