//! The stages that make the vectors of one embed lane, on one batch.

use gristmill_ids::EmbedLaneId;

use super::Outcome;
use super::stage::{Produced, StageRunner};
use crate::diagnostic::Diagnostic;
use crate::graph::{EmbedLane, Graph};
use crate::measure::Meters;
use crate::operator::OperatorError;
use crate::path::RelPath;
use crate::port::Item;

/// An embedder, with the operators on vectors behind it.
pub(crate) struct EmbedLine {
    pub(crate) lane: EmbedLaneId,
    pub(crate) embedder: StageRunner,
    maps: Vec<StageRunner>,
}

impl EmbedLine {
    pub(crate) fn new(graph: &Graph, meters: &Meters, lane: &EmbedLane) -> Option<Self> {
        let maps = lane.maps.iter().filter_map(|&map| StageRunner::new(graph, meters, map)).collect();
        Some(Self { lane: lane.id, embedder: StageRunner::new(graph, meters, lane.stage)?, maps })
    }

    /// Takes passages through all stages.
    pub(crate) fn run(&self, passages: Vec<Item>) -> Result<Outcome, OperatorError> {
        let mut produced = self.embedder.run(passages.clone())?;
        for map in &self.maps {
            if produced.items.is_empty() {
                break;
            }
            produced.items = map.run(produced.items)?.items;
        }
        Ok(outcome(self.lane, &passages, produced))
    }
}

/// Splits what an embed stage made of a batch into vectors and failures.
fn outcome(lane: EmbedLaneId, asked: &[Item], produced: Produced) -> Outcome {
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
    Outcome::Embedded { lane, vectors, failed }
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
