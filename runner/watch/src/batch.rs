//! What happens in a source, in batches of which each becomes an epoch.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use gristmill_config::Job;
use gristmill_pipeline::run::Interrupt;
use notify::Event;

use super::Options;

/// What happened in the source since the last epoch.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Paths that something happened to.
    pub(crate) paths: BTreeSet<PathBuf>,
    /// Events were lost, so that anything may have changed.
    pub(crate) lost: bool,
}

impl Batch {
    /// Takes an event, but for what happened in folders that are left out.
    fn take(&mut self, event: notify::Result<Event>, left_out: &[PathBuf]) {
        let is_left_out = |path: &PathBuf| left_out.iter().any(|folder| path.starts_with(folder));
        match event {
            Ok(event) if event.need_rescan() => self.lost = true,
            Ok(event) if event.kind.is_access() => {}
            Ok(event) => self.paths.extend(event.paths.into_iter().filter(|path| !is_left_out(path))),
            // A folder could not be watched, or a queue ran over.
            Err(_) => self.lost = true,
        }
    }

    fn is_empty(&self) -> bool {
        self.paths.is_empty() && !self.lost
    }
}

/// The folders in the source of which nothing is taken, by the names that events may give
/// them. Above all the index: every epoch writes to it, and must not lead to the next.
pub(crate) fn left_out(job: &Job) -> Vec<PathBuf> {
    let (root, folders) = (&job.source.root, &job.source.excluded_folders);
    let resolved_root = root.canonicalize().ok();
    let resolved = folders.iter().filter_map(|folder| folder.canonicalize().ok());
    let below_root = resolved.clone().filter_map(|folder| {
        let below = folder.strip_prefix(resolved_root.as_ref()?).ok()?;
        Some(root.join(below))
    });
    folders.iter().cloned().chain(below_root).chain(resolved.clone()).collect()
}

/// Waits for something to happen, and then until nothing does. `None` when interrupted.
pub(crate) fn next_batch(
    events: &Receiver<notify::Result<Event>>,
    options: Options,
    left_out: &[PathBuf],
    interrupt: &Interrupt,
) -> Option<Batch> {
    const LOOK: Duration = Duration::from_millis(100);
    let Options { quiet_for, at_most } = options;
    let mut batch = Batch::default();
    let mut since = None;
    loop {
        if interrupt.is_requested() {
            return None;
        }
        let wait = if batch.is_empty() { LOOK } else { quiet_for };
        match events.recv_timeout(wait) {
            Ok(event) => batch.take(event, left_out),
            Err(RecvTimeoutError::Timeout) if !batch.is_empty() => return Some(batch),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return None,
        }
        if !batch.is_empty() && since.get_or_insert_with(Instant::now).elapsed() >= at_most {
            return Some(batch);
        }
    }
}
