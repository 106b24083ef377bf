//! `gristmill replay`: indexes a range of git commits, one epoch each.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::Ordering;
use std::time::Instant;

use gristmill_config::{Job, Registry};
use gristmill_display::percentile;
use gristmill_display::{TextCell, TextTable};
use gristmill_pipeline::run::{Indexer, Interrupt};
use gristmill_pipeline::source::{CommitInfo, commits_between};
use gristmill_pipeline::{Epoch, Hash, Meters};
use gristmill_query::Snapshot;
use serde::Serialize;

use super::digest::digests;
use super::job::JobArgs;
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::panics::end_on_panics;
use crate::report_file::write_report;
use crate::signals::watch_signals;
use crate::terminal;

/// Index a range of git commits, one epoch each, and print what each cost.
#[derive(Clone, Debug, clap::Args)]
pub struct ReplayArgs {
    /// The job.
    #[command(flatten)]
    pub job: JobArgs,
    /// First commit.
    #[arg(long, value_name = "REVISION")]
    pub from: String,
    /// Last commit; follows first parents only.
    #[arg(long, value_name = "REVISION", default_value = "HEAD")]
    pub to: String,
    /// Compare the index with a full rebuild after every N-th commit.
    #[arg(long, value_name = "every:N")]
    pub verify: Option<Every>,
    /// Write the metrics of every commit to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// `every:N`.
#[derive(Clone, Copy, Debug)]
pub struct Every(usize);

impl FromStr for Every {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_prefix("every:").and_then(|number| number.parse().ok()).filter(|number| *number > 0);
        number.map(Self).ok_or_else(|| "expected `every:N` with N of at least 1, such as `every:25`".into())
    }
}

/// The metrics of one commit.
#[derive(Debug, Serialize)]
struct Step {
    commit: String,
    subject: String,
    epoch: Epoch,
    files_changed: u64,
    contents_analysed: u64,
    passages_embedded: u64,
    passages_reused: u64,
    wall_ms: f64,
    cpu_ms: f64,
    /// The comparison with a full rebuild, if one was made.
    verified: Option<Verification>,
}

/// The comparison of an epoch with a full rebuild.
#[derive(Clone, Copy, Debug, Serialize)]
struct Verification {
    /// Whether both have the same digests.
    is_equal: bool,
    /// The time of the rebuild, in milliseconds.
    rebuild_ms: f64,
}

impl Step {
    fn differs(&self) -> bool {
        self.verified.is_some_and(|verified| !verified.is_equal)
    }
}

/// Replays the commits.
///
/// # Errors
/// Every error in the job, the error that stopped an epoch, and if an epoch differs from a full
/// rebuild.
pub fn execute(args: ReplayArgs, registry: &Registry) -> Result<Exit, CommandError> {
    let job = args.job.load(registry, true)?;
    let bad = |error: &dyn std::fmt::Display| Failure::new(Exit::BadConfig, error.to_string());
    let root = &job.source.root;
    let commits = commits_between(root, &args.from, &args.to).map_err(|error| bad(&error))?;
    let first = job.open_revision(&args.from).map_err(|error| bad(&error))?;
    let begin = CommitInfo { id: first.commit().to_owned(), subject: "(first commit)".into(), time: 0 };
    let interrupt = Interrupt::default();
    let over = watch_signals(&interrupt)?;
    end_on_panics(&job.index);

    let meters = Meters::new(&job.graph);
    let mut indexer = Indexer::open(job.run_plan(&first, &meters, false, &interrupt))?;
    let mut steps: Vec<Step> = Vec::new();
    for (nth, commit) in [begin].iter().chain(&commits).enumerate() {
        let source = job.open_revision(&commit.id).map_err(|error| bad(&error))?;
        let report = indexer.update(&source, false)?;
        let changes = report.changes;
        let mut step = Step {
            commit: commit.id.clone(),
            subject: commit.subject.clone(),
            epoch: report.epoch,
            files_changed: changes.added + changes.modified + changes.deleted,
            contents_analysed: report.work.contents_analysed,
            passages_embedded: report.work.passages_embedded,
            passages_reused: report.work.passages_reused,
            wall_ms: report.time.wall_ms,
            cpu_ms: report.time.cpu_ms,
            verified: None,
        };
        if args.verify.is_some_and(|every| nth > 0 && nth % every.0 == 0) {
            step.verified = Some(verify(&job, &commit.id, &interrupt)?);
        }
        terminal::print(&line(nth, commits.len(), &step))?;
        let differs = step.differs();
        steps.push(step);
        if differs {
            break;
        }
    }
    over.store(true, Ordering::Relaxed);
    terminal::print(&render(&steps))?;
    if let Some(path) = &args.report {
        write_report("--report", path, &steps, "the epochs are committed")?;
    }
    match steps.iter().find(|step| step.differs()) {
        Some(step) => {
            let message = format!("epoch {} (commit {}) differs from a full rebuild", step.epoch, step.commit);
            Err(Failure::new(Exit::Failed, message)
                .help("this is a bug: keep the index and report it; `gristmill run --full` rebuilds it")
                .into())
        }
        None => Ok(Exit::Done),
    }
}

/// Builds the commit from scratch in a temporary folder, and compares the digests.
fn verify(job: &Job, commit: &str, interrupt: &Interrupt) -> Result<Verification, CommandError> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(Exit::Failed, error.to_string());
    let temporary = tempfile::tempdir().map_err(|error| failed(&error))?;
    let index = temporary.path().join("index");
    let source = job.open_revision(commit).map_err(|error| failed(&error))?;
    let meters = Meters::new(&job.graph);
    let mut plan = job.run_plan(&source, &meters, false, interrupt);
    plan.index = &index;
    let started = Instant::now();
    gristmill_pipeline::run::run(&plan)?;
    let rebuild_ms = started.elapsed().as_secs_f64() * 1e3;
    let digest = |folder: &Path| -> Result<BTreeMap<String, Hash>, CommandError> {
        let snapshot = Snapshot::open(folder, None).map_err(|error| failed(&error))?;
        Ok(digests(&snapshot).map_err(|error| failed(&error))?)
    };
    Ok(Verification { is_equal: digest(&job.index)? == digest(&index)?, rebuild_ms })
}

fn line(nth: usize, of: usize, step: &Step) -> String {
    let verified = match step.verified {
        Some(Verification { is_equal: true, rebuild_ms }) => format!(", equal to a full rebuild ({rebuild_ms:.0} ms)"),
        Some(_) => ", DIFFERS from a full rebuild".to_owned(),
        None => String::new(),
    };
    let commit = step.commit.get(..10).unwrap_or(&step.commit);
    let (files, ms) = (step.files_changed, step.wall_ms);
    format!("{nth}/{of} {commit} epoch {}: {files} files, {ms:.0} ms{verified}\n", step.epoch)
}

/// Upper bounds of the buckets of commits, by files changed.
const BUCKETS: [u64; 6] = [0, 1, 3, 10, 100, u64::MAX];

fn render(steps: &[Step]) -> String {
    let mut table = TextTable::new(["files changed", "commits", "median", "p95", "analysed", "embedded", "reused"]);
    let mut min = 0;
    for max in BUCKETS {
        let bucket: Vec<&Step> =
            steps.iter().skip(1).filter(|step| (min..=max).contains(&step.files_changed)).collect();
        let name = match (min, max) {
            (min, max) if min == max => format!("{min}"),
            (min, u64::MAX) => format!("{min} or more"),
            (min, max) => format!("{min} to {max}"),
        };
        min = max.saturating_add(1);
        if bucket.is_empty() {
            continue;
        }
        let sum = |of: fn(&Step) -> u64| bucket.iter().map(|step| of(step)).sum::<u64>();
        let mut times: Vec<f64> = bucket.iter().map(|step| step.wall_ms).collect();
        times.sort_by(f64::total_cmp);
        table.row([
            TextCell::from(name),
            TextCell::from(bucket.len()),
            TextCell::number(format!("{:.0} ms", percentile(&times, 50))),
            TextCell::number(format!("{:.0} ms", percentile(&times, 95))),
            TextCell::from(sum(|step| step.contents_analysed)),
            TextCell::from(sum(|step| step.passages_embedded)),
            TextCell::from(sum(|step| step.passages_reused)),
        ]);
    }
    let mut out = format!("\n{}\n", table.render());
    let total: f64 = steps.iter().skip(1).map(|step| step.wall_ms).sum();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{} commits in {:.1} s", steps.len().saturating_sub(1), total / 1e3);
    let verified: Vec<Verification> = steps.iter().filter_map(|step| step.verified).collect();
    let mut builds: Vec<f64> = verified.iter().map(|verified| verified.rebuild_ms).collect();
    if !builds.is_empty() {
        builds.sort_by(f64::total_cmp);
        let equal = verified.iter().filter(|verified| verified.is_equal).count();
        let all = percentile(&builds, 50) * (steps.len().saturating_sub(1)) as f64;
        let _ = writeln!(
            out,
            "{equal} of {} verified epochs equal a full rebuild; median rebuild {:.0} ms, {:.0} s for all commits ({:.1} times as long)",
            builds.len(),
            percentile(&builds, 50),
            all / 1e3,
            all / total.max(f64::MIN_POSITIVE)
        );
    }
    out
}
