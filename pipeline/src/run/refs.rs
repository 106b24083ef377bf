//! The table `refs`: which refs show which rows.
//!
//! It follows from the trees alone, so a ref that comes or goes changes no other row.

use std::sync::Arc;

use gristmill_ids::Hash;
use gristmill_views::{ViewColumn, ViewDelta, ViewRow, ViewSchema, ViewValue};

use super::base::Base;
use crate::merkle::{Leaf, Tree, diff_places, split_ref};
use crate::path::RelPath;

/// The table of a job over refs.
pub(super) fn schema() -> Arc<ViewSchema> {
    Arc::new(ViewSchema {
        name: "refs".into(),
        description:
            "a file that a ref shows; rows of other tables are those of the ref that have this path and content_hash"
                .into(),
        columns: vec![
            ViewColumn::text("ref", "the branch or tag"),
            ViewColumn::text("path", "the file's path"),
            ViewColumn::hash("content_hash", "BLAKE3 of what the ref holds there"),
        ],
        fingerprint: Hash::of(b"refs 1"),
    })
}

/// What an epoch does to the table, if anything.
pub(super) fn change(base: Option<&Base>, tree: &Tree) -> Option<ViewDelta> {
    let schema = schema();
    let base = base.filter(|base| base.record.views.get(&schema.name) == Some(&schema.fingerprint));
    let mut delta = ViewDelta { schema, replace: base.is_none(), removed: Vec::new(), added: Vec::new() };
    let empty = Tree::empty();
    let changes = diff_places(base.map_or(&empty, |base| &base.tree), tree).changes;
    for change in &changes {
        let row = |leaf: &Option<Leaf>| row(&change.path, leaf.as_ref()?);
        delta.removed.extend(row(&change.before));
        delta.added.extend(row(&change.after));
    }
    (delta.replace || !changes.is_empty()).then_some(delta)
}

fn row(place: &RelPath, leaf: &Leaf) -> Option<ViewRow> {
    let (name, path) = split_ref(place)?;
    let text = |text: &str| ViewValue::Text(text.into());
    Some(ViewRow { values: vec![text(&name), text(path), ViewValue::Hash(leaf.content_hash)] })
}
