//! The rows that an epoch adds and removes, by their keys in the fact plane.

use std::collections::HashMap;

use gristmill_ids::{ContentKey, Fingerprint};
use gristmill_plane::{Place, RowFact};

use crate::graph::Graph;
use crate::merkle::Leaf;
use crate::path::RelPath;
use crate::run::base::content_key;
use crate::run::facts::place;
use crate::sink::RowId;

/// A path that changed, and what it holds now, in some ref if there are several.
pub(super) struct Coming {
    pub(super) path: RelPath,
    pub(super) leaf: Leaf,
}

impl Coming {
    pub(super) fn row(&self) -> RowId {
        RowId { path: self.path.clone(), content_hash: self.leaf.content_hash }
    }
}

/// What keys of rows stand for.
#[derive(Default)]
pub(super) struct Ledger {
    coming: HashMap<RowFact, Coming>,
    /// Rows of the base that go.
    leaving: HashMap<RowFact, RowId>,
}

impl Ledger {
    /// Notes that a path holds a content now; `rows` is the fingerprint of what makes rows of
    /// it. Gives its keys.
    pub(super) fn comes(
        &mut self,
        graph: &Graph,
        rows: &Fingerprint,
        path: &RelPath,
        leaf: &Leaf,
    ) -> (ContentKey, Place) {
        let (content, place) = keys(graph, rows, path, leaf);
        let coming = Coming { path: path.clone(), leaf: leaf.clone() };
        self.coming.insert(RowFact { path: place.path, content }, coming);
        (content, place)
    }

    /// Notes that a path no longer holds a content of the base. Gives its keys.
    pub(super) fn leaves(
        &mut self,
        graph: &Graph,
        rows: &Fingerprint,
        path: &RelPath,
        leaf: &Leaf,
    ) -> (ContentKey, Place) {
        let (content, place) = keys(graph, rows, path, leaf);
        let row = RowId { path: path.clone(), content_hash: leaf.content_hash };
        self.leaving.insert(RowFact { path: place.path, content }, row);
        (content, place)
    }

    /// What a row is that comes.
    pub(super) fn coming(&self, row: &RowFact) -> Option<&Coming> {
        self.coming.get(row)
    }

    /// The rows that come with a content.
    pub(super) fn holders(&self, content: ContentKey) -> impl Iterator<Item = RowFact> + '_ {
        self.coming.keys().copied().filter(move |row| row.content == content)
    }

    /// Forgets a row that does not come after all.
    pub(super) fn retract(&mut self, row: &RowFact) -> Option<Coming> {
        self.coming.remove(row)
    }

    /// Takes a row that goes.
    pub(super) fn take_leaving(&mut self, row: &RowFact) -> Option<RowId> {
        self.leaving.remove(row)
    }
}

fn keys(graph: &Graph, rows: &Fingerprint, path: &RelPath, leaf: &Leaf) -> (ContentKey, Place) {
    (content_key(graph, path, &leaf.content_hash, rows), place(graph, path))
}
