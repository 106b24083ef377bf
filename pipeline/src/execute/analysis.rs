//! The line from read to chunk, on one file.

use std::sync::Arc;

use gristmill_ids::{ChunkLaneId, ContentHash, ContentKey, StageId};

use super::Lease;
use super::line_stage::{Given, LineStage};
use super::stage::StageRunner;
use crate::diagnostic::Diagnostic;
use crate::graph::Graph;
use crate::interrupt::Interrupt;
use crate::measure::Meters;
use crate::operator::OperatorError;
use crate::port::{Chunked, Content, FileItem, Item, Port, Syntax};
use crate::semaphore::Semaphore;

/// What the line made of a file.
pub(crate) struct Analysed {
    pub(crate) key: ContentKey,
    pub(crate) file: Arc<FileItem>,
    pub(crate) lease: Lease,
    /// The hash of the bytes that were read; `None` if the file was not read.
    pub(crate) seen: Option<ContentHash>,
    /// Its text after the last stage that outputs `contents`; `None` if one of these stages
    /// dropped the file.
    pub(crate) content: Option<Arc<Content>>,
    /// The same for `syntax`.
    pub(crate) syntax: Option<Arc<Syntax>>,
    /// For each chunk lane its chunks.
    pub(crate) chunked: Vec<Option<Arc<Chunked>>>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Analysed {
    pub(crate) fn new(key: ContentKey, file: Arc<FileItem>, lease: Lease, chunk_lanes: usize) -> Self {
        let (chunked, diagnostics) = (vec![None; chunk_lanes], Vec::new());
        Self { key, file, lease, seen: None, content: None, syntax: None, chunked, diagnostics }
    }

    /// Records the output of a stage. If a stage drops the file, the text or syntax that the
    /// stage before it returned is dropped too, so that it does not reach the sinks.
    pub(crate) fn note(&mut self, stage: &LineStage, given: Given) {
        self.diagnostics.extend(given.diagnostics);
        match given.item {
            Some(Item::Content(content)) => {
                self.seen.get_or_insert(content.content_hash);
                self.content = Some(content);
            }
            Some(Item::Syntax(syntax)) => self.syntax = Some(syntax),
            Some(Item::Chunked(chunked)) => {
                if let Some(slot) = stage.lane.and_then(|lane| self.chunked.get_mut(lane.index())) {
                    *slot = Some(chunked);
                }
            }
            Some(Item::File(_) | Item::Passage(_) | Item::Vector(_)) => {}
            None => match stage.output() {
                Port::Contents => self.content = None,
                Port::Syntax => self.syntax = None,
                Port::Files | Port::Chunks | Port::Vectors => {}
            },
        }
    }
}

/// The stages from read to chunk. After the syntax it may fan out.
pub(crate) struct Line {
    pub(crate) stages: Vec<LineStage>,
    /// The stages that take the source's files.
    pub(crate) first: Vec<usize>,
    pub(crate) chunk_lanes: usize,
}

impl Line {
    pub(crate) fn new(graph: &Graph, meters: &Meters, interrupt: &Interrupt) -> Self {
        let ids: Vec<StageId> = graph.analysis().map(|stage| stage.id).collect();
        let positions = |from: Option<StageId>| -> Vec<usize> {
            graph.consumers(from).filter_map(|consumer| ids.iter().position(|&id| id == consumer)).collect()
        };
        let stages = ids.iter().filter_map(|&id| {
            let runner = StageRunner::new(graph, meters, interrupt, id)?;
            let lane: Option<ChunkLaneId> =
                graph.chunk_lanes().iter().find(|lane| lane.stage == id).map(|lane| lane.id);
            Some(LineStage { runner, id, lane, columns: graph.columns_before(id), next: positions(Some(id)) })
        });
        Self { stages: stages.collect(), first: positions(None), chunk_lanes: graph.chunk_lanes().len() }
    }

    /// Takes a file through the whole line on the calling thread. With `permits`, it computes with one of them,
    /// and reads without.
    pub(super) fn run(
        &self,
        key: ContentKey,
        file: Arc<FileItem>,
        lease: Lease,
        permits: Option<&Semaphore>,
    ) -> Result<Analysed, OperatorError> {
        let mut permit = None;
        let mut analysed = Analysed::new(key, Arc::clone(&file), lease, self.chunk_lanes);
        let mut waiting: Vec<(usize, Item)> =
            self.first.iter().map(|&stage| (stage, Item::File(Arc::clone(&file)))).collect();
        while let Some((position, item)) = waiting.pop() {
            let Some(stage) = self.stages.get(position) else { continue };
            if permit.is_none() && !matches!(item, Item::File(_)) {
                permit = permits.map(Semaphore::acquire);
            }
            for given in stage.run(vec![item])? {
                if let Some(item) = &given.item {
                    waiting.extend(stage.next.iter().map(|&next| (next, item.clone())));
                }
                analysed.note(stage, given);
            }
        }
        Ok(analysed)
    }
}
