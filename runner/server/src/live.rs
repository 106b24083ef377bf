//! The threads that keep served indexes up to date.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use gristmill_pipeline::run::{Interrupt, RunError};
use gristmill_watch::{Cause, Step, WatchError, WatchOptions};

use super::progress::{IndexingState, ProgressTracker};
use super::served::Served;

/// How often `HEAD`, a file of a few bytes, is polled for a new epoch.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// How often the progress of an epoch is published.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);

/// Delay before a failed watch is restarted.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Served indexes and the threads that keep them up to date: for each index one that opens new
/// epochs, whichever process commits them, and for each watched job one that indexes.
pub struct Live {
    served: Vec<Arc<Served>>,
    interrupt: Interrupt,
    threads: Vec<JoinHandle<()>>,
}

impl Live {
    /// Starts the threads.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn start(served: Vec<Arc<Served>>) -> std::io::Result<Self> {
        let mut live = Self { served, interrupt: Interrupt::default(), threads: Vec::new() };
        for served in live.served.clone() {
            let (followed, interrupt) = (Arc::clone(&served), live.interrupt.clone());
            let follower = thread::Builder::new().name("follow".into()).spawn(move || follow(&followed, &interrupt))?;
            let (waker, interrupt) = (follower.thread().clone(), live.interrupt.clone());
            live.threads.push(follower);
            if served.tracker().is_some() {
                let watch = move || watch_job(&served, &interrupt, &waker);
                live.threads.push(thread::Builder::new().name("watch".into()).spawn(watch)?);
            }
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
        let is_indexing = served.tracker().is_some_and(|tracker| tracker.state() == IndexingState::Indexing);
        // The end of an epoch is published at once.
        if (is_indexing && reported.elapsed() >= REPORT_INTERVAL) || is_indexing != was_indexing {
            served.publish_progress();
            reported = Instant::now();
        }
        was_indexing = is_indexing;
        thread::park_timeout(POLL_INTERVAL);
    }
}

/// Watches the job until interrupted, and restarts the watch when it fails.
fn watch_job(served: &Served, interrupt: &Interrupt, follower: &Thread) {
    let Some(tracker) = served.tracker() else { return };
    let index = served.index();
    let mut last_logged = String::new();
    while !interrupt.is_requested() {
        let watched = catch_unwind(AssertUnwindSafe(|| {
            gristmill_watch::run(index.job(), WatchOptions::default(), interrupt, tracker.meters(), &mut |step| {
                track(tracker, &step);
                follower.unpark();
                Ok(())
            })
        }));
        if interrupt.is_requested() {
            return;
        }
        let (message, detail) = match watched {
            Ok(Ok(())) => ("the watch ended unexpectedly", String::new()),
            Ok(Err(error)) => (public_message(&error), error.to_string()),
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
        // Any other error ends the watch, and `watch_job` reports it.
        Step::Finished(Err(_)) => {}
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
