//! The memory of the process while an epoch is built, against the limit of the job.
//!
//! A thread looks at it fifty times a second. Above three quarters of the limit the process returns what it has
//! freed ([`on_memory_pressure`]) and fewer files are let in; above the limit they go through one by one. What
//! stays is what the epoch needs: the fact plane, keys, and the buffers of stores.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use parking_lot::Mutex;

use super::report::MemoryReport;
use crate::measure::private_memory;

const INTERVAL: Duration = Duration::from_millis(20);

/// Looks at the memory between two that show how far the run is.
const LOOKS_PER_SHOW: u64 = 50;

static RELIEF: OnceLock<fn()> = OnceLock::new();

/// Sets what the process does when its memory runs short, such as to return freed memory to the system. The
/// first call counts. It is called from a thread of its own, again and again while memory is short.
pub fn on_memory_pressure(relief: fn()) {
    let _ = RELIEF.set(relief);
}

/// How short memory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pressure {
    /// Below three quarters of the limit.
    None,
    /// Near the limit.
    High,
    /// Above the limit.
    Over,
}

/// Watches the memory of the process.
pub(super) struct MemoryWatch {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    limit: u64,
    held: AtomicU64,
    was_short: AtomicBool,
    ended: AtomicBool,
    phase: Mutex<&'static str>,
    /// The most memory, and the phase in which it was held.
    peak: Mutex<(u64, &'static str)>,
}

impl Shared {
    fn look(&self) {
        // Where the system does not tell, no memory is ever short.
        let Some(held) = private_memory() else { return };
        self.held.store(held, Ordering::Relaxed);
        {
            let mut peak = self.peak.lock();
            if held > peak.0 {
                *peak = (held, *self.phase.lock());
            }
        }
        if self.pressure() != Pressure::None {
            self.was_short.store(true, Ordering::Relaxed);
            if let Some(relief) = RELIEF.get() {
                relief();
            }
        }
    }

    fn pressure(&self) -> Pressure {
        let held = self.held.load(Ordering::Relaxed);
        if held > self.limit {
            Pressure::Over
        } else if held > self.limit / 4 * 3 {
            Pressure::High
        } else {
            Pressure::None
        }
    }
}

impl MemoryWatch {
    /// Starts to watch, and calls `show` about once a second with the phase of the run. Without a thread it is only looked
    /// at where the driver asks.
    pub(super) fn start(limit: u64, show: impl Fn(&'static str) + Send + 'static) -> Self {
        let shared = Arc::new(Shared {
            limit,
            held: AtomicU64::new(0),
            was_short: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            phase: Mutex::new("process"),
            peak: Mutex::new((0, "process")),
        });
        shared.look();
        let of_thread = Arc::clone(&shared);
        let watch = move || {
            for nth in 0_u64.. {
                if of_thread.ended.load(Ordering::Relaxed) {
                    break;
                }
                of_thread.look();
                if nth.is_multiple_of(LOOKS_PER_SHOW) {
                    let phase = *of_thread.phase.lock();
                    show(phase);
                }
                std::thread::park_timeout(INTERVAL);
            }
        };
        Self { shared, thread: std::thread::Builder::new().name("memory".into()).spawn(watch).ok() }
    }

    /// How short memory is now.
    pub(super) fn pressure(&self) -> Pressure {
        self.shared.pressure()
    }

    /// Another phase of the run begins.
    pub(super) fn enter(&self, phase: &'static str) {
        *self.shared.phase.lock() = phase;
    }

    /// What was seen so far.
    pub(super) fn report(&self) -> MemoryReport {
        self.shared.look();
        let (peak_bytes, phase) = *self.shared.peak.lock();
        MemoryReport {
            limit_bytes: self.shared.limit,
            peak_bytes,
            peak_phase: phase.into(),
            was_short: self.shared.was_short.load(Ordering::Relaxed),
        }
    }
}

impl Drop for MemoryWatch {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            Thread::unpark(thread.thread());
            let _ = thread.join();
        }
    }
}

/// The memory that the process may use by its control group, or that the machine has, in bytes.
#[must_use]
pub fn available_memory() -> Option<u64> {
    let number = |path: &str| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let of_groups = groups().into_iter().filter_map(|path| number(&path));
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
    });
    of_groups.chain(machine).min()
}

/// The files that may hold a limit: of the process's own control group and of those above it, in both versions.
fn groups() -> Vec<String> {
    let mut files = Vec::new();
    for line in std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default().lines() {
        // hierarchy:controllers:path
        let mut parts = line.splitn(3, ':');
        let (_, Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            controllers if controllers.split(',').any(|name| name == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let mut path = path.trim_end_matches('/');
        loop {
            files.push(format!("{root}{path}/{file}"));
            match path.rfind('/') {
                Some(parent) => path = &path[..parent],
                None => break,
            }
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_short_near_the_limit() {
        let (enough, little) = (MemoryWatch::start(u64::MAX, |_| {}), MemoryWatch::start(1, |_| {}));
        assert_eq!(enough.pressure(), Pressure::None);
        assert!(!enough.report().was_short);
        if private_memory().is_some() {
            assert_eq!(little.pressure(), Pressure::Over);
            little.enter("publish");
            let report = little.report();
            assert!(report.was_short && report.peak_bytes > 1 && report.limit_bytes == 1);
        }
    }

    #[test]
    fn the_machine_has_memory() {
        if cfg!(target_os = "linux") {
            assert!(available_memory().is_some_and(|bytes| bytes > 16 << 20));
        }
    }
}
