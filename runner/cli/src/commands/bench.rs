//! `gristmill bench`: measures jobs and their stages.

mod compare;
mod corpus;
mod experiment;
mod stage;

use std::path::Path;

use gristmill_bench::BenchError;
use gristmill_config::Registry;
use gristmill_pipeline::run::RunError;

use crate::exit::Exit;
use crate::failure::{CommandError, Failure};

/// Measure jobs and their stages, and compare settings, jobs and programs.
#[derive(Clone, Debug, clap::Args)]
pub struct BenchArgs {
    #[command(subcommand)]
    command: BenchCommand,
}

/// The subcommands.
#[derive(Clone, Debug, clap::Subcommand)]
enum BenchCommand {
    Run(experiment::ExperimentArgs),
    Record(stage::RecordArgs),
    Stage(stage::StageArgs),
    Compare(compare::CompareArgs),
    Corpus(corpus::CorpusArgs),
}

/// Runs the subcommand.
///
/// # Errors
/// Every error in a job or a sweep, and the error that stopped the trials.
pub fn execute(args: BenchArgs, registry: &Registry) -> Result<Exit, CommandError> {
    match args.command {
        BenchCommand::Run(args) => experiment::execute(args, registry),
        BenchCommand::Record(args) => stage::record_job(&args, registry),
        BenchCommand::Stage(args) => stage::measure(&args, registry),
        BenchCommand::Corpus(args) => corpus::execute(&args),
        BenchCommand::Compare(args) => compare::execute(&args),
    }
}

impl From<BenchError> for CommandError {
    fn from(error: BenchError) -> Self {
        let exit = match &error {
            BenchError::Interrupted | BenchError::Run(RunError::Interrupted) => Exit::Interrupted,
            BenchError::Sweep { .. } | BenchError::Plan(_) | BenchError::Invalid { .. } => Exit::BadConfig,
            _ => Exit::Failed,
        };
        Self::new(exit, error.to_string())
    }
}

/// Checks that a file can be written before hours are spent on what goes into it. Creates it.
fn check_writable(option: &str, path: Option<&Path>) -> Result<(), CommandError> {
    let Some(path) = path else { return Ok(()) };
    let opened = std::fs::OpenOptions::new().create(true).append(true).open(path);
    opened.map(drop).map_err(|error| {
        let failure = Failure::new(Exit::BadConfig, format!("cannot write {}", path.display()));
        failure.help(format!("pass another file to {option}")).caused_by(error).into()
    })
}

/// Checks the bound of `--max-ratio`.
fn check_bound(bound: Option<f64>) -> Result<(), CommandError> {
    match bound {
        Some(bound) if !(bound.is_finite() && bound > 0.0) => {
            Err(CommandError::new(Exit::BadConfig, format!("--max-ratio must be a number above 0, got {bound}")))
        }
        _ => Ok(()),
    }
}
