//! How far the indexing of a watched job is.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use gristmill_pipeline::Meters;
use schemars::JsonSchema;
use serde::Serialize;

/// What a watched job is doing.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Indexing {
    /// What it is doing.
    pub state: IndexingState,
    /// Since when, in milliseconds since 1970.
    pub since_ms: u64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The stages of the job, in the graph's order, with what they did of this epoch.
    pub stages: Vec<StageState>,
    /// Contents that this epoch has to analyse, as far as known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents_total: Option<u64>,
    /// How many of them are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents_done: Option<u64>,
}

/// What a watched job may be doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IndexingState {
    /// The index is up to date; it waits for a change.
    Idle,
    /// An epoch is being made.
    Indexing,
    /// The last epoch could not be made; it is tried again.
    Failed,
}

/// What a stage did.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct StageState {
    /// Its name.
    pub name: Arc<str>,
    /// Items that came to it.
    pub items_in: u64,
    /// Items that it has dealt with.
    pub items_out: u64,
    /// Time that its threads spent in it, in milliseconds.
    pub busy_ms: f64,
    /// Bytes that wait for it.
    pub queue_bytes: u64,
}

/// What a watched job is doing, as the thread that does it says.
pub(super) struct Doing {
    meters: Arc<Meters>,
    now: Mutex<(IndexingState, u64, Option<String>)>,
}

impl Doing {
    pub(super) fn new(meters: Arc<Meters>) -> Self {
        Self { meters, now: Mutex::new((IndexingState::Idle, now_ms(), None)) }
    }

    pub(super) fn meters(&self) -> &Arc<Meters> {
        &self.meters
    }

    /// Says what is being done from now on. To go on failing for the same reason is nothing
    /// new.
    pub(super) fn set(&self, state: IndexingState, message: Option<&str>) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if (now.0, now.2.as_deref()) != (state, message) {
            *now = (state, now_ms(), message.map(ToOwned::to_owned));
        }
    }

    pub(super) fn state(&self) -> IndexingState {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Why the last epoch could not be made, if it could not.
    pub(super) fn trouble(&self) -> Option<String> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).2.clone()
    }

    pub(super) fn report(&self) -> Indexing {
        let (state, since_ms, message) = self.now.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let stages = self.meters.stages().iter().map(|meter| {
            let (done, _, queued) = meter.progress();
            StageState {
                name: Arc::clone(&meter.name),
                items_in: done + queued,
                items_out: done,
                busy_ms: meter.report().busy_ms,
                queue_bytes: meter.queued_bytes(),
            }
        });
        let stages: Vec<StageState> = stages.collect();
        let total = Some(self.meters.contents.load(Ordering::Relaxed)).filter(|total| *total > 0);
        // The first stage takes every content once.
        let done = stages.first().map(|first| first.items_out);
        Indexing { state, since_ms, message, contents_total: total, contents_done: total.and(done), stages }
    }
}

/// Milliseconds since 1970.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}
