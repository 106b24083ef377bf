//! A served index: its status, and the events that it publishes.

use std::sync::Arc;

use gristmill_indexing::Indexing;
use gristmill_pipeline::Epoch;
use gristmill_pipeline::index::{Writer, writer_of};
use gristmill_pipeline::run::Ending;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::broadcast;

use super::progress::{IndexingProgress, ProgressTracker};
use gristmill_query::past::{self, PastRun};
use gristmill_query::{Coverage, ErrorCode, OpenEpoch, QueriedIndex, ToolError};

/// A served index.
pub struct Served {
    index: Arc<QueriedIndex>,
    /// Writes the index.
    indexing: Indexing,
    watched: bool,
    tracker: ProgressTracker,
    events: broadcast::Sender<JobEvent>,
    /// The error that was logged last.
    last_logged: Mutex<Option<ToolError>>,
}

/// An event of an index.
#[derive(Clone, Debug)]
pub(super) enum JobEvent {
    /// A new epoch is served.
    Epoch(Arc<NewEpoch>),
    /// The next epoch is being built.
    Progress(Arc<IndexingProgress>),
}

/// An epoch that is newly served.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct NewEpoch {
    /// The epoch's number.
    pub epoch: Epoch,
    /// When it was committed, in milliseconds since the Unix epoch.
    pub committed_ms: u64,
    /// Files in the epoch.
    pub files: u64,
    /// The files that it changed; null if the report of its run is not there (yet).
    pub changes: Option<ChangedFiles>,
}

/// Counts of files that an epoch changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChangedFiles {
    /// New paths.
    pub added: u64,
    /// Paths with other content.
    pub modified: u64,
    /// Deleted paths.
    pub deleted: u64,
    /// New paths with the content of a deleted path.
    pub renamed: u64,
}

/// The status of an index.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Status {
    /// The job's name.
    pub job: Arc<str>,
    /// The epoch that is served.
    pub epoch: Option<Epoch>,
    /// The newest committed epoch.
    pub newest_epoch: Option<Epoch>,
    /// Epochs committed since the one that is served.
    pub epoch_lag: u64,
    /// When the served epoch was committed, in milliseconds since the Unix epoch.
    pub committed_ms: Option<u64>,
    /// What the served epoch holds.
    pub coverage: Option<Coverage>,
    /// Why the index is not up to date, if the last attempt to open or update it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Resident memory of the server in bytes, where the system reports it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Tool calls on all indexes of the server.
    pub calls: CallLoad,
    /// Whether this server commits a new epoch after every change of the source.
    pub watched: bool,
    /// What this server does to the index.
    pub indexing: IndexingProgress,
    /// Requests to index that wait.
    pub queued: usize,
    /// The process that writes the index now, which may be another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub writer: Option<Writer>,
}

/// Counts of tool calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CallLoad {
    /// The maximum that may run at once.
    pub max: usize,
    /// Running.
    pub running: usize,
    /// Waiting for a free thread.
    pub waiting: usize,
}

/// Events buffered per subscriber; one that falls further behind misses some.
const EVENT_BUFFER: usize = 64;

impl Served {
    /// A served index. With `watched`, this process keeps it up to date.
    #[must_use]
    pub fn new(index: Arc<QueriedIndex>, watched: bool) -> Self {
        let indexing = Indexing::new(Arc::clone(index.job()));
        let tracker = ProgressTracker::new(Arc::clone(indexing.meters()));
        let events = broadcast::Sender::new(EVENT_BUFFER);
        Self { index, indexing, watched, tracker, events, last_logged: Mutex::default() }
    }

    /// The index.
    #[must_use]
    pub fn index(&self) -> &Arc<QueriedIndex> {
        &self.index
    }

    /// Writes the index.
    pub(super) fn indexing(&self) -> &Indexing {
        &self.indexing
    }

    /// Whether this process commits a new epoch after every change of the source.
    pub(super) fn is_watched(&self) -> bool {
        self.watched
    }

    /// The indexing progress.
    pub(super) fn tracker(&self) -> &ProgressTracker {
        &self.tracker
    }

    /// Subscribes to the events from now on.
    pub(super) fn subscribe(&self) -> broadcast::Receiver<JobEvent> {
        self.events.subscribe()
    }

    /// Publishes the indexing progress.
    pub(super) fn publish_progress(&self) {
        if self.events.receiver_count() > 0 {
            // Fails only if the last subscriber has left meanwhile.
            let _ = self.events.send(JobEvent::Progress(Arc::new(self.tracker.report())));
        }
    }

    /// Opens the newest epoch if it is not open, and publishes it.
    pub(super) fn refresh(&self) {
        let refreshed = self.index.refresh();
        let mut last_logged = self.last_logged.lock();
        match refreshed {
            Ok(is_new) => {
                *last_logged = None;
                drop(last_logged);
                if is_new && let Some(epoch) = self.index.current_if_open() {
                    tracing::info!(job = %self.index.name(), epoch = %epoch.record().epoch, "serving a new epoch");
                    let _ = self.events.send(JobEvent::Epoch(Arc::new(new_epoch(&epoch))));
                }
            }
            // Logged once: the next attempt is a moment away.
            Err(error) if last_logged.as_ref() == Some(&error) => {}
            Err(error) => {
                if error.code == ErrorCode::NoEpoch {
                    tracing::info!(job = %self.index.name(), "the index has no epoch yet");
                } else {
                    tracing::error!(job = %self.index.name(), detail = error.full_message(), "cannot open the index");
                }
                *last_logged = Some(error);
            }
        }
    }

    /// The current status. `load` is what [`Runner::load`](gristmill_query::Runner::load) returns.
    pub(super) fn status(&self, load: gristmill_query::Load) -> Status {
        let gristmill_query::Load { max, running, waiting } = load;
        let open = self.index.current_if_open();
        let newest = self.index.newest_epoch();
        let epoch = open.as_ref().map(|open| open.record().epoch);
        Status {
            job: Arc::clone(self.index.name()),
            epoch,
            newest_epoch: newest,
            epoch_lag: lag(epoch, newest),
            committed_ms: open.as_ref().map(|open| open.record().committed_ms),
            coverage: open.as_ref().map(|open| open.coverage()),
            last_error: self.last_error(open.is_some(), newest.is_some()),
            memory_bytes: gristmill_pipeline::resident_memory(),
            calls: CallLoad { max, running, waiting },
            watched: self.watched,
            indexing: self.tracker.report(),
            queued: self.indexing.waiting(),
            writer: writer_of(&self.index.job().index),
        }
    }

    /// Epochs committed since the one that is served.
    pub(super) fn epoch_lag(&self) -> u64 {
        lag(self.index.current_if_open().map(|open| open.record().epoch), self.index.newest_epoch())
    }

    /// Why the index is not up to date. The cause itself may name paths and is in the log only.
    fn last_error(&self, is_open: bool, has_newest: bool) -> Option<String> {
        if let Some(error) = self.tracker.last_error() {
            return Some(error);
        }
        self.index.last_error()?;
        match (is_open, has_newest) {
            (true, _) => {
                Some("the newest epoch cannot be opened, the previous one is served; see the server log".into())
            }
            (false, true) => Some("the index cannot be opened; see the server log".into()),
            // An index that does not exist yet is no error.
            (false, false) => None,
        }
    }
}

fn lag(open: Option<Epoch>, newest: Option<Epoch>) -> u64 {
    newest.unwrap_or_default().get().saturating_sub(open.unwrap_or_default().get())
}

fn new_epoch(epoch: &OpenEpoch) -> NewEpoch {
    let record = epoch.record();
    // The report is written after the commit, and may not be there yet.
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
