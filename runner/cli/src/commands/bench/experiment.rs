//! `gristmill bench run`: measures jobs as a whole.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use gristmill_bench::render::{csv, html, stages, summary};
use gristmill_bench::{Experiment, Metric, Progress, Results, Scenario, Sweep, variants};
use gristmill_config::Registry;
use gristmill_display::milliseconds;
use gristmill_pipeline::run::Interrupt;

use super::write_file;
use crate::commands::job::{DEFAULT_JOB_FILE, JobArgs};
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
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
    /// What a trial does.
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
    if let Some(path) = &args.json {
        results.write(path)?;
    }
    if let Some(path) = &args.csv {
        write_file(path, &csv(&results))?;
    }
    if let Some(path) = &args.html {
        write_file(path, &html(&results))?;
    }
    if !args.quiet {
        terminal::print(&text(&results, args.stages))?;
    }
    exceeded(&results, args.max_ratio)
}

/// Checks every variant before anything runs.
fn plan(args: &ExperimentArgs, registry: &Registry) -> Result<Experiment, CommandError> {
    let parsed: Result<Vec<Sweep>, _> = args.sweeps.iter().map(|sweep| sweep.parse()).collect();
    let this = std::env::current_exe()
        .map_err(|error| Failure::new(Exit::Failed, "cannot determine the path of this program").caused_by(error))?;
    let programs: Vec<PathBuf> = std::iter::once(this).chain(args.against.iter().cloned()).collect();
    let jobs: Vec<Option<PathBuf>> = match &args.jobs[..] {
        [] if args.source.is_none() => vec![Some(PathBuf::from(DEFAULT_JOB_FILE)).filter(|file| file.exists())],
        [] => vec![None],
        jobs => jobs.iter().cloned().map(Some).collect(),
    };
    let variants = variants(&programs, &jobs, &parsed?)?;
    let (mut sources, mut shares_vectors) = (Vec::new(), false);
    for variant in &variants {
        let swept = variant.settings.iter().map(|setting| format!("{}={}", setting.key, setting.value));
        let settings = args.settings.iter().cloned().chain(swept).collect();
        let (job, source) = (variant.job.clone(), args.source.clone());
        let job = JobArgs { job, source, index: None, mode: None, settings }.load(registry, false)?;
        if args.scenario == ScenarioArg::Edit && !job.is_folder() {
            let failure = Failure::new(Exit::BadConfig, "the scenario `edit` needs a source that is a folder");
            return Err(failure.help("leave `revision` and `refs` out of the job, or pass --source").into());
        }
        shares_vectors |= job.vectors.is_some();
        sources.push(job.source.root);
    }
    Ok(Experiment {
        variants,
        scenario: args.scenario.into(),
        settings: args.settings.clone(),
        repeat: args.repeat,
        warm_up: args.warm_up,
        timeout: Duration::from_secs(args.timeout),
        source: args.source.clone(),
        sources,
        shares_vectors,
        profile: args.html.is_some(),
    })
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
