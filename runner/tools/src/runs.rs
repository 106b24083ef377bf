//! Reports of past runs, for the metric tools.

use gristmill_query::past::{self, PastRun};
use gristmill_query::{ErrorCode, ToolContext, ToolError, quote};

/// Returns the newest `max` runs whose reports are retained, oldest first.
pub(super) fn newest(context: &ToolContext<'_>, max: usize) -> Result<Vec<PastRun>, ToolError> {
    let mut runs = past::runs(context.epoch.folder())
        .map_err(|error| ToolError::unreadable("the reports of the runs cannot be read", &error))?;
    runs.drain(..runs.len().saturating_sub(max));
    Ok(runs)
}

/// Creates the error for an unknown stage.
pub(super) fn unknown_stage(name: &str, runs: &[PastRun]) -> ToolError {
    let error = ToolError::new(ErrorCode::NotFound, format!("unknown stage {}", quote(name)));
    let mut names: Vec<&str> =
        runs.iter().flat_map(|run| &run.report.stages).map(|stage| stage.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [] => error.help("there are no run reports yet; the next run writes one"),
        names => error.help(format!("stages of the last runs: {}", names.join(", "))),
    }
}
