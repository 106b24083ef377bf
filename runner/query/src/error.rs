//! Errors of tools.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kind of an error. The names are stable: programs may match on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request is malformed, or a value is out of range.
    BadInput,
    /// There is no tool of that name.
    UnknownTool,
    /// There is no job of that name, or the caller may not query it.
    UnknownJob,
    /// The bearer token is missing or unknown.
    Unauthorised,
    /// The request comes from a web origin that is not allowed.
    Forbidden,
    /// The index does not contain the named item.
    NotFound,
    /// The index or the job does not have what the tool needs, such as vectors.
    MissingCapability,
    /// The deadline passed.
    Deadline,
    /// The call was cancelled.
    Cancelled,
    /// So many calls wait that this one would start after its deadline.
    Busy,
    /// The request is too large.
    TooLarge,
    /// The index does not exist, or does not have the epoch.
    NoEpoch,
    /// The index or the source cannot be read.
    Unreadable,
    /// An internal error of this program.
    Internal,
}

/// The error of a tool call.
///
/// `message` and `help` are for the caller, who may be on another machine: they contain only what
/// the request and the index contain. Anything that may name a path, a host or a process of this
/// machine goes into the [`detail`](Self::detail), which is never serialised: a server logs it, a
/// command prints it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize, JsonSchema)]
#[error("{message}")]
pub struct ToolError {
    /// The kind of the error.
    pub code: ErrorCode,
    /// What is wrong, and where.
    pub message: String,
    /// How to fix it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    #[serde(skip)]
    detail: Option<String>,
    #[serde(skip)]
    retry_after: Option<Duration>,
}

impl ToolError {
    /// Creates an error without help and detail.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None, detail: None, retry_after: None }
    }

    /// Creates an error about invalid input.
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadInput, message)
    }

    /// Creates an error about something that cannot be read; `cause` is the detail. The message is
    /// a literal, so that the cause cannot get into it.
    pub fn unreadable(message: &'static str, cause: &dyn std::fmt::Display) -> Self {
        Self::new(ErrorCode::Unreadable, message).with_detail(cause)
    }

    /// Creates an internal error; `cause` is the detail. The message is a literal, so that the cause
    /// cannot get into it.
    pub fn internal(message: &'static str, cause: &dyn std::fmt::Display) -> Self {
        Self::new(ErrorCode::Internal, message).with_detail(cause)
    }

    /// Sets the help.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Sets the detail, which may name paths of this machine.
    #[must_use]
    pub fn with_detail(self, detail: impl std::fmt::Display) -> Self {
        Self { detail: Some(detail.to_string()), ..self }
    }

    /// Sets after what time it is worth to try again.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// Returns after what time it is worth to try again, where that is known.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns the cause, for logs and for callers on this machine.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// Returns the message with its detail, for logs and for callers on this machine.
    #[must_use]
    pub fn full_message(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{}: {detail}", self.message),
            None => self.message.clone(),
        }
    }

    /// Removes the detail. If there was one, or the caller is not at fault, the message gets the id
    /// of the request, under which the server logs the detail.
    #[must_use]
    pub fn into_public(self, request: &str) -> Self {
        let Self { code, mut message, help, detail, retry_after } = self;
        if detail.is_some() || matches!(code, ErrorCode::Unreadable | ErrorCode::Internal) {
            message = format!("{message}; see request {request} in the server log");
        }
        Self { code, message, help, detail: None, retry_after }
    }
}

impl ErrorCode {
    /// Returns the serialised name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadInput => "bad_input",
            Self::UnknownTool => "unknown_tool",
            Self::UnknownJob => "unknown_job",
            Self::Unauthorised => "unauthorised",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MissingCapability => "missing_capability",
            Self::Deadline => "deadline",
            Self::Cancelled => "cancelled",
            Self::Busy => "busy",
            Self::TooLarge => "too_large",
            Self::NoEpoch => "no_epoch",
            Self::Unreadable => "unreadable",
            Self::Internal => "internal",
        }
    }
}
