//! `gristmill run`: updates an index.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::Duration;

use gristmill_config::{Job, Registry};
use gristmill_pipeline::run::{Interrupt, RunError, RunPlan, RunReport};
use gristmill_pipeline::{Meters, Mode, Trace};

use super::job::{JobArgs, WaitArgs};
use crate::exit::Exit;
use crate::failure::CommandError;
use crate::panics::end_on_panics;
use crate::progress::{Progress, StageLine};
use crate::report_file::{write_report, write_trace};
use crate::signals::watch_signals;
use crate::{summary, terminal};

/// What `--low-memory` sets beside the mode.
const LOW_MEMORY: [&str; 2] = ["job.workers=1", "job.memory_limit=128MiB"];

/// Update the index: index all changes of the source as one atomic epoch.
#[derive(Clone, Debug, clap::Args)]
pub struct RunArgs {
    /// The job.
    #[command(flatten)]
    pub job: JobArgs,
    /// The lock.
    #[command(flatten)]
    pub wait: WaitArgs,
    /// Rebuild the index from scratch.
    #[arg(long)]
    pub full: bool,
    /// Verify the checksums of the index first, and rebuild what is damaged.
    #[arg(long)]
    pub verify: bool,
    /// Use as little memory as possible: one file at a time, in one thread, within 128 MiB as far as the index
    /// allows; overrides the job.
    #[arg(long)]
    pub low_memory: bool,
    /// Write the report of the run to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Write a trace of all threads to this file, for <https://ui.perfetto.dev> or `chrome://tracing`.
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Print only errors.
    #[arg(long, short)]
    pub quiet: bool,
    /// Hide the progress.
    #[arg(long)]
    pub no_progress: bool,
}

/// Runs the job.
///
/// # Errors
/// Every error in the job, and the error that stopped the epoch.
pub fn execute(args: RunArgs, registry: &Registry) -> Result<Exit, CommandError> {
    let mut settings = args.job.clone();
    if args.low_memory {
        settings.settings.extend(LOW_MEMORY.map(ToOwned::to_owned));
        settings.mode = Some(Mode::Sequential);
    }
    let job = settings.load(registry, true)?;
    let interrupt = Interrupt::default();
    let watched = watch_signals(&interrupt)?;
    end_on_panics(&job.index);
    let progress = if args.quiet || args.no_progress { Progress::hidden() } else { Progress::stderr() };
    let trace = args.trace.is_some().then(Trace::start);
    let rebuild = match args {
        RunArgs { full: true, .. } => Rebuild::Everything,
        RunArgs { verify: true, .. } => Rebuild::Damaged,
        _ => Rebuild::Nothing,
    };
    let report = run(&job, rebuild, args.wait.duration(), &interrupt, progress, trace.clone());
    watched.store(true, Ordering::Relaxed);
    if let (Some(path), Some(trace)) = (&args.trace, trace) {
        // Of a run that failed as well: it may show why.
        write_trace(path, &trace)?;
    }
    let report = report?;
    if let Some(path) = &args.report {
        write_report("--report", path, &report, "the index is committed")?;
    }
    if report.scan.files == 0
        && let Some(notice) = report.source_notices.last()
    {
        terminal::print_error(&format!("warning: {notice}\n"));
    }
    if !args.quiet
        && let Err(error) = terminal::print(&summary::render(&job, &report))
        && error.kind() != ErrorKind::BrokenPipe
    {
        // The epoch stands, whoever reads of it.
        terminal::print_error(&format!(
            "warning: cannot write the summary to standard output: {error}; epoch {} is committed\n",
            report.epoch
        ));
    }
    Ok(if report.quarantined.is_empty() { Exit::Done } else { Exit::Quarantined })
}

/// What a run rebuilds beside what changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rebuild {
    /// What is missing or has another length than it was committed with.
    Nothing,
    /// What does not match its checksum either.
    Damaged,
    /// The whole index.
    Everything,
}

/// Runs a job with a progress display, after another process that writes its index, if that ends so soon. What its
/// threads do is recorded in `trace`, if there is one.
///
/// # Errors
/// The error that stopped the epoch.
pub fn run(
    job: &Job,
    rebuild: Rebuild,
    lock_wait: Duration,
    interrupt: &Interrupt,
    progress: Progress,
    trace: Option<Arc<Trace>>,
) -> Result<RunReport, RunError> {
    let source = job.open_source()?;
    let meters = Meters::recording(&job.graph, trace);
    let plan = job.run_plan(&*source, &meters, rebuild == Rebuild::Everything, interrupt);
    let plan = RunPlan { verify: rebuild == Rebuild::Damaged, lock_wait, ..plan };
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let shown = std::thread::Builder::new().name("progress".into());
        let shown = shown.spawn_scoped(scope, || show(&job.name, &meters, progress, &ended));
        // Where no thread can be started for it, no progress is shown.
        let _shown = Shown { ended: &ended, thread: shown.ok().map(|shown| shown.thread().clone()) };
        gristmill_pipeline::run::run(&plan)
    })
}

/// Ends the progress display when dropped, even by a panic: the scope waits for it.
struct Shown<'a> {
    ended: &'a AtomicBool,
    thread: Option<Thread>,
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = &self.thread {
            thread.unpark();
        }
    }
}

/// Shows progress until the run has ended. Short runs show nothing.
fn show(name: &str, meters: &Meters, mut progress: Progress, ended: &AtomicBool) {
    const UPDATE_INTERVAL: Duration = Duration::from_millis(100);
    std::thread::park_timeout(Duration::from_millis(300));
    while !ended.load(Ordering::Relaxed) {
        let total = meters.contents.load(Ordering::Relaxed);
        let files = meters.files.load(Ordering::Relaxed);
        let stages: Vec<StageLine> = meters
            .stages()
            .iter()
            .enumerate()
            .map(|(index, meter)| {
                let (items_done, bytes_done, queued) = meter.progress();
                // The total is known only for the first stage.
                let items_total = (index == 0 && total > 0).then_some(total);
                StageLine { name: Arc::clone(&meter.name), items_done, items_total, bytes_done, queued }
            })
            .collect();
        let headline = if files == 0 { format!("{name}: scanning") } else { format!("{name}: {files} files") };
        progress.update(&headline, &stages);
        std::thread::park_timeout(UPDATE_INTERVAL);
    }
    progress.finish();
}
