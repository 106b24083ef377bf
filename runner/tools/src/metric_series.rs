//! `metric_series`: one measure, run by run.

use std::fmt::Write as _;

use gristmill_display::utc;
use gristmill_pipeline::run::RunReport;
use gristmill_pipeline::{Epoch, StageReport};
use gristmill_query::{At, Tool, ToolError, in_range};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metric_aggregate::items_per_second;
use super::runs::{newest, no_stage};

/// Follows one measure over past runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct MetricSeries {
    /// The measure.
    #[arg(value_enum, value_name = "METRIC")]
    pub metric: Metric,
    /// The stage, for a measure of a stage.
    #[serde(default)]
    #[arg(long, value_name = "NAME")]
    pub stage: Option<String>,
    /// How many of the newest runs, from 1 to 100.
    #[serde(default = "default_runs")]
    #[arg(short = 'n', long, default_value_t = default_runs(), value_name = "N")]
    pub runs: usize,
}

fn default_runs() -> usize {
    100
}

/// A measure of a run, or of a stage in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Metric {
    /// From beginning to end.
    WallMs,
    /// CPU time of the process.
    CpuMs,
    /// Walking the source, and reading what may have changed.
    ScanMs,
    /// From the first changed file to the last row.
    ProcessMs,
    /// Publishing, and the commit record.
    PublishMs,
    /// The least possible time over the time taken.
    OverlapEfficiency,
    /// The most memory that the process held.
    PeakMemoryBytes,
    /// Files that were added, modified or deleted.
    FilesChanged,
    /// Passages that were embedded.
    PassagesEmbedded,
    /// Time that the threads of a stage spent in it.
    StageBusyMs,
    /// Items that a stage took per second of that time.
    StageItemsPerSecond,
}

/// A measure of one run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// The run's number.
    pub run: u64,
    /// The newest epoch when it ended.
    pub epoch: Epoch,
    /// When it began, in milliseconds since 1970.
    pub started_ms: u64,
    /// The measure.
    pub value: f64,
}

/// A measure, run by run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// The measure.
    pub metric: Metric,
    /// The stage, for a measure of a stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// What it is measured in: `ms`, `bytes`, `files`, `passages`, `items/s`, or `ratio`.
    pub unit: String,
    /// The runs that have it, oldest first.
    pub points: Vec<Point>,
}

impl Tool for MetricSeries {
    const NAME: &'static str = "metric_series";
    const ABOUT: &'static str = "Follows one measure over the newest indexing runs, oldest first: times, memory, overlap, \
        files changed, passages embedded, or busy time and throughput of a `stage`. Good for seeing what got slower.";
    type Answer = Series;

    fn answer(self, at: &At<'_>) -> Result<Series, ToolError> {
        let most = in_range("runs", self.runs, 1..=100)?;
        match (&self.stage, self.metric.is_of_stage()) {
            (None, true) => {
                let error = ToolError::bad_input("a measure of a stage needs `stage`");
                return Err(error.help("`metric_aggregate` lists the stages"));
            }
            (Some(_), false) => return Err(ToolError::bad_input("`stage` goes with measures of a stage only")),
            _ => {}
        }
        let runs = newest(at, most)?;
        if let Some(stage) = &self.stage
            && !runs.iter().any(|run| stage_of(&run.report, stage).is_some())
        {
            return Err(no_stage(stage, &runs));
        }
        let points = runs.iter().filter_map(|run| {
            let report = &run.report;
            let stage = self.stage.as_ref().and_then(|stage| stage_of(report, stage));
            let value = self.metric.of(report, stage)?;
            Some(Point { run: run.number, epoch: report.epoch, started_ms: report.started_ms, value })
        });
        let (points, unit) = (points.collect(), self.metric.unit().to_owned());
        Ok(Series { metric: self.metric, stage: self.stage, unit, points })
    }

    fn render(answer: &Series) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        for point in &answer.points {
            let _ = writeln!(
                out,
                "run {:>5}  epoch {:>5}  {}  {:.3} {}",
                point.run,
                point.epoch,
                utc(point.started_ms),
                point.value,
                answer.unit
            );
        }
        if answer.points.is_empty() {
            out.push_str("no run has this measure\n");
        }
        out
    }
}

fn stage_of<'a>(report: &'a RunReport, name: &str) -> Option<&'a StageReport> {
    report.stages.iter().find(|stage| stage.name == name)
}

impl Metric {
    fn is_of_stage(self) -> bool {
        matches!(self, Self::StageBusyMs | Self::StageItemsPerSecond)
    }

    fn unit(self) -> &'static str {
        match self {
            Self::WallMs | Self::CpuMs | Self::ScanMs | Self::ProcessMs | Self::PublishMs | Self::StageBusyMs => "ms",
            Self::OverlapEfficiency => "ratio",
            Self::PeakMemoryBytes => "bytes",
            Self::FilesChanged => "files",
            Self::PassagesEmbedded => "passages",
            Self::StageItemsPerSecond => "items/s",
        }
    }

    /// The measure of a run; nothing where it was not taken.
    fn of(self, report: &RunReport, stage: Option<&StageReport>) -> Option<f64> {
        let (time, changes) = (&report.time, &report.changes);
        Some(match self {
            Self::WallMs => time.wall_ms,
            Self::CpuMs => time.cpu_ms,
            Self::ScanMs => time.scan_ms,
            Self::ProcessMs => time.process_ms,
            Self::PublishMs => time.publish_ms,
            Self::OverlapEfficiency => time.overlap_efficiency,
            Self::PeakMemoryBytes => report.peak_memory_bytes? as f64,
            Self::FilesChanged => (changes.added + changes.modified + changes.deleted) as f64,
            Self::PassagesEmbedded => report.work.passages_embedded as f64,
            Self::StageBusyMs => stage?.busy_ms,
            Self::StageItemsPerSecond => {
                let stage = stage?;
                items_per_second(stage.items, stage.busy_ms)?
            }
        })
    }
}
