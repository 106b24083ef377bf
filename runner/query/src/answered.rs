//! A question to an index, answered on the calling thread.

use gristmill_pipeline::Epoch;
use serde::Serialize;

use super::call::Call;
use super::error::ToolError;
use super::index::QueriedIndex;
use super::request::{Note, Place};
use super::tool::{At, Tool};

/// An answer, and what to know about it.
#[derive(Clone, Debug, Serialize)]
pub struct Answered<A> {
    /// The epoch that was asked.
    pub epoch: Epoch,
    /// What to know about the answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// The answer.
    pub answer: A,
}

impl QueriedIndex {
    /// Answers a question on the calling thread.
    ///
    /// # Errors
    /// Those of the tool, and if there is no such epoch or ref.
    pub fn answer<T: Tool>(&self, place: &Place, call: &Call, question: T) -> Result<Answered<T::Answer>, ToolError> {
        let epoch = self.at(place.epoch)?;
        let at = At::new(self, &epoch, place.of_ref.as_deref(), call)?;
        let answer = question.answer(&at)?;
        Ok(Answered { epoch: epoch.record().epoch, notes: at.into_notes(), answer })
    }
}
