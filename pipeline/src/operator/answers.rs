//! What a server answers is written down as it comes.

use std::fmt;
use std::sync::Arc;

use gristmill_ids::PassageKey;

/// Where an embedder that asks a server writes down what it asks for, and each answer when it comes: a batch may take
/// many requests, and what came before one of them fails, or before the process dies, need not be asked for again.
///
/// Clones write to the same log, from any thread. Outside of a run, and for embedders without
/// [`requests`](super::Operator::requests), it keeps nothing.
#[derive(Clone, Default)]
pub struct AnswerLog(Option<Arc<dyn KeepAnswers>>);

/// Keeps vectors for the next run.
pub(crate) trait KeepAnswers: Send + Sync {
    /// See [`AnswerLog::asks`].
    fn asked(&self, keys: &[PassageKey]);
    /// See [`AnswerLog::answered`].
    fn answered(&self, answers: &[(PassageKey, &[f32])]);
}

impl AnswerLog {
    pub(crate) fn new(keeper: Arc<dyn KeepAnswers>) -> Self {
        Self(Some(keeper))
    }

    /// Notes that these passages are about to be asked for.
    pub fn asks(&self, keys: impl IntoIterator<Item = PassageKey>) {
        if let Some(keeper) = &self.0 {
            keeper.asked(&keys.into_iter().collect::<Vec<_>>());
        }
    }

    /// Keeps vectors as they will be [emitted](super::Emitter::emit), which they must be as well.
    pub fn answered<'v>(&self, answers: impl IntoIterator<Item = (PassageKey, &'v [f32])>) {
        if let Some(keeper) = &self.0 {
            keeper.answered(&answers.into_iter().collect::<Vec<_>>());
        }
    }
}

impl fmt::Debug for AnswerLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "AnswerLog" } else { "AnswerLog(none)" })
    }
}
