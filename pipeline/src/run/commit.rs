//! The end of an epoch: the tables of views, and the record.

use std::collections::BTreeMap;
use std::path::PathBuf;

use gristmill_ids::{Epoch, Hash};
use gristmill_views::ViewDelta;

use super::base::Base;
use super::facts::FactMaker;
use super::refs;
use super::sinks::SinkState;
use super::views::ViewChanges;
use super::{RunPlan, now_ms};
use crate::index::{CommitRecord, FORMAT, IndexError, Seals, SinkRecord, seal};
use crate::merkle::Tree;
use crate::sink::{EpochMeta, StagedRows};
use crate::source::RefRevision;

/// An epoch that is being built.
pub(super) struct Draft {
    pub(super) number: Epoch,
    pub(super) base: Option<Base>,
    pub(super) tree: Tree,
    pub(super) revision: Option<Box<str>>,
    pub(super) refs: Vec<RefRevision>,
    pub(super) selection: Option<Hash>,
    pub(super) place: PathBuf,
}

impl Draft {
    pub(super) fn meta(&self) -> EpochMeta {
        EpochMeta { epoch: self.number, merkle_root: self.tree.root_hash() }
    }

    /// The record that makes the epoch real, given what each sink staged and where it is
    /// found, in the order of the graph.
    ///
    /// `folder` returns where the files of a sink lie, and `before` has the seals of the base.
    pub(super) fn record(
        &self,
        plan: &RunPlan<'_>,
        staged: &[StagedRows],
        states: Vec<SinkState>,
        before: &Seals,
        folder: impl Fn(&str) -> PathBuf,
    ) -> Result<CommitRecord, IndexError> {
        let graph = plan.graph;
        let (mut records, mut by_name, mut seals) = (BTreeMap::new(), BTreeMap::new(), Seals::new());
        for ((sink, staged), SinkState { token, files }) in graph.sinks().iter().zip(staged).zip(states) {
            let sealed = seal(&sink.name, &folder(&sink.name), &files, before);
            seals.extend(sealed.map_err(|(path, reason)| IndexError::Io { action: "cannot read", path, reason })?);
            let (embed, chunks) = (graph.stored_vectors(sink), graph.stored_chunks(sink));
            let (kind, shape, dimension) = (sink.config.kind().to_owned(), sink.shape, sink.dimension);
            let record = SinkRecord { kind, shape, embed, chunks, dimension, staged: *staged };
            records.insert(sink.name.to_string(), record);
            by_name.insert(sink.name.to_string(), token);
        }
        Ok(CommitRecord {
            format: FORMAT,
            epoch: self.number,
            committed_ms: now_ms(),
            merkle_root: self.tree.root_hash(),
            files: self.tree.len() as u64,
            source: self.place.clone(),
            revision: self.revision.clone(),
            refs: self.refs.clone(),
            selection: self.selection,
            views: plan.tables().iter().map(|schema| (schema.name.clone(), schema.fingerprint)).collect(),
            analysis: graph.analysis_fingerprint(),
            rows: graph.rows_fingerprint(),
            sinks: records,
            tokens: by_name,
            seals,
        })
    }
}

/// What an epoch does to the tables that follow from facts and trees.
pub(super) fn table_changes(
    plan: &RunPlan<'_>,
    views: ViewChanges,
    texts: &FactMaker<'_>,
    base: Option<&Base>,
    tree: &Tree,
) -> Vec<ViewDelta> {
    let mut deltas = views.finish(texts);
    deltas.extend(plan.source.is_over_refs().then(|| refs::change(base, tree)).flatten());
    deltas
}

/// How many rows each table gains and loses.
pub(super) fn table_rows(deltas: &[ViewDelta]) -> BTreeMap<String, StagedRows> {
    let rows = |delta: &ViewDelta| StagedRows { added: delta.added.len() as u64, deleted: delta.removed.len() as u64 };
    deltas.iter().map(|delta| (delta.schema.name.to_string(), rows(delta))).collect()
}
