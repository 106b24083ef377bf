//! `gristmill watch`: keeps an index up to date for as long as it runs.

use std::sync::atomic::Ordering;
use std::time::Duration;

use gristmill_config::Job;
use gristmill_pipeline::Meters;
use gristmill_pipeline::run::{Ending, Interrupt, RunError, RunReport};
use gristmill_watch::{Options, Step, WatchError, check};

use super::job::JobArgs;
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::panics::keep_quiet_about_contained_panics;
use crate::signals::watch_signals;
use crate::{summary, terminal};

/// Keeps the index up to date: whatever changes in the source is an epoch a moment later.
/// Ctrl-c ends it, at any time.
#[derive(Clone, Debug, clap::Args)]
pub struct WatchArgs {
    /// The job.
    #[command(flatten)]
    pub job: JobArgs,
    /// How long the source must be quiet before an epoch begins, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = milliseconds(Options::default().quiet_for))]
    pub quiet_for: u64,
    /// An epoch begins after this long, in milliseconds, even if the source is not quiet.
    #[arg(long, value_name = "MS", default_value_t = milliseconds(Options::default().at_most))]
    pub at_most: u64,
    /// Print nothing but errors.
    #[arg(long, short)]
    pub quiet: bool,
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Watches until it is interrupted.
///
/// # Errors
/// Every error in the job, and what keeps the index from being written.
pub fn execute(args: WatchArgs) -> Result<Exit, CommandError> {
    let job = args.job.load(true)?;
    check(&job)?;
    let interrupt = Interrupt::default();
    let over = watch_signals(&interrupt)?;
    keep_quiet_about_contained_panics();
    let options =
        Options { quiet_for: Duration::from_millis(args.quiet_for), at_most: Duration::from_millis(args.at_most) };
    let ended = gristmill_watch::run(&job, options, &interrupt, &Meters::new(&job.graph), &mut |step| match step {
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

impl From<WatchError> for CommandError {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::Revision => Failure::new(Exit::BadConfig, error.to_string())
                .help("watch the work tree (`source.kind = \"directory\"`), or run the job again")
                .into(),
            WatchError::CannotWatch { root, reason } => {
                Failure::new(Exit::Failed, format!("cannot watch {}", root.display()))
                    .help("the system limits how many folders are watched (on Linux: fs.inotify.max_user_watches)")
                    .caused_by(reason)
                    .into()
            }
            WatchError::Run(error) => error.into(),
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
