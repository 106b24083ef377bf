//! Errors as answers: always the same JSON, whatever went wrong.

use axum::Json;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use gristmill_query::{ErrorCode, ToolError};

/// An answer that is an error.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Problem {
    /// What went wrong.
    error: ToolError,
}

impl Problem {
    /// An error as a caller may see it.
    pub(super) fn new(error: ToolError) -> Self {
        Self { error }
    }
}

impl From<ToolError> for Problem {
    fn from(error: ToolError) -> Self {
        Self::new(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let code = self.error.code;
        let mut response = (status(code), Json(self)).into_response();
        match code {
            ErrorCode::Unauthorised => {
                response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            ErrorCode::Busy => {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

/// The HTTP status of a kind of failure.
pub(super) fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::BadInput => StatusCode::BAD_REQUEST,
        ErrorCode::Unauthorised => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden => StatusCode::FORBIDDEN,
        ErrorCode::UnknownTool | ErrorCode::UnknownJob | ErrorCode::NotFound | ErrorCode::NoEpoch => {
            StatusCode::NOT_FOUND
        }
        ErrorCode::Lacking => StatusCode::CONFLICT,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        // Not of the standard, but what servers have agreed on.
        ErrorCode::Cancelled => StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
        ErrorCode::Busy => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Deadline => StatusCode::GATEWAY_TIMEOUT,
        ErrorCode::Unreadable | ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Gives an error that something else answered with, such as that a route does not take a
/// method, the form of ours.
pub(super) fn in_our_form(response: Response) -> Response {
    let status = response.status();
    let is_json =
        response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if is_json || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let error = match status {
        StatusCode::NOT_FOUND => no_route(),
        StatusCode::METHOD_NOT_ALLOWED => ToolError::bad_input("this route does not take that method"),
        StatusCode::NOT_ACCEPTABLE => {
            ToolError::bad_input("the answer comes in a form that the request does not accept")
                .help("send `accept: application/json, text/event-stream`")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ToolError::bad_input("the body is not of a kind that this route takes")
            .help("send `content-type: application/json`"),
        StatusCode::PAYLOAD_TOO_LARGE => ToolError::new(ErrorCode::TooLarge, "the body is larger than is taken"),
        StatusCode::FORBIDDEN => ToolError::new(ErrorCode::Forbidden, "the request is refused"),
        _ if status.is_client_error() => ToolError::bad_input("the request is malformed"),
        _ => ToolError::new(ErrorCode::Internal, "the server failed"),
    };
    let mut ours = (status, Json(Problem::new(error))).into_response();
    if let Some(allow) = response.headers().get(ALLOW) {
        ours.headers_mut().insert(ALLOW, allow.clone());
    }
    ours
}

/// There is no such route.
pub(super) fn no_route() -> ToolError {
    ToolError::new(ErrorCode::NotFound, "there is no such route").help("GET /openapi.json lists the routes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_becomes_it() {
        let plain = (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "POST")], "no").into_response();
        let ours = in_our_form(plain);
        assert_eq!(ours.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(ours.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(ours.headers()[ALLOW], "POST");
        let page = in_our_form((StatusCode::OK, "page").into_response());
        assert!(page.headers()[CONTENT_TYPE].as_bytes().starts_with(b"text/plain"));
    }

    #[test]
    fn who_has_no_token_is_told_how() {
        let response = Problem::new(ToolError::new(ErrorCode::Unauthorised, "no")).into_response();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
    }
}
