//! `gristmill check`: checks a job without running it.

use clap::ValueEnum;
use gristmill_config::{ByteSize, Job, Registry, SourceConfig};
use gristmill_display::TextTable;
use gristmill_pipeline::Mode;
use gristmill_pipeline::graph::Format;
use serde::Serialize;
use serde_json::Value;

use super::job::JobArgs;
use crate::exit::Exit;
use crate::failure::CommandError;
use crate::terminal::print;

/// Check a job and print its settings and graph.
#[derive(Clone, Debug, clap::Args)]
pub struct CheckArgs {
    /// The job.
    #[command(flatten)]
    pub job: JobArgs,
    /// Output format.
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub format: OutputFormat,
}

/// The output format of `check`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Settings, and one line per stage.
    Text,
    /// One JSON object.
    Json,
    /// The graph as a Mermaid flowchart.
    Mermaid,
}

/// Checks the job, its source, its index folder and its models.
///
/// # Errors
/// Every error in the job.
pub fn execute(args: CheckArgs, registry: &Registry) -> Result<Exit, CommandError> {
    let job = args.job.load(registry, true)?;
    print(&match args.format {
        OutputFormat::Text => text(&job),
        OutputFormat::Json => json(&job)?,
        OutputFormat::Mermaid => job.graph.render(Format::Mermaid, job.in_flight_limit()),
    })?;
    Ok(Exit::Done)
}

fn text(job: &Job) -> String {
    let mut settings = TextTable::new(["job", &job.name]);
    let globs = |globs: &[String], none: &str| if globs.is_empty() { none.to_owned() } else { globs.join(", ") };
    for (name, value) in [
        ("mode", job.mode.to_string()),
        ("workers", job.workers.to_string()),
        ("memory limit", ByteSize(job.memory_limit).to_string()),
        ("plane workers", job.plane_workers.to_string()),
        ("source", job.source.root.display().to_string()),
        ("include", globs(&job.source.include, "all files")),
        ("exclude", globs(&job.source.exclude, "none")),
        ("index", job.index.display().to_string()),
    ] {
        settings.row([name.into(), value.into()]);
    }
    format!("{}\n{}", settings.render(), job.graph.render(Format::Text, job.in_flight_limit()))
}

#[derive(Serialize)]
struct JobView<'a> {
    name: &'a str,
    mode: Mode,
    workers: usize,
    memory_limit: u64,
    plane_workers: usize,
    source: &'a SourceConfig,
    index: &'a std::path::Path,
    graph: Value,
}

fn json(job: &Job) -> Result<String, CommandError> {
    let failed =
        |error: serde_json::Error| CommandError::new(Exit::Failed, format!("cannot serialise the job: {error}"));
    let view = JobView {
        name: &job.name,
        mode: job.mode,
        workers: job.workers.get(),
        memory_limit: job.memory_limit,
        plane_workers: job.plane_workers.get(),
        source: &job.source,
        index: &job.index,
        graph: serde_json::from_str(&job.graph.render(Format::Json, job.in_flight_limit())).map_err(failed)?,
    };
    Ok(serde_json::to_string_pretty(&view).map_err(failed)? + "\n")
}
