//! `gristmill status`: the newest epoch of an index.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gristmill_config::Registry;
use gristmill_display::thousands;
use gristmill_pipeline::index::CommitRecord;
use gristmill_pipeline::run::RunReport;
use gristmill_query::{Snapshot, SnapshotError};
use serde::Serialize;

use super::job::IndexArgs;
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::terminal;

/// Show the newest epoch of an index.
#[derive(Clone, Debug, clap::Args)]
pub struct StatusArgs {
    /// The index.
    #[command(flatten)]
    pub index: IndexArgs,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
    /// Verify the checksums of all files of the full-text indexes.
    #[arg(long)]
    pub verify: bool,
}

#[derive(Serialize)]
struct Status {
    record: CommitRecord,
    /// The number of rows by sink and table; for full-text indexes the table is `documents`.
    rows: BTreeMap<String, BTreeMap<String, u64>>,
    last_run: Option<RunReport>,
}

/// Prints the status.
///
/// # Errors
/// If there is no index, or it cannot be read.
pub fn execute(args: StatusArgs, registry: &Registry) -> Result<Exit, CommandError> {
    let folder = args.index.folder(registry)?;
    let failed = |error: SnapshotError| Failure::new(Exit::Failed, error.to_string());
    let status = gather(&folder).map_err(failed)?;
    if args.json {
        terminal::print_json(&status)?;
    } else {
        terminal::print(&render(&status))?;
    }
    if args.verify {
        let damaged = damaged(&folder).map_err(failed)?;
        if !damaged.is_empty() {
            let failure = Failure::new(Exit::Failed, format!("checksum mismatch: {}", damaged.join(", ")));
            return Err(failure.help("rebuild the index with `gristmill run --full`").into());
        }
        terminal::print_error("all checksums of the full-text indexes match\n");
    }
    Ok(Exit::Done)
}

/// Returns the damaged files of the newest epoch's full-text indexes.
fn damaged(folder: &std::path::Path) -> Result<Vec<String>, SnapshotError> {
    let snapshot = Snapshot::open(folder, None)?;
    let mut damaged = Vec::new();
    for name in snapshot.sinks("tantivy") {
        let files = snapshot.tantivy(name)?.damaged_files()?;
        damaged.extend(files.iter().map(|file| format!("{name}/{}", file.display())));
    }
    Ok(damaged)
}

fn gather(folder: &std::path::Path) -> Result<Status, SnapshotError> {
    let snapshot = Snapshot::open(folder, None)?;
    let mut rows: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for name in snapshot.sinks("lance") {
        let reader = snapshot.lance(name)?;
        let tables = reader.tables().map(|table| (table.as_str().to_owned(), reader.count_rows(table)));
        rows.insert(name.to_owned(), tables.collect());
    }
    for name in snapshot.sinks("tantivy") {
        rows.insert(name.to_owned(), [("documents".to_owned(), snapshot.tantivy(name)?.count())].into());
    }
    let last_run = snapshot.folder.runs()?.pop().and_then(|(_, report)| serde_json::from_str(&report).ok());
    Ok(Status { record: snapshot.record, rows, last_run })
}

fn render(status: &Status) -> String {
    let record = &status.record;
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "epoch   {}, committed {}", record.epoch, age(record.committed_ms));
    let _ = writeln!(out, "source  {} ({} files)", record.source.display(), thousands(record.files));
    if let Some(revision) = &record.revision {
        let _ = writeln!(out, "commit  {revision}");
    }
    if !record.refs.is_empty() {
        let refs = record.refs.iter();
        let refs: Vec<String> =
            refs.map(|held| format!("{} ({})", held.name, held.revision.get(..12).unwrap_or(&held.revision))).collect();
        let _ = writeln!(out, "refs    {}", refs.join(", "));
    }
    let _ = writeln!(out, "root    {}", record.merkle_root);
    for (sink, tables) in &status.rows {
        let tables: Vec<String> = tables.iter().map(|(table, rows)| format!("{} {table}", thousands(*rows))).collect();
        let _ = writeln!(out, "{sink:7} {}", tables.join(", "));
    }
    if let Some(run) = &status.last_run {
        let _ = writeln!(
            out,
            "run     {} ago took {:.2} s in {} mode; {} files changed, {} quarantined",
            ago(run.started_ms),
            run.time.wall_ms / 1e3,
            run.mode,
            run.changes.added + run.changes.modified + run.changes.deleted,
            run.quarantined.len()
        );
    }
    out
}

fn age(at_ms: u64) -> String {
    format!("{} ago", ago(at_ms))
}

fn ago(at_ms: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = now.saturating_sub(Duration::from_millis(at_ms)).as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
