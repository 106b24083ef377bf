//! Measures of calls, whatever they came by.

use std::time::Duration;

use gristmill_query::{CallObserver, ErrorCode};

/// Measures how long calls take, and counts those without an answer, by tool.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallMetrics;

impl CallObserver for CallMetrics {
    fn ended(&self, tool: &'static str, took: Duration, error: Option<ErrorCode>) {
        metrics::histogram!("gristmill_tool_call_duration_seconds", "tool" => tool).record(took.as_secs_f64());
        if let Some(error) = error {
            metrics::counter!("gristmill_tool_call_errors_total", "tool" => tool, "code" => error.as_str())
                .increment(1);
        }
    }
}
