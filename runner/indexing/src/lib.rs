//! The one writer of an index within a process. It takes requests, and with a watch it commits a new epoch after every
//! change of the source.
//!
//! ```text
//! ask ──► Ticket          ┌────────── Queue ──────────┐
//! ask ──► Ticket ────────►│ requests, merged by kind  ├─► run ─► Indexer ─► epoch ─► answers
//! events of files ───────►│ changes, until they pause │
//!                         └───────────────────────────┘
//! ```
//!
//! Requests that wait while the index is written are merged, and answered with the epoch that holds what they asked
//! for. Whoever drops a [`Ticket`] has left; a run that only those who left had asked for is abandoned.
//! `gristmill watch` and the server share this loop.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod batch;
mod error;
mod queue;
mod request;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use gristmill_config::Job;
use gristmill_pipeline::Meters;
use gristmill_pipeline::index::Cleared;
use gristmill_pipeline::run::{Indexer, Interrupt, RunError, RunPlan, RunReport};
use gristmill_pipeline::source::DirectorySource;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use batch::{Batch, Excluded};
use queue::{Queue, Work};

pub use error::{Cause, RequestError, WatchError};
pub use queue::{MAX_WAITING, Ticket};
pub use request::{Indexed, IndexedEnding, Task};

/// The timing of epochs.
#[derive(Clone, Copy, Debug)]
pub struct WatchOptions {
    /// An epoch starts after this long without changes.
    pub debounce: Duration,
    /// An epoch starts at most this long after the first change.
    pub max_delay: Duration,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self { debounce: Duration::from_millis(50), max_delay: Duration::from_millis(2000) }
    }
}

/// How an index is written.
#[derive(Clone, Copy, Debug)]
pub struct IndexingOptions {
    /// Commits an epoch after every change of the source.
    pub watch: Option<WatchOptions>,
    /// The share of the job's workers that are used, above 0 and at most 1.
    pub cpu: f64,
    /// Whether other threads of the machine come first. They do on Linux, for the processor and, by default, the disk.
    pub yields: bool,
}

impl Default for IndexingOptions {
    fn default() -> Self {
        Self { watch: None, cpu: 1.0, yields: false }
    }
}

/// A step of the loop.
#[derive(Debug)]
pub enum Step<'a> {
    /// An epoch started.
    Started,
    /// An epoch was committed or failed, or there were no changes.
    Finished(&'a Result<RunReport, RunError>),
    /// The index was cleared, or could not be.
    Cleared(&'a Result<Cleared, RunError>),
}

/// Checks that the source of a job can be watched.
///
/// # Errors
/// [`WatchError::Revision`] if the job indexes a revision or refs.
pub fn check(job: &Job) -> Result<(), WatchError> {
    if job.is_folder() { Ok(()) } else { Err(WatchError::Revision) }
}

/// The writer of an index. Clones are of the same; requests wait until [`run`](Self::run) takes them.
#[derive(Clone)]
pub struct Indexing {
    job: Arc<Job>,
    meters: Arc<Meters>,
    queue: Arc<Queue>,
}

impl Indexing {
    /// The writer of a job's index. Nothing is opened yet.
    #[must_use]
    pub fn new(job: Arc<Job>) -> Self {
        Self { meters: Meters::new(&job.graph), job, queue: Arc::default() }
    }

    /// The job.
    #[must_use]
    pub fn job(&self) -> &Arc<Job> {
        &self.job
    }

    /// What the run that is going on measures.
    #[must_use]
    pub fn meters(&self) -> &Arc<Meters> {
        &self.meters
    }

    /// Requests that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// Makes a request. If another process writes to the index, it waits as long as `patience`.
    ///
    /// # Errors
    /// [`RequestError::Full`] if too many wait, and [`RequestError::Stopped`] if the writer has ended.
    pub fn ask(&self, task: Task, patience: Duration) -> Result<Ticket, RequestError> {
        let ticket = self.queue.ask(task, patience);
        self.count_waiting();
        ticket
    }

    /// Makes [`run`](Self::run) look at once whether it was interrupted.
    pub fn wake(&self) {
        self.queue.wake();
    }

    /// Takes no more requests, and refuses those that wait.
    pub fn close(&self) {
        self.queue.close();
    }

    fn count_waiting(&self) {
        self.meters.queued_requests.store(self.queue.waiting() as u64, Ordering::Relaxed);
    }

    /// Writes the index until interrupted, and calls `on_step` for every step, before requests are answered. With a
    /// watch the index stays open and locked; an epoch that failed in a sink is retried with the next change, and any
    /// other error ends it. Without one the index is opened for each request, whose errors go to whoever made it.
    ///
    /// # Errors
    /// With a watch, if the index cannot be written or the source cannot be watched; and the errors of `on_step`.
    pub fn run<E: From<WatchError>>(
        &self,
        options: IndexingOptions,
        interrupt: &Interrupt,
        on_step: &mut dyn FnMut(Step<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if options.yields {
            yield_to_others();
        }
        let cancel = interrupt.child();
        match options.watch {
            Some(watch) => self.watch(options, watch, interrupt, &cancel, on_step),
            None => self.serve(options, interrupt, &cancel, on_step),
        }
    }

    /// Opens the index for each request.
    fn serve<E>(
        &self,
        options: IndexingOptions,
        interrupt: &Interrupt,
        cancel: &Interrupt,
        on_step: &mut dyn FnMut(Step<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(work) = self.queue.next(None, interrupt, cancel) {
            self.count_waiting();
            let Some(task) = work.task else { continue };
            let answering = Answering(&self.queue);
            on_step(Step::Started)?;
            let began = Instant::now();
            let done = self.once(task, work.patience, options.cpu, cancel);
            done.tell(on_step)?;
            answering.with(&done.reply(began.elapsed(), interrupt));
        }
        Ok(())
    }

    /// Opens the index for one task.
    fn once(&self, task: Task, patience: Duration, cpu: f64, cancel: &Interrupt) -> Done {
        let source = match self.job.open_source() {
            Ok(source) => source,
            Err(error) => return Done::ran(Err(error.into())),
        };
        let plan = self.job.run_plan(&*source, &self.meters, false, cancel);
        match Indexer::open(RunPlan { lock_wait: patience, ..share(plan, cpu) }) {
            Ok(mut indexer) if task == Task::Clear => Done::Cleared(indexer.clear()),
            Ok(mut indexer) => Done::ran(indexer.update(&*source, task == Task::Rebuild)),
            Err(error) => Done::ran(Err(error)),
        }
    }

    /// Keeps the index open, and commits an epoch after every change.
    fn watch<E: From<WatchError>>(
        &self,
        options: IndexingOptions,
        watch: WatchOptions,
        interrupt: &Interrupt,
        cancel: &Interrupt,
        on_step: &mut dyn FnMut(Step<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let source = self.job.directory_source();
        let plan = share(self.job.run_plan(&source, &self.meters, false, cancel), options.cpu);
        let opened = Indexer::open(plan).map_err(WatchError::Run).and_then(|indexer| Ok((indexer, self.watcher()?)));
        let (mut indexer, _watcher) = opened.inspect_err(|error| {
            // The loop may be started again.
            self.queue.refuse(&error.into(), error.cause() == Cause::Locked);
        })?;
        // The watch began before the first scan, so that no change is missed.
        let mut work = Work { batch: Batch { needs_rescan: true, ..Batch::default() }, ..Work::default() };
        loop {
            let answering = Answering(&self.queue);
            on_step(Step::Started)?;
            let began = Instant::now();
            let done = advance(&mut indexer, &source, work);
            done.tell(on_step)?;
            answering.with(&done.reply(began.elapsed(), interrupt));
            if let Some(error) = done.into_end() {
                return Err(WatchError::Run(error).into());
            }
            match self.queue.next(Some(watch), interrupt, cancel) {
                Some(next) => work = next,
                None => return Ok(()),
            }
            self.count_waiting();
        }
    }

    fn watcher(&self) -> Result<RecommendedWatcher, WatchError> {
        let root = &self.job.source.root;
        let cannot_watch = |reason: notify::Error| WatchError::CannotWatch { root: root.clone(), reason };
        let (queue, excluded) = (Arc::clone(&self.queue), Excluded::of(&self.job));
        let mut watcher =
            notify::recommended_watcher(move |event| queue.add(event, &excluded)).map_err(cannot_watch)?;
        watcher.watch(root, RecursiveMode::Recursive).map_err(cannot_watch)?;
        Ok(watcher)
    }
}

/// Does what is to be done next with an open index.
fn advance(indexer: &mut Indexer<'_>, source: &DirectorySource, work: Work) -> Done {
    let Work { batch, task, .. } = work;
    match task {
        Some(Task::Clear) => Done::Cleared(indexer.clear()),
        // Events of what a request means may be on their way.
        Some(task) => Done::ran(indexer.update(source, task == Task::Rebuild)),
        None if batch.needs_rescan => Done::ran(indexer.update(source, false)),
        None => {
            let paths: Vec<PathBuf> = batch.paths.into_iter().collect();
            Done::ran(indexer.update_paths(source, &paths))
        }
    }
}

/// What was done.
enum Done {
    Ran(Box<Result<RunReport, RunError>>),
    Cleared(Result<Cleared, RunError>),
}

impl Done {
    fn ran(outcome: Result<RunReport, RunError>) -> Self {
        Self::Ran(Box::new(outcome))
    }

    /// The error of an index that can no longer be written as it is.
    fn into_end(self) -> Option<RunError> {
        match self {
            Self::Ran(report) => {
                report.err().filter(|error| !matches!(error, RunError::Sink(_) | RunError::Interrupted))
            }
            Self::Cleared(cleared) => cleared.err(),
        }
    }

    fn tell<E>(&self, on_step: &mut dyn FnMut(Step<'_>) -> Result<(), E>) -> Result<(), E> {
        on_step(match self {
            Self::Ran(report) => Step::Finished(report),
            Self::Cleared(cleared) => Step::Cleared(cleared),
        })
    }

    fn reply(&self, took: Duration, interrupt: &Interrupt) -> queue::Reply {
        match self {
            // Not as nobody waits for it.
            Self::Ran(report) if matches!(**report, Err(RunError::Interrupted)) && interrupt.is_requested() => {
                Err(RequestError::Stopped)
            }
            Self::Ran(report) => report.as_ref().as_ref().map(Indexed::from).map_err(Into::into),
            Self::Cleared(Ok(cleared)) => Ok(Indexed::cleared(*cleared, took.as_secs_f64() * 1e3)),
            Self::Cleared(Err(error)) => Err(error.into()),
        }
    }
}

/// Requests that were taken. If they are not answered, by a panic or an error of whoever looks on, they are refused.
struct Answering<'a>(&'a Queue);

impl Answering<'_> {
    fn with(self, reply: &queue::Reply) {
        self.0.answer(reply);
    }
}

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.0.answer(&Err(RequestError::Stopped));
    }
}

/// A plan with a share of its workers, at least one.
fn share(plan: RunPlan<'_>, cpu: f64) -> RunPlan<'_> {
    let of = |workers: usize| ((workers as f64 * cpu).floor() as usize).max(1);
    RunPlan { workers: of(plan.workers), plane_workers: of(plan.plane_workers), ..plan }
}

/// Lets other threads go first. The threads that this one starts do so too.
#[cfg(target_os = "linux")]
fn yield_to_others() {
    /// A tenth of the time of a thread with the usual priority, where both want to run.
    const NICE: i32 = 10;
    // Without it, queries take longer.
    let _ = rustix::process::setpriority_process(None, NICE);
}

#[cfg(not(target_os = "linux"))]
fn yield_to_others() {}
