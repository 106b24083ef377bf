//! Batches of file system events; each batch becomes an epoch.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gristmill_config::Job;
use gristmill_pipeline::index::is_index_folder;
use notify::Event;

/// The folders of which no event counts.
#[derive(Debug)]
pub(crate) struct Excluded {
    folders: Vec<PathBuf>,
    /// The source, under all names that events may use.
    roots: Vec<PathBuf>,
}

/// The events since the last epoch.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Changed paths.
    pub(crate) paths: BTreeSet<PathBuf>,
    /// Whether the whole source must be scanned, as events were lost.
    pub(crate) needs_rescan: bool,
}

impl Batch {
    /// Adds an event, without the paths in excluded folders.
    pub(crate) fn add(&mut self, event: notify::Result<Event>, excluded: &Excluded) {
        let is_excluded = |path: &PathBuf| excluded.contains(path);
        match event {
            Ok(event) if event.need_rescan() => self.needs_rescan = true,
            Ok(event) if event.kind.is_access() => {}
            Ok(event) => self.paths.extend(event.paths.into_iter().filter(|path| !is_excluded(path))),
            // A folder cannot be watched, or a queue overflowed.
            Err(_) => self.needs_rescan = true,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.paths.is_empty() && !self.needs_rescan
    }
}

impl Excluded {
    /// Returns the excluded folders of a job. The index folder must be among them: otherwise every epoch
    /// would trigger the next.
    pub(crate) fn of(job: &Job) -> Self {
        let (root, folders) = (&job.source.root, &job.source.excluded_folders);
        let resolved_root = root.canonicalize().ok();
        let resolved = folders.iter().filter_map(|folder| folder.canonicalize().ok());
        let below_root = resolved.clone().filter_map(|folder| {
            let below = folder.strip_prefix(resolved_root.as_ref()?).ok()?;
            Some(root.join(below))
        });
        let folders = folders.iter().cloned().chain(below_root).chain(resolved.clone()).collect();
        Self { folders, roots: std::iter::once(root.clone()).chain(resolved_root).collect() }
    }

    /// Whether a path lies in an excluded folder, or in the index of another job.
    fn contains(&self, path: &Path) -> bool {
        if self.folders.iter().any(|folder| path.starts_with(folder)) {
            return true;
        }
        let inside = self.roots.iter().find_map(|root| path.strip_prefix(root).ok());
        let depth = inside.map_or(0, |inside| inside.components().count());
        path.ancestors().take(depth).any(is_index_folder)
    }
}
