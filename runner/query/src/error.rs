//! How a tool fails.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of failure it is. The words are stable: programs may go by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request is malformed, or a value is out of its range.
    BadInput,
    /// There is no tool of that name.
    UnknownTool,
    /// There is no job of that name that the caller may ask.
    UnknownJob,
    /// The caller gave no token, or one that opens nothing.
    Unauthorised,
    /// The request comes from a page of another site.
    Forbidden,
    /// What was named is not in the index.
    NotFound,
    /// The index lacks what the question needs.
    Lacking,
    /// The time that the caller gave is over.
    Deadline,
    /// The caller went away.
    Cancelled,
    /// Too many requests at once.
    Busy,
    /// The request is larger than is taken.
    TooLarge,
    /// There is no index, or no such epoch of it.
    NoEpoch,
    /// The index cannot be read as it should.
    Unreadable,
    /// A fault of this program.
    Internal,
}

/// Why a tool gave no answer.
///
/// `message` and `help` are for the caller, who may sit at another machine: they name what the
/// request says and what the index holds. What may name a path, a host or a process of this
/// machine goes into the [`detail`](Self::detail), which is never serialised: a server logs it,
/// a command prints it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize, JsonSchema)]
#[error("{message}")]
pub struct ToolError {
    /// What kind of failure it is.
    pub code: ErrorCode,
    /// What failed, and where.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    #[serde(skip)]
    detail: Option<String>,
}

impl ToolError {
    /// An error of this kind.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None, detail: None }
    }

    /// The input is wrong.
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadInput, message)
    }

    /// Something could not be read; `cause` is the detail. The message is a literal, so that
    /// nothing of the cause gets into it.
    pub fn unreadable(message: &'static str, cause: &dyn std::fmt::Display) -> Self {
        Self::new(ErrorCode::Unreadable, message).with_detail(cause)
    }

    /// This program failed; `cause` is the detail. The message is a literal, so that nothing of
    /// the cause gets into it.
    pub fn internal(message: &'static str, cause: &dyn std::fmt::Display) -> Self {
        Self::new(ErrorCode::Internal, message).with_detail(cause)
    }

    /// What the caller can do about it.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Adds the cause, which may name places of this machine.
    #[must_use]
    pub fn with_detail(self, detail: impl std::fmt::Display) -> Self {
        Self { detail: Some(detail.to_string()), ..self }
    }

    /// The cause, for logs and for callers on this machine.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// The message with its detail, for logs and for callers on this machine.
    #[must_use]
    pub fn full_message(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{}: {detail}", self.message),
            None => self.message.clone(),
        }
    }

    /// The error without its detail. If it had one, or is no fault of the caller, the message
    /// names the request by which the server's log has the detail.
    #[must_use]
    pub fn into_public(self, request: &str) -> Self {
        let Self { code, mut message, help, detail } = self;
        if detail.is_some() || matches!(code, ErrorCode::Unreadable | ErrorCode::Internal) {
            message = format!("{message}; see request {request} in the server log");
        }
        Self { code, message, help, detail: None }
    }
}

impl ErrorCode {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadInput => "bad_input",
            Self::UnknownTool => "unknown_tool",
            Self::UnknownJob => "unknown_job",
            Self::Unauthorised => "unauthorised",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Lacking => "lacking",
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
