//! `sequential`: everything on the calling thread, one task after the other.

use std::collections::VecDeque;

use gristmill_ids::EmbedLaneId;

use super::{DataPlane, Executor, Outcome, Task};
use crate::operator::{OperatorError, outcome_of};
use crate::port::Item;
use crate::semaphore::Semaphore;

pub(crate) struct Sequential {
    plane: DataPlane,
    embedding: VecDeque<Task>,
    analysing: VecDeque<Task>,
}

impl Sequential {
    pub(crate) fn new(plane: DataPlane) -> Self {
        Self { plane, embedding: VecDeque::new(), analysing: VecDeque::new() }
    }
}

impl DataPlane {
    /// Does a task on the calling thread. With `permits`, it computes with one of them.
    pub(super) fn perform(&self, task: Task, permits: Option<&Semaphore>) -> Result<Outcome, OperatorError> {
        match task {
            Task::Analyse { key, file, lease } => self.line.run(key, file, lease, permits).map(Outcome::Analysed),
            Task::Embed { lane, passages } => {
                let _permit = permits.map(Semaphore::acquire);
                let items: Vec<Item> = passages.into_iter().map(Item::Passage).collect();
                let line = self.embedders.iter().find(|line| line.lane == lane);
                line.map_or_else(|| Err(no_embedder(lane)), |line| line.run(items))
            }
        }
    }
}

fn no_embedder(lane: EmbedLaneId) -> OperatorError {
    let message = format!("embed lane {} has no embedder; please report it", lane.index());
    OperatorError { stage: "embed".into(), message: message.into() }
}

impl Executor for Sequential {
    fn submit(&mut self, task: Task) {
        match task {
            Task::Analyse { .. } => self.analysing.push_back(task),
            Task::Embed { .. } => self.embedding.push_back(task),
        }
    }

    fn next(&mut self) -> Option<Result<Outcome, OperatorError>> {
        let task = self.embedding.pop_front().or_else(|| self.analysing.pop_front())?;
        Some(outcome_of(|| self.plane.perform(task, None)))
    }

    /// Nothing is done unasked, so nothing is ever there already.
    fn try_next(&mut self) -> Option<Result<Outcome, OperatorError>> {
        None
    }

    fn analysing(&self) -> usize {
        self.analysing.len()
    }
}
