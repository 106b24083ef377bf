//! A hook for the metrics of calls.

use std::time::Duration;

use super::error::ErrorCode;

/// Receives the outcome of every call of a [`Runner`](super::Runner).
pub trait CallObserver: Send + Sync {
    /// Records a call. `tool` is `unknown` if there is no such tool, so that callers cannot create
    /// metric labels.
    fn call_ended(&self, tool: &'static str, duration: Duration, error: Option<ErrorCode>);

    /// Records whether the answer of a call had been kept.
    fn kept_answer_looked_up(&self, _tool: &'static str, _was_kept: bool) {}
}
