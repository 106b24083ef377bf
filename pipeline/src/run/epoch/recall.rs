//! What the base and the epochs kept before it know of contents.

use std::collections::HashMap;
use std::sync::Arc;

use gristmill_ids::{ContentHash, ContentKey, EmbedLaneId, Fingerprint};
use gristmill_plane::RowFact;

use super::ledger::{Coming, Ledger};
use crate::diagnostic::Diagnostic;
use crate::execute::Budget;
use crate::graph::{ChunkLane, Graph};
use crate::index::IndexFolder;
use crate::run::assembly::Known;
use crate::run::base::{Base, Kept};
use crate::run::sinks::{StoredRow, WritingSinks};
use crate::sink::{Analysis, RowId, SinkError, Token};

/// The epochs before this one, as far as this one may take from them.
pub(in crate::run) struct History<'a> {
    graph: &'a Graph,
    base: Option<&'a mut Base>,
    folder: &'a IndexFolder,
    /// By content the rows of the base that stand for it, of contents that this epoch
    /// touches.
    stored: HashMap<ContentKey, RowId>,
}

impl<'a> History<'a> {
    pub(in crate::run) fn new(
        graph: &'a Graph,
        base: Option<&'a mut Base>,
        folder: &'a IndexFolder,
        stored: HashMap<ContentKey, RowId>,
    ) -> Self {
        Self { graph, base, folder, stored }
    }

    /// The fingerprint of what made the rows of the base.
    pub(super) fn rows(&self) -> Option<Fingerprint> {
        self.base.as_ref().map(|base| base.rows)
    }

    /// Whether contents of the base have the keys that they have now.
    pub(super) fn has_same_rows(&self) -> bool {
        self.base.as_ref().is_some_and(|base| base.same_rows)
    }

    /// The row of the base that stands for a content.
    pub(super) fn stored(&self, content: ContentKey) -> Option<&RowId> {
        self.stored.get(&content)
    }

    /// Whether the base has vectors that this epoch would compute for a lane.
    pub(super) fn has_vectors(&self, lane: EmbedLaneId) -> bool {
        self.base.as_ref().is_some_and(|base| base.same_embedding[lane.index()])
    }

    /// The oldest state of a sink whose vectors may be taken.
    pub(super) fn vectors_since(&mut self, sink: &str) -> Option<Token> {
        self.kept()?.vectors.get(sink).cloned()
    }

    fn kept(&mut self) -> Option<&Kept> {
        let folder = self.folder;
        self.base.as_mut().map(|base| base.kept(folder))
    }

    /// Rows of older epochs, since deleted, that held these contents: a file that went
    /// back to what it was is neither parsed nor embedded again.
    pub(super) fn former(
        &mut self,
        contents: &[RowFact],
        ledger: &Ledger,
        sinks: &mut WritingSinks,
    ) -> Result<HashMap<ContentKey, RowId>, SinkError> {
        let mut found = HashMap::new();
        if contents.is_empty() || !self.base.as_ref().is_some_and(|base| base.same_analysis) {
            return Ok(found);
        }
        let Some(since) = self.kept().map(|kept| kept.analysis.clone()) else { return Ok(found) };
        let wanted: Vec<(ContentKey, &Coming)> =
            contents.iter().filter_map(|row| Some((row.content, ledger.coming(row)?))).collect();
        let hashes: Vec<ContentHash> = wanted.iter().map(|(_, coming)| coming.leaf.content_hash).collect();
        let holders = sinks.holders(hashes, |sink| since.get(sink).cloned())?;
        for ((content, coming), rows) in wanted.into_iter().zip(holders) {
            // Equal bytes under a path of another language are another content.
            let row = rows.into_iter().find(|row| self.graph.are_alike(&row.path, &coming.path));
            found.extend(row.map(|row| (content, row)));
        }
        Ok(found)
    }

    /// What the stores know of the contents of these rows; `None` where they know nothing.
    pub(super) fn recall(
        &mut self,
        rows: &[RowId],
        budget: &Budget,
        sinks: &mut WritingSinks,
    ) -> Result<Vec<Option<Known>>, SinkError> {
        let since = self.kept().map(|kept| kept.analysis.clone()).unwrap_or_default();
        let stored = sinks.stored(rows, |sink| since.get(sink).cloned())?;
        Ok(stored.into_iter().map(|stored| Some(self.known(&stored?, budget))).collect())
    }

    fn known(&self, stored: &StoredRow, budget: &Budget) -> Known {
        let lane = |lane: &ChunkLane| stored.chunks(lane.id).map_or_else(|| Arc::from([]), |it| Arc::clone(&it.chunks));
        Known {
            lease: Arc::new(budget.force(stored.analysis.text.len() as u64)),
            lanes: self.graph.chunk_lanes().iter().map(lane).collect(),
            analysis: self.of_content(&stored.analysis),
        }
    }

    /// The analysis without the diagnostics of embedders and vector maps: these depend on the
    /// path and on the model, and are found again when the chunks are embedded.
    fn of_content(&self, analysis: &Arc<Analysis>) -> Arc<Analysis> {
        let makes_vectors = |found: &Diagnostic| {
            let mut stages = self.graph.embed_lanes().iter().flat_map(|lane| lane.maps.iter().chain([&lane.stage]));
            stages.any(|&stage| self.graph.stage(stage).name == found.stage)
        };
        if !analysis.diagnostics.iter().any(makes_vectors) {
            return Arc::clone(analysis);
        }
        let mut of_content = Analysis::clone(analysis);
        of_content.diagnostics.retain(|found| !makes_vectors(found));
        Arc::new(of_content)
    }
}
