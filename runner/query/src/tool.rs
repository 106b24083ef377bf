//! The trait of tools.

use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::call::CallContext;
use super::epoch::{OpenEpoch, Visible};
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
