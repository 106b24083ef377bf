//! `gristmill history`: the retained epochs of an index.

use std::collections::BTreeMap;

use gristmill_config::Registry;
use gristmill_display::{TextCell, TextTable, utc};
use gristmill_pipeline::run::RunReport;
use gristmill_pipeline::source::RefRevision;
use gristmill_pipeline::{Epoch, Hash, StagedRows};
use gristmill_query::Snapshot;
use gristmill_query::past::{self, PastEpoch};
use serde::Serialize;

use super::job::IndexArgs;
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::terminal;

/// List the retained epochs with their changes and run times.
#[derive(Clone, Debug, clap::Args)]
pub struct HistoryArgs {
    /// The index.
    #[command(flatten)]
    pub index: IndexArgs,
    /// Number of newest epochs to show.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    pub last: usize,
    /// Print one JSON array.
    #[arg(long)]
    pub json: bool,
}

/// An epoch in the output.
#[derive(Serialize)]
struct Entry {
    epoch: Epoch,
    committed_ms: u64,
    revision: Option<Box<str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refs: Vec<RefRevision>,
    merkle_root: Hash,
    files: u64,
    rows: BTreeMap<String, StagedRows>,
    /// The report of the run that committed it, if it is retained.
    run: Option<RunReport>,
}

/// Prints the history.
///
/// # Errors
/// If there is no index, or it cannot be read.
pub fn execute(args: HistoryArgs, registry: &Registry) -> Result<Exit, CommandError> {
    let folder = args.index.folder(registry)?;
    let failed = |error: &dyn std::fmt::Display| Failure::new(Exit::Failed, error.to_string());
    let snapshot = Snapshot::open(&folder, None).map_err(|error| failed(&error))?;
    let epochs = past::epochs(&snapshot.folder).map_err(|error| failed(&error))?;
    let skipped = epochs.len().saturating_sub(args.last);
    let entries: Vec<Entry> = epochs.into_iter().skip(skipped).map(entry).collect();
    if args.json {
        terminal::print_json(&entries)?;
    } else {
        terminal::print(&render(&entries))?;
    }
    Ok(Exit::Done)
}

fn entry(PastEpoch { record, run }: PastEpoch) -> Entry {
    Entry {
        epoch: record.epoch,
        committed_ms: record.committed_ms,
        revision: record.revision,
        refs: record.refs,
        merkle_root: record.merkle_root,
        files: record.files,
        rows: record.sinks.into_iter().map(|(name, sink)| (name, sink.staged)).collect(),
        run,
    }
}

fn render(entries: &[Entry]) -> String {
    let mut table = TextTable::new([
        "epoch",
        "committed (UTC)",
        "revision",
        "files",
        "added",
        "modified",
        "deleted",
        "renamed",
        "rows +",
        "rows -",
        "time",
    ]);
    for entry in entries {
        let rows = |count: fn(&StagedRows) -> u64| entry.rows.values().map(count).sum::<u64>();
        let changes = entry.run.as_ref().map(|run| run.changes);
        let count = |of: Option<u64>| of.map_or_else(|| TextCell::from("-"), TextCell::from);
        table.row([
            TextCell::from(entry.epoch.get()),
            TextCell::from(utc(entry.committed_ms)),
            TextCell::from(match (&entry.revision, entry.refs.len()) {
                (Some(revision), _) => revision.get(..12).unwrap_or(revision).to_owned(),
                (None, 0) => "-".to_owned(),
                (None, 1) => "1 ref".to_owned(),
                (None, refs) => format!("{refs} refs"),
            }),
            TextCell::from(entry.files),
            count(changes.map(|changes| changes.added)),
            count(changes.map(|changes| changes.modified)),
            count(changes.map(|changes| changes.deleted)),
            count(changes.map(|changes| changes.renamed)),
            TextCell::from(rows(|rows| rows.added)),
            TextCell::from(rows(|rows| rows.deleted)),
            entry
                .run
                .as_ref()
                .map_or_else(|| TextCell::from("-"), |run| TextCell::number(format!("{:.0} ms", run.time.wall_ms))),
        ]);
    }
    table.render()
}
