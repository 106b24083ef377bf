//! What an epoch does to the tables of views.

use std::collections::HashMap;
use std::sync::Arc;

use gristmill_plane::{Deltas, Difference, FactRow};
use gristmill_views::{View, ViewDelta, ViewSchema};

use super::base::Base;
use super::facts::FactMaker;

/// Gathers the changes of views over an epoch's rounds. A row that one round adds and a
/// later one takes back never shows.
pub(super) struct ViewChanges {
    views: Vec<(Arc<ViewSchema>, bool, HashMap<FactRow, Difference>)>,
}

impl ViewChanges {
    /// Of these views. Those that the base does not have as they are now, or whose
    /// contents it knows by other keys, start from no rows.
    pub(super) fn of(views: &[Arc<dyn View>], base: Option<&Base>) -> Self {
        let stands = |schema: &ViewSchema, base: &Base| {
            base.same_rows && base.record.views.get(&schema.name) == Some(&schema.fingerprint)
        };
        let views = views.iter().map(|view| {
            let schema = view.schema();
            let replace = !base.is_some_and(|base| stands(&schema, base));
            (schema, replace, HashMap::new())
        });
        Self { views: views.collect() }
    }

    /// Takes the changes of a round. In a round that is `hydrating` they are what the
    /// tables hold already, but for those that start from no rows.
    pub(super) fn take(&mut self, deltas: &mut Deltas, hydrating: bool) {
        for ((view, row), difference) in deltas.derived.drain(..) {
            if let Some((_, replace, rows)) = self.views.get_mut(usize::from(view))
                && (*replace || !hydrating)
            {
                *rows.entry(row).or_default() += difference;
            }
        }
    }

    /// The changes of the epoch, written out.
    pub(super) fn finish(self, texts: &FactMaker<'_>) -> Vec<ViewDelta> {
        let changes = self.views.into_iter().filter_map(|(schema, replace, rows)| {
            let mut delta = ViewDelta { schema, replace, removed: Vec::new(), added: Vec::new() };
            for (row, difference) in &rows {
                match difference {
                    0 => {}
                    1.. => delta.added.push(texts.row(row)),
                    ..0 => delta.removed.push(texts.row(row)),
                }
            }
            delta.added.sort_unstable();
            delta.removed.sort_unstable();
            let changed = replace || !delta.added.is_empty() || !delta.removed.is_empty();
            changed.then_some(delta)
        });
        changes.collect()
    }
}
