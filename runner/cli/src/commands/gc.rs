//! `gristmill gc`: deletes old epochs and compacts the stores.

use gristmill_config::Registry;
use gristmill_display::{bytes, thousands};
use gristmill_pipeline::Meters;
use gristmill_pipeline::run::{Indexer, Interrupt, RunPlan};

use super::job::{JobArgs, WaitArgs};
use crate::exit::Exit;
use crate::failure::CommandError;
use crate::panics::end_on_panics;
use crate::terminal;

/// Delete old epochs and compact the stores.
///
/// Merges small fragments and segments as a new epoch. Epochs that a reader has pinned are retained.
#[derive(Clone, Debug, clap::Args)]
pub struct GcArgs {
    /// The job.
    #[command(flatten)]
    pub job: JobArgs,
    /// The lock.
    #[command(flatten)]
    pub wait: WaitArgs,
    /// Number of epochs to retain, including the newest [default: the job's `index.keep`]
    #[arg(long, value_name = "N")]
    pub keep: Option<u64>,
    /// Delete epochs only, without compaction.
    #[arg(long)]
    pub no_compact: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Collects garbage.
///
/// # Errors
/// Every error in the job, and if the index is locked or cannot be written.
pub fn execute(args: GcArgs, registry: &Registry) -> Result<Exit, CommandError> {
    let job = args.job.load(registry, true)?;
    let (interrupt, meters) = (Interrupt::default(), Meters::new(&job.graph));
    end_on_panics(&job.index);
    // The source is not read.
    let source = job.directory_source();
    let plan = RunPlan { lock_wait: args.wait.duration(), ..job.run_plan(&source, &meters, false, &interrupt) };
    let mut indexer = Indexer::open(plan)?;
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
        "{}: {compacted}{} epochs deleted, {} retained; size {} -> {}\n",
        job.name,
        thousands(collected.given_up),
        thousands(collected.kept.len() as u64),
        bytes(before),
        bytes(after),
    ))?;
    Ok(Exit::Done)
}
