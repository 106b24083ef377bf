//! `gristmill status`: the newest epoch of an index.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gristmill_config::Registry;
use gristmill_display::{bytes, thousands};
use gristmill_pipeline::index::{CommitRecord, Depth, IndexError, Writer, damaged_vectors, writer_of};
use gristmill_pipeline::run::RunReport;
use gristmill_query::{Snapshot, SnapshotError};
use gristmill_sinks::lance::damaged_key_runs;
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
    /// Read all files that the newest epoch reaches, and compare them with their checksums.
    #[arg(long)]
    pub verify: bool,
}

#[derive(Serialize)]
struct Status {
    record: CommitRecord,
    /// The number of rows by sink and table; for full-text indexes the table is `documents`.
    rows: BTreeMap<String, BTreeMap<String, u64>>,
    last_run: Option<RunReport>,
    /// The process that writes the index now.
    writer: Option<Writer>,
}

/// Prints the status.
///
/// # Errors
/// If there is no index, or it cannot be read.
pub fn execute(args: StatusArgs, registry: &Registry) -> Result<Exit, CommandError> {
    let (folder, vectors) = args.index.folders(registry)?;
    let verified = if args.verify { Some(verify(&folder, vectors.as_deref())?) } else { None };
    let status = match (gather(&folder), writer_of(&folder)) {
        (Err(SnapshotError::Index(IndexError::Missing { .. })), Some(writer)) => {
            return being_built(&writer, args.json);
        }
        (gathered, _) => gathered.map_err(failed)?,
    };
    if args.json {
        terminal::print_json(&status)?;
    } else {
        terminal::print(&render(&status))?;
    }
    if let Some(Verified { files, bytes }) = verified {
        let (files, bytes) = (thousands(files), gristmill_display::bytes(bytes));
        terminal::print_error(&format!("all checksums match: {files} files, {bytes}\n"));
    }
    Ok(Exit::Done)
}

/// Prints the status of an index that has no epoch yet, and soon will.
fn being_built(writer: &Writer, json: bool) -> Result<Exit, CommandError> {
    if json {
        terminal::print_json(&serde_json::json!({ "record": null, "rows": {}, "last_run": null, "writer": writer }))?;
    } else {
        terminal::print(&format!("epoch   none yet\nwriter  {}\n", describe(writer)))?;
    }
    Ok(Exit::Done)
}

fn failed(error: SnapshotError) -> Failure {
    Failure::new(Exit::Failed, error.to_string())
}

/// How much was read, and found as it was written.
struct Verified {
    files: u64,
    bytes: u64,
}

/// Reads all that the newest epoch reaches, and the shared vectors, and compares it with its checksums.
fn verify(folder: &Path, vectors: Option<&Path>) -> Result<Verified, CommandError> {
    let snapshot = Snapshot::pin(folder, None).map_err(failed)?;
    let Snapshot { folder, record, .. } = &snapshot;
    let mut damages: Vec<String> = folder.verify(record).iter().map(ToString::to_string).collect();
    for name in snapshot.sinks("lance") {
        let runs = damaged_key_runs(&folder.sink(name), snapshot.token(name), Depth::Contents);
        let what = |(run, reason): &(PathBuf, String)| format!("{name}/{}: {reason}", run.display());
        damages.extend(runs.iter().map(what));
    }
    let segments = vectors.map(damaged_vectors).unwrap_or_default();
    damages.extend(segments.iter().map(|path| format!("{}: checksum mismatch", path.display())));
    if damages.is_empty() {
        let bytes = record.seals.values().map(|seal| seal.bytes).sum();
        return Ok(Verified { files: record.seals.len() as u64, bytes });
    }
    let message = format!("{} damaged files in the index:\n  {}", damages.len(), damages.join("\n  "));
    Err(Failure::new(Exit::Failed, message).help("rebuild what is damaged: `gristmill run --verify`").into())
}

fn gather(folder: &Path) -> Result<Status, SnapshotError> {
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
    Ok(Status { record: snapshot.record, rows, last_run, writer: writer_of(folder) })
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
    if let Some(writer) = &status.writer {
        let _ = writeln!(out, "writer  {}", describe(writer));
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

/// What the process that writes the index does.
fn describe(writer: &Writer) -> String {
    let Writer { since_ms, phase, contents, contents_done, queued, memory_bytes, .. } = writer;
    let mut out = format!("{writer} since {} ago: {phase}", ago(*since_ms));
    // Writing to a String cannot fail.
    if *contents > 0 && phase != "idle" {
        let _ = write!(out, ", {} of {} contents read", thousands(*contents_done), thousands(*contents));
    }
    if *queued > 0 {
        let _ = write!(out, ", {} requests waiting", thousands(*queued));
    }
    if let Some(held) = memory_bytes {
        let _ = write!(out, ", {} of memory", bytes(*held));
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
