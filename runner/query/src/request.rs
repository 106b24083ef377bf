//! Requests and responses, as HTTP, MCP and Rust callers exchange them.

use gristmill_pipeline::Epoch;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::ToolError;

/// Tool calls that run concurrently on one epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The calls, at most 32.
    pub calls: Vec<ToolCall>,
    /// Which index to query, and the deadline.
    #[serde(flatten)]
    pub options: RequestOptions,
}

/// Which index and epoch to query, and the deadline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RequestOptions {
    /// The job to query; required if the server has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// A retained older epoch; default: the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
    /// The branch or tag to query, if the job indexes several; default: the first.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub ref_name: Option<String>,
    /// The deadline in milliseconds, between 1 and 600,000; default: 30,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
}

/// One tool call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    /// The tool's name.
    pub tool: String,
    /// The tool's input.
    #[serde(default)]
    pub input: Value,
}

/// The response to a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Response {
    /// The id of the request in the server log.
    pub request: String,
    /// In which context it was answered.
    #[serde(default)]
    pub context: AnswerContext,
    /// The epoch from which all answers come.
    pub epoch: Epoch,
    /// The indexed revision, if the source is a git repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// When the epoch was committed, in milliseconds since the Unix epoch.
    pub committed_ms: u64,
    /// The size of the epoch.
    pub coverage: Coverage,
    /// The outcome of each call, in the order of the calls.
    pub answers: Vec<Outcome>,
}

/// The context in which a request was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AnswerContext {
    /// The tenant whose token it came with.
    pub tenant: String,
    /// The user for whom it was made, if the caller named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The W3C `traceparent` of the caller, if it sent one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The time that it had, in milliseconds.
    pub deadline_ms: u64,
}

/// The size of an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// Files.
    pub files: u64,
    /// Chunks.
    pub chunks: u64,
    /// Chunks with a vector.
    pub vectors: u64,
}

/// The outcome of one call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The tool.
    pub tool: String,
    /// The duration of the call, in milliseconds.
    pub took_ms: f64,
    /// Notes about the answer, for example that search fell back to lexical scores.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<AnswerNote>,
    /// The answer or the error.
    #[serde(flatten)]
    pub result: AnswerOrError,
}

/// An answer or an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnswerOrError {
    /// The tool's answer.
    Answer(Value),
    /// The error.
    Error(ToolError),
}

/// A note about an answer, such as a fallback or a correction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AnswerNote {
    /// A stable name, such as `lexical_only`.
    pub code: String,
    /// What it means for the answer. It never names paths of the server.
    pub message: String,
    #[serde(skip)]
    detail: Option<String>,
}

impl AnswerNote {
    /// Creates a note without detail.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), detail: None }
    }

    /// Sets the detail, which may name paths of this machine. It is never serialised.
    #[must_use]
    pub fn with_detail(self, detail: Option<&str>) -> Self {
        Self { detail: detail.map(ToOwned::to_owned), ..self }
    }

    /// Returns the detail, for logs and for callers on this machine.
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

    /// Removes the detail. If there was one, the message gets the id of the request, under which
    /// the server logs it.
    #[must_use]
    pub fn into_public(self, request: &str) -> Self {
        let Self { code, mut message, detail } = self;
        if detail.is_some() {
            message = format!("{message}; see request {request} in the server log");
        }
        Self { code, message, detail: None }
    }
}
