//! The `import_cycles` view: files that import each other.

use std::sync::Arc;

use differential_dataflow::VecCollection;
use differential_dataflow::algorithms::graphs::propagate::propagate;
use differential_dataflow::operators::ThresholdTotal;
use differential_dataflow::operators::iterate::Variable;
use gristmill_ids::PathKey;
use gristmill_plane::{Difference, FactRow, Tick, distinct};
use timely::order::Product;

use super::schema;
use crate::iterate::{Inner, RoundNumber};
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
        let imports = facts.imported_files();
        let outer = imports.scope();
        let labelled = outer.iterative::<RoundNumber, _, _>(|inner| {
            let imports = imports.enter(inner);
            let importers = imports.clone().map(|(from, to)| (to, from));
            let (bind, within) = Variable::new_from(imports.clone(), Product::new(Tick::default(), 1));
            let ends = |(from, to, _)| (to, from);
            let forward = within_label(within, imports).map(ends);
            let both = within_label(forward, importers);
            bind.set(both.clone().map(ends));
            both.leave(outer)
        });
        let files = labelled.map(|(path, _, cycle)| (path, cycle)).threshold_total(distinct);
        files.map(|(path, cycle)| FactRow::new([cycle.into(), path.into()]))
    }
}

/// Those of `edges` both ends of which have the same label, with it: the least file from which
/// edges of `cycle` lead to them.
///
/// Done forward and back until nothing changes, this leaves the strongly connected components, as
/// `strongly_connected` in `differential_dataflow::algorithms` has it. That one drops the labels.
fn within_label<'scope>(
    cycle: Inner<'scope, (PathKey, PathKey)>,
    edges: Inner<'scope, (PathKey, PathKey)>,
) -> Inner<'scope, (PathKey, PathKey, PathKey)> {
    // How often a label is proposed does not count: the least one wins.
    let labels = propagate(cycle, edges.clone().map(|(_, to)| (to, to))).arrange_by_key();
    let of_source = edges.arrange_by_key().join_core(labels.clone(), |from, to, label| Some((*to, (*from, *label))));
    of_source
        .arrange_by_key()
        .join_core(labels, |to, (from, label), other| (label == other).then_some((*from, *to, *label)))
}
