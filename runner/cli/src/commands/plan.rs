//! `gristmill plan`: what a run would do.

use gristmill_pipeline::Meters;
use gristmill_pipeline::run::{Interrupt, RunError, forecast};
use gristmill_tools::render_forecast;

use super::job::JobArgs;
use crate::exit::Exit;
use crate::failure::CommandError;
use crate::panics::keep_quiet_about_contained_panics;
use crate::terminal;

/// Shows what a run would do, and writes nothing: files are scanned, and what is new is
/// parsed and cut, but not embedded.
#[derive(Clone, Debug, clap::Args)]
pub struct PlanArgs {
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
pub fn execute(args: PlanArgs) -> Result<Exit, CommandError> {
    let job = args.job.load(false)?;
    let (interrupt, meters) = (Interrupt::default(), Meters::new(&job.graph));
    keep_quiet_about_contained_panics();
    let source = job.open_source().map_err(RunError::from)?;
    let forecast = forecast(&job.run_plan(&*source, &meters, args.full, &interrupt))?;
    if args.json {
        terminal::print_json(&forecast)?;
    } else {
        terminal::print(&format!("{}: {}", job.name, render_forecast(&forecast)))?;
    }
    Ok(Exit::Done)
}
