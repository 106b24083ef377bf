//! Metrics of tool calls.

use std::time::Duration;

use gristmill_query::{CallObserver, ErrorCode};

/// Records the duration of tool calls and counts their errors, by tool.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallMetrics;

impl CallObserver for CallMetrics {
    fn call_ended(&self, tool: &'static str, duration: Duration, error: Option<ErrorCode>) {
        metrics::histogram!("gristmill_tool_call_duration_seconds", "tool" => tool).record(duration.as_secs_f64());
        if let Some(error) = error {
            metrics::counter!("gristmill_tool_call_errors_total", "tool" => tool, "code" => error.as_str())
                .increment(1);
        }
    }

    fn kept_answer_looked_up(&self, tool: &'static str, was_kept: bool) {
        let outcome = if was_kept { "hit" } else { "miss" };
        metrics::counter!("gristmill_kept_answers_total", "tool" => tool, "outcome" => outcome).increment(1);
    }
}
