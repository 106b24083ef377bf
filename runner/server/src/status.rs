//! What the indexes are like.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::Uri;
use gristmill_pipeline::Epoch;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::Caller;
use super::calls::query_of;
use super::problem::{Problem, no_route};
use super::served::{Served, Status};
use super::state::State;
use gristmill_query::{Coverage, QueriedIndex, ToolError};

/// A job that the caller may ask.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct JobSummary {
    /// Its name.
    name: Arc<str>,
    /// The epoch that answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<Epoch>,
    /// The revision that it holds, where the source has revisions.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
    /// The branches and tags that it holds, where it holds several.
    refs: Vec<String>,
    /// When it was committed, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    committed_ms: Option<u64>,
    /// How much of the source it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<Coverage>,
}

impl JobSummary {
    fn of(index: &QueriedIndex) -> Self {
        let name = Arc::clone(index.name());
        let Some(open) = index.open_now() else {
            return Self { name, epoch: None, revision: None, refs: Vec::new(), committed_ms: None, coverage: None };
        };
        let record = open.record();
        Self {
            name,
            epoch: Some(record.epoch),
            revision: record.revision.as_deref().map(ToOwned::to_owned),
            refs: record.refs.iter().map(|held| held.name.to_string()).collect(),
            committed_ms: Some(record.committed_ms),
            coverage: Some(open.coverage()),
        }
    }
}

/// `GET /v1/jobs`: the jobs of the caller.
pub(super) async fn jobs(caller: Caller) -> Json<Vec<JobSummary>> {
    Json(caller.desk().runner().indexes().map(|index| JobSummary::of(index)).collect())
}

/// `GET /v1/status`: one of them in detail.
pub(super) async fn status(
    Shared(state): Shared<Arc<State>>,
    caller: Caller,
    uri: Uri,
) -> Result<Json<Status>, Problem> {
    let served = served_of(&state, &caller, &uri)?;
    Ok(Json(served.status(caller.desk().runner().load())))
}

/// Which job a URL names.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfJob {
    job: Option<String>,
}

/// What is served of the job that the URL names.
///
/// # Errors
/// If the caller has no such job.
pub(super) fn served_of<'a>(state: &'a State, caller: &Caller, uri: &Uri) -> Result<&'a Arc<Served>, ToolError> {
    let OfJob { job } = query_of(uri)?;
    let index = caller.desk().runner().index(job.as_deref())?;
    // Whatever a runner has is served.
    state.served(index.name()).ok_or_else(no_route)
}
