//! `gristmill digest`: hashes of the content of an epoch.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use gristmill_config::Registry;
use gristmill_pipeline::{Epoch, Hash};
use gristmill_query::{Snapshot, SnapshotError};

use super::job::IndexArgs;
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::terminal;

/// Print a hash of the rows of each table, and one of all of them.
///
/// Equal digests mean equal content, whatever the history of the indexes.
#[derive(Clone, Debug, clap::Args)]
pub struct DigestArgs {
    /// The index.
    #[command(flatten)]
    pub index: IndexArgs,
    /// Epoch [default: the newest]
    #[arg(long, value_name = "N")]
    pub epoch: Option<Epoch>,
}

/// Prints the digests.
///
/// # Errors
/// If the index or the epoch does not exist, or cannot be read.
pub fn execute(args: DigestArgs, registry: &Registry) -> Result<Exit, CommandError> {
    let folder = args.index.folder(registry)?;
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

/// Returns the digest of every table and full-text index of an epoch, by `sink/table`. Files of `arrow`
/// sinks record the additions of one epoch, and are not part of the state.
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
