//! An index that is being served: what changes about it is told to whoever listens.

use std::sync::{Arc, Mutex, PoisonError};

use gristmill_pipeline::run::Ending;
use gristmill_pipeline::{Epoch, Meters};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::broadcast;

use super::progress::{Doing, Indexing};
use crate::past::{self, PastRun};
use crate::query::{Coverage, ErrorCode, OpenEpoch, QueriedIndex, ToolError};

/// An index that is being served.
pub struct Served {
    index: Arc<QueriedIndex>,
    /// What its watch is doing, if it is watched here.
    doing: Option<Doing>,
    events: broadcast::Sender<JobEvent>,
    /// What was last told to the log.
    told: Mutex<Option<ToolError>>,
}

/// Something that happened to an index.
#[derive(Clone, Debug)]
pub(super) enum JobEvent {
    /// It has another epoch.
    Epoch(Arc<NewEpoch>),
    /// How far its next epoch is.
    Progress(Arc<Indexing>),
}

/// An epoch that has begun to answer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct NewEpoch {
    /// Its number.
    pub epoch: Epoch,
    /// When it was committed, in milliseconds since 1970.
    pub committed_ms: u64,
    /// Files that it holds.
    pub files: u64,
    /// What it changed, where the report of its run is kept.
    pub changes: Option<ChangedFiles>,
}

/// Files that an epoch changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChangedFiles {
    /// New paths.
    pub added: u64,
    /// Paths with other content.
    pub modified: u64,
    /// Paths that are gone.
    pub deleted: u64,
    /// New paths that hold what a path held that is gone.
    pub renamed: u64,
}

/// What an index is like now.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Status {
    /// The job's name.
    pub job: Arc<str>,
    /// The epoch that answers.
    pub epoch: Option<Epoch>,
    /// The newest epoch that was committed.
    pub newest_epoch: Option<Epoch>,
    /// Epochs that were committed since the one that answers.
    pub epoch_lag: u64,
    /// When the epoch that answers was committed, in milliseconds since 1970.
    pub committed_ms: Option<u64>,
    /// How much of the source it holds.
    pub coverage: Option<Coverage>,
    /// What is wrong, if anything is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Memory that the server holds, in bytes, where the system tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Calls of tools, those of all jobs.
    pub calls: CallLoad,
    /// What the server is doing to keep it up to date; nothing if it does not.
    pub indexing: Option<Indexing>,
}

/// How many calls there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CallLoad {
    /// That can run at once.
    pub most: usize,
    /// That run.
    pub running: usize,
    /// That wait.
    pub waiting: usize,
}

/// Events that a listener may be behind before it misses some.
const EVENTS_KEPT: usize = 64;

impl Served {
    /// Serves an index; with `watched`, this process keeps it up to date.
    #[must_use]
    pub fn new(index: Arc<QueriedIndex>, watched: bool) -> Self {
        let doing = watched.then(|| Doing::new(Meters::new(&index.job().graph)));
        Self { index, doing, events: broadcast::Sender::new(EVENTS_KEPT), told: Mutex::default() }
    }

    /// The index.
    #[must_use]
    pub fn index(&self) -> &Arc<QueriedIndex> {
        &self.index
    }

    pub(super) fn doing(&self) -> Option<&Doing> {
        self.doing.as_ref()
    }

    /// What happens from now on.
    pub(super) fn events(&self) -> broadcast::Receiver<JobEvent> {
        self.events.subscribe()
    }

    /// Tells how far the next epoch is.
    pub(super) fn tell_progress(&self) {
        if let Some(doing) = &self.doing
            && self.events.receiver_count() > 0
        {
            // Nobody listens any more if it fails.
            let _ = self.events.send(JobEvent::Progress(Arc::new(doing.report())));
        }
    }

    /// Lets the newest epoch answer, and tells of it.
    pub(super) fn refresh(&self) {
        let refreshed = self.index.refresh();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        match refreshed {
            Ok(is_new) => {
                *told = None;
                drop(told);
                if is_new && let Some(epoch) = self.index.open_now() {
                    tracing::info!(job = %self.index.name(), epoch = epoch.record().epoch, "another epoch answers");
                    let _ = self.events.send(JobEvent::Epoch(Arc::new(new_epoch(&epoch))));
                }
            }
            // Several times a second it would be the same.
            Err(error) if told.as_ref() == Some(&error) => {}
            Err(error) => {
                if error.code == ErrorCode::NoEpoch {
                    tracing::info!(job = %self.index.name(), "the index holds no epoch yet");
                } else {
                    tracing::error!(job = %self.index.name(), detail = error.full_message(), "the index cannot be opened");
                }
                *told = Some(error);
            }
        }
    }

    /// What it is like now.
    pub(super) fn status(&self, [most, running, waiting]: [usize; 3]) -> Status {
        let open = self.index.open_now();
        let newest = self.index.newest();
        let epoch = open.as_ref().map(|open| open.record().epoch);
        Status {
            job: Arc::clone(self.index.name()),
            epoch,
            newest_epoch: newest,
            epoch_lag: lag(epoch, newest),
            committed_ms: open.as_ref().map(|open| open.record().committed_ms),
            coverage: open.as_ref().map(|open| open.coverage()),
            trouble: self.trouble(open.is_some(), newest.is_some()),
            memory_bytes: gristmill_pipeline::resident_memory(),
            calls: CallLoad { most, running, waiting },
            indexing: self.doing.as_ref().map(Doing::report),
        }
    }

    /// Epochs that were committed since the one that answers.
    pub(super) fn lag(&self) -> u64 {
        lag(self.index.open_now().map(|open| open.record().epoch), self.index.newest())
    }

    /// What is wrong, without what only the log may say.
    fn trouble(&self, is_open: bool, has_newest: bool) -> Option<String> {
        if let Some(trouble) = self.doing.as_ref().and_then(Doing::trouble) {
            return Some(trouble);
        }
        self.index.trouble()?;
        match (is_open, has_newest) {
            (true, _) => Some("the newest epoch cannot be opened; the one before goes on answering".into()),
            (false, true) => Some("the index cannot be opened; the server's log says more".into()),
            // That it is not there yet is no trouble.
            (false, false) => None,
        }
    }
}

fn lag(open: Option<Epoch>, newest: Option<Epoch>) -> u64 {
    newest.unwrap_or_default().saturating_sub(open.unwrap_or_default())
}

fn new_epoch(epoch: &OpenEpoch) -> NewEpoch {
    let record = epoch.record();
    // The report is written after the epoch, and may not be there yet.
    let runs = past::runs(epoch.folder()).unwrap_or_default();
    let made_it = |run: &PastRun| run.report.epoch == record.epoch && run.report.ending == Ending::Committed;
    let changes = runs.into_iter().rev().find(made_it).map(|run| run.report.changes);
    NewEpoch {
        epoch: record.epoch,
        committed_ms: record.committed_ms,
        files: record.files,
        changes: changes.map(|changes| ChangedFiles {
            added: changes.added,
            modified: changes.modified,
            deleted: changes.deleted,
            renamed: changes.renamed,
        }),
    }
}
