//! What the pipeline is to run for a job.

use gristmill_pipeline::run::{Interrupt, RunPlan};
use gristmill_pipeline::source::{DirectorySource, GitConfig, GitSource, Revisions, Source, SourceError};
use gristmill_pipeline::{Meters, Mode as PipelineMode};

use crate::config::{Job, Mode};

/// The plan of a run over a source.
pub(crate) fn plan<'a>(
    job: &'a Job,
    source: &'a dyn Source,
    meters: &'a Meters,
    full: bool,
    interrupt: &'a Interrupt,
) -> RunPlan<'a> {
    RunPlan {
        graph: &job.graph,
        views: &job.views,
        source,
        index: &job.index,
        mode: match job.mode {
            Mode::Sequential => PipelineMode::Sequential,
            Mode::Parallel => PipelineMode::Parallel,
            Mode::Pipeline => PipelineMode::Pipeline,
        },
        workers: job.workers.get(),
        plane_workers: job.plane_workers.get(),
        keep: job.keep,
        vectors: job.vectors.as_deref(),
        memory_limit: job.memory_limit,
        full,
        meters,
        interrupt,
    }
}

/// The job's source, as the pipeline takes it.
///
/// # Errors
/// If it is a git repository that cannot be opened, or has no such revision.
pub(crate) fn source(job: &Job) -> Result<Box<dyn Source>, SourceError> {
    Ok(match &job.source.revision {
        Some(revision) => Box::new(revision_of(job, revision)?),
        None if !job.source.refs.is_empty() => Box::new(git(job, Revisions::Refs(job.source.refs.clone()))?),
        None => Box::new(directory(job)),
    })
}

/// The job's source as a folder.
pub(crate) fn directory(job: &Job) -> DirectorySource {
    DirectorySource {
        root: job.source.root.clone(),
        include: job.source.include.clone(),
        exclude: job.source.exclude.clone(),
        hidden: job.source.hidden,
        follow_links: job.source.follow_links,
        max_file_bytes: job.source.max_file_bytes,
        skip: job.source.excluded_folders.clone(),
    }
}

/// A revision of the git repository that the job's source lies in.
pub(crate) fn revision_of(job: &Job, revision: &str) -> Result<GitSource, SourceError> {
    git(job, Revisions::One(revision.to_owned()))
}

fn git(job: &Job, revisions: Revisions) -> Result<GitSource, SourceError> {
    GitSource::open(GitConfig {
        path: job.source.root.clone(),
        revisions,
        include: job.source.include.clone(),
        exclude: job.source.exclude.clone(),
        hidden: job.source.hidden,
        max_file_bytes: job.source.max_file_bytes,
    })
}
