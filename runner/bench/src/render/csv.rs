//! Results as CSV, one figure per line.

use std::fmt::Write as _;

use crate::results::{Metric, Results};

/// Renders every figure of every trial: `variant,trial,stage,metric,value`. Figures of a whole trial have
/// no stage.
#[must_use]
pub fn csv(results: &Results) -> String {
    let mut out = String::from("variant,trial,stage,metric,value\n");
    for variant in &results.variants {
        let name = quoted(&variant.name);
        for (trial, sample) in (1..).zip(&variant.samples) {
            let mut line = |stage: &str, metric: &str, value: f64| {
                // Writing to a string cannot fail.
                let _ = writeln!(out, "{name},{trial},{},{metric},{value}", quoted(stage));
            };
            for metric in Metric::ALL {
                if let Some(value) = metric.of(sample) {
                    line("", metric.as_str(), value);
                }
            }
            let time = &sample.report.time;
            let parts = [
                ("scan_ms", time.scan_ms),
                ("hydrate_ms", time.hydrate_ms),
                ("process_ms", time.process_ms),
                ("stage_ms", time.stage_ms),
                ("publish_ms", time.publish_ms),
                ("bound_ms", time.bound_ms),
                ("overlap_efficiency", time.overlap_efficiency),
                ("plane_busy_ms", sample.report.plane.busy_ms),
                ("peak_in_flight_bytes", sample.report.in_flight.peak_bytes as f64),
            ];
            parts.into_iter().for_each(|(metric, value)| line("", metric, value));
            for stage in &sample.report.stages {
                let figures = [
                    ("items", stage.items as f64),
                    ("bytes", stage.bytes as f64),
                    ("busy_ms", stage.busy_ms),
                    ("cpu_ms", stage.cpu_ms),
                    ("starved_ms", stage.starved_ms),
                    ("blocked_ms", stage.blocked_ms),
                    ("peak_queue_items", stage.peak_queue_items as f64),
                    ("peak_queue_bytes", stage.peak_queue_bytes as f64),
                    ("latency_p50_us", stage.latency_us.p50),
                    ("latency_p99_us", stage.latency_us.p99),
                ];
                figures.into_iter().for_each(|(metric, value)| line(&stage.name, metric, value));
            }
        }
    }
    out
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
