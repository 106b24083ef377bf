//! Keeps an index up to date for as long as its process runs: whatever changes in the source is
//! an epoch a moment later. `gristmill watch` and the server share this loop.
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

use batch::{Batch, left_out, next_batch};

pub use error::{Cause, WatchError};

/// When epochs begin.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long the source must be quiet before an epoch begins.
    pub quiet_for: Duration,
    /// An epoch begins after this long, even if the source is not quiet.
    pub at_most: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { quiet_for: Duration::from_millis(50), at_most: Duration::from_millis(2000) }
    }
}

/// What a watch tells of itself.
#[derive(Debug)]
pub enum Step<'a> {
    /// An epoch begins.
    Begins,
    /// An epoch was committed, or nothing had changed, or it failed.
    Ended(&'a Result<RunReport, RunError>),
}

/// Checks that the job has a source that can change.
///
/// # Errors
/// If it indexes a revision.
pub fn check(job: &Job) -> Result<(), WatchError> {
    if job.source.revision.is_some() || !job.source.refs.is_empty() { Err(WatchError::Revision) } else { Ok(()) }
}

/// Keeps the index of a job up to date until it is interrupted, and tells every step. An
/// epoch that a sink could not store is tried again with the next change; what keeps the
/// index itself from being written ends the watch, and so does what `on_step` refuses.
///
/// # Errors
/// If the index cannot be written, the source cannot be watched, and what `on_step` gives.
pub fn run<E: From<WatchError>>(
    job: &Job,
    options: Options,
    interrupt: &Interrupt,
    meters: &Meters,
    on_step: &mut dyn FnMut(Step<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let source = job.directory_source();
    let plan = job.run_plan(&source, meters, false, interrupt);
    let mut indexer = Indexer::open(plan).map_err(WatchError::Run)?;
    // Watched first: what changes during the first scan must not be missed.
    let (sender, events) = channel();
    let cannot_watch = |reason: notify::Error| WatchError::CannotWatch { root: job.source.root.clone(), reason };
    let mut watcher = notify::recommended_watcher(sender).map_err(cannot_watch)?;
    watcher.watch(&job.source.root, RecursiveMode::Recursive).map_err(cannot_watch)?;

    let left_out = left_out(job);
    let mut batch = Batch { lost: true, ..Batch::default() };
    loop {
        let paths: Vec<PathBuf> = batch.paths.into_iter().collect();
        on_step(Step::Begins)?;
        let report = if batch.lost { indexer.update(&source, false) } else { indexer.update_paths(&source, &paths) };
        on_step(Step::Ended(&report))?;
        match report {
            Ok(_) | Err(RunError::Sink(_) | RunError::Interrupted) => {}
            Err(error) => return Err(WatchError::Run(error).into()),
        }
        match next_batch(&events, options, &left_out, interrupt) {
            Some(next) => batch = next,
            None => return Ok(()),
        }
    }
}
