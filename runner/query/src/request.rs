//! Requests and answers, as every surface carries them.

use gristmill_pipeline::Epoch;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::ToolError;

/// Calls of tools, all about the same epoch. They run at once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The calls; at most 32.
    pub calls: Vec<ToolCall>,
    /// What is asked of which index.
    #[serde(flatten)]
    pub place: Place,
}

/// Which index to ask, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Place {
    /// The job whose index to ask; needed where the server has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// An older epoch that is still kept, instead of the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
    /// The branch or tag to ask, where the index holds several; its first if left out.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub of_ref: Option<String>,
    /// How long the answer may take, in milliseconds, from 1 to 600,000; 30,000 if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    /// The tool's name.
    pub tool: String,
    /// What to ask it; its schema is the tool's.
    #[serde(default)]
    pub input: Value,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Response {
    /// Names the request in the server's log.
    pub request: String,
    /// The epoch that every answer is about.
    pub epoch: Epoch,
    /// The revision that the epoch holds, where its source has revisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// When the epoch was committed, in milliseconds since 1970.
    pub committed_ms: u64,
    /// How much of the source the epoch holds.
    pub coverage: Coverage,
    /// For each call, in its order, what came of it.
    pub answers: Vec<Outcome>,
}

/// How much of the source an epoch holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// Files of the source.
    pub files: u64,
    /// Chunks of them.
    pub chunks: u64,
    /// Chunks with a vector.
    pub vectors: u64,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The tool.
    pub tool: String,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// What the caller should know about the answer, such as that it fell back to words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// The answer, or why there is none.
    #[serde(flatten)]
    pub result: AnswerOrError,
}

/// The answer, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnswerOrError {
    /// The tool's answer.
    Answer(Value),
    /// Why there is none.
    Error(ToolError),
}

/// Something that the caller should know about an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// A stable word, such as `words_only`.
    pub code: String,
    /// What it means for the answer. Names nothing of the machine that answers.
    pub message: String,
    #[serde(skip)]
    detail: Option<String>,
}

impl Note {
    /// A note without detail.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), detail: None }
    }

    /// Adds the cause, which may name places of this machine. It is never serialised.
    #[must_use]
    pub fn with_detail(self, detail: Option<&str>) -> Self {
        Self { detail: detail.map(ToOwned::to_owned), ..self }
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

    /// The note without its detail. If it had one, the message names the request by which the
    /// server's log has it.
    #[must_use]
    pub fn into_public(self, request: &str) -> Self {
        let Self { code, mut message, detail } = self;
        if detail.is_some() {
            message = format!("{message}; see request {request} in the server log");
        }
        Self { code, message, detail: None }
    }
}
