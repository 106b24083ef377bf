//! A tool with its types erased: what a [`ToolSet`](super::ToolSet) holds.

use clap::ArgMatches;
use schemars::{JsonSchema as _, Schema, SchemaGenerator};
use serde_json::Value;

use super::erased_query::ErasedQuery;
use super::error::{ErrorCode, ToolError};
use super::tool::{Tool, ToolContext};

/// A tool with its types erased.
#[derive(Clone, Copy)]
pub struct ErasedTool {
    /// The tool's name.
    pub name: &'static str,
    /// What the tool answers, and when to use it.
    pub about: &'static str,
    /// See [`Tool::OF_EPOCH`].
    pub(super) of_epoch: bool,
    /// Generates the schema of the input.
    pub input: fn(&mut SchemaGenerator) -> Schema,
    /// Generates the schema of the answer.
    pub answer: fn(&mut SchemaGenerator) -> Schema,
    /// Adds the flags of the input to a subcommand.
    pub add_flags: fn(clap::Command) -> clap::Command,
    /// Parses the flags of a subcommand.
    pub parse_flags: fn(&ArgMatches) -> Result<Box<dyn ErasedQuery>, clap::Error>,
    /// Answers one call.
    pub(super) ask: fn(Value, &ToolContext<'_>) -> Result<Value, ToolError>,
    /// Renders an answer as text; `None` if the value is no answer of this tool.
    pub render: fn(&Value) -> Option<String>,
}

/// The maximum length of a string in an input.
const MAX_STRING_BYTES: usize = 64 * 1024;

impl ErasedTool {
    /// Erases the types of a tool.
    #[must_use]
    pub const fn of<T: Tool>() -> Self {
        Self {
            name: T::NAME,
            about: T::ABOUT,
            of_epoch: T::OF_EPOCH,
            input: T::json_schema,
            answer: T::Answer::json_schema,
            add_flags: T::augment_args,
            parse_flags: |flags| Ok(Box::new(T::from_arg_matches(flags)?)),
            ask: ask::<T>,
            render: |answer| Some(T::render(&serde_json::from_value(answer.clone()).ok()?)),
        }
    }

    /// The first sentence of [`about`](Self::about), without its full stop.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.about.split_once(". ").map_or(self.about, |(first, _)| first).trim_end_matches('.')
    }
}

fn ask<T: Tool>(input: Value, context: &ToolContext<'_>) -> Result<Value, ToolError> {
    let input = match input {
        Value::Null => Value::Object(serde_json::Map::new()),
        Value::Object(_) => input,
        // Serde would accept a list as the values of the fields in order.
        _ => return Err(ToolError::bad_input(format!("the input of `{}` must be an object", T::NAME))),
    };
    check_size(&input)?;
    let query = T::deserialize(input).map_err(|error| {
        ToolError::bad_input(format!("invalid input of `{}`: {error}", T::NAME))
            .help("the list of tools has the schema of the input")
    })?;
    let answer = query.answer(context)?;
    // An answer after the deadline is an error.
    context.call.check()?;
    serde_json::to_value(answer).map_err(|error| ToolError::internal("the answer cannot be serialised", &error))
}

/// Rejects strings that are too long.
fn check_size(input: &Value) -> Result<(), ToolError> {
    match input {
        Value::String(text) if text.len() > MAX_STRING_BYTES => {
            let message = format!("a string of the input has {} bytes; the maximum is {MAX_STRING_BYTES}", text.len());
            Err(ToolError::new(ErrorCode::TooLarge, message))
        }
        Value::Array(items) => items.iter().try_for_each(check_size),
        Value::Object(items) => items.values().try_for_each(check_size),
        _ => Ok(()),
    }
}
