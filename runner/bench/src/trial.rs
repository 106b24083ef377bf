//! One trial: a process that updates an index, measured from outside and by its own report.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use gristmill_pipeline::run::{Interrupt, RunReport};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use crate::error::BenchError;
use crate::experiment::JobFacts;
use crate::variant::Variant;

/// What a trial does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    /// Build an index from nothing.
    #[default]
    Cold,
    /// Update an index of which nothing changed.
    Unchanged,
    /// Update an index after one file changed.
    Edit,
}

impl Scenario {
    /// The name on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cold => "cold",
            Self::Unchanged => "unchanged",
            Self::Edit => "edit",
        }
    }
}

/// The measures of a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// From the start of the process to its end, in milliseconds.
    pub wall_ms: f64,
    /// Size of the index folder after it, in bytes.
    pub index_bytes: u64,
    /// The report of the run, without the list of quarantined files.
    pub report: RunReport,
}

/// Where a variant works.
#[derive(Debug)]
pub(crate) struct TrialDir {
    folder: PathBuf,
    /// The folder to index instead of the job's.
    source: Option<PathBuf>,
    /// Settings beside those of the variant.
    settings: Vec<String>,
    /// Whether the job shares vectors with other indexes, which a cold run must not find.
    shares_vectors: bool,
    /// The files of the source that trials edit, relative to it.
    edited: Vec<PathBuf>,
}

/// How processes are run.
#[derive(Clone, Copy)]
pub(crate) struct Limits<'a> {
    pub(crate) timeout: Duration,
    pub(crate) interrupt: &'a Interrupt,
}

impl TrialDir {
    pub(crate) fn new(
        folder: PathBuf,
        source: Option<PathBuf>,
        settings: Vec<String>,
        job: &JobFacts,
    ) -> Result<Self, BenchError> {
        fs::create_dir_all(&folder).map_err(BenchError::file("create", &folder))?;
        let (shares_vectors, edited) = (job.shares_vectors, job.edited.clone());
        Ok(Self { folder, source, settings, shares_vectors, edited })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Changes one file of the source: a new identifier at its end, another file each round.
    pub(crate) fn edit(&self, round: usize) -> Result<(), BenchError> {
        let Some(source) = &self.source else { return Ok(()) };
        // Steps of a prime visit files of all folders before they come round.
        const STEP: usize = 7_919;
        let Some(file) = self.edited.get((round + 1) * STEP % self.edited.len().max(1)) else {
            return Err(BenchError::Plan(format!("no file to edit in {}", source.display())));
        };
        let file = source.join(file);
        let edited = fs::metadata(&file).and_then(|metadata| {
            // It is a copy, so that it may be written to.
            let mut permissions = metadata.permissions();
            permissions.set_mode(permissions.mode() | 0o200);
            fs::set_permissions(&file, permissions)?;
            let mut file = fs::OpenOptions::new().append(true).open(&file)?;
            writeln!(file, "\ngristmill_bench_edit_{round}")
        });
        edited.map_err(BenchError::file("write", file))
    }

    fn index(&self) -> PathBuf {
        self.folder.join("index")
    }

    /// Removes the index, and what it shares.
    pub(crate) fn clear(&self) -> Result<(), BenchError> {
        for folder in [self.index(), self.folder.join("vectors")] {
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(BenchError::file("remove", folder)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Runs the variant's job once. With `trace`, a trace is written there.
    pub(crate) fn run(
        &self,
        variant: &Variant,
        trace: Option<&Path>,
        limits: Limits<'_>,
    ) -> Result<Sample, BenchError> {
        let report = self.folder.join("report.json");
        let mut command = Command::new(&variant.program);
        command.arg("run").args(&variant.job).arg("--index").arg(self.index()).arg("--report").arg(&report);
        command.arg("--quiet");
        if let Some(source) = &self.source {
            command.arg("--source").arg(source);
        }
        if self.shares_vectors {
            command.arg("--set").arg(format!("index.vectors={:?}", self.folder.join("vectors")));
        }
        for setting in &self.settings {
            command.arg("--set").arg(setting);
        }
        for setting in &variant.settings {
            command.arg("--set").arg(format!("{}={}", setting.key, setting.value));
        }
        if let Some(trace) = trace {
            command.arg("--trace").arg(trace);
        }
        // The variants say in which mode they run.
        command.env_remove(gristmill_config::MODE_VARIABLE);
        let Ended { status, wall, errors } = measured(&mut command, variant, limits)?;
        let code = status.code();
        /// Success, with quarantined files.
        const QUARANTINED: i32 = 3;
        if code != Some(0) && code != Some(QUARANTINED) {
            let how = match (code, status.signal()) {
                (Some(code), _) => format!("exit code {code}"),
                (None, signal) => format!("signal {}", signal.unwrap_or_default()),
            };
            return Err(BenchError::Trial { variant: variant.name.clone(), how, message: errors });
        }
        let json = fs::read(&report).map_err(BenchError::file("read", &report))?;
        let invalid = |error: serde_json::Error| BenchError::Invalid { path: report, reason: error.to_string() };
        let mut report: RunReport = serde_json::from_slice(&json).map_err(invalid)?;
        report.quarantined = Vec::new();
        Ok(Sample { wall_ms: wall.as_secs_f64() * 1e3, index_bytes: size(&self.index()), report })
    }

    /// The digest of the rows of the index.
    pub(crate) fn digest(&self, variant: &Variant, limits: Limits<'_>) -> Option<String> {
        let mut command = Command::new(&variant.program);
        command.arg("digest").arg("--index").arg(self.index()).stdout(Stdio::piped());
        if limits.interrupt.is_requested() {
            return None;
        }
        let output = command.stderr(Stdio::null()).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        text.split_whitespace().next().filter(|_| output.status.success()).map(ToOwned::to_owned)
    }
}

/// A process that ended.
struct Ended {
    status: ExitStatus,
    wall: Duration,
    /// The end of what it wrote to standard error.
    errors: String,
}

/// Runs a process to its end.
fn measured(command: &mut Command, variant: &Variant, limits: Limits<'_>) -> Result<Ended, BenchError> {
    const POLL_INTERVAL: Duration = Duration::from_millis(100);
    /// How long a process that was asked to end may take.
    const GRACE: Duration = Duration::from_secs(10);
    // In a group of its own, so that it and what it starts can be ended, and that a terminal's interrupt
    // comes from here alone.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
    let program = variant.program.clone();
    let started = Instant::now();
    let child = command.spawn().map_err(|source| BenchError::Start { program: program.clone(), source })?;
    let process = rustix::process::Pid::from_child(&child);
    let (sender, ended) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        // A thread waits for it, so that polling does not lengthen what is measured.
        scope.spawn(move || {
            let output = child.wait_with_output();
            let _ = sender.send((output, started.elapsed()));
        });
        let end = |signal| {
            // It may have ended meanwhile.
            let _ = rustix::process::kill_process_group(process, signal);
        };
        let mut stopped: Option<(BenchError, Instant)> = None;
        loop {
            match ended.recv_timeout(POLL_INTERVAL) {
                Ok((output, wall)) => {
                    let output = output.map_err(|source| BenchError::Start { program, source })?;
                    let ended = Ended { status: output.status, wall, errors: tail(&output.stderr) };
                    return stopped.map_or(Ok(ended), |(error, _)| Err(error));
                }
                Err(_) => match &stopped {
                    Some((_, since)) if since.elapsed() > GRACE => end(Signal::KILL),
                    Some(_) => {}
                    None if limits.interrupt.is_requested() => {
                        stopped = Some((BenchError::Interrupted, Instant::now()));
                        end(Signal::TERM);
                    }
                    None if started.elapsed() > limits.timeout => {
                        let (variant, seconds) = (variant.name.clone(), limits.timeout.as_secs());
                        stopped = Some((BenchError::Timeout { variant, seconds }, Instant::now()));
                        end(Signal::KILL);
                    }
                    None => {}
                },
            }
        }
    })
}

/// The last lines of what a process wrote.
fn tail(bytes: &[u8]) -> String {
    const LINES: usize = 12;
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.trim().lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

/// The bytes of the files below a folder, as far as they can be read.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let entries = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    entries.sum()
}
