//! `gristmill bench run`: measures jobs as a whole.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use gristmill_bench::render::{csv, html, stages, summary};
use gristmill_bench::{BenchError, Experiment, JobFacts, Metric, Progress, Results, Scenario, Sweep, variants};
use gristmill_config::{Job, Registry};
use gristmill_display::milliseconds;
use gristmill_pipeline::run::Interrupt;
use gristmill_pipeline::source::ScanOptions;

use super::{check_bound, check_writable};
use crate::commands::job::{DEFAULT_JOB_FILE, JobArgs};
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::report_file::write_file;
use crate::signals::watch_signals;
use crate::terminal;

/// Measure jobs as a whole: time, memory, and every stage in place.
///
/// Each trial runs a job in a process of its own, with an index of its own. With sweeps, several jobs or
/// another program, the variants take turns, and each is compared with the first: a difference is stated
/// only where a 95 % confidence interval shows it.
#[derive(Clone, Debug, clap::Args)]
pub struct ExperimentArgs {
    /// Job files; repeatable [default: `gristmill.toml` if it exists, else a job with the default graph]
    #[arg(value_name = "JOB")]
    pub jobs: Vec<PathBuf>,
    /// Index this folder; overrides the jobs.
    #[arg(long, value_name = "DIR")]
    pub source: Option<PathBuf>,
    /// Set a key of the jobs in all variants; repeatable.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
    /// Vary a key, such as `workers=1,2,4`, `mode=*` or `stage.chunk.max_tokens=200,400`; repeatable, all
    /// combinations are measured.
    #[arg(long = "sweep", value_name = "KEY=VALUE,VALUE…")]
    pub sweeps: Vec<String>,
    /// Compare with another `gristmill` program; repeatable.
    #[arg(long, value_name = "PROGRAM")]
    pub against: Vec<PathBuf>,
    /// What each trial runs.
    #[arg(long, value_enum, default_value_t)]
    pub scenario: ScenarioArg,
    /// Trials of each variant; fewer than 6 show no difference.
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub repeat: usize,
    /// Trials of each variant that are not counted, before the others.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub warm_up: usize,
    /// Maximum time of a trial, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    pub timeout: u64,
    /// Exit with code 5 if a variant's wall time is shown to be more than this many times that of the first.
    #[arg(long, value_name = "RATIO")]
    pub max_ratio: Option<f64>,
    /// Print the stages of every variant [default: of at most three variants]
    #[arg(long)]
    pub stages: bool,
    /// Write all results, including every sample, to this file as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write every figure of every trial to this file as CSV.
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Write a page with charts to this file, with what threads did over time from one more trial of each
    /// variant.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Print only errors.
    #[arg(long, short)]
    pub quiet: bool,
}

/// What a trial does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ScenarioArg {
    /// Build an index from nothing.
    #[default]
    Cold,
    /// Update an index of which nothing changed.
    Unchanged,
    /// Update an index after one file changed, in a copy of the source.
    Edit,
}

/// Runs the trials and prints what they show.
///
/// # Errors
/// Every error in a job or a sweep, and the error that stopped the trials.
pub(super) fn execute(args: ExperimentArgs, registry: &Registry) -> Result<Exit, CommandError> {
    let experiment = plan(&args, registry)?;
    let interrupt = Interrupt::default();
    let over = watch_signals(&interrupt)?;
    let results = experiment.run(&interrupt, &mut |progress| {
        if !args.quiet {
            terminal::print_error(&line(progress));
        }
    });
    over.store(true, Ordering::Relaxed);
    let results = results?;
    if !args.quiet {
        terminal::print(&text(&results, args.stages))?;
    }
    if let Some(path) = &args.json {
        results.write(path)?;
    }
    if let Some(path) = &args.csv {
        write_file(path, &csv(&results))?;
    }
    if let Some(path) = &args.html {
        write_file(path, &html(&results))?;
    }
    exceeded(&results, args.max_ratio)
}

/// Checks every variant before anything runs.
fn plan(args: &ExperimentArgs, registry: &Registry) -> Result<Experiment, CommandError> {
    let parsed: Result<Vec<Sweep>, _> = args.sweeps.iter().map(|sweep| sweep.parse()).collect();
    let sweeps = parsed?;
    check_keys(args, &sweeps)?;
    check_bound(args.max_ratio)?;
    for (option, path) in [("--json", &args.json), ("--csv", &args.csv), ("--html", &args.html)] {
        check_writable(option, path.as_deref())?;
    }
    let this = std::env::current_exe()
        .map_err(|error| Failure::new(Exit::Failed, "cannot determine the path of this program").caused_by(error))?;
    let others: Result<Vec<PathBuf>, CommandError> =
        args.against.iter().map(|program| other_program(program)).collect();
    let programs: Vec<PathBuf> = std::iter::once(this).chain(others?).collect();
    let jobs: Vec<Option<PathBuf>> = match &args.jobs[..] {
        [] if args.source.is_none() => vec![Some(PathBuf::from(DEFAULT_JOB_FILE)).filter(|file| file.exists())],
        [] => vec![None],
        jobs => jobs.iter().cloned().map(Some).collect(),
    };
    let variants = variants(&programs, &jobs, &sweeps)?;
    if args.max_ratio.is_some() {
        check_comparable(variants.len(), args.repeat)?;
    }
    let mut facts = Vec::new();
    for variant in &variants {
        let swept = variant.settings.iter().map(|setting| format!("{}={}", setting.key, setting.value));
        let settings = args.settings.iter().cloned().chain(swept).collect();
        let (job, source) = (variant.job.clone(), args.source.clone());
        let job = JobArgs { job, source, index: None, mode: None, settings }.load(registry, false)?;
        if args.scenario == ScenarioArg::Edit && !job.is_folder() {
            let failure = Failure::new(Exit::BadConfig, "the scenario `edit` needs a source that is a folder");
            return Err(failure.help("remove `revision` and `refs` from the job").into());
        }
        let edited = if args.scenario == ScenarioArg::Edit { editable(&job)? } else { Vec::new() };
        facts.push(JobFacts { source: job.source.root.clone(), shares_vectors: job.vectors.is_some(), edited });
    }
    Ok(Experiment {
        variants,
        scenario: args.scenario.into(),
        settings: args.settings.clone(),
        repeat: args.repeat,
        warm_up: args.warm_up,
        timeout: Duration::from_secs(args.timeout),
        source: args.source.clone(),
        jobs: facts,
        profile: args.html.is_some(),
    })
}

/// Refuses settings that the trials make themselves.
fn check_keys(args: &ExperimentArgs, sweeps: &[Sweep]) -> Result<(), CommandError> {
    let swept = sweeps.iter().map(|sweep| sweep.key.as_str());
    let set = args.settings.iter().filter_map(|setting| setting.split('=').next()).map(str::trim);
    let mut keys = swept.chain(set);
    let is_own =
        |key: &&str| ["index.path", "index.vectors"].contains(key) || (*key == "source.path" && args.source.is_some());
    match keys.find(is_own) {
        Some(key) => {
            let failure = Failure::new(Exit::BadConfig, format!("`{key}` cannot be set in an experiment"));
            Err(failure
                .help("each variant has an index of its own; pass the source to --source, or name several jobs")
                .into())
        }
        None => Ok(()),
    }
}

/// Refuses a bound on ratios where the trials could not show that it is exceeded.
pub(super) fn check_comparable(variants: usize, trials: usize) -> Result<(), CommandError> {
    /// With fewer no interval has a confidence of 95 %.
    const MIN_TRIALS: usize = 6;
    let fault = match (variants, trials) {
        (..2, _) => "--max-ratio needs two variants: add --against, --sweep or another job",
        (_, ..MIN_TRIALS) => "--max-ratio needs at least 6 trials of each variant",
        _ => return Ok(()),
    };
    Err(CommandError::new(Exit::BadConfig, fault))
}

/// The path of another program, which must be a `gristmill`.
fn other_program(path: &Path) -> Result<PathBuf, CommandError> {
    // A name without a folder would be looked up in PATH.
    let path =
        if path.exists() { std::path::absolute(path).unwrap_or_else(|_| path.to_owned()) } else { path.to_owned() };
    let answered = std::process::Command::new(&path).arg("--version").output();
    let is_one = answered.is_ok_and(|output| output.status.success() && output.stdout.starts_with(b"gristmill "));
    if is_one {
        return Ok(path);
    }
    let failure = Failure::new(Exit::BadConfig, format!("{} is no `gristmill` program", path.display()));
    Err(failure.help("`PROGRAM --version` must print `gristmill` and a version").into())
}

/// The files of a job's source that an edit is likely to change the rows of: source code of usual length.
fn editable(job: &Job) -> Result<Vec<PathBuf>, CommandError> {
    const USUAL_BYTES: std::ops::Range<u64> = 500..50_000;
    const EXTENSIONS: [&str; 16] =
        ["c", "cc", "cpp", "cs", "go", "h", "java", "js", "kt", "php", "py", "rb", "rs", "scala", "swift", "ts"];
    let scan = job
        .open_source()
        .map_err(BenchError::from)?
        .scan(None, &ScanOptions::threads(job.workers.get()))
        .map_err(BenchError::from)?;
    let mut files = Vec::new();
    scan.tree.for_each(|path, leaf| {
        let extension = Path::new(path).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let is_usual = EXTENSIONS.contains(&extension) && USUAL_BYTES.contains(&leaf.stat.bytes);
        if is_usual && leaf.note.is_none() {
            files.push(PathBuf::from(path));
        }
    });
    Ok(files)
}

fn line(progress: &Progress<'_>) -> String {
    let Progress { trial, trials, variant, wall_ms, counts } = progress;
    let note = if *counts { "" } else { " (warm-up)" };
    format!("{trial}/{trials}  {variant}: {}{note}\n", milliseconds(*wall_ms))
}

fn text(results: &Results, all_stages: bool) -> String {
    /// Variants whose stages are shown unasked.
    const FEW: usize = 3;
    let mut text = summary(results);
    if all_stages || results.variants.len() <= FEW {
        results.variants.iter().for_each(|variant| {
            text.push('\n');
            text.push_str(&stages(variant));
        });
    }
    text
}

/// The exit code for a bound on wall times.
fn exceeded(results: &Results, bound: Option<f64>) -> Result<Exit, CommandError> {
    let Some(bound) = bound else { return Ok(Exit::Done) };
    let wall = results.comparisons().into_iter().filter(|found| found.metric == Metric::Wall.as_str());
    let slower: Vec<String> = wall.filter(|found| found.exceeds(bound)).map(|found| found.variant).collect();
    match &slower[..] {
        [] => Ok(Exit::Done),
        slower => Err(regressed(slower, bound)),
    }
}

/// The failure of variants that are shown to exceed a bound.
pub(super) fn regressed(variants: &[String], bound: f64) -> CommandError {
    let names = variants.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    CommandError::new(Exit::Regressed, format!("wall time is more than {bound} times the baseline's: {names}"))
}

impl From<ScenarioArg> for Scenario {
    fn from(argument: ScenarioArg) -> Self {
        match argument {
            ScenarioArg::Cold => Self::Cold,
            ScenarioArg::Unchanged => Self::Unchanged,
            ScenarioArg::Edit => Self::Edit,
        }
    }
}
