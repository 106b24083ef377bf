//! What a tool is.

use clap::ArgMatches;
use parking_lot::Mutex;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::call::Call;
use super::epoch::{OpenEpoch, Visible};
use super::erased_query::ErasedQuery;
use super::error::{ErrorCode, ToolError};
use super::index::QueriedIndex;
use super::request::Note;
use super::rows::{FileRows, Row};

/// A query that an index can answer. A value of the type is the input of one call.
///
/// The type is the only description of the tool: the schemas of HTTP and MCP come from
/// [`JsonSchema`], the flags of the command line from [`clap::Args`].
pub trait Tool: DeserializeOwned + JsonSchema + clap::Args + Send + 'static {
    /// The tool's name, in snake case. Its subcommand has dashes instead of underscores.
    const NAME: &'static str;
    /// What the tool answers, and when to use it: agents choose by this text. The first sentence
    /// is the summary that `gristmill --help` shows.
    const ABOUT: &'static str;
    /// The type of the answer.
    type Answer: Serialize + DeserializeOwned + JsonSchema;

    /// Answers.
    ///
    /// # Errors
    /// If the question is out of range, the index lacks what it needs or cannot be read, or
    /// the call ended.
    fn answer(self, at: &At<'_>) -> Result<Self::Answer, ToolError>;

    /// The answer for people and language models: short, most important first.
    fn render(answer: &Self::Answer) -> String;
}

/// Where a question is asked.
pub struct At<'a> {
    /// The index.
    pub index: &'a QueriedIndex,
    /// Its epoch; all of the answer comes from it.
    pub epoch: &'a OpenEpoch,
    /// The rows that show, where the index holds several refs.
    pub visible: Visible,
    /// The ref, if one was named.
    pub of_ref: Option<&'a str>,
    /// The call.
    pub call: &'a Call,
    notes: Mutex<Vec<Note>>,
}

impl<'a> At<'a> {
    pub(super) fn new(
        index: &'a QueriedIndex,
        epoch: &'a OpenEpoch,
        of_ref: Option<&'a str>,
        call: &'a Call,
    ) -> Result<Self, ToolError> {
        let visible = epoch.visible(of_ref)?;
        Ok(Self { index, epoch, visible, of_ref, call, notes: Mutex::default() })
    }

    /// Whether to go on, for loops over rows: asks the call at every so manieth one.
    ///
    /// # Errors
    /// Those of [`Call::check`].
    #[inline]
    pub fn check_row(&self, nth: usize) -> Result<(), ToolError> {
        if nth.is_multiple_of(1024) { self.call.check() } else { Ok(()) }
    }

    /// The file of that path, if the index holds it and it shows.
    ///
    /// # Errors
    /// If the files cannot be read.
    pub fn file(&self, path: &str) -> Result<Option<Row<'a, FileRows>>, ToolError> {
        let path = path.strip_prefix("./").unwrap_or(path);
        Ok(FileRows::at(self.epoch.tables()?.files()?, path).find(|file| self.visible.shows(file.key())))
    }

    /// The file of that path.
    ///
    /// # Errors
    /// If the index does not hold it, or the files cannot be read.
    pub fn held_file(&self, path: &str) -> Result<Row<'a, FileRows>, ToolError> {
        let not_held = || ToolError::new(ErrorCode::NotFound, format!("the index does not hold `{path}`"));
        self.file(path)?.ok_or_else(not_held)
    }

    /// Says something about the answer that the caller should know.
    pub fn note(&self, code: &str, message: impl Into<String>) {
        self.add_note(Note::new(code, message));
    }

    /// Adds a note, unless the answer has it already.
    pub fn add_note(&self, note: Note) {
        let mut notes = self.notes.lock();
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    pub(super) fn into_notes(self) -> Vec<Note> {
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
    pub(super) ask: fn(Value, &At<'_>) -> Result<Value, ToolError>,
    /// Renders an answer as text; `None` if the value is no answer of this tool.
    pub render: fn(&Value) -> Option<String>,
}

/// Most bytes of a text in an input.
const MOST_BYTES: usize = 64 * 1024;

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

fn ask<T: Tool>(input: Value, at: &At<'_>) -> Result<Value, ToolError> {
    let input = match input {
        Value::Null => Value::Object(serde_json::Map::new()),
        Value::Object(_) => input,
        // A list would be taken as values without their names.
        _ => return Err(ToolError::bad_input(format!("the input of `{}` is no object", T::NAME))),
    };
    check_size(&input)?;
    let question = T::deserialize(input).map_err(|error| {
        ToolError::bad_input(format!("the input of `{}` is not what it takes: {error}", T::NAME))
            .help(format!("its schema is listed with the tools, under `{}`", T::NAME))
    })?;
    let answer = question.answer(at)?;
    // A caller who left needs no answer, and one that came too late is none.
    at.call.check()?;
    serde_json::to_value(answer).map_err(|error| ToolError::internal("the answer cannot be serialised", &error))
}

/// Refuses texts that no question needs.
fn check_size(input: &Value) -> Result<(), ToolError> {
    match input {
        Value::String(text) if text.len() > MOST_BYTES => {
            let message = format!("a text of the input has {} bytes; at most {MOST_BYTES} are taken", text.len());
            Err(ToolError::new(ErrorCode::TooLarge, message))
        }
        Value::Array(items) => items.iter().try_for_each(check_size),
        Value::Object(items) => items.values().try_for_each(check_size),
        _ => Ok(()),
    }
}

/// A number of the input, if it is in its range.
///
/// # Errors
/// If it is not.
pub fn in_range(name: &str, value: usize, range: std::ops::RangeInclusive<usize>) -> Result<usize, ToolError> {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(ToolError::bad_input(format!("`{name}` is {value}; it goes from {} to {}", range.start(), range.end())))
}
