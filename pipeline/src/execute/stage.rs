//! One stage on one batch: measured, and with panics contained.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use gristmill_ids::StageId;

use crate::diagnostic::{Diagnostic, Severity};

use crate::graph::{Body, Graph};
use crate::measure::{Meters, StageMeter};
use crate::operator::{AnyOperator, BatchSize, Emitter, OperatorError};
use crate::path::RelPath;
use crate::port::Item;

/// A stage with its meter.
#[derive(Clone)]
pub(crate) struct StageRunner {
    operator: AnyOperator,
    pub(crate) meter: Arc<StageMeter>,
}

/// What a stage made of a batch.
#[derive(Default)]
pub(crate) struct Produced {
    pub(crate) items: Vec<Item>,
    pub(crate) diagnostics: Vec<(RelPath, Diagnostic)>,
}

thread_local! {
    static IN_OPERATOR: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread is inside an operator, so that a panic hook can keep quiet
/// about a panic that becomes a diagnostic.
pub(crate) fn in_operator() -> bool {
    IN_OPERATOR.get()
}

impl StageRunner {
    /// `None` for a sink.
    pub(crate) fn new(graph: &Graph, meters: &Meters, id: StageId) -> Option<Self> {
        match &graph.stage(id).body {
            Body::Operator(operator) => Some(Self { operator: operator.clone(), meter: Arc::clone(meters.stage(id)) }),
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
            let path = item.path().cloned();
            match (self.attempt(vec![item]), path) {
                (Ok(produced), _) => {
                    let mut produced = produced?;
                    all.items.append(&mut produced.items);
                    all.diagnostics.append(&mut produced.diagnostics);
                }
                (Err(panic), Some(path)) => all.diagnostics.push((path, self.quarantine(&panic))),
                (Err(_), None) => {}
            }
        }
        Ok(all)
    }

    /// Runs the operator; the outer error is what it panicked with.
    fn attempt(&self, batch: Vec<Item>) -> Result<Result<Produced, OperatorError>, String> {
        let mut out = Emitter::new(Arc::clone(&self.meter.name));
        IN_OPERATOR.set(true);
        // What an operator keeps between calls is its own to keep whole; the emitter is
        // dropped with the panic.
        let result = catch_unwind(AssertUnwindSafe(|| self.operator.operator().process(batch, &mut out)));
        IN_OPERATOR.set(false);
        match result {
            Ok(result) => Ok(result.map(|()| {
                self.meter.count_tokens(out.counted());
                let (items, diagnostics) = out.into_parts();
                Produced { items, diagnostics }
            })),
            Err(payload) => {
                let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
                let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
                Err(text.unwrap_or_else(|| "no message".into()))
            }
        }
    }

    fn quarantine(&self, panic: &str) -> Diagnostic {
        let name = &self.meter.name;
        // The message may quote the file; the first line, cut short, says enough.
        let panic: String = panic.lines().next().unwrap_or_default().chars().take(120).collect();
        Diagnostic {
            severity: Severity::Error,
            stage: Arc::clone(name),
            code: "panic".into(),
            line: 0,
            message: format!("stage `{name}` failed twice on this file ({panic}); please report it").into(),
        }
    }
}
