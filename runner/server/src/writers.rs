//! Requests to index, of tenants that may make them.

use std::sync::Arc;
use std::time::Duration;

use gristmill_indexing::{Indexed, RequestError, Task, Ticket};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::progress::IndexingProgress;
use super::served::Served;
use gristmill_query::{ErrorCode, ToolError};

/// How long a request to index waits for its end, if it does not say.
const DEFAULT_WAIT_MS: u64 = 25_000;

/// The longest that it may wait.
pub(super) const MAX_WAIT_MS: u64 = 600_000;

/// The indexes that a tenant may write. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Writers(Arc<[Arc<Served>]>);

/// A request to index.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct IndexInput {
    /// What to do: `update` indexes all changes of the source, `rebuild` builds the index from nothing, `clear` deletes
    /// all that it holds.
    pub(super) task: Task,
    /// How long to wait for the end, in milliseconds, between 0 and 600,000; default: 25,000. What is not done then goes
    /// on. It is abandoned if all who asked for it leave before.
    #[schemars(range(max = 600_000))]
    pub(super) wait_ms: Option<u64>,
}

/// How far a request to index is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum IndexState {
    /// It is done.
    Done,
    /// It is being done, and goes on.
    Running,
    /// It waits for its turn.
    Queued,
}

/// The answer to a request to index.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct IndexAnswer {
    /// The request's id in the server log.
    pub(super) request: String,
    /// The job.
    pub(super) job: Arc<str>,
    /// What was asked for.
    pub(super) task: Task,
    /// How far it is.
    pub(super) state: IndexState,
    /// What was done, once it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) done: Option<Indexed>,
    /// What goes on, until it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) progress: Option<IndexingProgress>,
}

impl Writers {
    /// Those of these indexes.
    pub(super) fn new(served: Vec<Arc<Served>>) -> Self {
        Self(served.into())
    }

    /// Whether there are any.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes a request for the index of this job. Dropping the future takes it back.
    ///
    /// # Errors
    /// If the tenant may not write this index, too many requests wait, or it fails.
    pub(super) async fn ask(&self, job: &str, input: IndexInput, request: &str) -> Result<IndexAnswer, ToolError> {
        let served = self.of(job)?;
        let IndexInput { task, wait_ms } = input;
        let wait = match wait_ms.unwrap_or(DEFAULT_WAIT_MS) {
            ms @ 0..=MAX_WAIT_MS => Duration::from_millis(ms),
            ms => return Err(ToolError::bad_input(format!("`wait_ms` must be at most {MAX_WAIT_MS}, got {ms}"))),
        };
        let mut ticket = served.indexing().ask(task, wait).map_err(refused)?;
        tracing::info!(job = %job, request, ?task, "asked to index");
        let answer = |state, done, progress| IndexAnswer {
            request: request.to_owned(),
            job: Arc::clone(served.index().name()),
            task,
            state,
            done,
            progress,
        };
        if wait.is_zero() {
            return Ok(answer(left(ticket), None, Some(served.tracker().report())));
        }
        match tokio::time::timeout(wait, ticket.done()).await {
            Ok(done) => Ok(answer(IndexState::Done, Some(done.map_err(refused)?), None)),
            Err(_) => Ok(answer(left(ticket), None, Some(served.tracker().report()))),
        }
    }

    /// The index of a job.
    ///
    /// # Errors
    /// [`ErrorCode::Forbidden`] if the tenant may not write it.
    pub(super) fn of(&self, job: &str) -> Result<&Arc<Served>, ToolError> {
        let found = self.0.iter().find(|served| **served.index().name() == *job);
        found.ok_or_else(|| {
            ToolError::new(ErrorCode::Forbidden, "this token may not index")
                .help("allow it with `may_index = true` under `[[tenant]]` in the server settings")
        })
    }
}

/// Leaves a request to be done. Returns how far it is.
fn left(ticket: Ticket) -> IndexState {
    let state = if ticket.is_running() { IndexState::Running } else { IndexState::Queued };
    ticket.detach();
    state
}

fn refused(error: RequestError) -> ToolError {
    let message = error.to_string();
    match error {
        RequestError::Full => ToolError::new(ErrorCode::Busy, message),
        RequestError::Locked { .. } => ToolError::new(ErrorCode::Busy, message).help("raise `wait_ms`"),
        RequestError::Cancelled | RequestError::Stopped => ToolError::new(ErrorCode::Cancelled, message),
        RequestError::Failed { message, .. } => {
            ToolError::internal("indexing failed, the previous epoch stays", &message)
        }
    }
}
