//! An experiment: trials of several variants, in turns.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gristmill_pipeline::run::{Ending, Interrupt};

use crate::error::BenchError;
use crate::machine::{Machine, load};
use crate::profile::Profile;
use crate::recording::checksum;
use crate::results::{Corpus, FORMAT, Measured, Metric, Program, Results};
use crate::statistics::{MAX_SAMPLES, outliers};
use crate::trial::{Limits, Sample, Scenario, TrialDir};
use crate::variant::Variant;

/// What to measure.
#[derive(Debug)]
pub struct Experiment {
    /// The variants; the others are compared with the first.
    pub variants: Vec<Variant>,
    /// What a trial does.
    pub scenario: Scenario,
    /// Settings of all variants, as `KEY=VALUE`.
    pub settings: Vec<String>,
    /// Trials of each variant that count.
    pub repeat: usize,
    /// Trials of each variant before them.
    pub warm_up: usize,
    /// How long a trial may take.
    pub timeout: Duration,
    /// The folder to index instead of those of the jobs.
    pub source: Option<PathBuf>,
    /// What is to be known of the job of each variant, in their order.
    pub jobs: Vec<JobFacts>,
    /// Whether to profile each variant, in a trial of its own.
    pub profile: bool,
}

/// What is to be known of the job of a variant.
#[derive(Clone, Debug, Default)]
pub struct JobFacts {
    /// The folder of its source, which [`Scenario::Edit`] copies.
    pub source: PathBuf,
    /// Whether it shares vectors with other indexes: a folder of its own takes their place.
    pub shares_vectors: bool,
    /// The files that [`Scenario::Edit`] edits in turn, relative to the source: such as are indexed.
    pub edited: Vec<PathBuf>,
}

/// A trial that ended.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The trial, from 1, over all variants and rounds.
    pub trial: usize,
    /// Trials in all.
    pub trials: usize,
    /// The variant.
    pub variant: &'a str,
    /// Its wall time, in milliseconds.
    pub wall_ms: f64,
    /// Whether it counts.
    pub counts: bool,
}

impl Experiment {
    /// Runs the trials: of every variant one, then of every variant the next, so that whatever else the
    /// machine does hits them alike.
    ///
    /// # Errors
    /// If the plan is invalid, a trial fails or takes too long, or `interrupt` asks to stop.
    pub fn run(&self, interrupt: &Interrupt, progress: &mut dyn FnMut(&Progress<'_>)) -> Result<Results, BenchError> {
        self.check()?;
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let machine = Machine::this();
        let folder = tempfile::tempdir().map_err(BenchError::file("create a folder in", std::env::temp_dir()))?;
        let limits = Limits { timeout: self.timeout, interrupt };
        let dirs = self.dirs(folder.path())?;
        if self.scenario != Scenario::Cold {
            for (variant, dir) in self.variants.iter().zip(&dirs) {
                dir.run(variant, None, limits)?;
            }
        }
        let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); self.variants.len()];
        let trials = (self.warm_up + self.repeat) * self.variants.len();
        let mut trial = 0;
        for round in 0..self.warm_up + self.repeat {
            let counts = round >= self.warm_up;
            for ((variant, dir), samples) in self.variants.iter().zip(&dirs).zip(&mut samples) {
                self.prepare(dir, round)?;
                let sample = dir.run(variant, None, limits)?;
                if self.scenario == Scenario::Edit && sample.report.ending != Ending::Committed {
                    let message =
                        format!("an edit changed nothing for `{}`: is the edited file indexed?", variant.name);
                    return Err(BenchError::Plan(message));
                }
                trial += 1;
                progress(&Progress { trial, trials, variant: &variant.name, wall_ms: sample.wall_ms, counts });
                if counts {
                    samples.push(sample);
                }
            }
        }
        let mut warnings = machine.warnings();
        let mut variants = Vec::new();
        for ((variant, dir), samples) in self.variants.iter().zip(&dirs).zip(samples) {
            let digest = dir.digest(variant, limits);
            let profile = self.profile(dir, variant, limits, &mut warnings)?;
            let (name, job, settings) = (variant.name.clone(), variant.job.clone(), variant.settings.clone());
            variants.push(Measured {
                name,
                program: Program::of(&variant.program),
                job,
                settings,
                digest,
                samples,
                profile,
            });
        }
        let corpus = variants.first().and_then(|variant| variant.samples.first()).map(Corpus::of).unwrap_or_default();
        let mut results = Results {
            format: FORMAT,
            started_ms: u64::try_from(started.as_millis()).unwrap_or_default(),
            machine,
            load_after: load(),
            scenario: self.scenario,
            warm_up: self.warm_up,
            corpus,
            variants,
            warnings,
        };
        let more = results.quality_warnings();
        results.warnings.extend(more);
        Ok(results)
    }

    fn check(&self) -> Result<(), BenchError> {
        if self.variants.is_empty() {
            return Err(BenchError::Plan("there is nothing to measure".into()));
        }
        check_counts(self.repeat, self.warm_up)?;
        if self.timeout.is_zero() {
            return Err(BenchError::Plan("--timeout must be at least 1, got 0".into()));
        }
        Ok(())
    }

    /// A folder for each variant, with a copy of its source if trials change it.
    fn dirs(&self, place: &Path) -> Result<Vec<TrialDir>, BenchError> {
        let dir = |(index, job): (usize, &JobFacts)| {
            let folder = place.join(index.to_string());
            let mut source = self.source.clone();
            if self.scenario == Scenario::Edit {
                let original = self.source.as_ref().unwrap_or(&job.source);
                let copied = folder.join("source");
                let own = place.canonicalize().map_err(BenchError::file("find", place))?;
                copy(original, &copied, &own)?;
                source = Some(copied);
            }
            TrialDir::new(folder, source, self.settings.clone(), job)
        };
        self.jobs.iter().enumerate().map(dir).collect()
    }

    /// Prepares the folder of a variant for its next trial.
    fn prepare(&self, dir: &TrialDir, round: usize) -> Result<(), BenchError> {
        match self.scenario {
            Scenario::Cold => dir.clear(),
            Scenario::Unchanged => Ok(()),
            Scenario::Edit => dir.edit(round),
        }
    }

    fn profile(
        &self,
        dir: &TrialDir,
        variant: &Variant,
        limits: Limits<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Option<Profile>, BenchError> {
        if !self.profile {
            return Ok(None);
        }
        self.prepare(dir, self.warm_up + self.repeat)?;
        let trace = dir.folder().join("trace.json");
        match dir.run(variant, Some(&trace), limits).and_then(|_| Profile::read(&trace)) {
            Ok(profile) => Ok(Some(profile)),
            Err(error @ BenchError::Interrupted) => Err(error),
            Err(error) => {
                warnings.push(format!("`{}` could not be profiled: {error}", variant.name));
                Ok(None)
            }
        }
    }
}

impl Program {
    fn of(path: &Path) -> Self {
        let output = Command::new(path).arg("--version").output();
        let version = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        let hash = checksum(path).unwrap_or_default();
        Self { path: path.into(), version: version.unwrap_or_default(), hash }
    }
}

impl Corpus {
    fn of(sample: &Sample) -> Self {
        let report = &sample.report;
        Self {
            merkle_root: report.merkle_root.to_string(),
            revision: report.revision.as_deref().map(ToOwned::to_owned),
            files: report.scan.files,
            bytes: report.stages.first().map_or(0, |stage| stage.bytes),
        }
    }
}

impl Results {
    /// What makes the samples doubtful.
    fn quality_warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.scenario != Scenario::Edit {
            let roots =
                self.variants.iter().flat_map(|variant| &variant.samples).map(|sample| sample.report.merkle_root);
            let mut roots: Vec<String> = roots.map(|root| root.to_string()).collect();
            roots.dedup();
            if roots.len() > 1 {
                warnings.push("not all trials indexed the same files: the sources differ or changed meanwhile".into());
            }
        }
        for variant in &self.variants {
            let values = variant.values(Metric::Wall);
            for index in outliers(&values) {
                let (wall, trial) = (gristmill_display::milliseconds(values[index]), index + 1);
                warnings.push(format!("trial {trial} of `{}` took {wall}, far from its others", variant.name));
            }
        }
        warnings
    }
}

/// Checks the numbers of trials.
///
/// # Errors
/// If one is out of range.
pub fn check_counts(repeat: usize, warm_up: usize) -> Result<(), BenchError> {
    const MAX_WARM_UP: usize = 1_000;
    if !(1..=MAX_SAMPLES).contains(&repeat) {
        return Err(BenchError::Plan(format!("--repeat must be between 1 and {MAX_SAMPLES}, got {repeat}")));
    }
    if warm_up > MAX_WARM_UP {
        return Err(BenchError::Plan(format!("--warm-up must be between 0 and {MAX_WARM_UP}, got {warm_up}")));
    }
    Ok(())
}

/// Copies a folder with all that it holds, but for indexes in it and the folder `own`. Symbolic links are
/// copied as links.
fn copy(from: &Path, to: &Path, own: &Path) -> Result<(), BenchError> {
    fs::create_dir_all(to).map_err(BenchError::file("create", to))?;
    for entry in fs::read_dir(from).map_err(BenchError::file("read", from))? {
        let entry = entry.map_err(BenchError::file("read", from))?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(BenchError::file("read", &path))?;
        if kind.is_dir() {
            let is_own = path.canonicalize().is_ok_and(|path| path == own);
            if !is_own && !gristmill_pipeline::index::is_index_folder(&path) {
                copy(&path, &target, own)?;
            }
        } else if kind.is_symlink() {
            let link = fs::read_link(&path).map_err(BenchError::file("read", &path))?;
            std::os::unix::fs::symlink(link, &target).map_err(BenchError::file("write", &target))?;
        } else if kind.is_file() {
            fs::copy(&path, &target).map_err(BenchError::file("copy", &path))?;
        }
    }
    Ok(())
}
