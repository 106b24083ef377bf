//! `gristmill run`: brings an index up to date with its source.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gristmill_pipeline::Meters;
use gristmill_pipeline::index::IndexError;
use gristmill_pipeline::run::{Interrupt, RunError, RunReport};

use crate::config::Job;
use crate::exit::Exit;
use crate::plan::{plan, source};
use crate::progress::{Progress, StageProgress};
use crate::{summary, terminal};

use super::job::JobArgs;
use super::{CommandError, Failure};

/// Brings the index up to date: one epoch, published whole or not at all.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The job.
    #[command(flatten)]
    pub job: JobArgs,
    /// Process every file again, as though the index were empty.
    #[arg(long)]
    pub full: bool,
    /// Write the run's report to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Print nothing but errors.
    #[arg(long, short)]
    pub quiet: bool,
    /// Show no progress.
    #[arg(long)]
    pub no_progress: bool,
}

/// Runs the job.
///
/// # Errors
/// Every error in the job, and what stopped the epoch.
pub fn execute(args: Args) -> Result<Exit, CommandError> {
    let job = args.job.load(true)?;
    let interrupt = Interrupt::default();
    let watched = watch_signals(&interrupt)?;
    keep_quiet_about_contained_panics();
    let progress = if args.quiet || args.no_progress { Progress::hidden() } else { Progress::stderr() };
    let report = run(&job, args.full, &interrupt, progress);
    watched.store(true, Ordering::Relaxed);
    let report = report.map_err(failure)?;
    if let Some(path) = &args.report {
        write_report(path, &report, "the index is committed")?;
    }
    if !args.quiet {
        terminal::print(&summary::render(&job, &report))?;
    }
    Ok(if report.quarantined.is_empty() { Exit::Done } else { Exit::Quarantined })
}

/// Runs a job and shows its progress meanwhile.
///
/// # Errors
/// What stopped the epoch.
pub fn run(job: &Job, full: bool, interrupt: &Interrupt, progress: Progress) -> Result<RunReport, RunError> {
    let source = source(job)?;
    let meters = Meters::new(&job.graph);
    let plan = plan(job, &*source, &meters, full, interrupt);
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let shown = scope.spawn(|| show(&job.name, &meters, progress, &ended));
        let report = gristmill_pipeline::run::run(&plan);
        ended.store(true, Ordering::Relaxed);
        shown.thread().unpark();
        report
    })
}

/// Shows progress until the run has ended. A run that is over sooner shows nothing.
fn show(name: &str, meters: &Meters, mut progress: Progress, ended: &AtomicBool) {
    const EVERY: Duration = Duration::from_millis(100);
    std::thread::park_timeout(Duration::from_millis(300));
    while !ended.load(Ordering::Relaxed) {
        let total = meters.contents.load(Ordering::Relaxed);
        let files = meters.files.load(Ordering::Relaxed);
        let stages: Vec<StageProgress> = meters
            .stages()
            .iter()
            .enumerate()
            .map(|(index, meter)| {
                let (items_done, bytes_done, queued) = meter.progress();
                // Only the first stage's share is known beforehand.
                let items_total = (index == 0 && total > 0).then_some(total);
                StageProgress { name: Arc::clone(&meter.name), items_done, items_total, bytes_done, queued }
            })
            .collect();
        let headline = if files == 0 { format!("{name}: scanning") } else { format!("{name}: {files} files") };
        progress.update(&headline, &stages);
        std::thread::park_timeout(EVERY);
    }
    progress.finish();
}

/// Turns the first ctrl-c (or SIGTERM) into an interruption of the run. A second one
/// ends the process at once, which loses nothing either: the epoch before it stands.
pub(super) fn watch_signals(interrupt: &Interrupt) -> Result<Arc<AtomicBool>, CommandError> {
    let over = Arc::new(AtomicBool::new(false));
    let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM])
        .map_err(|error| Failure::new(Exit::Failed, "cannot watch for ctrl-c").caused_by(error))?;
    let (interrupt, ended) = (interrupt.clone(), Arc::clone(&over));
    std::thread::spawn(move || {
        let mut asked = false;
        for signal in signals.forever() {
            if asked || ended.load(Ordering::Relaxed) {
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
            asked = true;
            interrupt.request();
        }
    });
    Ok(over)
}

/// A panic inside an operator becomes a diagnostic of its file; printing it as well
/// would tell it twice.
pub(super) fn keep_quiet_about_contained_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if gristmill_pipeline::run::in_operator() {
            tracing::debug!(%panic, "contained");
        } else {
            usual(panic);
        }
    }));
}

/// Writes a report to a file as JSON. `standing` says what is done whatever becomes of it.
pub(super) fn write_report(
    path: &std::path::Path,
    report: &impl serde::Serialize,
    standing: &str,
) -> Result<(), CommandError> {
    let json = serde_json::to_vec_pretty(report).map_err(std::io::Error::from);
    json.and_then(|json| std::fs::write(path, json)).map_err(|error| {
        let failure = Failure::new(Exit::Failed, format!("cannot write the report to {}", path.display()));
        failure.help(format!("{standing}; name another file with --report")).caused_by(error).into()
    })
}

pub(super) fn failure(error: RunError) -> CommandError {
    let exit = match &error {
        RunError::Interrupted => Exit::Interrupted,
        RunError::Index(IndexError::Locked { .. }) => Exit::Locked,
        RunError::Index(IndexError::NotAnIndex { .. })
        | RunError::Source(_)
        | RunError::NoPlaceForViews
        | RunError::OtherDimension { .. } => Exit::BadConfig,
        _ => Exit::Failed,
    };
    CommandError::new(exit, error.to_string())
}
