//! The tool `metric_aggregate`.

use gristmill_display::{TextCell, TextTable, bytes, milliseconds, percentile};
use gristmill_pipeline::StageReport;
use gristmill_query::past::PastRun;
use gristmill_query::{Tool, ToolContext, ToolError, in_range};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::runs::{newest, unknown_stage};

/// The input of `metric_aggregate`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct MetricAggregate {
    /// Number of newest runs, between 1 and 100.
    #[serde(default = "default_runs")]
    #[arg(short = 'n', long, default_value_t = default_runs(), value_name = "N")]
    pub runs: usize,
    /// Only this stage, such as `parse`.
    #[serde(default)]
    #[arg(long, value_name = "NAME")]
    pub stage: Option<String>,
}

fn default_runs() -> usize {
    20
}

/// The distribution of a metric over runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Distribution {
    /// The sum.
    pub sum: f64,
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// The 95th percentile.
    pub p95: f64,
}

/// The metrics of a stage over several runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StageMetrics {
    /// The stage.
    pub stage: String,
    /// The number of runs in which the stage had work; others are not counted.
    pub runs: u64,
    /// The number of items processed.
    pub items: u64,
    /// The size of their source text, in bytes.
    pub bytes: u64,
    /// The busy time of its threads per run, in milliseconds.
    pub busy_ms: Distribution,
    /// Items per second of busy time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items_per_second: Option<f64>,
}

/// The metrics of whole runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunMetrics {
    /// The wall time, in milliseconds.
    pub wall_ms: Distribution,
    /// The CPU time of the process, in milliseconds.
    pub cpu_ms: Distribution,
    /// The overlap efficiency (lower bound of the time / time) of runs with work, at most 1.
    pub overlap_efficiency: Distribution,
}

/// The answer of `metric_aggregate`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricAggregateAnswer {
    /// The number of runs: as many as requested, or as there are reports.
    pub runs: u64,
    /// The stages, in the order of the graph.
    pub stages: Vec<StageMetrics>,
    /// Whole runs.
    pub overall: RunMetrics,
}

impl Tool for MetricAggregate {
    const NAME: &'static str = "metric_aggregate";
    const ABOUT: &'static str = "Summarise the metrics of recent indexing runs. Shows items, bytes, busy time (sum, mean, \
        median, 95th percentile) and throughput of each stage, and wall and CPU time of whole runs. Good for finding \
        bottlenecks.";
    type Answer = MetricAggregateAnswer;

    fn answer(self, context: &ToolContext<'_>) -> Result<MetricAggregateAnswer, ToolError> {
        let runs = newest(context, in_range("runs", self.runs, 1..=100)?)?;
        let stages = stages(&runs, self.stage.as_deref());
        if let (Some(stage), true) = (&self.stage, stages.is_empty()) {
            return Err(unknown_stage(stage, &runs));
        }
        Ok(MetricAggregateAnswer { runs: runs.len() as u64, stages, overall: overall(&runs) })
    }

    fn render(answer: &MetricAggregateAnswer) -> String {
        let mut table = TextTable::new(["stage", "runs", "items", "bytes", "busy", "mean", "p50", "p95", "items/s"]);
        let time = |value: f64| TextCell::number(milliseconds(value));
        for stage in &answer.stages {
            let Distribution { sum, mean, p50, p95 } = stage.busy_ms;
            let rate = stage.items_per_second.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.0}"));
            table.row([
                TextCell::from(stage.stage.as_str()),
                TextCell::from(stage.runs),
                TextCell::from(stage.items),
                TextCell::number(bytes(stage.bytes)),
                time(sum),
                time(mean),
                time(p50),
                time(p95),
                TextCell::number(rate),
            ]);
        }
        let RunMetrics { wall_ms, cpu_ms, overlap_efficiency } = &answer.overall;
        format!(
            "{}{} runs: median wall time {}, median CPU time {}, overlap efficiency {:.0}%\n",
            table.render(),
            answer.runs,
            milliseconds(wall_ms.p50),
            milliseconds(cpu_ms.p50),
            overlap_efficiency.p50 * 100.0
        )
    }
}

impl Distribution {
    fn of(mut values: Vec<f64>) -> Self {
        if values.is_empty() {
            return Self::default();
        }
        values.sort_by(f64::total_cmp);
        let sum: f64 = values.iter().sum();
        Self { sum, mean: sum / values.len() as f64, p50: percentile(&values, 50), p95: percentile(&values, 95) }
    }
}

/// Computes the metrics of all stages, or of one. They are zero for a stage without work.
fn stages(runs: &[PastRun], only: Option<&str>) -> Vec<StageMetrics> {
    // The order of the newest graph; removed stages come last.
    let mut names: Vec<&str> = Vec::new();
    for stage in runs.iter().rev().flat_map(|run| &run.report.stages) {
        if !names.contains(&stage.name.as_str()) && only.is_none_or(|only| only == stage.name) {
            names.push(&stage.name);
        }
    }
    names.into_iter().map(|name| metrics(name, runs)).collect()
}

fn metrics(name: &str, runs: &[PastRun]) -> StageMetrics {
    let reports = runs.iter().flat_map(|run| &run.report.stages).filter(|stage| stage.name == name);
    let reports: Vec<&StageReport> = reports.filter(|stage| stage.items > 0 || stage.busy_ms > 0.0).collect();
    let items = reports.iter().map(|stage| stage.items).sum();
    let busy_ms = Distribution::of(reports.iter().map(|stage| stage.busy_ms).collect());
    StageMetrics {
        stage: name.to_owned(),
        runs: reports.len() as u64,
        items,
        bytes: reports.iter().map(|stage| stage.bytes).sum(),
        busy_ms,
        items_per_second: items_per_second(items, busy_ms.sum),
    }
}

/// Returns items per second of busy time; `None` without busy time.
pub(super) fn items_per_second(items: u64, busy_ms: f64) -> Option<f64> {
    (busy_ms > 0.0).then(|| items as f64 * 1e3 / busy_ms)
}

fn overall(runs: &[PastRun]) -> RunMetrics {
    let times = || runs.iter().map(|run| &run.report.time);
    RunMetrics {
        wall_ms: Distribution::of(times().map(|time| time.wall_ms).collect()),
        cpu_ms: Distribution::of(times().map(|time| time.cpu_ms).collect()),
        overlap_efficiency: Distribution::of(
            times().map(|time| time.overlap_efficiency).filter(|efficiency| *efficiency > 0.0).collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_are_computed_from_all_values() {
        let distribution = Distribution::of(vec![4.0, 1.0, 3.0, 2.0]);
        assert_eq!(distribution, Distribution { sum: 10.0, mean: 2.5, p50: 2.0, p95: 4.0 });
        assert_eq!(Distribution::of(Vec::new()), Distribution::default());
    }

    #[test]
    fn throughput_is_relative_to_busy_time() {
        assert_eq!(items_per_second(30, 1500.0), Some(20.0));
        assert_eq!(items_per_second(0, 0.0), None);
    }
}
