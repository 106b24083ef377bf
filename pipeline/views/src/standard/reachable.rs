//! The `reachable` view: what some files import, directly or not.

use std::sync::Arc;

use differential_dataflow::VecCollection;
use globset::GlobSet;
use gristmill_plane::{Difference, FactRow, Tick};

use super::fingerprint;
use crate::iterate::iterate;
use crate::table::{ViewColumn, ViewSchema};
use crate::{FactCollections, View};

/// The files that can be reached by imports from given roots.
#[derive(Clone, Debug)]
pub struct Reachable {
    roots: GlobSet,
    globs: Vec<String>,
}

impl Reachable {
    /// From the files that these globs match; `globs` are their texts.
    #[must_use]
    pub fn new(roots: GlobSet, globs: Vec<String>) -> Self {
        Self { roots, globs }
    }
}

impl View for Reachable {
    fn schema(&self) -> Arc<ViewSchema> {
        let globs: Vec<&str> = self.globs.iter().map(String::as_str).collect();
        Arc::new(ViewSchema {
            name: "reachable".into(),
            description: "Files that are imported from the roots, directly or not.".into(),
            columns: vec![
                ViewColumn::text("root", "A root."),
                ViewColumn::text("path", "A file that can be reached from it, itself included."),
            ],
            fingerprint: fingerprint("reachable", 1, &globs),
        })
    }

    fn marks(&self, path: &str) -> bool {
        self.roots.is_match(path)
    }

    fn build<'scope>(&self, facts: &FactCollections<'scope>) -> VecCollection<'scope, Tick, FactRow, Difference> {
        let roots = facts.marked().map(|root| (root, root));
        let edges = facts.imported_files();
        let reached = iterate(roots.clone(), |scope, reached| {
            let (roots, edges) = (roots.enter(scope), edges.enter(scope));
            reached.join_map(edges, |_, root, to| (*to, *root)).concat(roots).distinct()
        });
        reached.map(|(path, root)| FactRow::new([root.into(), path.into()]))
    }
}
