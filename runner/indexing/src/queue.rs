//! What waits for the writer of an index: requests, and changes of the source.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gristmill_pipeline::run::Interrupt;
use notify::Event;
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::WatchOptions;
use super::batch::{Batch, Excluded};
use super::error::RequestError;
use super::request::{Indexed, Task};

/// Requests that may wait.
pub const MAX_WAITING: usize = 64;

/// How often it is looked whether the writer is to stop: a signal handler cannot wake it. A server wakes it, so an index
/// that is not watched costs next to nothing.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
const IDLE_POLL_INTERVAL: Duration = Duration::from_secs(2);

/// How long a request that nobody waits for waits for a lock at a time.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// What a request is answered with.
pub(crate) type Reply = Result<Indexed, RequestError>;

#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    batch: Batch,
    /// When the first and the last change of the batch was seen.
    changes: Option<(Instant, Instant)>,
    waiting: VecDeque<Asked>,
    /// Those that the run which is going on answers.
    running: Vec<Asked>,
    /// Stops that run; `None` if it is wanted whoever asked for it.
    cancel: Option<Interrupt>,
    last_id: u64,
    is_closed: bool,
}

struct Asked {
    id: u64,
    task: Task,
    /// How long it waits for the lock of another process.
    patient_until: Instant,
    /// Whoever asked has left, and wants it done all the same.
    is_detached: bool,
    reply: oneshot::Sender<Reply>,
}

/// What is to be done next.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// Changes of the source.
    pub(crate) batch: Batch,
    /// What was asked for.
    pub(crate) task: Option<Task>,
    /// How long the most patient of those who asked waits for a lock.
    pub(crate) patience: Duration,
}

impl Queue {
    /// Adds a request.
    ///
    /// # Errors
    /// If too many wait, or the writer has ended.
    pub(crate) fn ask(self: &Arc<Self>, task: Task, patience: Duration) -> Result<Ticket, RequestError> {
        let mut state = self.state.lock();
        if state.is_closed {
            return Err(RequestError::Stopped);
        }
        if state.waiting.len() >= MAX_WAITING {
            return Err(RequestError::Full);
        }
        state.last_id += 1;
        let id = state.last_id;
        let (reply, answer) = oneshot::channel();
        let patient_until = Instant::now() + patience;
        state.waiting.push_back(Asked { id, task, patient_until, is_detached: false, reply });
        self.changed.notify_one();
        Ok(Ticket { queue: Arc::clone(self), id, answer, is_kept: false })
    }

    /// Adds a change of the source.
    pub(crate) fn add(&self, event: notify::Result<Event>, excluded: &Excluded) {
        let mut state = self.state.lock();
        state.batch.add(event, excluded);
        if !state.batch.is_empty() {
            let now = Instant::now();
            state.changes = Some((state.changes.map_or(now, |(first, _)| first), now));
            self.changed.notify_one();
        }
    }

    /// Makes whoever waits in [`next`](Self::next) look whether it was interrupted.
    pub(crate) fn wake(&self) {
        // Locked, so that it is not between its look and its wait.
        let _state = self.state.lock();
        self.changed.notify_all();
    }

    /// Requests that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.state.lock().waiting.len()
    }

    /// Whether a request is being answered.
    pub(crate) fn is_running(&self, id: u64) -> bool {
        self.state.lock().running.iter().any(|asked| asked.id == id)
    }

    /// Waits for requests, or for changes that have come to a pause, and takes them. Requests of one kind are taken
    /// together. `cancel` is asked to stop once all whose requests were taken have left, unless there are changes.
    /// Returns `None` when interrupted.
    pub(crate) fn next(&self, watch: Option<WatchOptions>, interrupt: &Interrupt, cancel: &Interrupt) -> Option<Work> {
        let mut state = self.state.lock();
        loop {
            if interrupt.is_requested() {
                return None;
            }
            let poll = if watch.is_some() { POLL_INTERVAL } else { IDLE_POLL_INTERVAL };
            let wait = match (state.changes, watch) {
                _ if !state.waiting.is_empty() => Duration::ZERO,
                (Some((first, last)), Some(WatchOptions { debounce, max_delay })) => {
                    (last + debounce).min(first + max_delay).saturating_duration_since(Instant::now())
                }
                _ => poll,
            };
            if wait.is_zero() {
                return Some(state.take(cancel));
            }
            self.changed.wait_for(&mut state, wait.min(poll));
        }
    }

    /// Answers the requests that were taken. Those that nobody waits for, and that another process was in the way of, wait
    /// on.
    pub(crate) fn answer(&self, reply: &Reply) {
        let running = {
            let mut state = self.state.lock();
            state.cancel = None;
            let is_kept = |asked: &Asked| asked.is_detached && matches!(reply, Err(RequestError::Locked { .. }));
            let running = std::mem::take(&mut state.running);
            let (kept, running): (Vec<_>, Vec<_>) = running.into_iter().partition(is_kept);
            kept.into_iter().rev().for_each(|asked| state.waiting.push_front(asked));
            running
        };
        for asked in running {
            // Whoever asked may have left.
            let _ = asked.reply.send(reply.clone());
        }
    }

    /// Refuses the requests that wait; with `impatient_only` those that do not want to wait longer.
    pub(crate) fn refuse(&self, error: &RequestError, impatient_only: bool) {
        let mut state = self.state.lock();
        let now = Instant::now();
        let waiting = std::mem::take(&mut state.waiting);
        let is_kept = |asked: &Asked| impatient_only && (asked.is_detached || asked.patient_until > now);
        let (kept, refused): (VecDeque<_>, VecDeque<_>) = waiting.into_iter().partition(is_kept);
        state.waiting = kept;
        drop(state);
        for asked in refused {
            let _ = asked.reply.send(Err(error.clone()));
        }
    }

    /// Refuses all requests, now and later.
    pub(crate) fn close(&self) {
        self.state.lock().is_closed = true;
        self.refuse(&RequestError::Stopped, false);
        self.answer(&Err(RequestError::Stopped));
    }

    /// Whoever asked has left.
    fn leave(&self, id: u64, is_kept: bool) {
        let mut state = self.state.lock();
        if is_kept {
            let State { waiting, running, .. } = &mut *state;
            waiting.iter_mut().chain(running).filter(|asked| asked.id == id).for_each(|asked| asked.is_detached = true);
            return;
        }
        state.waiting.retain(|asked| asked.id != id);
        let before = state.running.len();
        state.running.retain(|asked| asked.id != id);
        if before > 0
            && state.running.is_empty()
            && let Some(cancel) = &state.cancel
        {
            cancel.request();
        }
    }
}

impl State {
    fn take(&mut self, cancel: &Interrupt) -> Work {
        cancel.rearm();
        let first = self.waiting.front().map(|asked| asked.task);
        let is_clear = first == Some(Task::Clear);
        let mut work = Work { task: first, ..Work::default() };
        let now = Instant::now();
        // The order between a clear and a run matters.
        while let Some(asked) = self.waiting.pop_front_if(|asked| (asked.task == Task::Clear) == is_clear) {
            // For one that nobody waits for it is tried again.
            let least = if asked.is_detached { RETRY_INTERVAL } else { Duration::ZERO };
            work.patience = work.patience.max(asked.patient_until.saturating_duration_since(now)).max(least);
            if asked.task == Task::Rebuild {
                work.task = Some(Task::Rebuild);
            }
            self.running.push(asked);
        }
        if !is_clear {
            work.batch = std::mem::take(&mut self.batch);
            self.changes = None;
        }
        self.cancel = work.batch.is_empty().then(|| cancel.clone());
        work
    }
}

/// A request that was made. Dropping it takes it back: what was asked for is abandoned once all who asked for it have
/// left.
pub struct Ticket {
    queue: Arc<Queue>,
    id: u64,
    answer: oneshot::Receiver<Reply>,
    is_kept: bool,
}

impl Ticket {
    /// Waits until it is done. Cancel safe.
    ///
    /// # Errors
    /// Why it could not be done.
    pub async fn done(&mut self) -> Result<Indexed, RequestError> {
        (&mut self.answer).await.unwrap_or(Err(RequestError::Stopped))
    }

    /// Waits until it is done, outside of asynchronous code.
    ///
    /// # Errors
    /// Why it could not be done.
    pub fn wait(mut self) -> Result<Indexed, RequestError> {
        let (_, none) = oneshot::channel();
        std::mem::replace(&mut self.answer, none).blocking_recv().unwrap_or(Err(RequestError::Stopped))
    }

    /// Whether it is being done, and does not wait any more.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.queue.is_running(self.id)
    }

    /// Leaves it to be done without anybody who waits for it.
    pub fn detach(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.queue.leave(self.id, self.is_kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    struct Asking {
        queue: Arc<Queue>,
        interrupt: Interrupt,
        cancel: Interrupt,
    }

    impl Asking {
        fn new() -> Self {
            let interrupt = Interrupt::default();
            Self { queue: Arc::default(), cancel: interrupt.child(), interrupt }
        }

        fn next(&self) -> Work {
            self.queue.next(None, &self.interrupt, &self.cancel).unwrap()
        }
    }

    #[test]
    fn requests_are_merged_but_not_across_a_clear() {
        let it = Asking::new();
        let tasks = [Task::Update, Task::Rebuild, Task::Update, Task::Clear, Task::Clear, Task::Update];
        let tickets: Vec<_> = tasks.iter().map(|task| it.queue.ask(*task, NOW).unwrap()).collect();
        for (task, done) in [(Task::Rebuild, 3), (Task::Clear, 5), (Task::Update, 6)] {
            let work = it.next();
            assert_eq!(work.task, Some(task));
            assert_eq!(it.queue.waiting(), tasks.len() - done);
            it.queue.answer(&Err(RequestError::Cancelled));
        }
        for ticket in tickets {
            assert_eq!(ticket.wait().unwrap_err(), RequestError::Cancelled);
        }
    }

    #[test]
    fn what_nobody_waits_for_is_cancelled() {
        let it = Asking::new();
        let (one, other) = (it.queue.ask(Task::Update, NOW).unwrap(), it.queue.ask(Task::Update, NOW).unwrap());
        it.next();
        assert!(one.is_running());
        drop(one);
        assert!(!it.cancel.is_requested(), "another waits");
        drop(other);
        assert!(it.cancel.is_requested() && !it.interrupt.is_requested());
        it.queue.answer(&Err(RequestError::Cancelled));
        // What is taken next is not cancelled, nor is what somebody left to be done.
        let (one, other) = (it.queue.ask(Task::Update, NOW).unwrap(), it.queue.ask(Task::Update, NOW).unwrap());
        it.next();
        one.detach();
        drop(other);
        assert!(!it.cancel.is_requested());
        it.queue.answer(&Err(RequestError::Cancelled));
        // One that waits is not there any more.
        drop(it.queue.ask(Task::Update, NOW).unwrap());
        assert_eq!(it.queue.waiting(), 0);
    }

    #[test]
    fn a_run_that_changes_ask_for_is_not_cancelled() {
        let it = Asking::new();
        it.queue.state.lock().batch.needs_rescan = true;
        let ticket = it.queue.ask(Task::Update, NOW).unwrap();
        assert!(it.next().batch.needs_rescan);
        drop(ticket);
        assert!(!it.cancel.is_requested());
    }

    #[test]
    fn the_queue_is_bounded() {
        let it = Asking::new();
        let tickets: Vec<_> = (0..MAX_WAITING).map(|_| it.queue.ask(Task::Update, NOW).unwrap()).collect();
        assert_eq!(it.queue.ask(Task::Update, NOW).err(), Some(RequestError::Full));
        it.queue.close();
        assert_eq!(it.queue.ask(Task::Update, NOW).err(), Some(RequestError::Stopped));
        for ticket in tickets {
            assert_eq!(ticket.wait().unwrap_err(), RequestError::Stopped);
        }
    }

    #[test]
    fn the_impatient_are_refused_first() {
        let it = Asking::new();
        let impatient = it.queue.ask(Task::Update, NOW).unwrap();
        let patient = it.queue.ask(Task::Update, Duration::from_secs(600)).unwrap();
        it.queue.refuse(&RequestError::Full, true);
        assert_eq!(impatient.wait().unwrap_err(), RequestError::Full);
        assert_eq!(it.queue.waiting(), 1);
        assert!(it.next().patience > Duration::from_secs(60));
        drop(patient);
    }

    #[test]
    fn what_nobody_waits_for_waits_for_the_lock() {
        let it = Asking::new();
        let locked = || Err(RequestError::Locked { holder: "another process".into() });
        let (left, waits) = (it.queue.ask(Task::Clear, NOW).unwrap(), it.queue.ask(Task::Clear, NOW).unwrap());
        left.detach();
        it.queue.refuse(&RequestError::Full, true);
        assert_eq!((it.queue.waiting(), waits.wait().unwrap_err()), (1, RequestError::Full));
        assert!(it.next().patience >= RETRY_INTERVAL);
        it.queue.answer(&locked());
        assert_eq!((it.queue.waiting(), it.next().task), (1, Some(Task::Clear)));
        it.queue.answer(&Err(RequestError::Cancelled));
        assert_eq!(it.queue.waiting(), 0);
    }

    #[test]
    fn it_ends_when_interrupted() {
        let it = Asking::new();
        it.interrupt.request();
        assert!(it.queue.next(None, &it.interrupt, &it.cancel).is_none());
        assert!(it.cancel.is_requested(), "a child is interrupted with its parent");
    }
}
