//! `gristmill clear`: empties an index.

use gristmill_config::Registry;
use gristmill_display::bytes;
use gristmill_pipeline::Epoch;
use gristmill_pipeline::index::{Cleared, IndexWriter};
use gristmill_pipeline::run::{Interrupt, RunError};

use super::job::{IndexArgs, WaitArgs};
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::signals::watch_signals;
use crate::terminal;

/// Delete all that an index holds.
///
/// Deletes epochs, stores, journals and run reports, and keeps the folder. Epochs that are indexed later go on
/// counting. Vectors shared with other indexes are kept.
#[derive(Clone, Debug, clap::Args)]
pub struct ClearArgs {
    /// The index.
    #[command(flatten)]
    pub index: IndexArgs,
    /// The lock.
    #[command(flatten)]
    pub wait: WaitArgs,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Clears the index.
///
/// # Errors
/// If there is no index, another process writes to it, or a file cannot be deleted.
pub fn execute(args: ClearArgs, registry: &Registry) -> Result<Exit, CommandError> {
    let path = args.index.folder(registry)?;
    if !path.is_dir() {
        return Err(Failure::new(Exit::Failed, format!("there is no index at {}", path.display())).into());
    }
    let interrupt = Interrupt::default();
    let _watched = watch_signals(&interrupt)?;
    let writer = IndexWriter::open_within(&path, args.wait.duration(), &interrupt).map_err(RunError::from)?;
    let cleared = writer.clear().map_err(RunError::from)?;
    if args.json {
        terminal::print_json(&cleared)?;
        return Ok(Exit::Done);
    }
    let Cleared { last_epoch, bytes: freed } = cleared;
    terminal::print(&match last_epoch {
        Epoch::NONE => format!("{}: there was no epoch\n", path.display()),
        last => format!("{}: cleared after epoch {last}; {} deleted\n", path.display(), bytes(freed)),
    })?;
    Ok(Exit::Done)
}
