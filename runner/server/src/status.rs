//! The jobs of a tenant and the status of their indexes.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use gristmill_pipeline::Epoch;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::Caller;
use super::problem::{Problem, unknown_route};
use super::served::{Served, Status};
use super::served_indexes::ServedIndexes;
use super::url_query;
use gristmill_query::{Coverage, QueriedIndex, ToolError};

/// A job that the caller may query.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct JobSummary {
    /// Its name.
    name: Arc<str>,
    /// The epoch that is served.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<Epoch>,
    /// The source revision of the epoch, if the source has revisions.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
    /// The branches and tags of the epoch, if the job indexes several.
    refs: Vec<String>,
    /// When the epoch was committed, in milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    committed_ms: Option<u64>,
    /// What the epoch holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<Coverage>,
}

impl JobSummary {
    fn of(index: &QueriedIndex) -> Self {
        let name = Arc::clone(index.name());
        let Some(open) = index.current_if_open() else {
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

/// `GET /v1/status`: the status of one index.
pub(super) async fn status(
    State(indexes): State<ServedIndexes>,
    caller: Caller,
    uri: Uri,
) -> Result<Json<Status>, Problem> {
    let served = served_of(&indexes, &caller, &uri)?;
    Ok(Json(served.status(caller.desk().runner().load())))
}

/// The query parameters of routes about one job.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfJob {
    job: Option<String>,
}

/// The index of the job that the URL names; it may be left out where the caller has one job.
///
/// # Errors
/// If the caller has no such job.
pub(super) fn served_of<'a>(
    indexes: &'a ServedIndexes,
    caller: &Caller,
    uri: &Uri,
) -> Result<&'a Arc<Served>, ToolError> {
    let OfJob { job } = url_query::parse(uri)?;
    let index = caller.desk().runner().index(job.as_deref())?;
    // Never fails: every index of a tenant's runner is served.
    indexes.get(index.name()).ok_or_else(unknown_route)
}
