//! Reports of runs, as the tools about measures read them.

use gristmill_query::past::{self, PastRun};
use gristmill_query::{At, ErrorCode, ToolError};

/// The newest so many runs whose reports are kept, oldest first.
pub(super) fn newest(at: &At<'_>, most: usize) -> Result<Vec<PastRun>, ToolError> {
    let mut runs = past::runs(at.epoch.folder())
        .map_err(|error| ToolError::unreadable("the reports of the runs cannot be read", &error))?;
    runs.drain(..runs.len().saturating_sub(most));
    Ok(runs)
}

/// No run has a stage of that name.
pub(super) fn no_stage(name: &str, runs: &[PastRun]) -> ToolError {
    let error = ToolError::new(ErrorCode::NotFound, format!("no run has a stage `{name}`"));
    let mut names: Vec<&str> =
        runs.iter().flat_map(|run| &run.report.stages).map(|stage| stage.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [] => error.help("no report of a run is kept; the next run writes one"),
        names => error.help(format!("there is {}", names.join(", "))),
    }
}
