//! Longest-prefix lookup of vocabulary pieces.

use std::collections::HashMap;

/// Pieces of up to this many bytes are keyed by a `u128`. It covers all but a few entries of any
/// WordPiece vocabulary.
const INLINE: usize = 16;

/// The number of zero bytes that must follow a text that is looked up.
pub(super) const PADDING: usize = INLINE;

/// A piece in the table. Its key is its bytes, padded with zeros.
#[derive(Clone, Copy, Debug)]
struct Entry {
    key: u128,
    id: u32,
}

/// Finds the longest piece that is a prefix of a text.
///
/// Pieces of up to 16 bytes are in an open-addressed hash table. A prefix of the text is its first
/// 16 bytes under a mask, so testing a length costs a mask, a multiplication and one probe, and
/// copies nothing. A table indexed by the first two bytes records which lengths exist, which
/// avoids nearly every probe that would miss.
#[derive(Debug)]
pub(super) struct PieceTable {
    /// Upper half: hash tag. Lower half: index into `entries` plus one; 0 is empty.
    slots: Box<[u64]>,
    shift: u32,
    entries: Vec<Entry>,
    /// Indexed by the first two bytes: bit `n - 1` is set if a piece of `n` bytes starts with them,
    /// bit `INLINE` if a longer piece does.
    lengths: Box<[u32]>,
    longer: HashMap<Box<[u8]>, u32>,
    longest: usize,
}

impl PieceTable {
    /// Builds the table; `None` if a piece is empty, contains a NUL or is a duplicate.
    pub(super) fn new(pieces: &[(&str, u32)]) -> Option<Self> {
        let capacity = (pieces.len() * 2).next_power_of_two().max(16);
        let mut table = Self {
            slots: vec![0; capacity].into_boxed_slice(),
            shift: 64 - capacity.trailing_zeros(),
            entries: Vec::with_capacity(pieces.len()),
            lengths: vec![0; 1 << 12].into_boxed_slice(),
            longer: HashMap::new(),
            longest: 0,
        };
        let all_new = pieces.iter().all(|(piece, id)| table.insert(piece.as_bytes(), *id));
        all_new.then_some(table)
    }

    /// Adds a piece. Returns whether it is valid and new.
    fn insert(&mut self, piece: &[u8], id: u32) -> bool {
        if piece.is_empty() || piece.contains(&0) {
            return false;
        }
        let mut padded = [0; INLINE];
        for (to, from) in padded.iter_mut().zip(piece) {
            *to = *from;
        }
        self.longest = self.longest.max(piece.len());
        if let Some(lengths) = self.lengths.get_mut(length_index(&padded)) {
            *lengths |= 1 << (piece.len() - 1).min(INLINE);
        }
        if piece.len() > INLINE {
            return self.longer.insert(piece.into(), id).is_none();
        }
        let key = u128::from_le_bytes(padded);
        let hash = hash(key);
        let tag = hash << 32;
        let mask = self.slots.len() - 1;
        let mut at = (hash >> self.shift) as usize;
        while let Some(slot) = self.slots.get_mut(at & mask) {
            if *slot == 0 {
                self.entries.push(Entry { key, id });
                *slot = tag | self.entries.len() as u64;
                return true;
            }
            if self.entries.get(index_of(*slot)).is_some_and(|entry| entry.key == key) {
                return false;
            }
            at += 1;
        }
        false
    }

    #[inline]
    fn get(&self, key: u128) -> Option<u32> {
        let hash = hash(key);
        let mask = self.slots.len() - 1;
        let mut at = (hash >> self.shift) as usize;
        loop {
            // The table is at most half full, so every search ends at an empty slot.
            let slot = *self.slots.get(at & mask)?;
            if slot == 0 {
                return None;
            }
            if slot >> 32 == hash & u64::from(u32::MAX) {
                let entry = self.entries.get(index_of(slot))?;
                if entry.key == key {
                    return Some(entry.id);
                }
            }
            at += 1;
        }
    }

    /// Returns the length in bytes and the id of the longest piece that is a prefix of the first
    /// `remaining` bytes of `padded`, which must have at least [`PADDING`] bytes.
    #[inline]
    pub(super) fn longest_prefix(&self, padded: &[u8], remaining: usize) -> Option<(usize, u32)> {
        let head = padded.first_chunk::<INLINE>()?;
        let text = u128::from_le_bytes(*head);
        let mut lengths = 1;
        if remaining > 1 {
            lengths |= self.lengths.get(length_index(head)).copied().unwrap_or_default();
        }
        if remaining > INLINE && lengths >> INLINE != 0 {
            let longest = self.longest.min(remaining);
            let found = (INLINE + 1..=longest).rev().find_map(|length| {
                let piece = padded.get(..length)?;
                Some((length, *self.longer.get(piece)?))
            });
            if found.is_some() {
                return found;
            }
        }
        lengths &= (1 << remaining.min(INLINE)) - 1;
        while lengths != 0 {
            let length = u32::BITS - lengths.leading_zeros();
            let key = text & (u128::MAX >> (128 - 8 * length));
            if let Some(id) = self.get(key) {
                return Some((length as usize, id));
            }
            lengths &= !(1 << (length - 1));
        }
        None
    }
}

#[inline]
const fn index_of(slot: u64) -> usize {
    (slot as u32).wrapping_sub(1) as usize
}

#[inline]
fn length_index(head: &[u8; INLINE]) -> usize {
    (usize::from(head[0] & 63) << 6) | usize::from(head[1] & 63)
}

/// Multiplies the halves and folds the product. The vocabulary is fixed, so no input can cause
/// collisions: a search is bounded by the longest run of occupied slots.
#[inline]
const fn hash(key: u128) -> u64 {
    let low = (key as u64) ^ 0x9e37_79b9_7f4a_7c15;
    let high = ((key >> 64) as u64) ^ 0xd1b5_4a32_d192_ed03;
    let product = (low as u128).wrapping_mul(high as u128);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_the_longest_of_a_set(
            pieces in proptest::collection::hash_set("[abé]{1,20}", 1..40),
            text in "[abé]{1,30}",
        ) {
            let numbered: Vec<(&str, u32)> = pieces.iter().map(String::as_str).zip(7..).collect();
            let table = PieceTable::new(&numbered).expect("distinct pieces");
            let mut padded = text.clone().into_bytes();
            padded.extend([0; PADDING]);
            let expected = numbered.iter().filter(|(piece, _)| text.starts_with(piece)).max_by_key(|(piece, _)| piece.len());
            prop_assert_eq!(table.longest_prefix(&padded, text.len()), expected.map(|(piece, id)| (piece.len(), *id)));
        }
    }
}
