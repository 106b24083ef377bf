//! The `import_cycles` view: files that import each other.

use std::sync::Arc;

use differential_dataflow::VecCollection;
use differential_dataflow::algorithms::graphs::propagate::propagate;
use differential_dataflow::algorithms::graphs::scc::strongly_connected;
use gristmill_plane::{Difference, FactRow, Tick};

use super::schema;
use crate::table::{ViewColumn, ViewSchema};
use crate::{FactCollections, View};

/// The strongly connected components of the graph of imports that have more than one
/// file: each of its files reaches each other one.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportCycles;

impl View for ImportCycles {
    fn schema(&self) -> Arc<ViewSchema> {
        let columns = vec![
            ViewColumn::text("cycle", "One file of the cycle, which stands for it."),
            ViewColumn::text("path", "A file of the cycle."),
        ];
        schema("import_cycles", 1, "Files that import each other, directly or not.", columns)
    }

    fn build<'scope>(&self, facts: &FactCollections<'scope>) -> VecCollection<'scope, Tick, FactRow, Difference> {
        let within = strongly_connected(facts.imported_files());
        // Every file of a component is reached by the component's least one.
        let labels = within.clone().map(|(from, _)| (from, from)).distinct();
        propagate(within, labels).map(|(path, cycle)| FactRow::new([cycle.into(), path.into()]))
    }
}
