//! Indexes of a table: from a key to the rows that have it.

mod of_rows;

use gristmill_pipeline::Key;

pub(super) use of_rows::keys_of;

use crate::tables::Table;

/// What the keys of an index are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// [`row_key`](gristmill_pipeline::row_key) of path and content; in the table of a
    /// view [`ViewRow::key`](gristmill_pipeline::ViewRow::key).
    Rows,
    /// The first half of the chunk's hash.
    Hashes,
    /// The first half of the content's hash.
    Contents,
}

impl KeyKind {
    /// The indexes of a table. The first is by rows.
    pub const fn of(table: &Table) -> &'static [Self] {
        match table {
            Table::Files => &[Self::Rows, Self::Contents],
            Table::Chunks => &[Self::Rows, Self::Hashes],
            _ => &[Self::Rows],
        }
    }
}

/// Says that a row is, or was, at an address. Entries are ordered by key, then address.
///
/// A row address is the fragment's number in the upper 32 bits and the row's place in
/// the fragment in the lower; it stays the same until the row is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub key: Key,
    pub address: u64,
    /// 0 for a row that is there. Otherwise the row was deleted, or moved to another
    /// address, and this is the last version of the table that has it here.
    pub last_version: u64,
}

impl Entry {
    pub const fn live(key: Key, address: u64) -> Self {
        Self { key, address, last_version: 0 }
    }

    pub const fn is_live(&self) -> bool {
        self.last_version == 0
    }
}

/// An index of a table.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyIndex {
    entries: Option<Vec<Entry>>,
}

impl KeyIndex {
    pub fn is_loaded(&self) -> bool {
        self.entries.is_some()
    }

    /// Sets what it holds, from a scan of the rows that are there.
    pub fn rebuild(&mut self, mut entries: Vec<Entry>) {
        entries.sort_unstable();
        self.entries = Some(entries);
    }

    /// The entries of a key, ascending.
    pub fn get(&self, key: Key) -> Vec<Entry> {
        let entries = self.entries.as_deref().unwrap_or_default();
        let start = entries.partition_point(|entry| entry.key < key);
        entries.iter().skip(start).take_while(|entry| entry.key == key).copied().collect()
    }

    pub fn clear(&mut self) {
        self.entries = None;
    }

    /// Adds the entries of an epoch: rows that it added, and rows that it deleted.
    pub fn extend(&mut self, changes: Vec<Entry>) {
        if let Some(entries) = &mut self.entries {
            entries.extend(changes);
            // Stable, because that sort takes a sorted run as it is.
            entries.sort();
            entries.dedup_by(|next, kept| {
                let same = (next.key, next.address) == (kept.key, kept.address);
                kept.last_version = if same { next.last_version } else { kept.last_version };
                same
            });
        }
    }
}
