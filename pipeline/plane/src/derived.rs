//! Relations that are derived from the facts of a plane, inside its dataflow.

use differential_dataflow::VecCollection;
use gristmill_ids::{NameKey, PathKey};
use serde::{Deserialize, Serialize};

use super::{ContentFact, Difference, ImportFact, PathFact, Place, RowFact, Tick};

/// The facts of a plane, as far as some path or row holds them. Cloning a collection is cheap.
#[derive(Clone)]
pub struct LiveFacts<'scope> {
    /// Every path with the content that it holds.
    pub rows: VecCollection<'scope, Tick, RowFact, Difference>,
    /// What is known of the content of each path.
    pub contents: VecCollection<'scope, Tick, (Place, ContentFact), Difference>,
    /// What is known of each path, whatever it holds.
    pub paths: VecCollection<'scope, Tick, (PathKey, PathFact), Difference>,
    /// What each row imports.
    pub imports: VecCollection<'scope, Tick, (RowFact, ImportFact), Difference>,
}

/// A program that derives relations from facts. The plane keeps them up to date: whatever
/// changes, only what depends on it is computed again.
///
/// The program may share no memory between workers: they may be processes.
pub trait Derive: Send + Sync {
    /// Makes its part of the dataflow, on every worker. Each row comes with the place of its
    /// relation among those of the program; no row may come twice.
    fn derive<'scope>(&self, facts: LiveFacts<'scope>) -> VecCollection<'scope, Tick, (u16, FactRow), Difference>;
}

/// A value of a derived row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Cell {
    /// The key of a text, which the key's facts brought along.
    Name(NameKey),
    /// A number.
    Number(u64),
}

impl From<NameKey> for Cell {
    fn from(name: NameKey) -> Self {
        Self::Name(name)
    }
}

impl From<PathKey> for Cell {
    fn from(path: PathKey) -> Self {
        Self::Name(path.into())
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

/// A derived row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FactRow(Box<[Cell]>);

impl FactRow {
    /// A row of these values, one for each column.
    #[must_use]
    pub fn new<const N: usize>(cells: [Cell; N]) -> Self {
        Self(Box::new(cells))
    }

    /// Its values.
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        &self.0
    }
}
