//! Batches of file system events; each batch becomes an epoch.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use gristmill_config::Job;
use gristmill_pipeline::run::Interrupt;
use notify::Event;

use super::WatchOptions;

/// The events since the last epoch.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Changed paths.
    pub(crate) paths: BTreeSet<PathBuf>,
    /// Whether events were lost, so that the whole source must be scanned.
    pub(crate) needs_rescan: bool,
}

impl Batch {
    /// Adds an event, without the paths in excluded folders.
    fn add(&mut self, event: notify::Result<Event>, excluded: &[PathBuf]) {
        let is_excluded = |path: &PathBuf| excluded.iter().any(|folder| path.starts_with(folder));
        match event {
            Ok(event) if event.need_rescan() => self.needs_rescan = true,
            Ok(event) if event.kind.is_access() => {}
            Ok(event) => self.paths.extend(event.paths.into_iter().filter(|path| !is_excluded(path))),
            // A folder cannot be watched, or a queue overflowed.
            Err(_) => self.needs_rescan = true,
        }
    }

    fn is_empty(&self) -> bool {
        self.paths.is_empty() && !self.needs_rescan
    }
}

/// Returns the excluded folders of a job, under all names that events may use. The index folder must
/// be among them: otherwise every epoch would trigger the next.
pub(crate) fn excluded_folders(job: &Job) -> Vec<PathBuf> {
    let (root, folders) = (&job.source.root, &job.source.excluded_folders);
    let resolved_root = root.canonicalize().ok();
    let resolved = folders.iter().filter_map(|folder| folder.canonicalize().ok());
    let below_root = resolved.clone().filter_map(|folder| {
        let below = folder.strip_prefix(resolved_root.as_ref()?).ok()?;
        Some(root.join(below))
    });
    folders.iter().cloned().chain(below_root).chain(resolved.clone()).collect()
}

/// Waits for events, and collects them until they pause. Returns `None` when interrupted.
pub(crate) fn next_batch(
    events: &Receiver<notify::Result<Event>>,
    options: WatchOptions,
    excluded: &[PathBuf],
    interrupt: &Interrupt,
) -> Option<Batch> {
    const POLL_INTERVAL: Duration = Duration::from_millis(100);
    let WatchOptions { debounce, max_delay } = options;
    let mut batch = Batch::default();
    let mut since = None;
    loop {
        if interrupt.is_requested() {
            return None;
        }
        let wait = if batch.is_empty() { POLL_INTERVAL } else { debounce };
        match events.recv_timeout(wait) {
            Ok(event) => batch.add(event, excluded),
            Err(RecvTimeoutError::Timeout) if !batch.is_empty() => return Some(batch),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return None,
        }
        if !batch.is_empty() && since.get_or_insert_with(Instant::now).elapsed() >= max_delay {
            return Some(batch);
        }
    }
}
