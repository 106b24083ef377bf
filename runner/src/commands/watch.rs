//! `gristmill watch`: keeps an index up to date for as long as it runs.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use gristmill_pipeline::Meters;
use gristmill_pipeline::run::{Ending, Indexer, Interrupt, RunError, RunReport};
use notify::{Event, RecursiveMode, Watcher as _};

use crate::config::Job;
use crate::exit::Exit;
use crate::plan::{directory, plan};
use crate::{summary, terminal};

use super::job::JobArgs;
use super::run::{failure, keep_quiet_about_contained_panics, watch_signals};
use super::{CommandError, Failure};

/// Keeps the index up to date: whatever changes in the source is an epoch a moment later.
/// Ctrl-c ends it, at any time.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The job.
    #[command(flatten)]
    pub job: JobArgs,
    /// When epochs begin.
    #[command(flatten)]
    pub options: Options,
    /// Print nothing but errors.
    #[arg(long, short)]
    pub quiet: bool,
}

/// When epochs begin.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Options {
    /// How long the source must be quiet before an epoch begins, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = Options::default().quiet_for)]
    pub quiet_for: u64,
    /// An epoch begins after this long, in milliseconds, even if the source is not quiet.
    #[arg(long, value_name = "MS", default_value_t = Options::default().at_most)]
    pub at_most: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { quiet_for: 50, at_most: 2000 }
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

/// What happened in the source since the last epoch.
#[derive(Debug, Default)]
struct Batch {
    /// Paths that something happened to.
    paths: BTreeSet<PathBuf>,
    /// Events were lost, so that anything may have changed.
    lost: bool,
}

impl Batch {
    /// Takes an event, but for what happened in folders that are left out.
    fn take(&mut self, event: notify::Result<Event>, left_out: &[PathBuf]) {
        let is_left_out = |path: &PathBuf| left_out.iter().any(|folder| path.starts_with(folder));
        match event {
            Ok(event) if event.need_rescan() => self.lost = true,
            Ok(event) if event.kind.is_access() => {}
            Ok(event) => self.paths.extend(event.paths.into_iter().filter(|path| !is_left_out(path))),
            // A folder could not be watched, or a queue ran over.
            Err(_) => self.lost = true,
        }
    }

    fn is_empty(&self) -> bool {
        self.paths.is_empty() && !self.lost
    }
}

/// Watches until it is interrupted.
///
/// # Errors
/// Every error in the job, and what keeps the index from being written.
pub fn execute(args: Args) -> Result<Exit, CommandError> {
    let job = args.job.load(true)?;
    check(&job)?;
    let interrupt = Interrupt::default();
    let over = watch_signals(&interrupt)?;
    keep_quiet_about_contained_panics();
    let ended = run(&job, args.options, &interrupt, &Meters::new(&job.graph), &mut |step| match step {
        Step::Begins => Ok(()),
        Step::Ended(report) => tell(&job, args.quiet, report),
    });
    over.store(true, Ordering::Relaxed);
    match ended {
        Ok(()) | Err(CommandError::Failure(_)) if interrupt.is_requested() => Ok(Exit::Done),
        Ok(()) => Ok(Exit::Done),
        Err(error) => Err(error),
    }
}

/// Checks that the job has a source that can change.
///
/// # Errors
/// If it indexes a revision.
pub fn check(job: &Job) -> Result<(), CommandError> {
    if job.source.revision.is_some() || !job.source.refs.is_empty() {
        let failure = Failure::new(Exit::BadConfig, "a revision does not change, so there is nothing to watch");
        return Err(failure.help("watch the work tree (`source.kind = \"directory\"`), or run the job again").into());
    }
    Ok(())
}

/// Keeps the index of a job up to date until it is interrupted, and tells every step. An
/// epoch that a sink could not store is tried again with the next change; what keeps the
/// index itself from being written ends the watch, and so does what `on_step` refuses.
///
/// # Errors
/// If the index cannot be written, the source cannot be watched, and what `on_step` gives.
pub fn run(
    job: &Job,
    options: Options,
    interrupt: &Interrupt,
    meters: &Meters,
    on_step: &mut dyn FnMut(Step<'_>) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let source = directory(job);
    let plan = plan(job, &source, meters, false, interrupt);
    let mut indexer = Indexer::open(plan).map_err(failure)?;
    // Watched first: what changes during the first scan must not be missed.
    let (sender, events) = channel();
    let cannot_watch = |error: notify::Error| {
        let failure = Failure::new(Exit::Failed, format!("cannot watch {}", job.source.root.display()));
        failure
            .help("the system limits how many folders are watched (on Linux: fs.inotify.max_user_watches)")
            .caused_by(error)
    };
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
            Err(error) => return Err(failure(error)),
        }
        match next_batch(&events, options, &left_out, interrupt) {
            Some(next) => batch = next,
            None => return Ok(()),
        }
    }
}

/// The folders in the source of which nothing is taken, by the names that events may give
/// them. Above all the index: every epoch writes to it, and must not lead to the next.
fn left_out(job: &Job) -> Vec<PathBuf> {
    let (root, folders) = (&job.source.root, &job.source.excluded_folders);
    let resolved_root = root.canonicalize().ok();
    let resolved = folders.iter().filter_map(|folder| folder.canonicalize().ok());
    let below_root = resolved.clone().filter_map(|folder| {
        let below = folder.strip_prefix(resolved_root.as_ref()?).ok()?;
        Some(root.join(below))
    });
    folders.iter().cloned().chain(below_root).chain(resolved.clone()).collect()
}

/// Waits for something to happen, and then until nothing does. `None` when interrupted.
fn next_batch(
    events: &Receiver<notify::Result<Event>>,
    options: Options,
    left_out: &[PathBuf],
    interrupt: &Interrupt,
) -> Option<Batch> {
    const LOOK: Duration = Duration::from_millis(100);
    let (quiet_for, at_most) = (Duration::from_millis(options.quiet_for), Duration::from_millis(options.at_most));
    let mut batch = Batch::default();
    let mut since = None;
    loop {
        if interrupt.is_requested() {
            return None;
        }
        let wait = if batch.is_empty() { LOOK } else { quiet_for };
        match events.recv_timeout(wait) {
            Ok(event) => batch.take(event, left_out),
            Err(RecvTimeoutError::Timeout) if !batch.is_empty() => return Some(batch),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return None,
        }
        if !batch.is_empty() && since.get_or_insert_with(Instant::now).elapsed() >= at_most {
            return Some(batch);
        }
    }
}

/// Tells of an epoch, or why there is none.
fn tell(job: &Job, quiet: bool, report: &Result<RunReport, RunError>) -> Result<(), CommandError> {
    match report {
        Ok(report) if quiet || (report.ending == Ending::Unchanged && report.notice.is_none()) => {}
        Ok(report) => terminal::print(&summary::line(job, report))?,
        Err(RunError::Sink(error)) => terminal::print_error(&format!(
            "{error}; the index holds the epoch before, and the next change tries again\n"
        )),
        // The watch ends, and says why itself.
        Err(_) => {}
    }
    Ok(())
}
