//! Admission: lets files in as the memory limit and the workers allow.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use gristmill_plane::RowFact;

use super::ledger::Ledger;
use crate::execute::{Budget, Executor, Task};
use crate::graph::Graph;
use crate::measure::Meters;
use crate::merkle::Leaf;
use crate::port::FileItem;
use crate::run::memory::{MemoryWatch, Pressure};
use crate::source::Source;

/// Analyses that wait for a worker, per worker: enough that none waits for a round.
const QUEUED_PER_WORKER: usize = 16;

/// The contents that are to be analysed, and the memory that they may take.
pub(super) struct Admission<'a> {
    budget: Budget,
    memory: Option<&'a MemoryWatch>,
    /// Contents to analyse, each with the path to read.
    backlog: VecDeque<RowFact>,
    workers: usize,
    /// Bytes of the vectors of one chunk, over all embed lanes.
    vector_bytes: u64,
}

impl<'a> Admission<'a> {
    pub(super) fn new(graph: &Graph, budget: Budget, memory: Option<&'a MemoryWatch>, workers: usize) -> Self {
        let components: usize = graph.embed_lanes().iter().map(|lane| lane.dimension).sum();
        let vector_bytes = (components * size_of::<f32>()) as u64;
        Self { budget, memory, backlog: VecDeque::new(), workers, vector_bytes }
    }

    pub(super) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Queues contents behind those that wait already.
    pub(super) fn queue(&mut self, rows: impl IntoIterator<Item = RowFact>) {
        self.backlog.extend(rows);
    }

    /// Whether no content waits.
    pub(super) fn is_empty(&self) -> bool {
        self.backlog.is_empty()
    }

    /// Lets in as many as there is room for.
    pub(super) fn admit(&mut self, graph: &Graph, source: &dyn Source, ledger: &Ledger, executor: &mut dyn Executor) {
        while executor.analysing() < self.max_analyses()
            && let Some(&row) = self.backlog.front()
        {
            let Some(coming) = ledger.coming(&row) else {
                // It turned out to hold something else.
                self.backlog.pop_front();
                continue;
            };
            let Some(lease) = self.budget.try_lease(self.weight(&coming.leaf)) else { return };
            let file = Arc::new(FileItem {
                path: coming.path.clone(),
                origin: source.origin(&coming.row()),
                bytes: coming.leaf.stat.bytes,
                content_hash: coming.leaf.content_hash,
                variant: graph.variant(&coming.path),
            });
            self.backlog.pop_front();
            executor.submit(Task::Analyse { key: row.content, file, lease });
        }
    }

    /// Analyses that may be under way or waiting at once.
    fn max_analyses(&self) -> usize {
        match self.memory.map_or(Pressure::None, MemoryWatch::pressure) {
            Pressure::None => self.workers * QUEUED_PER_WORKER,
            Pressure::High => self.workers,
            Pressure::Over => 1,
        }
    }

    /// Waits until memory is freed, or for a moment.
    pub(super) fn wait_for_room(&self, graph: &Graph, meters: &Meters, ledger: &Ledger) {
        let first = self.backlog.front().and_then(|row| ledger.coming(row));
        let since = Instant::now();
        self.budget.wait_for(first.map_or(0, |coming| self.weight(&coming.leaf)));
        if let Some(first) = graph.consumers(None).next() {
            meters.stage(first).blocked_since(since);
        }
    }

    /// What a file will hold in flight, in bytes: its text, and its vectors by what chunks
    /// usually are. Should it turn out to have more, the rest is leased as it comes.
    fn weight(&self, leaf: &Leaf) -> u64 {
        const USUAL_CHUNK_BYTES: u64 = 400;
        leaf.stat.bytes + leaf.stat.bytes * self.vector_bytes / USUAL_CHUNK_BYTES
    }
}

#[cfg(test)]
mod tests;
