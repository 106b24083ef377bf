//! The threads that keep served indexes up to date.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use gristmill_indexing::{Cause, IndexingOptions, Step, WatchError, WatchOptions};
use gristmill_pipeline::run::{Interrupt, RunError};

use super::progress::{IndexingState, ProgressTracker};
use super::served::Served;

/// How often `HEAD`, a file of a few bytes, is polled for a new epoch.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// How often the progress of an epoch is published.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);

/// Delay before a failed watch is restarted.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Served indexes and the threads that keep them up to date: for each index one that opens new
/// epochs, whichever process commits them, and one that indexes.
pub struct Live {
    served: Vec<Arc<Served>>,
    interrupt: Interrupt,
    threads: Vec<JoinHandle<()>>,
}

impl Live {
    /// Starts the threads. Indexing uses that share of the workers of a job, and yields to queries.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn start(served: Vec<Arc<Served>>, cpu: f64) -> std::io::Result<Self> {
        let mut live = Self { served, interrupt: Interrupt::default(), threads: Vec::new() };
        for served in live.served.clone() {
            let (followed, interrupt) = (Arc::clone(&served), live.interrupt.clone());
            let follower = thread::Builder::new().name("follow".into()).spawn(move || follow(&followed, &interrupt))?;
            let (waker, interrupt) = (follower.thread().clone(), live.interrupt.clone());
            live.threads.push(follower);
            let index = move || write(&served, cpu, &interrupt, &waker);
            live.threads.push(thread::Builder::new().name("index".into()).spawn(index)?);
        }
        Ok(live)
    }

    /// The served indexes.
    #[must_use]
    pub fn served(&self) -> &[Arc<Served>] {
        &self.served
    }

    /// Tells the threads to end when requested.
    #[must_use]
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Ends the threads and waits for them. An epoch that is being built is abandoned; one that is
    /// being published is committed.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.interrupt.request();
        self.served.iter().for_each(|served| served.indexing().wake());
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("the thread of an index panicked");
            }
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.end();
    }
}

/// Opens new epochs, and publishes the progress of the next one.
fn follow(served: &Served, interrupt: &Interrupt) {
    let mut reported = Instant::now();
    let mut was_indexing = false;
    while !interrupt.is_requested() {
        if catch_unwind(AssertUnwindSafe(|| served.refresh())).is_err() {
            tracing::error!(job = %served.index().name(), "opening the index panicked; retrying");
        }
        let is_indexing = served.tracker().state() == IndexingState::Indexing;
        // The end of an epoch is published at once.
        if (is_indexing && reported.elapsed() >= REPORT_INTERVAL) || is_indexing != was_indexing {
            served.publish_progress();
            reported = Instant::now();
        }
        was_indexing = is_indexing;
        thread::park_timeout(POLL_INTERVAL);
    }
}

/// Writes the index, as it is asked to and where it watches after every change, until interrupted. A watch that fails is
/// started again.
fn write(served: &Served, cpu: f64, interrupt: &Interrupt, follower: &Thread) {
    let (index, tracker, indexing) = (served.index(), served.tracker(), served.indexing());
    let watch = served.is_watched().then(WatchOptions::default);
    let options = IndexingOptions { watch, cpu, yields: true };
    let mut last_logged = String::new();
    while !interrupt.is_requested() {
        let ended = catch_unwind(AssertUnwindSafe(|| {
            indexing.run(options, interrupt, &mut |step| {
                track(tracker, &step);
                if !matches!(step, Step::Started) {
                    // Whoever asked may query what they get as the answer.
                    served.refresh();
                }
                follower.unpark();
                Ok(())
            })
        }));
        if interrupt.is_requested() {
            break;
        }
        let (message, detail) = match ended {
            Ok(Ok(())) => ("indexing ended unexpectedly", String::new()),
            Ok(Err(error)) => (public_message(&error), WatchError::to_string(&error)),
            Err(_) => ("indexing panicked", String::new()),
        };
        tracker.enter(IndexingState::Failed, Some(&format!("{message}; retrying, see the server log")));
        if detail != last_logged {
            tracing::error!(job = %index.name(), detail, "{message}");
            last_logged = detail;
        }
        follower.unpark();
        let failed = Instant::now();
        while failed.elapsed() < RETRY_DELAY && !interrupt.is_requested() {
            thread::park_timeout(RETRY_DELAY.saturating_sub(failed.elapsed()));
        }
    }
    indexing.close();
}

/// Records a step of the watch.
fn track(tracker: &ProgressTracker, step: &Step<'_>) {
    match step {
        Step::Started => tracker.enter(IndexingState::Indexing, None),
        Step::Finished(Ok(_)) => tracker.enter(IndexingState::Idle, None),
        Step::Finished(Err(error @ RunError::Sink(_))) => {
            tracing::error!(detail = %error, "an epoch failed");
            let message = "the last epoch failed; retrying with the next change, see the server log";
            tracker.enter(IndexingState::Failed, Some(message));
        }
        Step::Finished(Err(RunError::Interrupted)) => tracker.enter(IndexingState::Idle, None),
        Step::Cleared(Ok(_)) => tracker.enter(IndexingState::Idle, None),
        // With a watch it ends the loop, and `write` reports it; without one those who asked are told.
        Step::Finished(Err(error)) | Step::Cleared(Err(error)) => {
            tracing::error!(detail = %error, "indexing failed");
            tracker.enter(IndexingState::Failed, Some("the last run failed; see the server log"));
        }
    }
}

/// Why a watch ended. The cause itself may name paths and is in the log only.
fn public_message(error: &WatchError) -> &'static str {
    match error.cause() {
        Cause::Locked => "the index is locked by another process, whose commits are served",
        Cause::BadJob => "the job or its source is invalid",
        Cause::Other => "indexing failed",
    }
}
