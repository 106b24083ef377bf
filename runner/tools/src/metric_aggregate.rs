//! `metric_aggregate`: what past runs took, stage by stage.

use gristmill_display::{Cell, Table, bytes, milliseconds, percentile};
use gristmill_pipeline::StageReport;
use gristmill_query::past::PastRun;
use gristmill_query::{At, Tool, ToolError, in_range};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::runs::{newest, no_stage};

/// Sums up the measures of past runs, for each stage and as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct MetricAggregate {
    /// How many of the newest runs, from 1 to 100.
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

/// How a measure is spread over runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spread {
    /// All together.
    pub sum: f64,
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// 95 of 100 lie below.
    pub p95: f64,
}

/// What a stage did over several runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StageMeasures {
    /// The stage.
    pub stage: String,
    /// Runs in which it had anything to do; the others count for nothing here.
    pub runs: u64,
    /// Items that it took.
    pub items: u64,
    /// Bytes of source text that they stand for.
    pub bytes: u64,
    /// Time that its threads spent in it per run, in milliseconds.
    pub busy_ms: Spread,
    /// Items per second of that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items_per_second: Option<f64>,
}

/// What whole runs took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunMeasures {
    /// From beginning to end, in milliseconds.
    pub wall_ms: Spread,
    /// CPU time of the process, in milliseconds.
    pub cpu_ms: Spread,
    /// The least possible time over the time taken, of 1; of runs that had work.
    pub overlap_efficiency: Spread,
}

/// The measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricAggregateAnswer {
    /// Runs that were summed up: as many as were asked for, or as there are reports.
    pub runs: u64,
    /// The stages, in the order in which the graph has them.
    pub stages: Vec<StageMeasures>,
    /// Whole runs.
    pub whole: RunMeasures,
}

impl Tool for MetricAggregate {
    const NAME: &'static str = "metric_aggregate";
    const ABOUT: &'static str = "Sums up the newest indexing runs: for each stage items, bytes, busy time (sum, mean, \
        median, 95th percentile) and throughput, and wall and CPU time of whole runs. Good for finding what is slow.";
    type Answer = MetricAggregateAnswer;

    fn answer(self, at: &At<'_>) -> Result<MetricAggregateAnswer, ToolError> {
        let runs = newest(at, in_range("runs", self.runs, 1..=100)?)?;
        let stages = stages(&runs, self.stage.as_deref());
        if let (Some(stage), true) = (&self.stage, stages.is_empty()) {
            return Err(no_stage(stage, &runs));
        }
        Ok(MetricAggregateAnswer { runs: runs.len() as u64, stages, whole: whole(&runs) })
    }

    fn render(answer: &MetricAggregateAnswer) -> String {
        let mut table = Table::new(["stage", "runs", "items", "bytes", "busy", "mean", "p50", "p95", "items/s"]);
        let time = |value: f64| Cell::number(milliseconds(value));
        for stage in &answer.stages {
            let Spread { sum, mean, p50, p95 } = stage.busy_ms;
            let rate = stage.items_per_second.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.0}"));
            table.row([
                Cell::from(stage.stage.as_str()),
                Cell::from(stage.runs),
                Cell::from(stage.items),
                Cell::number(bytes(stage.bytes)),
                time(sum),
                time(mean),
                time(p50),
                time(p95),
                Cell::number(rate),
            ]);
        }
        let RunMeasures { wall_ms, cpu_ms, overlap_efficiency } = &answer.whole;
        format!(
            "{}{} runs: {} of wall time in the median, {} of CPU time, overlap {:.0}%\n",
            table.render(),
            answer.runs,
            milliseconds(wall_ms.p50),
            milliseconds(cpu_ms.p50),
            overlap_efficiency.p50 * 100.0
        )
    }
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        if values.is_empty() {
            return Self::default();
        }
        values.sort_by(f64::total_cmp);
        let sum: f64 = values.iter().sum();
        Self { sum, mean: sum / values.len() as f64, p50: percentile(&values, 50), p95: percentile(&values, 95) }
    }
}

/// The measures of each stage, or of one. A stage that had nothing to do in any run has
/// measures of nothing.
fn stages(runs: &[PastRun], only: Option<&str>) -> Vec<StageMeasures> {
    // The newest run knows the graph best; a stage that is gone comes after.
    let mut names: Vec<&str> = Vec::new();
    for stage in runs.iter().rev().flat_map(|run| &run.report.stages) {
        if !names.contains(&stage.name.as_str()) && only.is_none_or(|only| only == stage.name) {
            names.push(&stage.name);
        }
    }
    names.into_iter().map(|name| measures(name, runs)).collect()
}

fn measures(name: &str, runs: &[PastRun]) -> StageMeasures {
    let reports = runs.iter().flat_map(|run| &run.report.stages).filter(|stage| stage.name == name);
    let reports: Vec<&StageReport> = reports.filter(|stage| stage.items > 0 || stage.busy_ms > 0.0).collect();
    let items = reports.iter().map(|stage| stage.items).sum();
    let busy_ms = Spread::of(reports.iter().map(|stage| stage.busy_ms).collect());
    StageMeasures {
        stage: name.to_owned(),
        runs: reports.len() as u64,
        items,
        bytes: reports.iter().map(|stage| stage.bytes).sum(),
        busy_ms,
        items_per_second: items_per_second(items, busy_ms.sum),
    }
}

/// Items per second of busy time; nothing where nothing was measured.
pub(super) fn items_per_second(items: u64, busy_ms: f64) -> Option<f64> {
    (busy_ms > 0.0).then(|| items as f64 * 1e3 / busy_ms)
}

fn whole(runs: &[PastRun]) -> RunMeasures {
    let times = || runs.iter().map(|run| &run.report.time);
    RunMeasures {
        wall_ms: Spread::of(times().map(|time| time.wall_ms).collect()),
        cpu_ms: Spread::of(times().map(|time| time.cpu_ms).collect()),
        overlap_efficiency: Spread::of(
            times().map(|time| time.overlap_efficiency).filter(|efficiency| *efficiency > 0.0).collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_of_all_values() {
        let spread = Spread::of(vec![4.0, 1.0, 3.0, 2.0]);
        assert_eq!(spread, Spread { sum: 10.0, mean: 2.5, p50: 2.0, p95: 4.0 });
        assert_eq!(Spread::of(Vec::new()), Spread::default());
    }

    #[test]
    fn throughput_is_of_busy_time() {
        assert_eq!(items_per_second(30, 1500.0), Some(20.0));
        assert_eq!(items_per_second(0, 0.0), None);
    }
}
