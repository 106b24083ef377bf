//! `gristmill watch`: keeps an index up to date.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use gristmill_config::{Job, Registry};
use gristmill_indexing::{Indexing, IndexingOptions, Step, WatchError, WatchOptions, check};
use gristmill_pipeline::run::{Ending, Interrupt, RunError, RunReport};

use super::job::JobArgs;
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::panics::end_on_panics;
use crate::signals::watch_signals;
use crate::{summary, terminal};

/// Watch the source and commit a new epoch after every change, until interrupted.
#[derive(Clone, Debug, clap::Args)]
pub struct WatchArgs {
    /// The job.
    #[command(flatten)]
    pub job: JobArgs,
    /// Start an epoch after this many milliseconds without changes.
    #[arg(long, value_name = "MS", default_value_t = milliseconds(WatchOptions::default().debounce))]
    pub debounce: u64,
    /// Start an epoch at most this many milliseconds after the first change.
    #[arg(long, value_name = "MS", default_value_t = milliseconds(WatchOptions::default().max_delay))]
    pub max_delay: u64,
    /// Print only errors.
    #[arg(long, short)]
    pub quiet: bool,
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Watches until interrupted.
///
/// # Errors
/// Every error in the job, and the error that ended the watch.
pub fn execute(args: WatchArgs, registry: &Registry) -> Result<Exit, CommandError> {
    let job = args.job.load(registry, true)?;
    check(&job)?;
    let interrupt = Interrupt::default();
    let over = watch_signals(&interrupt)?;
    end_on_panics(&job.index);
    let options = WatchOptions {
        debounce: Duration::from_millis(args.debounce),
        max_delay: Duration::from_millis(args.max_delay),
    };
    let options = IndexingOptions { watch: Some(options), ..IndexingOptions::default() };
    let job = Arc::new(job);
    let ended = Indexing::new(Arc::clone(&job)).run(options, &interrupt, &mut |step| match step {
        Step::Finished(report) => print_step(&job, args.quiet, report),
        Step::Started | Step::Cleared(_) => Ok(()),
    });
    over.store(true, Ordering::Relaxed);
    match ended {
        Ok(()) | Err(CommandError::Failure(_)) if interrupt.is_requested() => Ok(Exit::Done),
        Ok(()) => Ok(Exit::Done),
        Err(error) => Err(error),
    }
}

impl From<WatchError> for CommandError {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::Revision => Failure::new(Exit::BadConfig, error.to_string())
                .help("watch the work tree (`source.kind = \"directory\"`), or use `gristmill run`")
                .into(),
            WatchError::CannotWatch { root, reason } => {
                Failure::new(Exit::Failed, format!("cannot watch {}", root.display()))
                    .help("the system limits the number of watched folders (on Linux: fs.inotify.max_user_watches)")
                    .caused_by(reason)
                    .into()
            }
            WatchError::Run(error) => error.into(),
        }
    }
}

/// Prints the result of an epoch.
fn print_step(job: &Job, quiet: bool, report: &Result<RunReport, RunError>) -> Result<(), CommandError> {
    match report {
        Ok(report) if quiet || (report.ending == Ending::Unchanged && report.notice.is_none()) => {}
        Ok(report) => terminal::print(&summary::line(job, report))?,
        Err(RunError::Sink(error)) => terminal::print_error(&format!(
            "{error}; the previous epoch stays current, retrying with the next change\n"
        )),
        // Ends the watch, which reports it.
        Err(_) => {}
    }
    Ok(())
}
