//! One stage on one batch: measured, and with panics contained.

use std::sync::Arc;

use gristmill_ids::StageId;

use crate::diagnostic::{Diagnostic, Severity};
use crate::graph::{Body, Graph};
use crate::interrupt::Interrupt;
use crate::measure::{Meters, StageMeter};
use crate::operator::{AnswerLog, AnyOperator, BatchSize, Emitter, Filled, OperatorError, contained};
use crate::path::RelPath;
use crate::port::Item;

/// A stage with its meter.
#[derive(Clone)]
pub(crate) struct StageRunner {
    pub(crate) operator: AnyOperator,
    pub(crate) meter: Arc<StageMeter>,
    pub(crate) interrupt: Interrupt,
    /// Where it writes down what a server answers.
    pub(crate) answers: AnswerLog,
}

/// A stage that its caller runs, outside of any run: measured, and with panics contained, as executors
/// run it.
pub struct StandaloneStage(StageRunner);

impl StandaloneStage {
    /// The stage of a graph, measured by its meter in `meters`. `None` if it is a sink.
    #[must_use]
    pub fn new(graph: &Graph, meters: &Meters, interrupt: &Interrupt, id: StageId) -> Option<Self> {
        StageRunner::new(graph, meters, interrupt, id).map(Self)
    }

    /// Cuts items into batches of the size that the stage wants, in order.
    #[must_use]
    pub fn batches(&self, items: Vec<Item>) -> Vec<Vec<Item>> {
        let size = self.0.batch_size();
        let (mut batches, mut batch, mut filled) = (Vec::new(), Vec::new(), Filled::default());
        for item in items {
            let (bytes, tokens) = (item.bytes(), item.tokens());
            if !filled.takes(&size, bytes, tokens) {
                batches.push(std::mem::take(&mut batch));
                filled = Filled::default();
                filled.takes(&size, bytes, tokens);
            }
            batch.push(item);
        }
        if !batch.is_empty() {
            batches.push(batch);
        }
        batches
    }

    /// Runs the stage on a batch. Items on which it panics are left out.
    ///
    /// # Errors
    /// If the operator can no longer work.
    pub fn run(&self, batch: Vec<Item>) -> Result<Vec<Item>, OperatorError> {
        Ok(self.0.run(batch)?.items)
    }
}

/// What a stage made of a batch.
#[derive(Default)]
pub(crate) struct Produced {
    pub(crate) items: Vec<Item>,
    pub(crate) diagnostics: Vec<(RelPath, Diagnostic)>,
    /// Items on which the stage panicked twice.
    pub(crate) quarantined: Vec<(Item, Diagnostic)>,
}

impl StageRunner {
    /// `None` for a sink.
    pub(crate) fn new(graph: &Graph, meters: &Meters, interrupt: &Interrupt, id: StageId) -> Option<Self> {
        match &graph.stage(id).body {
            Body::Operator(operator) => Some(Self {
                operator: operator.clone(),
                meter: Arc::clone(meters.stage(id)),
                interrupt: interrupt.clone(),
                answers: AnswerLog::default(),
            }),
            Body::Sink(_) => None,
        }
    }

    pub(crate) fn batch_size(&self) -> BatchSize {
        self.operator.operator().batch_size()
    }

    /// Runs the stage on a batch. An item on which it panics twice is quarantined; the
    /// rest of its batch is processed.
    pub(crate) fn run(&self, batch: Vec<Item>) -> Result<Produced, OperatorError> {
        let bytes = batch.iter().map(Item::bytes).sum();
        let size = batch.len();
        self.meter.measure(size, bytes, || match self.attempt(batch.clone()) {
            Ok(produced) => produced,
            Err(_) => self.one_by_one(batch),
        })
    }

    fn one_by_one(&self, batch: Vec<Item>) -> Result<Produced, OperatorError> {
        let mut all = Produced::default();
        for item in batch {
            match self.attempt(vec![item.clone()]) {
                Ok(produced) => {
                    let mut produced = produced?;
                    all.items.append(&mut produced.items);
                    all.diagnostics.append(&mut produced.diagnostics);
                }
                Err(panic) => {
                    let message =
                        format!("stage `{}` failed twice on this file ({panic}); please report it", self.meter.name);
                    all.quarantined.push((item, self.error("panic", message)));
                }
            }
        }
        Ok(all)
    }

    /// Runs the operator; the outer error is what it panicked with.
    fn attempt(&self, batch: Vec<Item>) -> Result<Result<Produced, OperatorError>, String> {
        // The emitter is created inside, so a panic drops it.
        contained(|| {
            let out = Emitter::within(Arc::clone(&self.meter.name), self.interrupt.clone());
            let mut out = out.with_answers(self.answers.clone());
            self.operator.operator().process(batch, &mut out)?;
            self.meter.count_cpu(out.cpu);
            self.meter.count_wait(out.waited);
            self.meter.count_tokens(out.counted());
            let (items, diagnostics) = out.into_parts();
            Ok(Produced { items, diagnostics, quarantined: Vec::new() })
        })
    }

    /// A diagnostic of this stage that quarantines a file.
    pub(crate) fn error(&self, code: &str, message: String) -> Diagnostic {
        let stage = Arc::clone(&self.meter.name);
        Diagnostic { severity: Severity::Error, stage, code: code.into(), line: 0, message: message.into() }
    }
}
