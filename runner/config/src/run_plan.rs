//! Creates the pipeline's run plan and source from a job.

use std::sync::Arc;
use std::time::Duration;

use gristmill_pipeline::Meters;
use gristmill_pipeline::run::{Interrupt, RunPlan};
use gristmill_pipeline::source::{DirectorySource, GitConfig, GitSource, Revisions, Source, SourceError};

use super::Job;

impl Job {
    /// Creates the plan of a run over a source.
    pub fn run_plan<'a>(
        &'a self,
        source: &'a dyn Source,
        meters: &'a Arc<Meters>,
        full: bool,
        interrupt: &'a Interrupt,
    ) -> RunPlan<'a> {
        RunPlan {
            graph: &self.graph,
            views: &self.views,
            source,
            index: &self.index,
            mode: self.mode,
            workers: self.workers.get(),
            plane_workers: self.plane_workers.get(),
            keep: self.keep,
            vectors: self.vectors.as_deref(),
            in_flight_limit: self.in_flight_limit(),
            memory_limit: self.memory_limit,
            full,
            verify: false,
            lock_wait: Duration::ZERO,
            meters,
            interrupt,
            broken_plane: None,
        }
    }

    /// Maximum bytes of source text and vectors in flight: a quarter of the memory limit, at most 256 MiB. The
    /// rest is for what an epoch needs whatever is in flight.
    #[must_use]
    pub fn in_flight_limit(&self) -> u64 {
        (self.memory_limit / 4).min(256 << 20)
    }

    /// Opens the source of the job.
    ///
    /// # Errors
    /// If the git repository cannot be opened, or the revision does not exist.
    pub fn open_source(&self) -> Result<Box<dyn Source>, SourceError> {
        if let Some(open) = &self.own_source {
            return open();
        }
        Ok(match &self.source.revision {
            Some(revision) => Box::new(self.open_revision(revision)?),
            None if !self.source.refs.is_empty() => Box::new(self.open_git(Revisions::Refs(self.source.refs.clone()))?),
            None => Box::new(self.directory_source()),
        })
    }

    /// Whether the source is a folder, whose changes can be watched.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        self.own_source.is_none() && self.source.revision.is_none() && self.source.refs.is_empty()
    }

    /// Returns the source of the job as a folder.
    #[must_use]
    pub fn directory_source(&self) -> DirectorySource {
        DirectorySource {
            root: self.source.root.clone(),
            include: self.source.include.clone(),
            exclude: self.source.exclude.clone(),
            hidden: self.source.hidden,
            follow_links: self.source.follow_links,
            linked_worktrees: self.source.linked_worktrees,
            generated: self.source.generated,
            max_file_bytes: self.source.max_file_bytes,
            skip: self.source.excluded_folders.clone(),
        }
    }

    /// Opens a revision of the git repository that contains the source.
    ///
    /// # Errors
    /// If there is no repository, or the revision does not exist.
    pub fn open_revision(&self, revision: &str) -> Result<GitSource, SourceError> {
        self.open_git(Revisions::One(revision.to_owned()))
    }

    fn open_git(&self, revisions: Revisions) -> Result<GitSource, SourceError> {
        GitSource::open(GitConfig {
            path: self.source.root.clone(),
            revisions,
            include: self.source.include.clone(),
            exclude: self.source.exclude.clone(),
            hidden: self.source.hidden,
            generated: self.source.generated,
            max_file_bytes: self.source.max_file_bytes,
        })
    }
}
