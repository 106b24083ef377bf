//! The trait of tools.

use clap::ArgMatches;
use parking_lot::Mutex;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::call::CallContext;
use super::epoch::{OpenEpoch, Visible};
use super::erased_query::ErasedQuery;
use super::error::{ErrorCode, ToolError};
use super::index::QueriedIndex;
use super::quote::quote;
use super::request::AnswerNote;
use super::rows::{FileRows, Row};

/// A query that an index can answer. A value of the type is the input of one call.
///
/// The type is the only description of the tool: the schemas of HTTP and MCP come from
/// [`JsonSchema`], the flags of the command line from [`clap::Args`]. The flags `--job`, `--index`,
/// `--epoch`, `--ref` and `--json` are those of the subcommand, and not available to tools.
pub trait Tool: DeserializeOwned + JsonSchema + clap::Args + Send + 'static {
    /// The tool's name, in snake case. Its subcommand has dashes instead of underscores.
    const NAME: &'static str;
    /// What the tool answers, and when to use it: agents choose by this text. The first sentence
    /// is the summary that `gristmill --help` shows.
    const ABOUT: &'static str;
    /// The type of the answer.
    type Answer: Serialize + DeserializeOwned + JsonSchema;

    /// Answers the query.
    ///
    /// # Errors
    /// If a value is out of range, the index does not have what the tool needs or cannot be read,
    /// or the call was cancelled.
    fn answer(self, context: &ToolContext<'_>) -> Result<Self::Answer, ToolError>;

    /// Renders an answer for people and language models: short, most important first.
    fn render(answer: &Self::Answer) -> String;
}

/// What a tool reads: one epoch of one index, in one call.
pub struct ToolContext<'a> {
    /// The index.
    pub index: &'a QueriedIndex,
    /// The epoch. The whole answer comes from it.
    pub epoch: &'a OpenEpoch,
    /// The rows of the ref, if the index has several refs.
    pub visible: Visible,
    /// The ref that the request names.
    pub ref_name: Option<&'a str>,
    /// The context of the call.
    pub call: &'a CallContext,
    notes: Mutex<Vec<AnswerNote>>,
}

impl<'a> ToolContext<'a> {
    pub(super) fn new(
        index: &'a QueriedIndex,
        epoch: &'a OpenEpoch,
        ref_name: Option<&'a str>,
        call: &'a CallContext,
    ) -> Result<Self, ToolError> {
        let visible = epoch.visible(ref_name)?;
        Ok(Self { index, epoch, visible, ref_name, call, notes: Mutex::default() })
    }

    /// Checks for cancellation every 1024 rows, for loops over rows.
    ///
    /// # Errors
    /// Those of [`CallContext::check`].
    #[inline]
    pub fn check_row(&self, nth: usize) -> Result<(), ToolError> {
        if nth.is_multiple_of(1024) { self.call.check() } else { Ok(()) }
    }

    /// Returns the file at this path, if the ref has one.
    ///
    /// # Errors
    /// If the table `files` cannot be read.
    pub fn file(&self, path: &str) -> Result<Option<Row<'a, FileRows>>, ToolError> {
        let path = path.strip_prefix("./").unwrap_or(path);
        Ok(FileRows::at(self.epoch.tables()?.files()?, path).find(|file| self.visible.shows(file.key())))
    }

    /// Returns the file at this path.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] if there is none; and if the table `files` cannot be read.
    pub fn require_file(&self, path: &str) -> Result<Row<'a, FileRows>, ToolError> {
        let not_found = || ToolError::new(ErrorCode::NotFound, format!("no file {} in the index", quote(path)));
        self.file(path)?.ok_or_else(not_found)
    }

    /// Adds a note about the answer, unless the answer has it already.
    pub fn note(&self, code: &str, message: impl Into<String>) {
        self.add_note(AnswerNote::new(code, message));
    }

    /// Adds a note with its detail, unless the answer has it already.
    pub fn add_note(&self, note: AnswerNote) {
        let mut notes = self.notes.lock();
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    pub(super) fn into_notes(self) -> Vec<AnswerNote> {
        self.notes.into_inner()
    }
}

/// A tool with its types erased.
#[derive(Clone, Copy)]
pub struct ErasedTool {
    /// The tool's name.
    pub name: &'static str,
    /// What the tool answers, and when to use it.
    pub about: &'static str,
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

/// Checks that a number of the input is in its range, and returns it.
///
/// # Errors
/// [`ErrorCode::BadInput`] if it is not.
pub fn in_range(name: &str, value: usize, range: std::ops::RangeInclusive<usize>) -> Result<usize, ToolError> {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(ToolError::bad_input(format!("`{name}` must be between {} and {}, got {value}", range.start(), range.end())))
}
