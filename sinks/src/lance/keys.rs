//! Key indexes of a table: from a key to the rows that have it, or had it.
//!
//! They lie beside the table as files of sorted entries, the *key runs* (see [`run`]), so
//! that finding a row takes a few reads however many rows there are. A token names the runs
//! that describe its state; a run that no token names does not count.

mod index;
mod merge;
mod of_rows;
mod prune;
mod run;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;

use gristmill_pipeline::{Epoch, Key};

pub(super) use index::{KeyIndex, Written};
pub(super) use of_rows::keys_of;
pub(super) use prune::prune;
pub(super) use run::{RunError, check_length, verify};

use crate::tables::Table;

/// What the keys of an index are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    const ALL: [Self; 3] = [Self::Rows, Self::Hashes, Self::Contents];

    /// The indexes of a table. The first is by rows.
    pub const fn of(table: &Table) -> &'static [Self] {
        match table {
            Table::Files => &[Self::Rows, Self::Contents],
            Table::Chunks => &[Self::Rows, Self::Hashes],
            _ => &[Self::Rows],
        }
    }

    /// The name used in file names and messages.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Hashes => "hashes",
            Self::Contents => "contents",
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name of a run, such as `rows-1-7.run`: its keys, the epoch that began its series
/// from no rows, and the epoch that wrote it. Addresses mean rows of one series.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct RunName {
    kind: KeyKind,
    series: Epoch,
    epoch: Epoch,
}

/// The names of key runs of a token but for those of the indexes that one of `damaged` is of: an index needs all of
/// its runs.
pub(super) fn without<'a>(names: &[&'a str], damaged: &[&str]) -> Vec<&'a str> {
    let kinds: Vec<_> = damaged.iter().filter_map(|name| RunName::parse(name)).map(|name| name.kind).collect();
    let is_kept = |name: &&str| RunName::parse(name).is_some_and(|name| !kinds.contains(&name.kind));
    names.iter().copied().filter(is_kept).collect()
}

impl RunName {
    fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(".run")?.split('-');
        let kind = parts.next()?;
        let kind = KeyKind::ALL.into_iter().find(|found| found.as_str() == kind)?;
        let parsed = Self { kind, series: parts.next()?.parse().ok()?, epoch: parts.next()?.parse().ok()? };
        parts.next().is_none().then_some(parsed)
    }
}

impl fmt::Display for RunName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}.run", self.kind.as_str(), self.series, self.epoch)
    }
}

/// An entry of a key index: rows that are, or were, at an address and those that follow it.
/// Entries are ordered by key, then address.
///
/// A row address is the fragment's number in the upper 32 bits and the row's place in
/// the fragment in the lower; it stays the same until the row is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub key: Key,
    /// The address of the first row.
    pub address: u64,
    /// 0 for rows that are there. Otherwise they were deleted, or moved to another
    /// address, and this is the last version of the table that has them here.
    pub last_version: u32,
    /// How many rows, one after the other; more than one only in an index of
    /// [`KeyKind::Rows`], where the rows of a key come and go together.
    pub rows: u32,
}

impl Entry {
    pub const fn live(key: Key, address: u64) -> Self {
        Self { key, address, last_version: 0, rows: 1 }
    }

    /// The entry for the same rows once they are gone after that version. Versions beyond
    /// `u32::MAX` become `u32::MAX`, which never exists: such rows are not found again.
    pub fn gone(self, last_version: u64) -> Self {
        Self { last_version: u32::try_from(last_version).unwrap_or(u32::MAX), ..self }
    }

    /// Whether the rows are there, as far as this entry says.
    pub const fn is_live(&self) -> bool {
        self.last_version == 0
    }

    /// The addresses of the rows.
    pub fn addresses(&self) -> impl Iterator<Item = u64> + use<> {
        self.address..self.address + u64::from(self.rows)
    }

    /// Merges an entry into this one if its rows follow on these and have the same key and
    /// state; returns whether it did.
    fn join(&mut self, next: &Self) -> bool {
        let follows = (self.key, self.last_version) == (next.key, next.last_version)
            && self.address + u64::from(self.rows) == next.address;
        self.rows += if follows { next.rows } else { 0 };
        follows
    }
}

impl KeyKind {
    /// Appends an entry, merged into the last one if possible.
    pub fn push(self, entries: &mut Vec<Entry>, entry: Entry) {
        if self != Self::Rows || !entries.last_mut().is_some_and(|last| last.join(&entry)) {
            entries.push(entry);
        }
    }

    /// Sorts entries.
    fn sort(self, entries: &mut Vec<Entry>) {
        entries.sort_unstable();
        if self == Self::Rows {
            entries.dedup_by(|next, kept| kept.join(next));
        }
    }
}

/// The keys of rows in the order they are written in.
#[derive(Clone, Debug)]
pub(super) struct WrittenKeys {
    kind: KeyKind,
    keys: Vec<Key>,
    /// For each key how many consecutive rows it has.
    rows: Vec<u32>,
}

impl WrittenKeys {
    pub const fn new(kind: KeyKind) -> Self {
        Self { kind, keys: Vec::new(), rows: Vec::new() }
    }

    pub fn push(&mut self, key: Key, rows: u32) {
        match (self.keys.last(), self.rows.last_mut()) {
            (Some(last), Some(of_last)) if self.kind == KeyKind::Rows && *last == key => *of_last += rows,
            _ if rows > 0 => {
                self.keys.push(key);
                self.rows.push(rows);
            }
            _ => {}
        }
    }

    /// An entry for each run of rows of one key, given the number and the rows of each
    /// fragment that holds them; `None` if these hold another number of rows.
    pub fn into_entries(self, fragments: &[(u64, u64)]) -> Option<Vec<Entry>> {
        let mut entries = Vec::with_capacity(self.keys.len());
        let mut fragments = fragments.iter().copied();
        let (mut address, mut end) = (0, 0);
        for (key, mut rows) in self.keys.into_iter().zip(self.rows) {
            while rows > 0 {
                while address == end {
                    let (id, rows) = fragments.next()?;
                    address = id << 32;
                    end = address + rows;
                }
                let here = u32::try_from(end - address).map_or(rows, |left| left.min(rows));
                entries.push(Entry { rows: here, ..Entry::live(key, address) });
                address += u64::from(here);
                rows -= here;
            }
        }
        (address == end && fragments.all(|(_, rows)| rows == 0)).then_some(entries)
    }
}
