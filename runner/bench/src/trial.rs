//! One trial: a process that updates an index, measured from outside and by its own report.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use gristmill_pipeline::run::{Interrupt, RunReport};
use serde::{Deserialize, Serialize};

use crate::error::BenchError;
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
pub(crate) struct Bay {
    folder: PathBuf,
    /// The folder to index instead of the job's.
    source: Option<PathBuf>,
    /// Settings beside those of the variant.
    settings: Vec<String>,
    /// Whether the job shares vectors with other indexes, which a cold run must not find.
    shares_vectors: bool,
}

/// How processes are run.
#[derive(Clone, Copy)]
pub(crate) struct Limits<'a> {
    pub(crate) timeout: Duration,
    pub(crate) interrupt: &'a Interrupt,
}

impl Bay {
    pub(crate) fn new(
        folder: PathBuf,
        source: Option<PathBuf>,
        settings: Vec<String>,
        shares_vectors: bool,
    ) -> Result<Self, BenchError> {
        fs::create_dir_all(&folder).map_err(BenchError::file("create", &folder))?;
        Ok(Self { folder, source, settings, shares_vectors })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Changes one file of the source: a new identifier at its end, another file each round.
    pub(crate) fn edit(&self, round: usize) -> Result<(), BenchError> {
        let Some(source) = &self.source else { return Ok(()) };
        let mut files = Vec::new();
        list(source, &mut files)?;
        files.sort();
        // Steps of a prime visit files of all folders before they come round.
        const STEP: usize = 7_919;
        let Some(file) = files.get((round + 1) * STEP % files.len().max(1)) else {
            return Err(BenchError::Plan(format!("no file to edit in {}", source.display())));
        };
        let appended = fs::OpenOptions::new().append(true).open(file);
        let appended = appended.and_then(|mut file| writeln!(file, "\ngristmill_bench_edit_{round}"));
        appended.map_err(BenchError::file("write", file))
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
        let (status, wall, errors) = measured(&mut command, variant, limits)?;
        let code = status.code();
        /// Success, with quarantined files.
        const QUARANTINED: i32 = 3;
        if code != Some(0) && code != Some(QUARANTINED) {
            let code = code.map_or_else(|| "signal".into(), |code| code.to_string());
            return Err(BenchError::Trial { variant: variant.name.clone(), code, message: errors });
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

/// Runs a process to its end. Gives its status, the time it took, and the end of what it wrote to
/// standard error.
fn measured(
    command: &mut Command,
    variant: &Variant,
    limits: Limits<'_>,
) -> Result<(ExitStatus, Duration, String), BenchError> {
    const POLL_INTERVAL: Duration = Duration::from_millis(100);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
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
        let mut stopped = None;
        loop {
            match ended.recv_timeout(POLL_INTERVAL) {
                Ok((output, wall)) => {
                    let output = output.map_err(|source| BenchError::Start { program, source })?;
                    return stopped.map_or_else(|| Ok((output.status, wall, tail(&output.stderr))), Err);
                }
                Err(_) if stopped.is_some() => {}
                Err(_) if limits.interrupt.is_requested() => {
                    stopped = Some(BenchError::Interrupted);
                    let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
                }
                Err(_) if started.elapsed() > limits.timeout => {
                    let seconds = limits.timeout.as_secs();
                    stopped = Some(BenchError::Timeout { variant: variant.name.clone(), seconds });
                    let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
                }
                Err(_) => {}
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

/// Lists files that are likely to be indexed: of some text, and in no hidden folder.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), BenchError> {
    /// Files of the length of usual source files.
    const USUAL: std::ops::Range<u64> = 500..50_000;
    const EXTENSIONS: [&str; 16] =
        ["c", "cc", "cpp", "cs", "go", "h", "java", "js", "kt", "php", "py", "rb", "rs", "scala", "swift", "ts"];
    for entry in fs::read_dir(folder).map_err(BenchError::file("read", folder))?.flatten() {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else { continue };
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if kind.is_dir() && !is_hidden {
            list(&path, files)?;
        } else if kind.is_file() && !is_hidden {
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            let length = entry.metadata().map_or(0, |metadata| metadata.len());
            if EXTENSIONS.contains(&extension) && USUAL.contains(&length) {
                files.push(path);
            }
        }
    }
    Ok(())
}
