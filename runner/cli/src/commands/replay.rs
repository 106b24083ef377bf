//! `gristmill replay`: runs a range of git commits, one epoch each.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::Ordering;
use std::time::Instant;

use gristmill_config::Job;
use gristmill_display::percentile;
use gristmill_display::{TextCell, TextTable};
use gristmill_pipeline::run::{Indexer, Interrupt};
use gristmill_pipeline::source::{CommitInfo, commits_between};
use gristmill_pipeline::{Hash, Meters};
use gristmill_query::Snapshot;
use serde::Serialize;

use super::digest::digests;
use super::job::JobArgs;
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::panics::keep_quiet_about_contained_panics;
use crate::report_file::write_report;
use crate::signals::watch_signals;
use crate::terminal;

/// Indexes a range of commits of the source's git repository, one epoch each, and tells
/// what they took.
#[derive(Clone, Debug, clap::Args)]
pub struct ReplayArgs {
    /// The job.
    #[command(flatten)]
    pub job: JobArgs,
    /// The commit to begin with.
    #[arg(long, value_name = "REVISION")]
    pub from: String,
    /// The commit to end with; only first parents lead there.
    #[arg(long, value_name = "REVISION", default_value = "HEAD")]
    pub to: String,
    /// Compare the index with one built from nothing after every N-th commit.
    #[arg(long, value_name = "every:N")]
    pub verify: Option<Every>,
    /// Write all measures to this file, as JSON.
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
        number.map(Self).ok_or_else(|| "write `every:25` to verify after every 25th commit".into())
    }
}

/// What one commit took.
#[derive(Debug, Serialize)]
struct Step {
    commit: String,
    subject: String,
    epoch: u64,
    files_changed: u64,
    contents_analysed: u64,
    passages_embedded: u64,
    passages_reused: u64,
    wall_ms: f64,
    cpu_ms: f64,
    /// Whether it equals an index built from nothing, where that was looked at, and how
    /// long that build took.
    verified: Option<(bool, f64)>,
}

/// Replays the commits.
///
/// # Errors
/// Every error in the job, what stopped an epoch, and an epoch that is not equal to one
/// built from nothing.
pub fn execute(args: ReplayArgs) -> Result<Exit, CommandError> {
    let job = args.job.load(true)?;
    let bad = |error: &dyn std::fmt::Display| Failure::new(Exit::BadConfig, error.to_string());
    let root = &job.source.root;
    let commits = commits_between(root, &args.from, &args.to).map_err(|error| bad(&error))?;
    let first = job.open_revision(&args.from).map_err(|error| bad(&error))?;
    let begin = CommitInfo { id: first.commit().to_owned(), subject: "the first".into(), time: 0 };
    let interrupt = Interrupt::default();
    let over = watch_signals(&interrupt)?;
    keep_quiet_about_contained_panics();

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
        let mismatch = step.verified.is_some_and(|(equal, _)| !equal);
        steps.push(step);
        if mismatch {
            break;
        }
    }
    over.store(true, Ordering::Relaxed);
    terminal::print(&render(&steps))?;
    if let Some(path) = &args.report {
        write_report(path, &steps, "the epochs are committed")?;
    }
    match steps.iter().find(|step| step.verified.is_some_and(|(equal, _)| !equal)) {
        Some(step) => {
            let message =
                format!("epoch {} (commit {}) is not what a build from nothing gives", step.epoch, step.commit);
            Err(Failure::new(Exit::Failed, message)
                .help("keep the index and report it; `gristmill run --full` builds it anew")
                .into())
        }
        None => Ok(Exit::Done),
    }
}

/// Builds the commit from nothing elsewhere, and compares all that both hold.
fn verify(job: &Job, commit: &str, interrupt: &Interrupt) -> Result<(bool, f64), CommandError> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(Exit::Failed, error.to_string());
    let elsewhere = tempfile::tempdir().map_err(|error| failed(&error))?;
    let index = elsewhere.path().join("index");
    let source = job.open_revision(commit).map_err(|error| failed(&error))?;
    let meters = Meters::new(&job.graph);
    let mut plan = job.run_plan(&source, &meters, false, interrupt);
    plan.index = &index;
    let started = Instant::now();
    gristmill_pipeline::run::run(&plan)?;
    let took = started.elapsed().as_secs_f64() * 1e3;
    let digest = |folder: &Path| -> Result<BTreeMap<String, Hash>, CommandError> {
        let snapshot = Snapshot::open(folder, None).map_err(|error| failed(&error))?;
        Ok(digests(&snapshot).map_err(|error| failed(&error))?)
    };
    Ok((digest(&job.index)? == digest(&index)?, took))
}

fn line(nth: usize, of: usize, step: &Step) -> String {
    let verified = match step.verified {
        Some((true, took)) => format!(", equal to a build from nothing ({took:.0} ms)"),
        Some((false, _)) => ", NOT equal to a build from nothing".to_owned(),
        None => String::new(),
    };
    let commit = step.commit.get(..10).unwrap_or(&step.commit);
    let (files, ms) = (step.files_changed, step.wall_ms);
    format!("{nth}/{of} {commit} epoch {}: {files} files, {ms:.0} ms{verified}\n", step.epoch)
}

/// Upper bounds of the classes of commits, by files changed.
const CLASSES: [u64; 6] = [0, 1, 3, 10, 100, u64::MAX];

fn render(steps: &[Step]) -> String {
    let mut table = TextTable::new(["files changed", "commits", "median", "p95", "analysed", "embedded", "reused"]);
    let mut least = 0;
    for most in CLASSES {
        let class: Vec<&Step> =
            steps.iter().skip(1).filter(|step| (least..=most).contains(&step.files_changed)).collect();
        let name = match (least, most) {
            (least, most) if least == most => format!("{least}"),
            (least, u64::MAX) => format!("{least} or more"),
            (least, most) => format!("{least} to {most}"),
        };
        least = most.saturating_add(1);
        if class.is_empty() {
            continue;
        }
        let sum = |of: fn(&Step) -> u64| class.iter().map(|step| of(step)).sum::<u64>();
        let mut times: Vec<f64> = class.iter().map(|step| step.wall_ms).collect();
        times.sort_by(f64::total_cmp);
        table.row([
            TextCell::from(name),
            TextCell::from(class.len()),
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
    let mut builds: Vec<f64> = steps.iter().filter_map(|step| step.verified).map(|(_, took)| took).collect();
    if !builds.is_empty() {
        builds.sort_by(f64::total_cmp);
        let equal = steps.iter().filter(|step| step.verified.is_some_and(|(equal, _)| equal)).count();
        let all = percentile(&builds, 50) * (steps.len().saturating_sub(1)) as f64;
        let _ = writeln!(
            out,
            "{equal} of {} epochs looked at equal a build from nothing, which takes {:.0} ms in the median: {:.0} s for all, {:.1} times as long",
            builds.len(),
            percentile(&builds, 50),
            all / 1e3,
            all / total.max(f64::MIN_POSITIVE)
        );
    }
    out
}
