//! Who is told of calls, to measure them.

use std::time::Duration;

use super::error::ErrorCode;

/// Is told of every call of a [`Runner`](super::Runner) that ended.
pub trait CallObserver: Send + Sync {
    /// A call of this tool ended after so long, with an answer or with an error. The name is
    /// `unknown` where there is no such tool, so that callers cannot make up names.
    fn ended(&self, tool: &'static str, took: Duration, error: Option<ErrorCode>);
}
