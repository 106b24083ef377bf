//! Questions over HTTP.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State as Shared};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response as HttpResponse};
use serde_json::Value;

use super::access::Caller;
use super::body;
use super::problem::{Problem, status};
use super::schemas::{ToolDescription, tools};
use super::state::State;
use gristmill_query::{AnswerOrError, Place, Request, Response, ToolCall, ToolError};

/// `POST /v1/ask`: any number of calls at once.
pub(super) async fn ask(
    Shared(state): Shared<Arc<State>>,
    caller: Caller,
    body: Body,
) -> Result<Json<Response>, Problem> {
    let request: Request = body::json(body, &state.limits, "a request").await?;
    Ok(Json(caller.desk().ask(request, &caller.request).await?))
}

/// `POST /v1/tools/{tool}`: one call. If it fails, so does the answer as a whole.
pub(super) async fn ask_one(
    Shared(state): Shared<Arc<State>>,
    caller: Caller,
    Path(tool): Path<String>,
    uri: Uri,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let place = place_of(&uri)?;
    let input: Value = body::json(body, &state.limits, "an input").await?;
    let request = Request { calls: vec![ToolCall { tool, input }], place };
    let response = caller.desk().ask(request, &caller.request).await?;
    let status = match response.answers.first().map(|outcome| &outcome.result) {
        Some(AnswerOrError::Error(error)) => status(error.code),
        _ => StatusCode::OK,
    };
    Ok((status, Json(response)).into_response())
}

/// `GET /v1/tools`: what there is to ask.
pub(super) async fn list() -> Json<&'static [ToolDescription]> {
    Json(tools())
}

/// What a URL may say of the place.
const PLACE_KEYS: [&str; 4] = ["job", "epoch", "ref", "deadline_ms"];

fn place_of(uri: &Uri) -> Result<Place, ToolError> {
    query_of::<Vec<(String, String)>>(uri)?.iter().try_for_each(|(key, _)| {
        if PLACE_KEYS.contains(&key.as_str()) {
            return Ok(());
        }
        Err(ToolError::bad_input("the URL has a parameter that is not known")
            .help(format!("it takes {}", PLACE_KEYS.join(", "))))
    })?;
    query_of(uri)
}

/// What the URL's query says.
///
/// # Errors
/// If it is malformed.
pub(super) fn query_of<T: serde::de::DeserializeOwned>(uri: &Uri) -> Result<T, ToolError> {
    let Query(query) = Query::try_from_uri(uri)
        .map_err(|error| ToolError::bad_input(format!("the URL's parameters cannot be used: {}", error.body_text())))?;
    Ok(query)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(query: &str) -> Result<Place, ToolError> {
        place_of(&format!("/v1/tools/search{query}").parse().unwrap())
    }

    #[test]
    fn a_url_says_the_place() {
        let all = place("?job=a%20b&epoch=7&ref=main&deadline_ms=50").unwrap();
        let wanted =
            Place { job: Some("a b".into()), epoch: Some(7), of_ref: Some("main".into()), deadline_ms: Some(50) };
        assert_eq!(all, wanted);
        assert_eq!(place("").unwrap(), Place::default());
        for bad in ["?epoch=x", "?epoch=-1", "?refs=main", "?epoch=1&epoch=2"] {
            assert!(place(bad).is_err(), "{bad}");
        }
    }
}
