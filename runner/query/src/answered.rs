//! Answers a query on the calling thread, without a runner.

use gristmill_pipeline::Epoch;
use serde::Serialize;

use super::call::CallContext;
use super::error::ToolError;
use super::index::QueriedIndex;
use super::request::{AnswerNote, RequestOptions};
use super::tool::{Tool, ToolContext};

/// An answer with its epoch and notes.
#[derive(Clone, Debug, Serialize)]
pub struct Answered<A> {
    /// The epoch from which the answer comes.
    pub epoch: Epoch,
    /// Notes about the answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<AnswerNote>,
    /// The answer.
    pub answer: A,
}

impl QueriedIndex {
    /// Answers a query on the calling thread.
    ///
    /// # Errors
    /// Those of the tool, and if the epoch or ref does not exist.
    pub fn answer<T: Tool>(
        &self,
        options: &RequestOptions,
        call: &CallContext,
        query: T,
    ) -> Result<Answered<T::Answer>, ToolError> {
        let epoch = self.at(options.epoch)?;
        let context = ToolContext::new(self, &epoch, options.ref_name.as_deref(), call)?;
        let answer = query.answer(&context)?;
        Ok(Answered { epoch: epoch.record().epoch, notes: context.into_notes(), answer })
    }
}
