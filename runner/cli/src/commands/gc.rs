//! `gristmill gc`: gives up old epochs, and compacts the stores.

use gristmill_display::{bytes, thousands};
use gristmill_pipeline::Meters;
use gristmill_pipeline::run::{Indexer, Interrupt};

use super::job::JobArgs;
use crate::exit::Exit;
use crate::failure::CommandError;
use crate::terminal;

/// Gives up old epochs and compacts the stores: small fragments are joined and segments
/// merged, as an epoch of its own. Epochs that a reader holds are kept.
#[derive(Clone, Debug, clap::Args)]
pub struct GcArgs {
    /// The job whose index it is.
    #[command(flatten)]
    pub job: JobArgs,
    /// How many epochs to keep, the newest included. Default: the job's `index.keep`.
    #[arg(long, value_name = "N")]
    pub keep: Option<u64>,
    /// Leave the stores as they are; only give up epochs.
    #[arg(long)]
    pub no_compact: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Collects.
///
/// # Errors
/// Every error in the job, and what keeps the index from being written.
pub fn execute(args: GcArgs) -> Result<Exit, CommandError> {
    let job = args.job.load(true)?;
    let (interrupt, meters) = (Interrupt::default(), Meters::new(&job.graph));
    // The source is not looked at.
    let source = job.directory_source();
    let mut indexer = Indexer::open(job.run_plan(&source, &meters, false, &interrupt))?;
    let keep = args.keep.unwrap_or(if job.keep == 0 { u64::MAX } else { job.keep });
    let collected = indexer.collect(keep, !args.no_compact)?;
    if args.json {
        terminal::print_json(&collected)?;
        return Ok(Exit::Done);
    }
    let compacted = match collected.compacted {
        Some(epoch) => format!("compacted as epoch {epoch}; "),
        None => String::new(),
    };
    let (before, after) = collected.bytes;
    terminal::print(&format!(
        "{}: {compacted}{} epochs given up, {} kept; {} before, {} after\n",
        job.name,
        thousands(collected.given_up),
        thousands(collected.kept.len() as u64),
        bytes(before),
        bytes(after),
    ))?;
    Ok(Exit::Done)
}
