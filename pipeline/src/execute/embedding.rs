//! The stages that make the vectors of one embed lane, on one batch.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use gristmill_ids::{EmbedLaneId, PassageKey};

use super::Outcome;
use super::stage::{Produced, StageRunner};
use crate::diagnostic::Diagnostic;
use crate::graph::{EmbedLane, Graph};
use crate::interrupt::Interrupt;
use crate::measure::Meters;
use crate::operator::{AnswerLog, BatchSize, Filled, OperatorError};
use crate::path::RelPath;
use crate::port::{Item, Passage, Vector};

/// An embedder, with the operators on vectors behind it.
pub(crate) struct EmbedLine {
    pub(crate) lane: EmbedLaneId,
    pub(crate) embedder: StageRunner,
    /// The number of components of its vectors.
    dimension: usize,
    maps: Vec<VectorStage>,
}

/// A stage that turns vectors into vectors.
struct VectorStage {
    runner: StageRunner,
    /// Asked for once, when the first vector comes.
    batch: OnceLock<BatchSize>,
    /// The number of components of its vectors.
    dimension: usize,
}

impl EmbedLine {
    /// The stages of a lane. What comes of requests is written down in the log that `answers` gives, unless operators
    /// on vectors follow: what is kept is what they make.
    pub(crate) fn new(
        graph: &Graph,
        meters: &Meters,
        interrupt: &Interrupt,
        lane: &EmbedLane,
        answers: &dyn Fn(&EmbedLane) -> AnswerLog,
    ) -> Option<Self> {
        let mut embedder = StageRunner::new(graph, meters, interrupt, lane.stage)?;
        if lane.maps.is_empty() && embedder.operator.operator().requests() > 0 {
            embedder.answers = answers(lane);
        }
        let dimension = embedder.operator.dimension(0);
        let mut before = dimension;
        let maps = lane.maps.iter().filter_map(|&map| {
            let runner = StageRunner::new(graph, meters, interrupt, map)?;
            before = runner.operator.dimension(before);
            Some(VectorStage { batch: OnceLock::new(), runner, dimension: before })
        });
        let maps = maps.collect();
        Some(Self { lane: lane.id, embedder, dimension, maps })
    }

    /// Runs all stages on a batch of passages. The outcome has every passage exactly once:
    /// with a vector, or with the diagnostic of the stage that returned none.
    pub(crate) fn run(&self, passages: Vec<Item>) -> Result<Outcome, OperatorError> {
        let mut batch = EmbedBatch::of(&passages);
        let produced = self.embedder.run(passages)?;
        let mut vectors = batch.take(&self.embedder, self.dimension, produced);
        for map in &self.maps {
            vectors = map.run(vectors, &mut batch)?;
        }
        let EmbedBatch { asked, failed, .. } = batch;
        Ok(Outcome::Embedded { lane: self.lane, asked, vectors, failed })
    }
}

impl VectorStage {
    fn run(&self, vectors: Vec<Vector>, batch: &mut EmbedBatch) -> Result<Vec<Vector>, OperatorError> {
        let batch_size = self.batch.get_or_init(|| self.runner.batch_size());
        let (mut mapped, mut waiting, mut filled) = (Vec::new(), Vec::new(), Filled::default());
        for vector in vectors {
            let item = Item::Vector(vector);
            if !filled.takes(batch_size, item.bytes(), item.tokens()) {
                let produced = self.runner.run(std::mem::take(&mut waiting))?;
                mapped.push(produced);
                filled = Filled::default();
                filled.takes(batch_size, item.bytes(), item.tokens());
            }
            waiting.push(item);
        }
        if !waiting.is_empty() {
            mapped.push(self.runner.run(waiting)?);
        }
        let mut all = Produced::default();
        for mut produced in mapped {
            all.items.append(&mut produced.items);
            all.diagnostics.append(&mut produced.diagnostics);
            all.quarantined.append(&mut produced.quarantined);
        }
        Ok(batch.take(&self.runner, self.dimension, all))
    }
}

/// The state of a batch between stages.
struct EmbedBatch {
    /// The number of passages in the batch.
    asked: usize,
    /// Passages that have not failed, without duplicates.
    passages: Vec<Arc<Passage>>,
    /// Passages that have failed, with the reason.
    failed: Vec<(PassageKey, RelPath, Diagnostic)>,
}

impl EmbedBatch {
    fn of(items: &[Item]) -> Self {
        let mut seen = HashSet::with_capacity(items.len());
        let passages = items.iter().filter_map(|item| match item {
            Item::Passage(passage) => seen.insert(passage.key).then(|| Arc::clone(passage)),
            _ => None,
        });
        Self { passages: passages.collect(), asked: items.len(), failed: Vec::new() }
    }

    /// Matches the output of a stage with the passages that have not failed, and returns one
    /// vector per passage. Passages without a vector of the declared dimension fail. Vectors
    /// with an unknown key and further vectors of a key are ignored.
    fn take(&mut self, stage: &StageRunner, dimension: usize, produced: Produced) -> Vec<Vector> {
        let Produced { items, mut diagnostics, quarantined } = produced;
        let mut failures: HashMap<PassageKey, Diagnostic> = HashMap::new();
        for (item, found) in quarantined {
            failures.extend(key_of(&item).map(|key| (key, found)));
        }
        let mut missing: HashSet<PassageKey> = self.passages.iter().map(|passage| passage.key).collect();
        let mut vectors = Vec::with_capacity(items.len());
        for item in items {
            let Item::Vector(vector) = item else { continue };
            if vector.values.len() == dimension && missing.remove(&vector.key) {
                vectors.push(vector);
            } else if vector.values.len() != dimension {
                failures.entry(vector.key).or_insert_with(|| other_dimension(stage, &vector, dimension));
            }
        }
        if !missing.is_empty() {
            let (given, lost) = std::mem::take(&mut self.passages)
                .into_iter()
                .partition::<Vec<_>, _>(|passage| !missing.contains(&passage.key));
            self.passages = given;
            for passage in lost {
                let reported = || {
                    let nth = diagnostics.iter().position(|(path, _)| *path == passage.path)?;
                    Some(diagnostics.remove(nth).1)
                };
                let reason = failures.remove(&passage.key).or_else(reported).unwrap_or_else(|| no_vector(stage));
                self.failed.push((passage.key, passage.path.clone(), reason));
            }
        }
        vectors
    }
}

fn key_of(item: &Item) -> Option<PassageKey> {
    match item {
        Item::Passage(passage) => Some(passage.key),
        Item::Vector(vector) => Some(vector.key),
        _ => None,
    }
}

fn no_vector(stage: &StageRunner) -> Diagnostic {
    stage.error("no_vector", format!("stage `{}` returned no vector for a chunk of this file", stage.meter.name))
}

fn other_dimension(stage: &StageRunner, vector: &Vector, dimension: usize) -> Diagnostic {
    let (name, found) = (&stage.meter.name, vector.values.len());
    let message = format!("stage `{name}` returned a vector with {found} components, expected {dimension}");
    stage.error("vector_dimension", message)
}
