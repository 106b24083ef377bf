//! The `unresolved` view: names that nothing was found for.

use std::sync::Arc;

use differential_dataflow::VecCollection;
use gristmill_plane::{Difference, FactRow, Tick};

use super::schema;
use crate::table::{ViewColumn, ViewSchema};
use crate::{FactCollections, View};

/// The names that a file uses and that lead to no edge: because no file defines them, as
/// with those of a standard library, or because too many do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unresolved;

impl View for Unresolved {
    fn schema(&self) -> Arc<ViewSchema> {
        let columns = vec![
            ViewColumn::text("path", "The file that uses the name."),
            ViewColumn::text("name", "The name."),
            ViewColumn::number("uses", "How often the file uses it."),
            ViewColumn::number("definers", "How many files define it: 0, or too many to choose from."),
        ];
        schema("unresolved", 1, "Names that were not resolved.", columns)
    }

    fn build<'scope>(&self, facts: &FactCollections<'scope>) -> VecCollection<'scope, Tick, FactRow, Difference> {
        facts.unresolved().map(|((name, path), (uses, definers))| {
            FactRow::new([path.into(), name.into(), uses.into(), definers.into()])
        })
    }
}
