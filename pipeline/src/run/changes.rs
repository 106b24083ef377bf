//! What changed since the last epoch, and whether anything did.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use gristmill_ids::Hash;

use super::RunPlan;
use super::base::{Base, stores_the_same};
use super::epoch::EpochOutcome;
use super::report::{Changes, Quarantined};
use crate::graph::SinkStage;
use crate::index::CommitRecord;
use crate::merkle::{Change, Diff, Tree, diff};
use crate::source::ScanMeasures;

/// Whether the epoch is what this job would build from this tree.
pub(super) fn is_current(plan: &RunPlan<'_>, record: &CommitRecord, root: &Hash) -> bool {
    let tables = plan.tables();
    let graph = plan.graph;
    let sink_is_current = |sink: &SinkStage| {
        let stored = record.sinks.get(&*sink.name);
        stored.is_some_and(|stored| stored.shape == sink.shape && stores_the_same(graph, sink, stored))
    };
    let table_is_current = |schema: &crate::ViewSchema| record.views.get(&schema.name) == Some(&schema.fingerprint);
    record.merkle_root == *root
        && record.rows == graph.rows_fingerprint()
        && record.sinks.len() == graph.sinks().len()
        && graph.sinks().iter().all(sink_is_current)
        && record.refs.is_empty() != plan.source.is_over_refs()
        && record.views.len() == tables.len()
        && tables.iter().all(|schema| table_is_current(schema))
}

/// Files of a tree that are quarantined before they are read.
pub(super) fn noted(tree: &Tree) -> Vec<Quarantined> {
    let mut found = Vec::new();
    tree.for_each_row(|path, leaf| {
        if let Some(note) = leaf.note.as_ref().filter(|note| note.severity == crate::Severity::Error) {
            let (code, message) = (note.code.to_string(), note.message.to_string());
            found.push(Quarantined { path: path.into(), code, message });
        }
    });
    found
}

/// What changed since the base. Where the operators changed, every file did.
pub(super) fn changes(base: Option<&Base>, tree: &Tree) -> Diff {
    let Some(base) = base else { return diff(&Tree::empty(), tree) };
    let mut changes = diff(&base.tree, tree);
    if !base.same_rows {
        base.tree.for_each_row(|path, leaf| {
            if tree.has_row(path, &leaf.content_hash) {
                let leaf = Some(leaf.clone());
                changes.changes.push(Change { path: path.into(), before: leaf.clone(), after: leaf });
            }
        });
    }
    changes
}

/// What to say of a source without files.
pub(super) fn nothing_found(place: &Path, measures: &ScanMeasures) -> String {
    let ScanMeasures { ignored, hidden, .. } = measures;
    let place = place.display();
    format!(
        "no file found in {place}: {ignored} files and folders are left out by ignore rules, {hidden} because \
         their names begin with a dot; check `source.path`, `source.include`, `source.exclude` and `source.hidden`"
    )
}

pub(super) fn absolute(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// The tree with what processing found out about files that changed under the reader.
pub(super) fn corrected(tree: Tree, outcome: &EpochOutcome) -> Tree {
    if outcome.corrected.is_empty() { tree } else { tree.with_rows(&outcome.corrected) }
}

pub(super) fn count(diff: &Diff) -> Changes {
    let mut changes = Changes { directories_entered: diff.entered as u64, ..Changes::default() };
    let mut gone: HashMap<Hash, u64> = HashMap::new();
    for change in &diff.changes {
        match (&change.before, &change.after) {
            (None, _) => changes.added += 1,
            (Some(before), None) => {
                changes.deleted += 1;
                *gone.entry(before.content_hash).or_default() += 1;
            }
            (Some(before), Some(after)) if before.content_hash != after.content_hash => changes.modified += 1,
            _ => {}
        }
    }
    for change in diff.changes.iter().filter(|change| change.before.is_none()) {
        let from = change.after.as_ref().and_then(|after| gone.get_mut(&after.content_hash));
        if let Some(from) = from.filter(|from| **from > 0) {
            *from -= 1;
            changes.renamed += 1;
        }
    }
    changes
}
