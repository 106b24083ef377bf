//! Error responses: the same JSON for every failure.

use axum::Json;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use gristmill_query::{ErrorCode, ToolError};

/// An error response.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Problem {
    /// What went wrong.
    error: ToolError,
}

impl Problem {
    /// The response for an error. Its detail, if it has one, is not part of the response.
    pub(super) fn new(error: ToolError) -> Self {
        Self { error }
    }
}

/// The error of a response: for the log.
#[derive(Clone, Copy)]
pub(super) struct Failed(pub(super) ErrorCode);

impl From<ToolError> for Problem {
    fn from(error: ToolError) -> Self {
        Self::new(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (code, wait) = (self.error.code, self.error.wait());
        let mut response = (status(code), Json(self)).into_response();
        response.extensions_mut().insert(Failed(code));
        match code {
            ErrorCode::Unauthorised => {
                response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            ErrorCode::Busy => {
                // Whole seconds, and not at once.
                let seconds = wait.unwrap_or_default().as_secs_f64().ceil().max(1.0) as u64;
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
            _ => {}
        }
        response
    }
}

/// The HTTP status of an error code.
pub(super) fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::BadInput => StatusCode::BAD_REQUEST,
        ErrorCode::Unauthorised => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden => StatusCode::FORBIDDEN,
        ErrorCode::UnknownTool | ErrorCode::UnknownJob | ErrorCode::NotFound | ErrorCode::NoEpoch => {
            StatusCode::NOT_FOUND
        }
        ErrorCode::MissingCapability => StatusCode::CONFLICT,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        // Not standardised: nginx's "client closed request".
        ErrorCode::Cancelled => StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
        ErrorCode::Busy => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Deadline => StatusCode::GATEWAY_TIMEOUT,
        ErrorCode::Unreadable | ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Replaces error responses of the libraries, such as that of an unsupported method, by ours.
pub(super) fn normalise(response: Response) -> Response {
    let status = response.status();
    let is_json =
        response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if is_json || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let error = match status {
        StatusCode::NOT_FOUND => unknown_route(),
        StatusCode::METHOD_NOT_ALLOWED => {
            let allow = response.headers().get(ALLOW).and_then(|allow| allow.to_str().ok());
            ToolError::bad_input("method not allowed").help(match allow {
                Some(allow) => format!("this route accepts {allow}"),
                None => ROUTES_HELP.to_owned(),
            })
        }
        StatusCode::NOT_ACCEPTABLE => ToolError::bad_input("none of the media types in the Accept header is available")
            .help("send `accept: application/json, text/event-stream`"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ToolError::bad_input("unsupported media type of the request body")
            .help("send `content-type: application/json`"),
        StatusCode::PAYLOAD_TOO_LARGE => ToolError::new(ErrorCode::TooLarge, "the request body is too large"),
        StatusCode::FORBIDDEN => ToolError::new(ErrorCode::Forbidden, "forbidden"),
        _ if status.is_client_error() => ToolError::bad_input("malformed request"),
        _ => ToolError::new(ErrorCode::Internal, "internal error"),
    };
    let mut ours = (status, Json(Problem::new(error))).into_response();
    if let Some(allow) = response.headers().get(ALLOW) {
        ours.headers_mut().insert(ALLOW, allow.clone());
    }
    ours
}

/// The error of a route that does not exist.
pub(super) fn unknown_route() -> ToolError {
    ToolError::new(ErrorCode::NotFound, "unknown route").help(ROUTES_HELP)
}

const ROUTES_HELP: &str = "GET /openapi.json describes all routes";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn library_errors_become_json() {
        let plain = (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "POST")], "no").into_response();
        let ours = normalise(plain);
        assert_eq!(ours.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(ours.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(ours.headers()[ALLOW], "POST");
        let page = normalise((StatusCode::OK, "page").into_response());
        assert!(page.headers()[CONTENT_TYPE].as_bytes().starts_with(b"text/plain"));
    }

    #[test]
    fn unauthorised_responses_name_the_scheme() {
        let response = Problem::new(ToolError::new(ErrorCode::Unauthorised, "no")).into_response();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
    }
}
