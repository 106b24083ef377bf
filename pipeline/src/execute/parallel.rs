//! `parallel`: each worker of a rayon pool takes a file from read to chunk.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::Mutex;

use super::reading::{READERS, ReadWatch};
use super::requests::Requests;
use super::{DataPlane, Executor, Outcome, Task, take_waiting};
use crate::measure::StageMeter;
use crate::operator::{OperatorError, outcome_of};
use crate::semaphore::Semaphore;

/// Room for deeply nested syntax; the operators themselves do not recurse.
pub(super) const STACK_BYTES: usize = 8 << 20;

pub(crate) struct Parallel {
    pool: rayon::ThreadPool,
    /// A pool with more threads, once reads wait.
    wide: Option<rayon::ThreadPool>,
    reads: ReadWatch,
    shared: Arc<Shared>,
    outcomes: Receiver<Result<Outcome, OperatorError>>,
    requests: Requests,
    under_way: usize,
    analysing: usize,
    idle: Idle,
}

struct Shared {
    plane: DataPlane,
    permits: Semaphore,
    tasks: Mutex<Tasks>,
    done: Sender<Result<Outcome, OperatorError>>,
}

/// Tasks that wait for a worker. Embedding goes first: it frees what is in flight.
#[derive(Default)]
struct Tasks {
    embedding: VecDeque<Task>,
    analysing: VecDeque<Task>,
}

/// Time in which workers had nothing to do, told to the first stage of the line: the
/// stages are fused, so it is the one that would have taken more.
struct Idle {
    meter: Option<Arc<StageMeter>>,
    workers: usize,
    since: Instant,
    last_busy: usize,
}

impl Idle {
    /// Called before the number of busy workers changes.
    fn account(&mut self, under_way: usize) {
        let now = Instant::now();
        let idle = self.workers.saturating_sub(self.last_busy) as u32;
        if let Some(meter) = &self.meter {
            meter.starved((now - self.since) * idle);
        }
        self.since = now;
        self.last_busy = under_way;
    }
}

fn pool(name: &'static str, threads: usize) -> Result<rayon::ThreadPool, rayon::ThreadPoolBuildError> {
    let name = move |index| format!("{name}-{index}");
    rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK_BYTES).thread_name(name).build()
}

impl Parallel {
    pub(crate) fn start(mut plane: DataPlane, workers: usize, reads: ReadWatch) -> Result<Self, String> {
        let pool = pool("worker", workers).map_err(|error| error.to_string())?;
        let (done, outcomes) = unbounded();
        let requests = Requests::start(take_waiting(&mut plane.embedders), &done)?;
        let meter = plane.line.first.first().and_then(|&first| plane.line.stages.get(first));
        let meter = meter.map(|stage| Arc::clone(&stage.runner.meter));
        let idle = Idle { meter, workers, since: Instant::now(), last_busy: 0 };
        let shared = Arc::new(Shared { plane, permits: Semaphore::new(workers), tasks: Mutex::default(), done });
        Ok(Self { pool, wide: None, reads, shared, outcomes, requests, under_way: 0, analysing: 0, idle })
    }

    fn ended(&mut self, outcome: Result<Outcome, OperatorError>) -> Result<Outcome, OperatorError> {
        if self.requests.ended(&outcome) {
            return outcome;
        }
        self.under_way = self.under_way.saturating_sub(1);
        self.idle.account(self.under_way);
        if !matches!(outcome, Ok(Outcome::Embedded { .. })) {
            self.analysing = self.analysing.saturating_sub(1);
        }
        outcome
    }
}

impl Executor for Parallel {
    fn submit(&mut self, task: Task) {
        let task = match task {
            Task::Embed { lane, passages } => match self.requests.submit(lane, passages) {
                Ok(()) => return,
                Err(passages) => Task::Embed { lane, passages },
            },
            task @ Task::Analyse { .. } => task,
        };
        let is_analysis = matches!(task, Task::Analyse { .. });
        {
            let mut tasks = self.shared.tasks.lock();
            if is_analysis { &mut tasks.analysing } else { &mut tasks.embedding }.push_back(task);
        }
        self.analysing += usize::from(is_analysis);
        self.under_way += 1;
        self.idle.account(self.under_way);
        if self.wide.is_none() && self.reads.waits() {
            // Without more threads it goes on with those that there are.
            self.wide = pool("reader", self.idle.workers + READERS).ok();
        }
        let shared = Arc::clone(&self.shared);
        // Each spawn does one task, whichever is most urgent by the time it runs.
        self.wide.as_ref().unwrap_or(&self.pool).spawn_fifo(move || {
            let task = {
                let mut tasks = shared.tasks.lock();
                tasks.embedding.pop_front().or_else(|| tasks.analysing.pop_front())
            };
            if let Some(task) = task {
                // The receiver is gone only when the epoch was given up.
                let _ = shared.done.send(outcome_of(|| shared.plane.perform(task, Some(&shared.permits))));
            }
        });
    }

    fn next(&mut self) -> Option<Result<Outcome, OperatorError>> {
        if self.under_way == 0 && self.requests.is_idle() {
            return None;
        }
        if self.analysing == 0 {
            self.requests.flush();
        }
        let outcome = self.outcomes.recv().ok()?;
        Some(self.ended(outcome))
    }

    fn try_next(&mut self) -> Option<Result<Outcome, OperatorError>> {
        let outcome = self.outcomes.try_recv().ok()?;
        Some(self.ended(outcome))
    }

    fn analysing(&self) -> usize {
        self.analysing
    }
}

impl Drop for Parallel {
    /// Tasks that no worker has taken are dropped, so that an abandoned epoch ends soon.
    fn drop(&mut self) {
        let mut tasks = self.shared.tasks.lock();
        *tasks = Tasks::default();
    }
}
