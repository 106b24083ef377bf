//! The indexing progress of a watched job.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use gristmill_pipeline::Meters;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Serialize;

/// The indexing progress of a watched job.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct IndexingProgress {
    /// Whether an epoch is being built.
    pub state: IndexingState,
    /// When the state was entered, in milliseconds since the Unix epoch.
    pub since_ms: u64,
    /// Why the last attempt failed, in state `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// The stages of the job in the order of its graph, with their counts for the current epoch.
    pub stages: Vec<StageProgress>,
    /// Contents to analyse for the current epoch, as far as known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents_total: Option<u64>,
    /// Contents that were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents_done: Option<u64>,
}

/// The state of a watched job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IndexingState {
    /// The index is up to date.
    Idle,
    /// An epoch is being built.
    Indexing,
    /// The last attempt failed and will be retried.
    Failed,
}

/// The progress of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct StageProgress {
    /// The stage's name.
    pub name: Arc<str>,
    /// Items received.
    pub items_in: u64,
    /// Items processed.
    pub items_out: u64,
    /// Busy time of all threads, in milliseconds.
    pub busy_ms: f64,
    /// Bytes queued for the stage.
    pub queue_bytes: u64,
}

/// Tracks a watched job: written by the thread that indexes, read by requests.
pub(super) struct ProgressTracker {
    meters: Arc<Meters>,
    current: Mutex<Current>,
}

#[derive(Clone)]
struct Current {
    state: IndexingState,
    since_ms: u64,
    last_error: Option<String>,
}

impl ProgressTracker {
    pub(super) fn new(meters: Arc<Meters>) -> Self {
        let current = Current { state: IndexingState::Idle, since_ms: now_ms(), last_error: None };
        Self { meters, current: Mutex::new(current) }
    }

    /// Enters a state. A repeated failure for the same reason keeps its time.
    pub(super) fn enter(&self, state: IndexingState, last_error: Option<&str>) {
        let mut current = self.current.lock();
        if (current.state, current.last_error.as_deref()) != (state, last_error) {
            *current = Current { state, since_ms: now_ms(), last_error: last_error.map(ToOwned::to_owned) };
        }
    }

    pub(super) fn state(&self) -> IndexingState {
        self.current.lock().state
    }

    /// Why the last attempt failed, if it did.
    pub(super) fn last_error(&self) -> Option<String> {
        self.current.lock().last_error.clone()
    }

    pub(super) fn report(&self) -> IndexingProgress {
        let Current { state, since_ms, last_error } = self.current.lock().clone();
        let stages = self.meters.stages().iter().map(|meter| {
            let (done, _, queued) = meter.progress();
            StageProgress {
                name: Arc::clone(&meter.name),
                items_in: done + queued,
                items_out: done,
                busy_ms: meter.report().busy_ms,
                queue_bytes: meter.queued_bytes(),
            }
        });
        let stages: Vec<StageProgress> = stages.collect();
        let total = Some(self.meters.contents.load(Ordering::Relaxed)).filter(|total| *total > 0);
        // The first stage processes every content once.
        let done = stages.first().map(|first| first.items_out);
        IndexingProgress { state, since_ms, last_error, contents_total: total, contents_done: total.and(done), stages }
    }
}

/// Milliseconds since the Unix epoch.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}
