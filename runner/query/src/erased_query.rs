//! A query of any tool, for callers that do not know its type at compile time.

use super::answered::Answered;
use super::call::CallContext;
use super::error::ToolError;
use super::index::QueriedIndex;
use super::request::RequestOptions;
use super::tool::Tool;

/// The input of one call of any [`Tool`], answered on the calling thread.
pub trait ErasedQuery: Send {
    /// Answers as text.
    ///
    /// # Errors
    /// Those of [`QueriedIndex::answer`].
    fn answer_text(
        self: Box<Self>,
        index: &QueriedIndex,
        options: &RequestOptions,
        call: &CallContext,
    ) -> Result<Answered<String>, ToolError>;

    /// Answers as an indented JSON object: the serialised [`Answered`], whose notes have their
    /// details in their messages.
    ///
    /// # Errors
    /// Those of [`QueriedIndex::answer`], and if the answer cannot be serialised.
    fn answer_json(
        self: Box<Self>,
        index: &QueriedIndex,
        options: &RequestOptions,
        call: &CallContext,
    ) -> Result<String, ToolError>;
}

impl<T: Tool> ErasedQuery for T {
    fn answer_text(
        self: Box<Self>,
        index: &QueriedIndex,
        options: &RequestOptions,
        call: &CallContext,
    ) -> Result<Answered<String>, ToolError> {
        let Answered { epoch, notes, answer } = index.answer(options, call, *self)?;
        Ok(Answered { epoch, notes, answer: T::render(&answer) })
    }

    fn answer_json(
        self: Box<Self>,
        index: &QueriedIndex,
        options: &RequestOptions,
        call: &CallContext,
    ) -> Result<String, ToolError> {
        let mut answered = index.answer(options, call, *self)?;
        for note in &mut answered.notes {
            note.message = note.full_message();
        }
        serde_json::to_string_pretty(&answered)
            .map_err(|error| ToolError::internal("the answer cannot be serialised", &error))
    }
}
