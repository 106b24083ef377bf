//! The line from read to chunk, on one file.

use std::sync::Arc;

use gristmill_ids::{ChunkLaneId, ContentKey, StageId};

use super::Lease;
use super::stage::{Produced, StageRunner};
use crate::diagnostic::Diagnostic;
use crate::graph::Graph;
use crate::measure::Meters;
use crate::operator::OperatorError;
use crate::port::{Chunked, Content, FileItem, Item, Syntax};

/// What the line made of a file.
pub(crate) struct Analysed {
    pub(crate) key: ContentKey,
    pub(crate) file: Arc<FileItem>,
    pub(crate) lease: Lease,
    /// Its text as the last stage of that port gave it; `None` if a stage gave none.
    pub(crate) content: Option<Arc<Content>>,
    pub(crate) syntax: Option<Arc<Syntax>>,
    /// For each chunk lane its chunks.
    pub(crate) chunked: Vec<Option<Arc<Chunked>>>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Analysed {
    pub(crate) fn new(key: ContentKey, file: Arc<FileItem>, lease: Lease, chunk_lanes: usize) -> Self {
        let chunked = vec![None; chunk_lanes];
        Self { key, file, lease, content: None, syntax: None, chunked, diagnostics: Vec::new() }
    }

    /// Notes what a stage gave. `lane` is its chunk lane, if it has one.
    pub(crate) fn note(&mut self, item: &Item, lane: Option<ChunkLaneId>) {
        match item {
            Item::Content(content) => self.content = Some(Arc::clone(content)),
            Item::Syntax(syntax) => self.syntax = Some(Arc::clone(syntax)),
            Item::Chunked(chunked) => {
                if let Some(slot) = lane.and_then(|lane| self.chunked.get_mut(lane.index())) {
                    *slot = Some(Arc::clone(chunked));
                }
            }
            Item::File(_) | Item::Passage(_) | Item::Vector(_) => {}
        }
    }
}

/// A stage of the line.
pub(crate) struct LineStage {
    pub(crate) runner: StageRunner,
    /// Its place in the graph.
    pub(crate) id: StageId,
    /// The chunk lane that it is, if it cuts chunks.
    pub(crate) lane: Option<ChunkLaneId>,
    /// The stages of the line that take its output, as positions in the line.
    pub(crate) next: Vec<usize>,
}

/// The stages from read to chunk. After the syntax it may fan out.
pub(crate) struct Line {
    pub(crate) stages: Vec<LineStage>,
    /// The stages that take the source's files.
    pub(crate) first: Vec<usize>,
    pub(crate) chunk_lanes: usize,
}

impl Line {
    pub(crate) fn new(graph: &Graph, meters: &Meters) -> Self {
        let ids: Vec<StageId> = graph.analysis().map(|stage| stage.id).collect();
        let positions = |from: Option<StageId>| -> Vec<usize> {
            graph.consumers(from).filter_map(|consumer| ids.iter().position(|&id| id == consumer)).collect()
        };
        let stages = ids.iter().filter_map(|&id| {
            let runner = StageRunner::new(graph, meters, id)?;
            let lane = graph.chunk_lanes().iter().find(|lane| lane.stage == id).map(|lane| lane.id);
            Some(LineStage { runner, id, lane, next: positions(Some(id)) })
        });
        Self { stages: stages.collect(), first: positions(None), chunk_lanes: graph.chunk_lanes().len() }
    }

    /// Takes a file through the whole line on the calling thread.
    pub(crate) fn run(&self, key: ContentKey, file: Arc<FileItem>, lease: Lease) -> Result<Analysed, OperatorError> {
        let mut analysed = Analysed::new(key, Arc::clone(&file), lease, self.chunk_lanes);
        let mut waiting: Vec<(usize, Item)> =
            self.first.iter().map(|&stage| (stage, Item::File(Arc::clone(&file)))).collect();
        while let Some((position, item)) = waiting.pop() {
            let Some(stage) = self.stages.get(position) else { continue };
            let Produced { items, diagnostics } = stage.runner.run(vec![item])?;
            analysed.diagnostics.extend(diagnostics.into_iter().map(|(_, diagnostic)| diagnostic));
            for item in items {
                analysed.note(&item, stage.lane);
                waiting.extend(stage.next.iter().map(|&next| (next, item.clone())));
            }
        }
        Ok(analysed)
    }
}
