//! The line from read to chunk, on one file.

use std::sync::Arc;

use super::Lease;
use super::stage::{Produced, StageRunner};
use crate::diagnostic::Diagnostic;
use crate::graph::Graph;
use crate::hash::Key;
use crate::measure::Meters;
use crate::operator::OperatorError;
use crate::path::RelPath;
use crate::port::{Chunked, Content, FileItem, Item, Syntax};

/// What the line made of a file.
pub(crate) struct Analysed {
    pub(crate) key: Key,
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
    pub(crate) fn new(key: Key, file: Arc<FileItem>, lease: Lease, chunk_lanes: usize) -> Self {
        let chunked = vec![None; chunk_lanes];
        Self { key, file, lease, content: None, syntax: None, chunked, diagnostics: Vec::new() }
    }

    /// Notes what a stage gave. `lane` is its chunk lane, if it has one.
    pub(crate) fn note(&mut self, item: &Item, lane: Option<usize>) {
        match item {
            Item::Content(content) => self.content = Some(Arc::clone(content)),
            Item::Syntax(syntax) => self.syntax = Some(Arc::clone(syntax)),
            Item::Chunked(chunked) => {
                if let Some(slot) = lane.and_then(|lane| self.chunked.get_mut(lane)) {
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
    /// Its index in the graph.
    pub(crate) index: usize,
    /// The chunk lane that it is, if it cuts chunks.
    pub(crate) lane: Option<usize>,
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
        let indices: Vec<usize> = (0..graph.stages().len()).filter(|&index| graph.is_analysis(index)).collect();
        let positions = |from: Option<usize>| -> Vec<usize> {
            graph.consumers(from).filter_map(|consumer| indices.iter().position(|&index| index == consumer)).collect()
        };
        let stages = indices.iter().filter_map(|&index| {
            let runner = StageRunner::new(graph, meters, index)?;
            let lane = graph.chunk_lanes().iter().position(|lane| lane.stage == index);
            Some(LineStage { runner, index, lane, next: positions(Some(index)) })
        });
        Self { stages: stages.collect(), first: positions(None), chunk_lanes: graph.chunk_lanes().len() }
    }

    /// Takes a file through the whole line on the calling thread.
    pub(crate) fn run(&self, key: Key, file: Arc<FileItem>, lease: Lease) -> Result<Analysed, OperatorError> {
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

/// Splits what an embed stage made of a batch into vectors and failures.
pub(crate) fn embedded(lane: usize, asked: &[Item], produced: Produced) -> super::Outcome {
    let mut failed = Vec::new();
    let vectors: Vec<_> = produced
        .items
        .into_iter()
        .filter_map(|item| match item {
            Item::Vector(vector) => Some(vector),
            _ => None,
        })
        .collect();
    if vectors.len() < asked.len() {
        let mut reasons: Vec<(RelPath, Diagnostic)> = produced.diagnostics;
        for item in asked {
            let Item::Passage(passage) = item else { continue };
            if vectors.iter().any(|vector| vector.key == passage.key) {
                continue;
            }
            let reason = reasons.iter().position(|(path, _)| *path == passage.path);
            let diagnostic = reason.map(|index| reasons.swap_remove(index).1).unwrap_or_else(no_vector);
            failed.push((passage.key, passage.path.clone(), diagnostic));
        }
    }
    super::Outcome::Embedded { lane, vectors, failed }
}

fn no_vector() -> Diagnostic {
    Diagnostic {
        severity: crate::Severity::Error,
        stage: "embed".into(),
        code: "no_vector".into(),
        line: 0,
        message: "the embedder gave no vector for a chunk of this file".into(),
    }
}
