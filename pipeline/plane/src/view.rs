//! What a view is to the fact plane.

use std::sync::Arc;

use differential_dataflow::VecCollection;
use gristmill_ids::{NameKey, PathKey};
use serde::{Deserialize, Serialize};

use super::{Difference, FactCollections, Tick};
use crate::table::ViewSchema;

/// A relation that follows from facts, kept as a table of its own.
///
/// The plane keeps it up to date: whatever changes, only what depends on it is computed
/// again, and the table gets the differences.
///
/// ```
/// use std::sync::Arc;
/// use gristmill_ids::Hash;
/// use gristmill_plane::{Cell, Difference, FactCollections, FactRow, Tick, VecCollection, View, ViewColumn, ViewSchema};
///
/// /// How many definitions each file has.
/// struct Definitions;
///
/// impl View for Definitions {
///     fn schema(&self) -> Arc<ViewSchema> {
///         Arc::new(ViewSchema {
///             name: "definition_counts".into(),
///             description: "How many definitions each file has.".into(),
///             columns: vec![
///                 ViewColumn::text("path", "The file."),
///                 ViewColumn::number("definitions", "How many it has."),
///             ],
///             fingerprint: Hash::of(b"definition_counts 1"),
///         })
///     }
///
///     fn build<'scope>(&self, facts: &FactCollections<'scope>) -> VecCollection<'scope, Tick, FactRow, Difference> {
///         let of_path = facts.definitions().map(|(place, _)| place.path);
///         of_path.count().map(|(path, definitions)| {
///             FactRow::new([Cell::from(path), Cell::Number(definitions as u64)])
///         })
///     }
/// }
/// ```
pub trait View: Send + Sync {
    /// Its table.
    fn schema(&self) -> Arc<ViewSchema>;

    /// Whether the view wants to find this path again in the dataflow, where there are
    /// no texts, through [`FactCollections::marked`].
    fn marks(&self, _path: &str) -> bool {
        false
    }

    /// Makes its part of the dataflow, on every worker. Rows have a [`Cell`] for each
    /// column; no row may come twice.
    ///
    /// The program may share no memory between workers: they may be processes.
    fn build<'scope>(&self, facts: &FactCollections<'scope>) -> VecCollection<'scope, Tick, FactRow, Difference>;
}

/// A value of a view's row inside the plane.
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

/// A row of a view inside the plane.
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
