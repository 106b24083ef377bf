//! The trait of tools.

use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::call::CallContext;
use super::epoch::{OpenEpoch, Visible};
use super::error::{ErrorCode, ToolError};
use super::index::QueriedIndex;
use super::paths::{NearPaths, did_you_mean, is_foreign, spellings};
use super::quote::quote;
use super::request::AnswerNote;
use super::rows::{FileRows, Row, all};

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
    /// Whether the answer follows from the epoch, the ref and the input alone, so that it may be kept and given again.
    const OF_EPOCH: bool = false;
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

    /// Returns the file at this path, if the ref has one. The path may be written as people write
    /// paths: with `./`, absolute, in either Unicode normal form. One that lies elsewhere is taken by
    /// its longest end that is a file of the index, with the note `path`.
    ///
    /// # Errors
    /// If the table `files` cannot be read.
    pub fn file(&self, path: &str) -> Result<Option<Row<'a, FileRows>>, ToolError> {
        if let Some(file) = self.file_at(path)? {
            return Ok(Some(file));
        }
        for spelling in self.path_spellings(path) {
            if let Some(file) = self.file_at(&spelling)? {
                self.note_foreign(path, &spelling);
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    /// Returns the file with exactly this path, if the ref has one.
    fn file_at(&self, path: &str) -> Result<Option<Row<'a, FileRows>>, ToolError> {
        Ok(FileRows::at(self.epoch.tables()?.files()?, path).find(|file| self.visible.shows(file.key())))
    }

    /// Returns the folder that a path names, as the index writes it, if the ref has files below it.
    /// The path may be written as for [`file`](Self::file); the root is the empty path.
    ///
    /// # Errors
    /// If the table `files` cannot be read.
    pub fn folder(&self, path: &str) -> Result<Option<String>, ToolError> {
        let files = self.epoch.tables()?.files()?;
        let found = self.path_spellings(path).into_iter().find(|folder| {
            folder.is_empty() || FileRows::below(files, folder).any(|file| self.visible.shows(file.key()))
        });
        Ok(found.inspect(|folder| self.note_foreign(path, folder)))
    }

    /// Returns the paths in the index that a path may mean, most likely first.
    fn path_spellings(&self, path: &str) -> Vec<String> {
        spellings(path, &self.epoch.record().source)
    }

    /// Adds a note if an absolute path from elsewhere was taken as a path of the source.
    fn note_foreign(&self, path: &str, taken: &str) {
        if is_foreign(path, &self.epoch.record().source) {
            let message = format!("{} is not below the source; taken as {}", quote(path), quote(taken));
            self.note("path", message);
        }
    }

    /// Returns the file at this path.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] if there is none; and if the table `files` cannot be read.
    pub fn require_file(&self, path: &str) -> Result<Row<'a, FileRows>, ToolError> {
        match self.file(path)? {
            Some(file) => Ok(file),
            None => {
                let error = ToolError::new(ErrorCode::NotFound, format!("no file {} in the index", quote(path)));
                let near = self.near_paths(path)?;
                Err(if near.is_empty() { error } else { error.help(did_you_mean(&near)) })
            }
        }
    }

    /// Returns up to three paths of files that are most like a path that the index does not have:
    /// files of its name elsewhere, else those with nearly its name. O(files).
    ///
    /// # Errors
    /// If the table `files` cannot be read, or the call was cancelled.
    pub fn near_paths(&self, path: &str) -> Result<Vec<&'a str>, ToolError> {
        let mut near = NearPaths::new(path);
        for (nth, file) in all(self.epoch.tables()?.files()?).enumerate() {
            self.check_row(nth)?;
            if self.visible.shows(file.key()) {
                near.add(file.path().as_str());
            }
        }
        Ok(near.best())
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
