//! `gristmill bench record` and `gristmill bench stage`: stages alone.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use gristmill_bench::render::standalone;
use gristmill_bench::{
    Bench, BenchError, Machine, Recording, StandaloneMeasured, Sweep, check_counts, record, variants,
};
use gristmill_config::{Job, Registry};
use gristmill_display::{TextTable, bytes};
use gristmill_pipeline::run::Interrupt;
use serde::Serialize;

use super::check_writable;
use crate::commands::job::JobArgs;
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::report_file::write_report;
use crate::signals::watch_signals;
use crate::terminal;

/// Record what flows through each port of a job, as Arrow files with a manifest and checksums.
///
/// The recording is the input of `gristmill bench stage`.
#[derive(Clone, Debug, clap::Args)]
pub struct RecordArgs {
    /// The job.
    #[command(flatten)]
    pub job: JobArgs,
    /// Record into this new folder.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Records the job.
///
/// # Errors
/// Every error in the job, and what stopped the recording.
pub(super) fn record_job(args: &RecordArgs, registry: &Registry) -> Result<Exit, CommandError> {
    let job = args.job.load(registry, false)?;
    let interrupt = Interrupt::default();
    let over = watch_signals(&interrupt)?;
    let recorded = record(&job, &args.out, &interrupt);
    over.store(true, Ordering::Relaxed);
    let manifest = recorded?;
    let mut table = TextTable::new(["file", "port", "items", "source bytes", "checksum"]);
    for part in &manifest.parts {
        let checksum = part.checksum.get(..16).unwrap_or_default();
        let (port, size) = (part.port.as_str(), gristmill_display::TextCell::number(bytes(part.bytes)));
        table.row([part.file.as_str().into(), port.into(), part.items.into(), size, checksum.into()]);
    }
    terminal::print(&table.render())?;
    Ok(Exit::Done)
}

/// Measure stages alone, on recorded inputs.
///
/// Operators run on as many threads as asked for. Sinks, the fact plane, commits and the recall of known
/// files run within runs whose operators return what was recorded.
#[derive(Clone, Debug, clap::Args)]
pub struct StageArgs {
    /// The job.
    #[command(flatten)]
    pub job: JobArgs,
    /// Recording that `gristmill bench record` made of the job.
    #[arg(long, value_name = "DIR")]
    pub inputs: PathBuf,
    /// Measure this stage or part; repeatable [default: all]
    #[arg(long = "stage", value_name = "NAME")]
    pub stages: Vec<String>,
    /// Run operators on this many threads; several numbers are compared.
    #[arg(long, value_name = "N,N…", value_delimiter = ',', default_value = "1")]
    pub threads: Vec<usize>,
    /// Vary a key of the job, such as `stage.embed.batch=16,64`; repeatable, all combinations are measured.
    #[arg(long = "sweep", value_name = "KEY=VALUE,VALUE…")]
    pub sweeps: Vec<String>,
    /// Trials of each stage; fewer than 6 show no difference.
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub repeat: usize,
    /// Trials of each stage that are not counted, before the others.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub warm_up: usize,
    /// Write all samples to this file as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// What is written as JSON.
#[derive(Serialize)]
struct Results<'a> {
    machine: Machine,
    recording: &'a gristmill_bench::Manifest,
    stages: &'a [StandaloneMeasured],
}

/// A variant of the job with its recording.
struct Loaded {
    name: String,
    job: Job,
    recording: Recording,
}

/// Measures the stages.
///
/// # Errors
/// Every error in the job or a sweep, an unknown stage, and what stopped the trials.
pub(super) fn measure(args: &StageArgs, registry: &Registry) -> Result<Exit, CommandError> {
    let machine = Machine::this();
    check_writable("--json", args.json.as_deref())?;
    check_counts(args.repeat, args.warm_up)?;
    let (loaded, mut warnings) = load(args, registry)?;
    warnings.extend(machine.warnings());
    warnings.dedup();
    warnings.iter().for_each(|warning| terminal::print_error(&format!("warning: {warning}\n")));
    let interrupt = Interrupt::default();
    let over = watch_signals(&interrupt)?;
    let mut measured = Vec::new();
    for round in 0..args.warm_up + args.repeat {
        for variant in &loaded {
            let samples = match trial(args, variant, &interrupt) {
                // A stage that is interrupted reports an error of its own.
                Err(_) if interrupt.is_requested() => return Err(BenchError::Interrupted.into()),
                samples => samples?,
            };
            if round < args.warm_up {
                continue;
            }
            for (name, threads, sample) in samples {
                let is_it = |row: &&mut StandaloneMeasured| {
                    row.variant == variant.name && row.name == name && row.threads == threads
                };
                match measured.iter_mut().find(is_it) {
                    Some(row) => row.samples.push(sample),
                    None => {
                        measured.push(StandaloneMeasured {
                            variant: variant.name.clone(),
                            name,
                            threads,
                            samples: vec![sample],
                        });
                    }
                }
            }
        }
        terminal::print_error(&format!("round {} of {}\n", round + 1, args.warm_up + args.repeat));
    }
    over.store(true, Ordering::Relaxed);
    terminal::print(&standalone(&measured))?;
    if let (Some(path), Some(first)) = (&args.json, loaded.first()) {
        let results = Results { machine, recording: &first.recording.manifest, stages: &measured };
        write_report("--json", path, &results, "the measures are printed above")?;
    }
    Ok(Exit::Done)
}

/// Loads every variant of the job with its recording, and checks the names of stages.
fn load(args: &StageArgs, registry: &Registry) -> Result<(Vec<Loaded>, Vec<String>), CommandError> {
    let sweeps: Result<Vec<Sweep>, BenchError> = args.sweeps.iter().map(|sweep| sweep.parse()).collect();
    let (mut loaded, mut warnings) = (Vec::new(), Vec::new());
    let interrupt = Interrupt::default();
    for variant in variants(&[PathBuf::new()], &[None], &sweeps?)? {
        let swept = variant.settings.iter().map(|setting| format!("{}={}", setting.key, setting.value));
        let settings = args.job.settings.iter().cloned().chain(swept).collect();
        let job = JobArgs { settings, ..args.job.clone() }.load(registry, false)?;
        let recording = Recording::open(&args.inputs, &job.graph, &mut warnings)?;
        let known = Bench::new(&job, &recording, &interrupt).names();
        if let Some(unknown) = args.stages.iter().find(|stage| !known.contains(stage)) {
            let failure = Failure::new(Exit::BadConfig, format!("unknown stage or part `{unknown}`"));
            return Err(failure.help(format!("expected one of {}", known.join(", "))).into());
        }
        let name = if variant.settings.is_empty() { String::new() } else { variant.name };
        loaded.push(Loaded { name, job, recording });
    }
    if let Some(threads) = args.threads.iter().find(|threads| !(1..=MAX_THREADS).contains(*threads)) {
        let message = format!("--threads must be between 1 and {MAX_THREADS}, got {threads}");
        return Err(CommandError::new(Exit::BadConfig, message));
    }
    Ok((loaded, warnings))
}

/// The most threads of a stage.
const MAX_THREADS: usize = 256;

type Sampled = (String, usize, gristmill_bench::StandaloneSample);

/// Measures every stage that is asked for once.
fn trial(args: &StageArgs, variant: &Loaded, interrupt: &Interrupt) -> Result<Vec<Sampled>, BenchError> {
    let bench = Bench::new(&variant.job, &variant.recording, interrupt);
    let is_wanted = |name: &String| args.stages.is_empty() || args.stages.contains(name);
    let wanted: Vec<String> = bench.names().into_iter().filter(is_wanted).collect();
    let threads: BTreeSet<usize> = args.threads.iter().copied().collect();
    let mut samples = Vec::new();
    for name in &wanted {
        if let Some(stage) = bench.operator(name) {
            for &threads in &threads {
                samples.push((name.clone(), threads, bench.run_operator(stage, threads)?));
            }
        }
    }
    if wanted.iter().any(|name| bench.operator(name).is_none()) {
        for (name, sample) in bench.run_parts()? {
            // A stage of the name of a part is what is meant by it.
            if wanted.contains(&name) && samples.iter().all(|(known, ..): &Sampled| *known != name) {
                samples.push((name, 1, sample));
            }
        }
    }
    Ok(samples)
}
