//! `gristmill plan`: forecasts a run.

use gristmill_config::Registry;
use gristmill_pipeline::Meters;
use gristmill_pipeline::run::{Interrupt, RunError, forecast};
use gristmill_tools::render_forecast;

use super::job::JobArgs;
use crate::exit::Exit;
use crate::failure::CommandError;
use crate::panics::silence_operator_panics;
use crate::terminal;

/// Show what a run would do, without writing anything.
///
/// Scans the source, and parses and chunks new contents; embeds nothing.
#[derive(Clone, Debug, clap::Args)]
pub struct PlanArgs {
    /// The job.
    #[command(flatten)]
    pub job: JobArgs,
    /// Forecast a run with `--full`.
    #[arg(long)]
    pub full: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Prints the forecast.
///
/// # Errors
/// Every error in the job, and those that would stop a run.
pub fn execute(args: PlanArgs, registry: &Registry) -> Result<Exit, CommandError> {
    let job = args.job.load(registry, false)?;
    let (interrupt, meters) = (Interrupt::default(), Meters::new(&job.graph));
    silence_operator_panics();
    let source = job.open_source().map_err(RunError::from)?;
    let forecast = forecast(&job.run_plan(&*source, &meters, args.full, &interrupt))?;
    if args.json {
        terminal::print_json(&forecast)?;
    } else {
        terminal::print(&format!("{}: {}", job.name, render_forecast(&forecast)))?;
    }
    Ok(Exit::Done)
}
