//! What is asked of the writer of an index, and what it answers.

use gristmill_pipeline::Epoch;
use gristmill_pipeline::index::Cleared;
use gristmill_pipeline::run::{Changes, Ending, RunReport};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked of the writer of an index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Index all changes of the source.
    #[default]
    Update,
    /// Build the index from nothing.
    Rebuild,
    /// Delete all that the index holds.
    Clear,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IndexedEnding {
    /// A new epoch was committed.
    Committed,
    /// Nothing had changed: the newest epoch holds it.
    Unchanged,
    /// The index is empty.
    Cleared,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Indexed {
    /// How it ended.
    pub ending: IndexedEnding,
    /// The epoch that holds what was asked for; null after a clear.
    pub epoch: Option<Epoch>,
    /// The revision of the source, if it has revisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Box<str>>,
    /// Files of the source.
    pub files: u64,
    /// What changed since the epoch before.
    pub changes: Changes,
    /// Files that could not be indexed.
    pub quarantined: u64,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// Something that the user should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
}

impl From<&RunReport> for Indexed {
    fn from(report: &RunReport) -> Self {
        Self {
            ending: match report.ending {
                Ending::Committed => IndexedEnding::Committed,
                Ending::Unchanged => IndexedEnding::Unchanged,
            },
            epoch: Some(report.epoch),
            revision: report.revision.clone(),
            files: report.scan.files,
            changes: report.changes,
            quarantined: report.quarantined.len() as u64,
            took_ms: report.time.wall_ms,
            notice: report.notice.clone(),
        }
    }
}

impl Indexed {
    pub(crate) fn cleared(cleared: Cleared, took_ms: f64) -> Self {
        let notice = (cleared.last_epoch == Epoch::NONE).then(|| "there was no epoch".to_owned());
        Self {
            ending: IndexedEnding::Cleared,
            epoch: None,
            revision: None,
            files: 0,
            changes: Changes::default(),
            quarantined: 0,
            took_ms,
            notice,
        }
    }
}
