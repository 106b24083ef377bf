//! The tool `metric_series`.

use std::fmt::Write as _;

use gristmill_display::utc;
use gristmill_pipeline::run::RunReport;
use gristmill_pipeline::{Epoch, StageReport};
use gristmill_query::{Tool, ToolContext, ToolError, in_range};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metric_aggregate::items_per_second;
use super::runs::{newest, unknown_stage};

/// The input of `metric_series`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct MetricSeries {
    /// The metric.
    #[arg(value_enum, value_name = "METRIC")]
    pub metric: RunMetric,
    /// The stage, if the metric is one of a stage.
    #[serde(default)]
    #[arg(long, value_name = "NAME")]
    pub stage: Option<String>,
    /// Number of newest runs, between 1 and 100.
    #[serde(default = "default_runs")]
    #[arg(short = 'n', long, default_value_t = default_runs(), value_name = "N")]
    pub runs: usize,
}

fn default_runs() -> usize {
    100
}

/// A metric of a run or of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum RunMetric {
    /// Wall time of the run.
    WallMs,
    /// CPU time of the process.
    CpuMs,
    /// Time of the scan of the source.
    ScanMs,
    /// Time from the first changed file to the last row.
    ProcessMs,
    /// Time to publish and commit.
    PublishMs,
    /// Overlap efficiency: lower bound of the time / time.
    OverlapEfficiency,
    /// Peak memory of the process.
    PeakMemoryBytes,
    /// Files added, modified or deleted.
    FilesChanged,
    /// Passages embedded.
    PassagesEmbedded,
    /// Busy time of the threads of a stage.
    StageBusyMs,
    /// Items of a stage per second of busy time.
    StageItemsPerSecond,
}

/// The value of one run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// The number of the run.
    pub run: u64,
    /// The newest epoch when the run ended.
    pub epoch: Epoch,
    /// When the run started, in milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// The value.
    pub value: f64,
}

/// The answer of `metric_series`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// The metric.
    pub metric: RunMetric,
    /// The stage, if the metric is one of a stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The unit: `ms`, `bytes`, `files`, `passages`, `items/s`, or `ratio`.
    pub unit: String,
    /// The runs with a value, oldest first.
    pub points: Vec<Point>,
}

impl Tool for MetricSeries {
    const NAME: &'static str = "metric_series";
    const ABOUT: &'static str = "Show one metric over recent indexing runs, oldest first. Metrics are times, memory, overlap \
        efficiency, files changed, passages embedded, and busy time and throughput of a `stage`. Good for finding \
        regressions.";
    type Answer = Series;

    fn answer(self, context: &ToolContext<'_>) -> Result<Series, ToolError> {
        let max_runs = in_range("runs", self.runs, 1..=100)?;
        match (&self.stage, self.metric.is_of_stage()) {
            (None, true) => {
                let error = ToolError::bad_input("`stage` is required for a metric of a stage");
                return Err(error.help("`metric_aggregate` lists the stages"));
            }
            (Some(_), false) => {
                return Err(ToolError::bad_input("`stage` is not allowed: the metric is not one of a stage"));
            }
            _ => {}
        }
        let runs = newest(context, max_runs)?;
        if let Some(stage) = &self.stage
            && !runs.iter().any(|run| stage_of(&run.report, stage).is_some())
        {
            return Err(unknown_stage(stage, &runs));
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
            out.push_str("no run has a value for this metric\n");
        }
        out
    }
}

fn stage_of<'a>(report: &'a RunReport, name: &str) -> Option<&'a StageReport> {
    report.stages.iter().find(|stage| stage.name == name)
}

impl RunMetric {
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

    /// Returns the value of a run; `None` if it was not measured.
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
