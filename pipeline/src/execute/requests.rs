//! Embedders that wait for something outside of the machine, such as a server.
//!
//! Their calls run on threads of their own, so that a request under way holds no worker. Passages
//! gather in a queue, across files and rounds of the plane, until a call is full; what is left is
//! sent when nothing more can come before it. Threads rather than an asynchronous runtime: there are
//! as few of them as calls, operators stay plain synchronous code, and the outcome is the completion.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam_channel::Sender;
use parking_lot::{Condvar, Mutex};

use super::{EmbedLine, Outcome};
use crate::operator::{BatchSize, Filled, OperatorError, outcome_of};
use crate::port::{Item, Passage};
use gristmill_ids::EmbedLaneId;

/// Calls of a lane at a time: while the requests of one are under way, the next is prepared and its
/// requests take the place of those that end.
const CALLS: usize = 2;

/// The embed lanes whose embedders wait.
pub(super) struct Requests {
    lanes: Vec<Arc<Lane>>,
    /// Passages that have no outcome yet.
    under_way: usize,
}

struct Lane {
    line: EmbedLine,
    batch: BatchSize,
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    passages: VecDeque<Item>,
    bytes: u64,
    tokens: u64,
    /// Nothing more comes before what is here is embedded.
    is_last: bool,
    closed: bool,
}

impl Queue {
    fn is_ready(&self, size: &BatchSize) -> bool {
        let is_full = self.passages.len() >= size.items || self.bytes >= size.bytes || self.tokens >= size.tokens;
        is_full || self.is_last && !self.passages.is_empty()
    }

    fn pop_batch(&mut self, size: &BatchSize) -> Vec<Item> {
        let (mut batch, mut filled) = (Vec::new(), Filled::default());
        while let Some(item) = self.passages.front() {
            let (bytes, tokens) = (item.bytes(), item.tokens());
            if !filled.takes(size, bytes, tokens) {
                break;
            }
            (self.bytes, self.tokens) = (self.bytes - bytes, self.tokens - tokens);
            batch.extend(self.passages.pop_front());
        }
        batch
    }
}

impl Requests {
    /// Starts the threads of these lanes; outcomes go to `done`.
    pub(super) fn start(lines: Vec<EmbedLine>, done: &Sender<Result<Outcome, OperatorError>>) -> Result<Self, String> {
        // If a thread cannot be started, those that were end with this.
        let mut requests = Self { lanes: Vec::new(), under_way: 0 };
        for line in lines {
            let batch = line.embedder.batch_size();
            let lane = Arc::new(Lane { line, batch, queue: Mutex::default(), changed: Condvar::new() });
            requests.lanes.push(Arc::clone(&lane));
            for nth in 0..CALLS {
                let (lane, done) = (Arc::clone(&lane), done.clone());
                let name = format!("request-{}-{nth}", lane.line.lane.index());
                let thread = std::thread::Builder::new().name(name).spawn(move || lane.work(&done));
                thread.map_err(|error| error.to_string())?;
            }
        }
        Ok(requests)
    }

    /// Takes passages of a lane, or gives them back if its embedder does not wait.
    pub(super) fn submit(&mut self, lane: EmbedLaneId, passages: Vec<Arc<Passage>>) -> Result<(), Vec<Arc<Passage>>> {
        let Some(lane) = self.lanes.iter().find(|waiting| waiting.line.lane == lane) else { return Err(passages) };
        self.under_way += passages.len();
        let mut queue = lane.queue.lock();
        queue.is_last = false;
        for item in passages.into_iter().map(Item::Passage) {
            lane.line.embedder.meter.enqueued(1, item.bytes());
            (queue.bytes, queue.tokens) = (queue.bytes + item.bytes(), queue.tokens + item.tokens());
            queue.passages.push_back(item);
        }
        drop(queue);
        lane.changed.notify_all();
        Ok(())
    }

    /// Nothing more comes before what waits is embedded: calls need not be full.
    pub(super) fn flush(&self) {
        for lane in &self.lanes {
            lane.queue.lock().is_last = true;
            lane.changed.notify_all();
        }
    }

    /// Notes an outcome, and returns whether it is one of its own. An error ends the epoch, and
    /// is not counted.
    pub(super) fn ended(&mut self, outcome: &Result<Outcome, OperatorError>) -> bool {
        let Ok(Outcome::Embedded { lane, asked, .. }) = outcome else { return false };
        let is_own = self.lanes.iter().any(|waiting| waiting.line.lane == *lane);
        if is_own {
            self.under_way = self.under_way.saturating_sub(*asked);
        }
        is_own
    }

    /// Whether every passage has its outcome.
    pub(super) const fn is_idle(&self) -> bool {
        self.under_way == 0
    }
}

impl Drop for Requests {
    /// Passages that wait are dropped. Requests under way are not waited for, as their outcomes are
    /// discarded.
    fn drop(&mut self) {
        for lane in &self.lanes {
            let mut queue = lane.queue.lock();
            *queue = Queue { closed: true, ..Queue::default() };
            drop(queue);
            lane.changed.notify_all();
        }
    }
}

impl Lane {
    fn work(&self, done: &Sender<Result<Outcome, OperatorError>>) {
        loop {
            let mut queue = self.queue.lock();
            self.changed.wait_while(&mut queue, |queue| !queue.closed && !queue.is_ready(&self.batch));
            if queue.closed {
                return;
            }
            let batch = queue.pop_batch(&self.batch);
            drop(queue);
            let bytes = batch.iter().map(Item::bytes).sum();
            self.line.embedder.meter.dequeued(batch.len() as u64, bytes);
            // The receiver is gone only when the epoch was given up.
            let _ = done.send(outcome_of(|| self.line.run(batch)));
        }
    }
}
