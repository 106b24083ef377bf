//! `gristmill plan`: what a run would do.

use gristmill_pipeline::Meters;
use gristmill_pipeline::run::{Interrupt, forecast};

use crate::exit::Exit;
use crate::plan::{plan, source};
use crate::{summary, terminal};

use super::CommandError;
use super::job::JobArgs;
use super::run::{failure, keep_quiet_about_contained_panics};

/// Shows what a run would do, and writes nothing: files are scanned, and what is new is
/// parsed and cut, but not embedded.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The job.
    #[command(flatten)]
    pub job: JobArgs,
    /// What a run with `--full` would do.
    #[arg(long)]
    pub full: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Shows the plan.
///
/// # Errors
/// Every error in the job, and what a run would fail for.
pub fn execute(args: Args) -> Result<Exit, CommandError> {
    let job = args.job.load(false)?;
    let (interrupt, meters) = (Interrupt::default(), Meters::new(&job.graph));
    keep_quiet_about_contained_panics();
    let source = source(&job).map_err(|error| failure(error.into()))?;
    let forecast = forecast(&plan(&job, &*source, &meters, args.full, &interrupt)).map_err(failure)?;
    if args.json {
        terminal::print_json(&forecast)?;
    } else {
        terminal::print(&format!("{}: {}", job.name, summary::forecast(&forecast)))?;
    }
    Ok(Exit::Done)
}
