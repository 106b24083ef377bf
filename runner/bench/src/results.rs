//! What an experiment measured, as it is kept on disk.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::BenchError;
use crate::machine::Machine;
use crate::profile::Profile;
use crate::statistics::{Interval, median};
use crate::trial::{Sample, Scenario};
use crate::variant::Setting;

/// The version of the format of [`Results`].
pub const FORMAT: u32 = 1;

/// What an experiment measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// The version of this format.
    pub format: u32,
    /// When the experiment began, in milliseconds since 1970.
    pub started_ms: u64,
    /// The machine.
    pub machine: Machine,
    /// See [`Machine::load`], after the last trial.
    pub load_after: Option<f64>,
    /// What a trial did.
    pub scenario: Scenario,
    /// Trials of each variant that were not counted, before the first that was.
    pub warm_up: usize,
    /// What was indexed.
    pub corpus: Corpus,
    /// The variants; the others are compared with the first.
    pub variants: Vec<Measured>,
    /// What a reader should know, a sentence each.
    pub warnings: Vec<String>,
}

/// What was indexed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Corpus {
    /// The root hash of its Merkle tree in the first trial.
    pub merkle_root: String,
    /// The revision, where the source has revisions.
    pub revision: Option<String>,
    /// Files.
    pub files: u64,
    /// Bytes of text that went into the first stage in the first trial.
    pub bytes: u64,
}

/// A variant with its samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// What tells it from the other variants.
    pub name: String,
    /// The program.
    pub program: Program,
    /// The job file.
    pub job: Option<PathBuf>,
    /// The settings of sweeps.
    pub settings: Vec<Setting>,
    /// The digest of the rows of its index after the last trial.
    pub digest: Option<String>,
    /// The samples, in the order in which they were taken.
    pub samples: Vec<Sample>,
    /// What its threads did over time, in a trial of its own.
    pub profile: Option<Profile>,
}

/// A program that was measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its path.
    pub path: PathBuf,
    /// What it answers to `--version`.
    pub version: String,
    /// The BLAKE3 hash of the file, in hexadecimal digits.
    pub hash: String,
}

/// A figure of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// See [`Sample::wall_ms`].
    Wall,
    /// CPU time of the process and of its parse workers, in milliseconds.
    Cpu,
    /// The most memory that the process held, in bytes.
    Memory,
    /// See [`Sample::index_bytes`].
    IndexBytes,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 4] = [Self::Wall, Self::Cpu, Self::Memory, Self::IndexBytes];

    /// Its name with the unit, as in CSV files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wall => "wall_ms",
            Self::Cpu => "cpu_ms",
            Self::Memory => "peak_memory_bytes",
            Self::IndexBytes => "index_bytes",
        }
    }

    /// Its value in a trial; `None` where the system did not tell.
    #[must_use]
    pub fn of(self, sample: &Sample) -> Option<f64> {
        match self {
            Self::Wall => Some(sample.wall_ms),
            Self::Cpu => Some(sample.report.time.cpu_ms),
            Self::Memory => sample.report.peak_memory_bytes.map(|bytes| bytes as f64),
            Self::IndexBytes => Some(sample.index_bytes as f64),
        }
    }
}

impl Measured {
    /// The values of a metric, in the order of the trials.
    #[must_use]
    pub fn values(&self, metric: Metric) -> Vec<f64> {
        self.samples.iter().filter_map(|sample| metric.of(sample)).collect()
    }

    /// The median of a metric.
    #[must_use]
    pub fn median(&self, metric: Metric) -> Option<Interval> {
        median(&self.values(metric))
    }

    /// The median of any figure of a trial.
    pub fn median_of(&self, figure: impl Fn(&Sample) -> f64) -> f64 {
        let values: Vec<f64> = self.samples.iter().map(figure).collect();
        median(&values).map_or(0.0, |median| median.estimate)
    }

    /// The sample whose wall time is nearest to the median.
    #[must_use]
    pub fn typical(&self) -> Option<&Sample> {
        let median = self.median(Metric::Wall)?.estimate;
        let distance = |sample: &&Sample| (sample.wall_ms - median).abs();
        self.samples.iter().min_by(|left, right| distance(left).total_cmp(&distance(right)))
    }
}

impl Results {
    /// Reads results that [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// If the file cannot be read, or is none of this format.
    pub fn read(path: &Path) -> Result<Self, BenchError> {
        let json = std::fs::read(path).map_err(BenchError::file("read", path))?;
        let invalid = |reason: String| BenchError::Invalid { path: path.into(), reason };
        let results: Self = serde_json::from_slice(&json)
            .map_err(|error| invalid(format!("{error}; expected a file that `gristmill bench run --json` wrote")))?;
        match results.format {
            FORMAT => Ok(results),
            other => Err(invalid(format!("it has format {other}, and this program reads format {FORMAT}"))),
        }
    }

    /// Writes the results as JSON.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), BenchError> {
        let json = serde_json::to_vec_pretty(self).map_err(std::io::Error::from);
        json.and_then(|json| std::fs::write(path, json)).map_err(BenchError::file("write", path))
    }
}
