//! From a path or a chunk hash to the rows that have it.

use gristmill_pipeline::Key;

/// A key in two words, so that an entry takes 24 bytes rather than 32.
type Words = [u64; 2];

/// The row addresses of each key: sorted, 24 bytes a row.
///
/// A row address is the fragment's number in the upper 32 bits and the row's place in
/// the fragment in the lower; it stays the same until the row is deleted.
#[derive(Clone, Debug, Default)]
pub(super) struct AddressIndex {
    entries: Vec<(Words, u64)>,
}

impl AddressIndex {
    pub fn new(entries: impl IntoIterator<Item = (Key, u64)>) -> Self {
        let mut entries: Vec<_> = entries.into_iter().map(|(key, address)| (words(key), address)).collect();
        entries.sort_unstable();
        Self { entries }
    }

    /// The addresses of a key, ascending.
    pub fn get(&self, key: Key) -> impl Iterator<Item = u64> + '_ {
        let key = words(key);
        let start = self.entries.partition_point(|entry| entry.0 < key);
        self.entries.iter().skip(start).take_while(move |entry| entry.0 == key).map(|entry| entry.1)
    }

    /// Forgets rows; `removed` is ascending.
    pub fn remove(&mut self, removed: &[u64]) {
        if !removed.is_empty() {
            self.entries.retain(|entry| removed.binary_search(&entry.1).is_err());
        }
    }

    pub fn insert(&mut self, added: impl IntoIterator<Item = (Key, u64)>) {
        self.entries.extend(added.into_iter().map(|(key, address)| (words(key), address)));
        // Stable, because that sort takes a sorted run as it is.
        self.entries.sort();
    }
}

fn words(key: Key) -> Words {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    [(key >> 64) as u64, key as u64]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_there() {
        let mut index = AddressIndex::new([(7, 3), (u128::MAX, 1), (7, 2), (1 << 64, 9)]);
        assert_eq!(index.get(7).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(index.get(8).count(), 0);
        index.remove(&[1, 3]);
        index.insert([(7, 40), (0, 41)]);
        assert_eq!(index.get(7).collect::<Vec<_>>(), [2, 40]);
        assert_eq!(index.get(u128::MAX).count(), 0);
        assert_eq!(index.get(0).collect::<Vec<_>>(), [41]);
    }
}
