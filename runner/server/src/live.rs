//! The threads that keep what is served up to date.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use gristmill_pipeline::run::{Interrupt, RunError};
use gristmill_watch::{Cause, Options, Step, WatchError};

use super::progress::{Doing, IndexingState};
use super::served::Served;

/// Between two looks for another epoch. `HEAD` is a few bytes.
const LOOK: Duration = Duration::from_millis(200);

/// Between two tellings of how far an epoch is.
const TELL: Duration = Duration::from_millis(500);

/// Before a watch that ended is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// What is served, and the threads that keep it up to date: one for each index that looks
/// for epochs, whoever writes them, and one for each that this process writes itself.
pub struct Live {
    served: Vec<Arc<Served>>,
    interrupt: Interrupt,
    threads: Vec<JoinHandle<()>>,
}

impl Live {
    /// Starts the threads.
    ///
    /// # Errors
    /// If one cannot be started.
    pub fn start(served: Vec<Arc<Served>>) -> std::io::Result<Self> {
        let mut live = Self { served, interrupt: Interrupt::default(), threads: Vec::new() };
        for served in live.served.clone() {
            let (followed, interrupt) = (Arc::clone(&served), live.interrupt.clone());
            let follower = thread::Builder::new().name("follow".into()).spawn(move || follow(&followed, &interrupt))?;
            let (awake, interrupt) = (follower.thread().clone(), live.interrupt.clone());
            live.threads.push(follower);
            if served.doing().is_some() {
                let keep = move || keep_up_to_date(&served, &interrupt, &awake);
                live.threads.push(thread::Builder::new().name("watch".into()).spawn(keep)?);
            }
        }
        Ok(live)
    }

    /// What is served.
    #[must_use]
    pub fn served(&self) -> &[Arc<Served>] {
        &self.served
    }

    /// Asks the threads to end.
    #[must_use]
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Ends the threads. An epoch that is being built is abandoned, one that is being
    /// published is finished.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.interrupt.request();
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("a thread of an index panicked");
            }
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.end();
    }
}

/// Looks for epochs, and tells how far the next one is.
fn follow(served: &Served, interrupt: &Interrupt) {
    let mut told = Instant::now();
    let mut was_indexing = false;
    while !interrupt.is_requested() {
        if catch_unwind(AssertUnwindSafe(|| served.refresh())).is_err() {
            tracing::error!(job = %served.index().name(), "opening the index panicked; it is tried again");
        }
        let is_indexing = served.doing().is_some_and(|doing| doing.state() == IndexingState::Indexing);
        // The end of an epoch is told too.
        if (is_indexing && told.elapsed() >= TELL) || is_indexing != was_indexing {
            served.tell_progress();
            told = Instant::now();
        }
        was_indexing = is_indexing;
        thread::park_timeout(LOOK);
    }
}

/// Watches until it is interrupted; what ends a watch sooner is tried again.
fn keep_up_to_date(served: &Served, interrupt: &Interrupt, follower: &Thread) {
    let Some(doing) = served.doing() else { return };
    let index = served.index();
    let mut last = String::new();
    while !interrupt.is_requested() {
        let watched = catch_unwind(AssertUnwindSafe(|| {
            gristmill_watch::run(index.job(), Options::default(), interrupt, doing.meters(), &mut |step| {
                take(doing, &step);
                follower.unpark();
                Ok(())
            })
        }));
        if interrupt.is_requested() {
            return;
        }
        let (message, detail) = match watched {
            Ok(Ok(())) => ("the source is no longer watched", String::new()),
            Ok(Err(error)) => (what(&error), error.to_string()),
            Err(_) => ("indexing panicked", String::new()),
        };
        doing.set(IndexingState::Failed, Some(&format!("{message}; the server tries again, and the log says more")));
        if detail != last {
            tracing::error!(job = %index.name(), detail, "{message}");
            last = detail;
        }
        follower.unpark();
        let failed = Instant::now();
        while failed.elapsed() < AGAIN && !interrupt.is_requested() {
            thread::park_timeout(AGAIN.saturating_sub(failed.elapsed()));
        }
    }
}

fn take(doing: &Doing, step: &Step<'_>) {
    match step {
        Step::Begins => doing.set(IndexingState::Indexing, None),
        Step::Ended(Ok(_)) => doing.set(IndexingState::Idle, None),
        Step::Ended(Err(error @ RunError::Sink(_))) => {
            tracing::error!(detail = %error, "an epoch failed");
            let message = "the last epoch could not be made; the next change tries again";
            doing.set(IndexingState::Failed, Some(message));
        }
        // What ends the watch is told by whoever began it.
        Step::Ended(Err(_)) => {}
    }
}

/// What ended a watch, without what only the log may say.
fn what(error: &WatchError) -> &'static str {
    match error.cause() {
        Cause::Locked => "another process writes the index; what it commits is served",
        Cause::BadJob => "the source or the job cannot be used as it is",
        Cause::Other => "the index cannot be kept up to date",
    }
}
