//! `gristmill digest`: one hash for all that an epoch holds.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use gristmill_pipeline::Hash;
use gristmill_query::{Snapshot, SnapshotError};

use super::job::IndexArgs;
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::terminal;

/// Prints a hash of each store's rows, and one of them all: equal digests mean equal
/// indexes, whatever their history.
#[derive(Clone, Debug, clap::Args)]
pub struct DigestArgs {
    /// The index.
    #[command(flatten)]
    pub index: IndexArgs,
    /// The epoch. Default: the newest.
    #[arg(long, value_name = "N")]
    pub epoch: Option<u64>,
}

/// Prints the digests.
///
/// # Errors
/// If there is no index, it does not hold the epoch, or it cannot be read.
pub fn execute(args: DigestArgs) -> Result<Exit, CommandError> {
    let folder = args.index.folder()?;
    let snapshot =
        Snapshot::open(&folder, args.epoch).map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    let parts = digests(&snapshot).map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    let whole = Hash::of_parts(parts.iter().flat_map(|(name, hash)| [name.as_bytes(), hash.as_bytes().as_slice()]));
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{whole}  epoch {}", snapshot.record.epoch);
    for (name, hash) in &parts {
        let _ = writeln!(out, "{hash}  {name}");
    }
    terminal::print(&out)?;
    Ok(Exit::Done)
}

/// The digest of every table and index of an epoch, by `sink/table`. What an `arrow`
/// sink wrote is a record of one epoch's additions, and no part of the state.
pub(super) fn digests(snapshot: &Snapshot) -> Result<BTreeMap<String, Hash>, SnapshotError> {
    let mut parts = BTreeMap::new();
    for name in snapshot.sinks("lance") {
        for (table, hash) in snapshot.lance(name)?.table_digests()? {
            parts.insert(format!("{name}/{}", table.as_str()), hash);
        }
    }
    for name in snapshot.sinks("tantivy") {
        parts.insert(format!("{name}/documents"), snapshot.tantivy(name)?.digest()?);
    }
    Ok(parts)
}
