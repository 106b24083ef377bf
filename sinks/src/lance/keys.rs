//! Indexes of a table: from a key to the rows that have it, or had it.
//!
//! They lie beside the table as files of sorted entries (see [`run`]), so that finding a
//! row costs a few reads however many rows there are. A token names the files that
//! describe its state; a file that no token names does not exist.

mod index;
mod merge;
mod of_rows;
mod prune;
mod run;
#[cfg(test)]
mod tests;
mod write;

use gristmill_pipeline::{Epoch, Key};

pub(super) use index::{KeyIndex, Written};
pub(super) use of_rows::keys_of;
pub(super) use prune::prune;
pub(super) use run::RunError;

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

    /// The name used in the names of files.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Hashes => "hashes",
            Self::Contents => "contents",
        }
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

impl RunName {
    fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(".run")?.split('-');
        let kind = parts.next()?;
        let kind = KeyKind::ALL.into_iter().find(|found| found.as_str() == kind)?;
        let parsed = Self { kind, series: parts.next()?.parse().ok()?, epoch: parts.next()?.parse().ok()? };
        parts.next().is_none().then_some(parsed)
    }
}

impl std::fmt::Display for RunName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}-{}.run", self.kind.as_str(), self.series, self.epoch)
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

    /// Whether the row is there, as far as this entry says.
    pub const fn is_live(&self) -> bool {
        self.last_version == 0
    }
}
