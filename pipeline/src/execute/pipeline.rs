//! `pipeline`: every stage at once, each with an inbox counted in bytes.
//!
//! Workers are as many as the machine's cores or the stages' wishes, whichever is more.
//! Each has a home stage, and runs it while it has something in its inbox and room
//! behind it; otherwise it goes to the stage whose inbox is fullest. A stage is not run
//! while an inbox behind it is full: that is how a slow stage slows the reader.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, unbounded};
use gristmill_ids::StageId;
use parking_lot::{Condvar, Mutex, MutexGuard};

use super::line_stage::{Given, LineStage};
use super::reading::{READERS, ReadWatch};
use super::requests::Requests;
use super::stage::StageRunner;
use super::{Analysed, DataPlane, EmbedLine, Executor, Outcome, Task, take_waiting};
use crate::graph::Graph;
use crate::operator::{BatchSize, Filled, OperatorError, outcome_of};
use crate::port::{Item, Port};

pub(crate) struct Pipeline {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    outcomes: Receiver<Result<Outcome, OperatorError>>,
    requests: Requests,
    reads: ReadWatch,
    /// Whether there are threads that only read.
    has_readers: bool,
    /// Analyses and passages that have no outcome yet.
    analysing: usize,
    embedding: usize,
}

struct Shared {
    nodes: Vec<Node>,
    state: Mutex<State>,
    changed: Condvar,
    done: Sender<Result<Outcome, OperatorError>>,
}

/// A stage as the workers see it.
struct Node {
    runner: StageRunner,
    kind: Kind,
    capacity: u64,
    batch: BatchSize,
    /// Whether it takes files.
    reads: bool,
}

enum Kind {
    /// A stage of the line.
    Line(LineStage),
    /// The embedder of a lane; what stands behind it runs with it.
    Embed(EmbedLine),
}

struct State {
    inboxes: Vec<Inbox>,
    closed: bool,
}

#[derive(Default)]
struct Inbox {
    waiting: VecDeque<(Item, Option<Ticket>)>,
    bytes: u64,
}

/// What is known so far of one file on its way down the line. The graph may fan out, so
/// several items carry it; whoever lets go of the last one reports.
#[derive(Clone)]
struct Ticket(Arc<Passenger>);

struct Passenger {
    analysed: Mutex<Option<Analysed>>,
    done: Sender<Result<Outcome, OperatorError>>,
}

impl Drop for Passenger {
    fn drop(&mut self) {
        let analysed = self.analysed.get_mut().take();
        if let Some(analysed) = analysed {
            // The receiver is gone only when the epoch was given up.
            let _ = self.done.send(Ok(Outcome::Analysed(analysed)));
        }
    }
}

impl Ticket {
    fn with(&self, action: impl FnOnce(&mut Analysed)) {
        let mut analysed = self.0.analysed.lock();
        if let Some(analysed) = analysed.as_mut() {
            action(analysed);
        }
    }
}

impl Node {
    /// Stages that take its output.
    fn next(&self) -> &[usize] {
        match &self.kind {
            Kind::Line(stage) => &stage.next,
            Kind::Embed(_) => &[],
        }
    }
}

impl Inbox {
    fn push(&mut self, node: &Node, item: Item, ticket: Option<Ticket>) {
        let bytes = item.bytes();
        self.bytes += bytes;
        node.runner.meter.enqueued(1, bytes);
        self.waiting.push_back((item, ticket));
    }

    /// Takes a batch of the size that the stage wants.
    fn pop_batch(&mut self, node: &Node) -> Vec<(Item, Option<Ticket>)> {
        let mut batch: Vec<(Item, Option<Ticket>)> = Vec::new();
        let mut filled = Filled::default();
        while let Some((item, _)) = self.waiting.front() {
            // Output is matched to files by path, and over refs several contents share a path.
            let is_taken = |path| batch.iter().any(|(other, _)| other.path() == Some(path));
            let repeats_path = matches!(node.kind, Kind::Line(_)) && item.path().is_some_and(is_taken);
            if repeats_path || !filled.takes(&node.batch, item.bytes(), item.tokens()) {
                break;
            }
            batch.extend(self.waiting.pop_front());
        }
        let bytes = filled.bytes();
        self.bytes -= bytes;
        node.runner.meter.dequeued(batch.len() as u64, bytes);
        batch
    }
}

impl Pipeline {
    pub(crate) fn start(
        mut plane: DataPlane,
        workers: usize,
        memory_limit: u64,
        graph: &Graph,
        reads: ReadWatch,
    ) -> Result<Self, String> {
        let waiting = take_waiting(&mut plane.embedders);
        let capacity = |id: StageId| graph.queue_bytes(graph.stage(id), memory_limit);
        // A wish beyond one worker a stage adds workers; the machine's cores are the least.
        let wish = |id: StageId| graph.stage(id).workers.max(1);
        let (mut nodes, mut wished) = (Vec::new(), Vec::new());
        for stage in plane.line.stages {
            let batch = stage.runner.batch_size();
            let (runner, capacity) = (stage.runner.clone(), capacity(stage.id));
            wished.push(wish(stage.id));
            let reads = runner.operator.operator().input() == Port::Files;
            nodes.push(Node { runner, kind: Kind::Line(stage), capacity, batch, reads });
        }
        for line in plane.embedders {
            let (runner, batch) = (line.embedder.clone(), line.embedder.batch_size());
            let stage = graph.embed_lane(line.lane).stage;
            wished.push(wish(stage));
            let (kind, capacity) = (Kind::Embed(line), capacity(stage));
            nodes.push(Node { runner, kind, capacity, batch, reads: false });
        }
        debug_assert_eq!(plane.line.first, [0], "the line begins with one stage");

        let homes: Vec<usize> = wished.iter().enumerate().flat_map(|(node, &wish)| vec![node; wish]).collect();
        let extra: usize = wished.iter().map(|wish| wish.saturating_sub(1)).sum();
        let count = workers + extra;

        let (done, outcomes) = unbounded();
        let requests = Requests::start(waiting, &done)?;
        let inboxes = nodes.iter().map(|_| Inbox::default()).collect();
        let state = Mutex::new(State { inboxes, closed: false });
        let shared = Arc::new(Shared { nodes, state, changed: Condvar::new(), done });
        // If a thread cannot be started, those that were end with this.
        let (workers, has_readers) = (Vec::new(), false);
        let mut pipeline = Self { shared, workers, outcomes, requests, reads, has_readers, analysing: 0, embedding: 0 };
        for index in 0..count {
            // Later stages first: with few workers, homes are where results come out.
            let home = homes[homes.len() - 1 - index % homes.len()];
            pipeline
                .spawn(format!("stage-{index}"), move |shared| shared.work(home))
                .map_err(|error| error.to_string())?;
        }
        Ok(pipeline)
    }

    /// Starts a thread.
    fn spawn(&mut self, name: String, work: impl FnOnce(&Shared) + Send + 'static) -> std::io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new().name(name).stack_size(super::parallel::STACK_BYTES).spawn(move || {
            if let Err(error) = outcome_of(|| {
                work(&shared);
                Ok(())
            }) {
                let _ = shared.done.send(Err(error));
            }
        });
        self.workers.push(thread?);
        Ok(())
    }

    /// Starts threads that only read, once reads wait.
    fn start_readers(&mut self) {
        if self.has_readers || !self.reads.waits() {
            return;
        }
        self.has_readers = true;
        for index in 0..READERS {
            // Without more threads it goes on with those that there are.
            if self.spawn(format!("reader-{index}"), Shared::read).is_err() {
                return;
            }
        }
    }

    fn ended(&mut self, outcome: Result<Outcome, OperatorError>) -> Result<Outcome, OperatorError> {
        if self.requests.ended(&outcome) {
            return outcome;
        }
        match &outcome {
            Ok(Outcome::Analysed(_)) => self.analysing = self.analysing.saturating_sub(1),
            Ok(Outcome::Embedded { asked, .. }) => self.embedding = self.embedding.saturating_sub(*asked),
            Err(_) => {}
        }
        outcome
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    fn has_room(&self, state: &State, node: &Node) -> bool {
        // An empty inbox takes one batch whatever its size, or a large file would never pass.
        node.next().iter().all(|&next| {
            let inbox = &state.inboxes[next];
            inbox.waiting.is_empty() || inbox.bytes < self.nodes[next].capacity
        })
    }

    /// Whether a batch waits for a stage, and the stages after it have room for its output.
    fn is_runnable(&self, state: &State, index: usize) -> bool {
        !state.inboxes[index].waiting.is_empty() && self.has_room(state, &self.nodes[index])
    }

    /// The stage that a worker of that home should run now.
    fn choose(&self, state: &State, home: usize) -> Option<usize> {
        if self.is_runnable(state, home) {
            return Some(home);
        }
        let fullness = |index: &usize| state.inboxes[*index].bytes as f64 / self.nodes[*index].capacity.max(1) as f64;
        // Of equally full ones the last, which is nearest to the sinks.
        (0..self.nodes.len())
            .filter(|&index| self.is_runnable(state, index))
            .max_by(|left, right| fullness(left).total_cmp(&fullness(right)))
    }

    /// Runs a runnable stage on its next batch, without the lock.
    fn run_next<'state>(&'state self, mut state: MutexGuard<'state, State>, index: usize) -> MutexGuard<'state, State> {
        let node = &self.nodes[index];
        let batch = state.inboxes[index].pop_batch(node);
        drop(state);
        // Room has come about before this stage.
        self.changed.notify_all();
        self.run(node, batch);
        self.lock()
    }

    fn work(&self, home: usize) {
        let mut state = self.lock();
        loop {
            if state.closed {
                return;
            }
            let Some(index) = self.choose(&state, home) else {
                let was_blocked = !state.inboxes[home].waiting.is_empty();
                let since = Instant::now();
                self.changed.wait(&mut state);
                let meter = &self.nodes[home].runner.meter;
                if was_blocked {
                    meter.blocked_since(since)
                } else {
                    meter.starved_since(since)
                }
                continue;
            };
            state = self.run_next(state, index);
        }
    }

    /// Runs the stages that take files, and no others.
    fn read(&self) {
        let mut state = self.lock();
        while !state.closed {
            let is_ready = |&index: &usize| self.nodes[index].reads && self.is_runnable(&state, index);
            let Some(index) = (0..self.nodes.len()).find(is_ready) else {
                self.changed.wait(&mut state);
                continue;
            };
            state = self.run_next(state, index);
        }
    }

    fn run(&self, node: &Node, batch: Vec<(Item, Option<Ticket>)>) {
        let (items, tickets): (Vec<Item>, Vec<Option<Ticket>>) = batch.into_iter().unzip();
        match &node.kind {
            // The receiver is gone only when the epoch was given up.
            Kind::Embed(line) => drop(self.done.send(line.run(items))),
            Kind::Line(stage) => match stage.run(items) {
                Ok(given) => self.pass_on(stage, tickets, given),
                Err(error) => drop(self.done.send(Err(error))),
            },
        }
    }

    /// Records the output of a stage in the tickets of its files, and enqueues it for the next
    /// stages.
    fn pass_on(&self, stage: &LineStage, tickets: Vec<Option<Ticket>>, given: Vec<Given>) {
        let mut onward = Vec::new();
        for (ticket, given) in tickets.into_iter().zip(given) {
            let Some(ticket) = ticket else { continue };
            let item = given.item.clone();
            ticket.with(|analysed| analysed.note(stage, given));
            onward.extend(item.map(|item| (item, ticket)));
        }
        if onward.is_empty() || stage.next.is_empty() {
            return;
        }
        let mut state = self.lock();
        for &next in &stage.next {
            for (item, ticket) in &onward {
                state.inboxes[next].push(&self.nodes[next], item.clone(), Some(ticket.clone()));
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    fn enter(&self, node: usize, items: impl IntoIterator<Item = (Item, Option<Ticket>)>) {
        let mut state = self.lock();
        for (item, ticket) in items {
            state.inboxes[node].push(&self.nodes[node], item, ticket);
        }
        drop(state);
        self.changed.notify_all();
    }
}

impl Executor for Pipeline {
    fn submit(&mut self, task: Task) {
        match task {
            Task::Analyse { key, file, lease } => {
                self.start_readers();
                self.analysing += 1;
                let is_lane = |node: &&Node| matches!(&node.kind, Kind::Line(stage) if stage.lane.is_some());
                let lanes = self.shared.nodes.iter().filter(is_lane).count();
                let analysed = Analysed::new(key, Arc::clone(&file), lease, lanes);
                let passenger = Passenger { analysed: Mutex::new(Some(analysed)), done: self.shared.done.clone() };
                self.shared.enter(0, [(Item::File(file), Some(Ticket(Arc::new(passenger))))]);
            }
            Task::Embed { lane, passages } => {
                let Err(passages) = self.requests.submit(lane, passages) else { return };
                self.embedding += passages.len();
                let is_lane = |node: &Node| matches!(&node.kind, Kind::Embed(line) if line.lane == lane);
                if let Some(node) = self.shared.nodes.iter().position(is_lane) {
                    self.shared.enter(node, passages.into_iter().map(|passage| (Item::Passage(passage), None)));
                }
            }
        }
    }

    fn next(&mut self) -> Option<Result<Outcome, OperatorError>> {
        if self.analysing + self.embedding == 0 && self.requests.is_idle() {
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

impl Drop for Pipeline {
    /// What still waits is dropped, so that an abandoned epoch ends soon.
    fn drop(&mut self) {
        let abandoned = {
            let mut state = self.shared.lock();
            state.closed = true;
            state.inboxes.iter_mut().map(std::mem::take).collect::<Vec<_>>()
        };
        // Dropped without the lock: the last holder of a ticket reports.
        drop(abandoned);
        self.shared.changed.notify_all();
        for worker in self.workers.drain(..) {
            // A worker that panicked outside of an operator has nothing more to say.
            let _ = worker.join();
        }
    }
}
