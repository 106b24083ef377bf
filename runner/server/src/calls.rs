//! Tool calls over HTTP.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response as HttpResponse};
use serde_json::Value;

use super::access::Caller;
use super::body::{self, BodyLimits};
use super::problem::{Problem, status};
use super::url_query;
use super::writers::{IndexInput, IndexState};
use gristmill_query::{AnswerOrError, Request, RequestOptions, Response, ToolCall, ToolError, quote};

/// `POST /v1/ask`: several tool calls on one epoch.
pub(super) async fn ask(
    State(limits): State<BodyLimits>,
    caller: Caller,
    body: Body,
) -> Result<Json<Response>, Problem> {
    let request: Request = body::json(body, limits, "a request").await?;
    Ok(Json(caller.desk().ask(request, &caller.ids).await?))
}

/// `POST /v1/tools/{tool}`: one tool call. If it fails, the response has the status of its error.
pub(super) async fn ask_one(
    State(limits): State<BodyLimits>,
    caller: Caller,
    Path(tool): Path<String>,
    uri: Uri,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let options = options_of(&uri)?;
    let input: Value = body::json(body, limits, "the tool's input").await?;
    let request = Request { calls: vec![ToolCall { tool, input }], options };
    let response = caller.desk().ask(request, &caller.ids).await?;
    let status = match response.answers.first().map(|outcome| &outcome.result) {
        Some(AnswerOrError::Error(error)) => status(error.code),
        _ => StatusCode::OK,
    };
    Ok((status, Json(response)).into_response())
}

/// `POST /v1/jobs/{job}/run`: a request to index. Its status is 202 while it is not done.
pub(super) async fn run(
    State(limits): State<BodyLimits>,
    caller: Caller,
    Path(job): Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let input: IndexInput = body::json_or_default(body, limits, "a request to index").await?;
    let answer = caller.desk().index(Some(&job), input, &caller.ids).await?;
    let status = if answer.state == IndexState::Done { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(answer)).into_response())
}

/// `GET /v1/tools`: the tools with their schemas.
pub(super) async fn list(caller: Caller) -> HttpResponse {
    Json(caller.desk().tools().as_slice()).into_response()
}

/// The query parameters of [`ask_one`].
const OPTION_KEYS: [&str; 4] = ["job", "epoch", "ref", "deadline_ms"];

fn options_of(uri: &Uri) -> Result<RequestOptions, ToolError> {
    url_query::parse::<Vec<(String, String)>>(uri)?.iter().try_for_each(|(key, _)| {
        if OPTION_KEYS.contains(&key.as_str()) {
            return Ok(());
        }
        Err(ToolError::bad_input(format!("unknown query parameter {}", quote(key)))
            .help(format!("this route accepts {}", OPTION_KEYS.join(", "))))
    })?;
    url_query::parse(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(query: &str) -> Result<RequestOptions, ToolError> {
        options_of(&format!("/v1/tools/search{query}").parse().unwrap())
    }

    #[test]
    fn options_are_parsed_from_urls() {
        let all = options("?job=a%20b&epoch=7&ref=main&deadline_ms=50").unwrap();
        let wanted = RequestOptions {
            job: Some("a b".into()),
            epoch: Some(gristmill_pipeline::Epoch::new(7)),
            ref_name: Some("main".into()),
            deadline_ms: Some(50),
        };
        assert_eq!(all, wanted);
        assert_eq!(options("").unwrap(), RequestOptions::default());
        for bad in ["?epoch=x", "?epoch=-1", "?refs=main", "?epoch=1&epoch=2"] {
            assert!(options(bad).is_err(), "{bad}");
        }
    }
}
