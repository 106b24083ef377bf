//! Watches a source and commits a new epoch after every change. `gristmill watch` and the server share
//! this loop.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod batch;
mod error;

use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::time::Duration;

use gristmill_config::Job;
use gristmill_pipeline::Meters;
use gristmill_pipeline::run::{Indexer, Interrupt, RunError, RunReport};
use notify::{RecursiveMode, Watcher as _};

use batch::{Batch, Excluded, next_batch};

pub use error::{Cause, WatchError};

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

/// A step of a watch.
#[derive(Debug)]
pub enum Step<'a> {
    /// An epoch started.
    Started,
    /// An epoch was committed or failed, or there were no changes.
    Finished(&'a Result<RunReport, RunError>),
}

/// Checks that the source of a job can be watched.
///
/// # Errors
/// [`WatchError::Revision`] if the job indexes a revision or refs.
pub fn check(job: &Job) -> Result<(), WatchError> {
    if job.is_folder() { Ok(()) } else { Err(WatchError::Revision) }
}

/// Watches the source of a job and updates its index until interrupted, and calls `on_step` for every
/// step. An epoch that failed in a sink is retried with the next change; any other error ends the
/// watch.
///
/// # Errors
/// If the index cannot be written or the source cannot be watched, and the errors of `on_step`.
pub fn run<E: From<WatchError>>(
    job: &Job,
    options: WatchOptions,
    interrupt: &Interrupt,
    meters: &Meters,
    on_step: &mut dyn FnMut(Step<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let source = job.directory_source();
    let plan = job.run_plan(&source, meters, false, interrupt);
    let mut indexer = Indexer::open(plan).map_err(WatchError::Run)?;
    // Watched before the first scan, so that no change is missed.
    let (sender, events) = channel();
    let cannot_watch = |reason: notify::Error| WatchError::CannotWatch { root: job.source.root.clone(), reason };
    let mut watcher = notify::recommended_watcher(sender).map_err(cannot_watch)?;
    watcher.watch(&job.source.root, RecursiveMode::Recursive).map_err(cannot_watch)?;

    let excluded = Excluded::of(job);
    let mut batch = Batch { needs_rescan: true, ..Batch::default() };
    loop {
        let paths: Vec<PathBuf> = batch.paths.into_iter().collect();
        on_step(Step::Started)?;
        let report =
            if batch.needs_rescan { indexer.update(&source, false) } else { indexer.update_paths(&source, &paths) };
        on_step(Step::Finished(&report))?;
        match report {
            Ok(_) | Err(RunError::Sink(_) | RunError::Interrupted) => {}
            Err(error) => return Err(WatchError::Run(error).into()),
        }
        match next_batch(&events, options, &excluded, interrupt) {
            Some(next) => batch = next,
            None => return Ok(()),
        }
    }
}
