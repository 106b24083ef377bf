//! The tool `simulate`: forecasts of runs, and cost estimates of changes.

mod change;
mod forecast;
mod render;

use std::fmt::Write as _;

use gristmill_display::{bytes, milliseconds, thousands};
use gristmill_pipeline::run::Forecast;
use gristmill_query::{Tool, ToolContext, ToolError, in_range};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use change::{ChangeEstimate, FoundBy, UsingFile};
pub use render::render_forecast;

/// The input of `simulate`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Simulate {
    /// Estimate a change of these files, by paths or globs, from the index alone.
    #[serde(default)]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Forecast a run over this branch, tag or commit of the source's git repository.
    #[serde(default)]
    #[arg(long, value_name = "REVISION")]
    pub revision: Option<String>,
    /// Maximum number of dependent files to list, between 1 and 1000.
    #[serde(default = "default_limit")]
    #[arg(short = 'k', long = "limit", default_value_t = default_limit(), value_name = "N")]
    pub limit: usize,
}

fn default_limit() -> usize {
    20
}

/// The maximum number of paths and globs per call.
const MAX_PATHS: usize = 100;

/// The maximum length of a revision.
const MAX_REVISION_BYTES: usize = 1000;

/// The answer of `simulate`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SimulateAnswer {
    /// The forecast of a run; without `paths`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Forecast>,
    /// The estimate of the change; with `paths`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeEstimate>,
}

impl Tool for Simulate {
    const NAME: &'static str = "simulate";
    const ABOUT: &'static str = "Estimate the cost of indexing without doing it. Without arguments: of a run over the source as \
        it is now; with `revision`: of a run over that commit; with `paths`: of a change of these files, from the \
        index alone, with the files that depend on them.";
    type Answer = SimulateAnswer;

    fn answer(self, context: &ToolContext<'_>) -> Result<SimulateAnswer, ToolError> {
        let limit = in_range("limit", self.limit, 1..=1000)?;
        if self.paths.is_empty() {
            if let Some(length) = self.revision.as_ref().map(String::len)
                && !(1..=MAX_REVISION_BYTES).contains(&length)
            {
                let message = format!("`revision` must be between 1 and {MAX_REVISION_BYTES} bytes long, got {length}");
                return Err(ToolError::bad_input(message));
            }
            let run = forecast::forecast(context, self.revision.as_deref())?;
            return Ok(SimulateAnswer { run: Some(run), change: None });
        }
        if self.revision.is_some() {
            let error = ToolError::bad_input("`paths` and `revision` are mutually exclusive");
            return Err(error.help("make two calls"));
        }
        in_range("paths", self.paths.len(), 1..=MAX_PATHS)?;
        Ok(SimulateAnswer { run: None, change: Some(change::estimate(context, &self.paths, limit)?) })
    }

    fn render(answer: &SimulateAnswer) -> String {
        let mut out = String::new();
        if let Some(run) = &answer.run {
            out.push_str(&render_forecast(run));
        }
        if let Some(change) = &answer.change {
            render_change(&mut out, change);
        }
        out
    }
}

fn render_change(out: &mut String, change: &ChangeEstimate) {
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "files     {} ({}, {} lines), {} contents to analyse",
        thousands(change.files),
        bytes(change.bytes),
        thousands(change.lines),
        thousands(change.contents)
    );
    let _ = writeln!(
        out,
        "rows      {} definitions, at most {} chunks to embed",
        thousands(change.symbols),
        thousands(change.chunks)
    );
    if let Some(estimated_ms) = change.estimated_ms {
        let _ = writeln!(out, "estimate  {}, from past runs", milliseconds(estimated_ms));
    }
    let _ = writeln!(out, "used by   {} other files", thousands(change.used_by_files));
    for file in &change.used_by {
        let _ = writeln!(out, "  {}  {} references: {}", file.path, thousands(file.uses), file.names.join(", "));
    }
    for path in &change.not_found {
        let _ = writeln!(out, "not in the index: {path}");
    }
}
