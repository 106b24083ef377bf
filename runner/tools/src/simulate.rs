//! `simulate`: what a run would do, or what a change of some files would cost.

mod change;
mod forecast;
mod render;

use std::fmt::Write as _;

use gristmill_display::{bytes, milliseconds, thousands};
use gristmill_pipeline::run::Forecast;
use gristmill_query::{At, Tool, ToolError, in_range};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use change::{ChangeEstimate, FoundBy, UsingFile};
pub use render::render_forecast;

/// Tells what indexing would cost, without doing it: a run over the source as it is now, a
/// run over a revision, or a change of certain files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Simulate {
    /// Files that would change, by paths or globs: then nothing but the index is read.
    #[serde(default)]
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// A branch, tag or commit of the source's git repository: what a run over it would do.
    #[serde(default)]
    #[arg(long, value_name = "REVISION")]
    pub revision: Option<String>,
    /// How many of the files that use changed ones to name at most, from 1 to 1000.
    #[serde(default = "default_limit")]
    #[arg(short = 'k', long = "limit", default_value_t = default_limit(), value_name = "N")]
    pub limit: usize,
}

fn default_limit() -> usize {
    20
}

/// Most globs of a question.
const MOST_PATHS: usize = 100;

/// Most bytes of a revision's name.
const LONGEST_REVISION: usize = 1000;

/// What it would cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SimulateAnswer {
    /// What a run would do; without `paths`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Forecast>,
    /// What a change of the files would cost; with `paths`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeEstimate>,
}

impl Tool for Simulate {
    const NAME: &'static str = "simulate";
    const ABOUT: &'static str = "Tells what indexing would cost, without doing it. Without arguments: a run over the \
        source as it is now. With `revision`: a run over that commit. With `paths`: a change of these files, from the \
        index alone, with the other files that use what they define.";
    type Answer = SimulateAnswer;

    fn answer(self, at: &At<'_>) -> Result<SimulateAnswer, ToolError> {
        let limit = in_range("limit", self.limit, 1..=1000)?;
        if self.paths.is_empty() {
            if let Some(length) = self.revision.as_ref().map(String::len)
                && !(1..=LONGEST_REVISION).contains(&length)
            {
                let message = format!("`revision` has {length} bytes; it may have from 1 to {LONGEST_REVISION}");
                return Err(ToolError::bad_input(message));
            }
            let run = forecast::forecast(at, self.revision.as_deref())?;
            return Ok(SimulateAnswer { run: Some(run), change: None });
        }
        if self.revision.is_some() {
            let error = ToolError::bad_input("`paths` and `revision` do not go together");
            return Err(error.help("ask for one, then for the other"));
        }
        in_range("paths", self.paths.len(), 1..=MOST_PATHS)?;
        Ok(SimulateAnswer { run: None, change: Some(change::estimate(at, &self.paths, limit)?) })
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
        "rows      {} definitions, {} chunks to embed at most",
        thousands(change.symbols),
        thousands(change.chunks)
    );
    if let Some(estimated_ms) = change.estimated_ms {
        let _ = writeln!(out, "about {}, by past runs", milliseconds(estimated_ms));
    }
    let _ = writeln!(out, "used by   {} other files", thousands(change.used_by_files));
    for file in &change.used_by {
        let _ = writeln!(out, "  {}  {} uses: {}", file.path, thousands(file.uses), file.names.join(", "));
    }
    for path in &change.not_found {
        let _ = writeln!(out, "the index does not hold {path}");
    }
}
