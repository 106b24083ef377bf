//! The end of an epoch: views, the two steps of every sink, and the record.

use std::collections::BTreeMap;

use super::base::rows_fingerprint;
use super::indexer::{Draft, Indexer};
use super::refs;
use super::sinks::{dimension, shape};
use super::views::ViewChanges;
use super::{RunError, now_ms};
use crate::graph::Body;
use crate::index::{CommitRecord, FORMAT, SinkRecord};
use crate::sink::{EpochMeta, StagedRows};
use crate::view::ViewDelta;

impl Indexer<'_> {
    /// Gives the sink that keeps views what became of them, and of the refs.
    pub(super) fn change_views(
        &mut self,
        views: ViewChanges,
        draft: &Draft,
    ) -> Result<BTreeMap<String, StagedRows>, RunError> {
        let Some(warm) = &mut self.warm else { return Ok(BTreeMap::new()) };
        let mut deltas = views.finish(&warm.maker);
        deltas
            .extend(self.plan.source.is_over_refs().then(|| refs::change(draft.base.as_ref(), &draft.tree)).flatten());
        let rows =
            |delta: &ViewDelta| StagedRows { added: delta.added.len() as u64, deleted: delta.removed.len() as u64 };
        let counts = deltas.iter().map(|delta| (delta.schema.name.to_string(), rows(delta))).collect();
        if let Some(sink) = warm.sinks.iter_mut().find(|sink| sink.keeps_views)
            && !deltas.is_empty()
        {
            sink.post(0, 0, move |sink| sink.change_views(&deltas))?;
            sink.settle()?;
        }
        Ok(counts)
    }

    /// Stages in all sinks, side by side where they have threads.
    pub(super) fn stage(&mut self, draft: &Draft) -> Result<Vec<StagedRows>, RunError> {
        let Some(warm) = &mut self.warm else { return Ok(Vec::new()) };
        let meta = EpochMeta { epoch: draft.number, merkle_root: draft.tree.root_hash() };
        let begun: Vec<_> = warm
            .sinks
            .iter_mut()
            .map(|sink| {
                let meta = meta.clone();
                sink.begin(move |sink| sink.stage(&meta))
            })
            .collect::<Result<_, _>>()?;
        let staged = warm.sinks.iter().zip(&begun).map(|(sink, begun)| sink.finish(begun));
        Ok(staged.collect::<Result<_, _>>()?)
    }

    /// Publishes in all sinks and gives the record that makes the epoch real.
    pub(super) fn publish(&mut self, draft: &Draft, staged: &[StagedRows]) -> Result<CommitRecord, RunError> {
        let (plan, graph) = (self.plan, self.plan.graph);
        let sinks = self.warm.as_mut().map(|warm| &mut warm.sinks[..]).unwrap_or_default();
        let begun: Vec<_> = sinks.iter_mut().map(|sink| sink.begin(|sink| sink.publish())).collect::<Result<_, _>>()?;
        let (mut records, mut tokens) = (BTreeMap::new(), BTreeMap::new());
        for (index, sink) in sinks.iter().enumerate() {
            let token = match begun.get(index) {
                Some(begun) => sink.finish(begun)?,
                None => continue,
            };
            crate::failpoint::reach("publish.one");
            let (Some(stage), Some(shape)) =
                (graph.sinks().get(index), graph.sinks().get(index).and_then(|sink| shape(graph, sink)))
            else {
                continue;
            };
            let kind = match graph.stages().get(stage.stage).map(|stage| &stage.body) {
                Some(Body::Sink(factory)) => factory.kind().to_owned(),
                _ => String::new(),
            };
            let embed = sink.embed_lane.and_then(|lane| graph.embed_fingerprint(lane));
            let dimension = dimension(graph, stage);
            let staged = staged.get(index).copied().unwrap_or_default();
            records.insert(sink.name.to_string(), SinkRecord { kind, shape, embed, dimension, staged });
            tokens.insert(sink.name.to_string(), token);
        }
        Ok(CommitRecord {
            format: FORMAT,
            epoch: draft.number,
            committed_ms: now_ms(),
            merkle_root: draft.tree.root_hash(),
            files: draft.tree.len() as u64,
            source: draft.place.clone(),
            revision: draft.revision.clone(),
            refs: draft.refs.clone(),
            selection: draft.selection,
            views: plan.tables().iter().map(|schema| (schema.name.clone(), schema.fingerprint)).collect(),
            analysis: graph.analysis_fingerprint(),
            rows: rows_fingerprint(graph),
            sinks: records,
            tokens,
        })
    }
}
