//! The machine that measured: what a reader must know to read the figures.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The machine, as far as the system tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Cores that the process may use.
    pub cores: usize,
    /// The processor's model.
    pub processor: Option<String>,
    /// The frequency governor of the first core, such as `performance`.
    pub governor: Option<String>,
    /// Main memory, in bytes.
    pub memory_bytes: Option<u64>,
    /// The operating system and its release.
    pub system: String,
    /// Processes that ran or waited for a core, averaged over the last minute before the first trial.
    pub load: Option<f64>,
}

impl Machine {
    /// Describes this machine, now.
    #[must_use]
    pub fn this() -> Self {
        let release = first_line("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: field("/proc/cpuinfo", "model name"),
            governor: first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            memory_bytes: field("/proc/meminfo", "MemTotal").and_then(|value| kilobytes(&value)),
            system: [std::env::consts::OS, &release, std::env::consts::ARCH].join(" "),
            load: load(),
        }
    }

    /// Says why the figures of this machine may be unsteady.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(load) = self.load
            && load > self.cores as f64 / 4.0
        {
            warnings.push(format!("other processes were busy before the first trial (load {load:.1})"));
        }
        if let Some(governor) = self.governor.as_deref()
            && governor != "performance"
        {
            warnings.push(format!("the frequency governor is `{governor}`, not `performance`"));
        }
        warnings
    }
}

/// Processes that run or wait for a core, averaged over the last minute.
#[must_use]
pub(crate) fn load() -> Option<f64> {
    first_line("/proc/loadavg")?.split(' ').next()?.parse().ok()
}

fn first_line(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()?.lines().next().map(|line| line.trim().to_owned())
}

/// The value of the first line `name: value` of a file.
fn field(path: impl AsRef<Path>, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
    value.map(|value| value.trim().to_owned())
}

fn kilobytes(value: &str) -> Option<u64> {
    value.strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}
