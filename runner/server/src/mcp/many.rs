//! `ask_many`: several calls in one, for clients that make one call at a time. They run concurrently, on one epoch.

use std::fmt::Write as _;
use std::sync::Arc;

use gristmill_query::{AnswerOrError, Outcome, Response, ToolCall, ToolError};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::desk::Desk;
use super::super::schemas::ToolDescriptions;
use super::{arguments, text};

pub(super) const ASK_MANY: &str = "ask_many";

const ABOUT: &str = "Call several tools at once, on the same epoch. Use it for questions that do not depend on each \
                     other's answers, such as a search and the definitions of two names: the calls run concurrently, and \
                     their answers come in the order of the calls. A call that fails does not affect the others.";

/// Calls of one request.
const MAX_CALLS: usize = 32;

/// The input of [`ASK_MANY`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskMany {
    calls: Vec<OneCall>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneCall {
    tool: String,
    #[serde(default)]
    arguments: JsonObject,
}

impl AskMany {
    /// Reads the input.
    ///
    /// # Errors
    /// If it has another form, or there is no call.
    pub(super) fn of(input: JsonObject) -> Result<Vec<ToolCall>, ToolError> {
        let input: Self = serde_json::from_value(Value::Object(input))
            .map_err(|error| ToolError::bad_input(format!("invalid input of `{ASK_MANY}`: {error}")))?;
        let call = |OneCall { tool, arguments }| ToolCall { tool, input: Value::Object(arguments) };
        Ok(input.calls.into_iter().map(call).collect())
    }
}

/// The schema of the input, without the common arguments.
pub(super) fn input(tools: &ToolDescriptions) -> Value {
    let names: Vec<&str> = tools.as_slice().iter().map(|tool| tool.name).collect();
    json!({
        "type": "object",
        "required": ["calls"],
        "properties": {
            "calls": {
                "type": "array",
                "minItems": 1,
                "maxItems": MAX_CALLS,
                "description": "The calls, each with the input of its tool.",
                "items": {
                    "type": "object",
                    "required": ["tool"],
                    "additionalProperties": false,
                    "properties": {
                        "tool": { "type": "string", "enum": names, "description": "The tool's name." },
                        "arguments": { "type": "object", "description": "The tool's own arguments." },
                    },
                },
            },
        },
    })
}

/// The tool, as MCP describes it.
pub(super) fn tool(tools: &ToolDescriptions) -> Tool {
    let annotations = ToolAnnotations::new().read_only(true).idempotent(true).open_world(false);
    Tool::new(ASK_MANY, ABOUT, Arc::new(arguments::schema(&input(tools)))).with_annotations(annotations)
}

/// All answers as text, each under a heading with an equal share of `max_chars`.
pub(super) fn render(desk: &Desk, response: &Response, max_chars: usize) -> String {
    let mut out = text::head(response);
    let share = max_chars / response.answers.len().max(1);
    for (nth, Outcome { tool, notes, result, .. }) in response.answers.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "\n## {}. {tool}", nth + 1);
        match result {
            AnswerOrError::Answer(answer) => {
                let known = desk.runner().tools().find(tool);
                let rendered = known.and_then(|tool| (tool.render)(answer)).unwrap_or_else(|| answer.to_string());
                text::push(&mut out, notes, &rendered, share);
            }
            AnswerOrError::Error(error) => {
                let _ = writeln!(out, "{}", text::error(error));
            }
        }
    }
    out
}
