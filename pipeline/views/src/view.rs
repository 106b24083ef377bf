//! What a view is to the fact plane.

use std::sync::Arc;

use differential_dataflow::VecCollection;
use gristmill_plane::{Derive, Difference, FactRow, LiveFacts, Tick};

use crate::{FactCollections, ViewSchema};

/// A relation that follows from facts, kept as a table of its own.
///
/// The plane keeps it up to date: whatever changes, only what depends on it is computed
/// again, and the table gets the differences.
///
/// ```
/// use std::sync::Arc;
/// use gristmill_ids::Hash;
/// use gristmill_plane::{Cell, Difference, FactRow, Tick, VecCollection};
/// use gristmill_views::{FactCollections, View, ViewColumn, ViewSchema};
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

    /// Makes its part of the dataflow, on every worker. Rows have a [`Cell`](gristmill_plane::Cell) for each
    /// column; no row may come twice.
    ///
    /// The program may share no memory between workers: they may be processes.
    fn build<'scope>(&self, facts: &FactCollections<'scope>) -> VecCollection<'scope, Tick, FactRow, Difference>;
}

/// The views of a job, as one program. A row comes with the place of its view in this list.
#[derive(Clone, Default)]
pub struct ViewSet(pub Vec<Arc<dyn View>>);

impl Derive for ViewSet {
    fn derive<'scope>(&self, facts: LiveFacts<'scope>) -> VecCollection<'scope, Tick, (u16, FactRow), Difference> {
        let mut collections = FactCollections::new(facts);
        let scope = collections.scope();
        let rows = (0_u16..).zip(&self.0).map(|(place, view)| {
            collections.view = place;
            view.build(&collections).map(move |row| (place, row))
        });
        let rows: Vec<_> = rows.collect();
        differential_dataflow::collection::concatenate(scope, rows)
    }
}
