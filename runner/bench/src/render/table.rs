//! Results as tables for terminals.

use std::fmt::Write as _;

use gristmill_display::{TextCell, TextTable, bytes, milliseconds, thousands, utc};
use gristmill_pipeline::StageReport;

use crate::compare::{Comparison, Verdict};
use crate::results::{Measured, Metric, Results};
use crate::standalone::StandaloneMeasured;
use crate::statistics::{Interval, median, paired_ratio};

/// Renders the machine, the corpus, and a line for each variant.
#[must_use]
pub fn summary(results: &Results) -> String {
    let (machine, corpus) = (&results.machine, &results.corpus);
    let trials = results.variants.iter().map(|variant| variant.samples.len()).max().unwrap_or(0);
    let mut out = format!(
        "{} UTC  {} cores{}, load {} to {}\n{} of {} files, {} of text ({}); {} trials of each, {} before them\n\n",
        utc(results.started_ms),
        machine.cores,
        machine.processor.as_ref().map_or_else(String::new, |processor| format!(" of {processor}")),
        machine.load.map_or_else(|| "?".into(), |load| format!("{load:.1}")),
        results.load_after.map_or_else(|| "?".into(), |load| format!("{load:.1}")),
        match results.scenario {
            crate::Scenario::Cold => "First build",
            crate::Scenario::Unchanged => "Run without changes",
            crate::Scenario::Edit => "Run after one edit",
        },
        thousands(corpus.files),
        bytes(corpus.bytes),
        corpus.merkle_root.get(..12).unwrap_or_default(),
        trials,
        results.warm_up,
    );
    let comparisons = results.comparisons();
    let mut headings = vec!["variant", "wall", "interval", "CPU", "peak RSS", "index", "overlap", "bottleneck"];
    if !comparisons.is_empty() {
        headings.extend(["wall ratio", "interval", ""]);
    }
    let mut table = TextTable::new(headings);
    for variant in &results.variants {
        let compared = |metric: Metric| {
            let is_it = |found: &&Comparison| found.variant == variant.name && found.metric == metric.as_str();
            comparisons.iter().find(is_it)
        };
        let mut cells = variant_cells(variant);
        if let Some(Comparison { ratio: Some(ratio), verdict, .. }) = compared(Metric::Wall) {
            cells.extend([number(format!("{:.3}", ratio.estimate)), number(ends(ratio, |end| format!("{end:.3}")))]);
            cells.push(of_time(*verdict).into());
        }
        table.row(cells);
    }
    out.push_str(&table.render());
    let walls = results.variants.iter().filter_map(|variant| variant.median(Metric::Wall));
    let coverage = walls.map(|median| median.coverage).fold(1.0, f64::min);
    // Writing to a string cannot fail.
    let _ = write!(out, "\n{}", of_coverage(coverage));
    let digests: Vec<&str> = results.variants.iter().filter_map(|variant| variant.digest.as_deref()).collect();
    if digests.len() > 1 {
        let agree = digests.windows(2).all(|pair| pair[0] == pair[1]);
        out.push_str(if agree {
            "All variants wrote the same rows.\n"
        } else {
            "The variants wrote different rows.\n"
        });
    }
    for warning in &results.warnings {
        let _ = writeln!(out, "warning: {warning}");
    }
    out
}

fn variant_cells(variant: &Measured) -> Vec<TextCell> {
    let wall = variant.median(Metric::Wall);
    let shown = |metric: Metric, show: &dyn Fn(f64) -> String| {
        number(variant.median(metric).map_or_else(|| "?".into(), |median| show(median.estimate)))
    };
    let size = |value: f64| bytes(value as u64);
    let bottleneck = variant.typical().map_or("", |sample| sample.report.time.bottleneck.as_str());
    vec![
        variant.name.as_str().into(),
        number(wall.map_or_else(String::new, |wall| milliseconds(wall.estimate))),
        number(wall.map_or_else(String::new, |wall| ends(&wall, milliseconds))),
        shown(Metric::Cpu, &milliseconds),
        shown(Metric::Memory, &size),
        shown(Metric::IndexBytes, &size),
        number(format!("{:.2}", variant.median_of(|sample| sample.report.time.overlap_efficiency))),
        bottleneck.into(),
    ]
}

/// Renders the stages of a variant, from the trial whose wall time is nearest to the median.
#[must_use]
pub fn stages(variant: &Measured) -> String {
    let has_work = |sample: &&crate::Sample| sample.report.stages.iter().any(|stage| stage.items > 0);
    let Some(sample) = variant.typical().filter(has_work) else { return String::new() };
    let report = &sample.report;
    let mut table = TextTable::new(stage_headings());
    for stage in report.stages.iter().filter(|stage| stage.items > 0 || stage.busy_ms > 0.0) {
        table.row(stage_cells(stage));
    }
    let plane = &report.plane;
    if plane.rounds > 0 {
        let mut cells = vec!["fact plane".into(), plane.facts.into()];
        cells.push(number(rate(plane.facts as f64, plane.busy_ms)));
        cells.extend(std::iter::repeat_n("".into(), 4));
        cells.push(number(milliseconds(plane.busy_ms)));
        table.row(cells);
    }
    let time = &report.time;
    let parts = [
        ("scan", time.scan_ms),
        ("hydrate", time.hydrate_ms),
        ("process", time.process_ms),
        ("stage", time.stage_ms),
        ("publish", time.publish_ms),
    ];
    let parts = parts.map(|(name, time)| format!("{name} {}", milliseconds(time))).join(", ");
    format!("{}: {}\n\n{}", variant.name, parts, table.render())
}

/// The headings of [`stage_cells`].
pub(super) const fn stage_headings() -> [&'static str; 12] {
    ["stage", "items", "items/s", "MB/s", "CPU/item", "p50", "p99", "busy", "CPU", "starved", "blocked", "peak queue"]
}

/// Renders the measures of a stage: what [`stages`] shows of it.
pub(super) fn stage_cells(stage: &StageReport) -> Vec<TextCell> {
    let per_item = if stage.items > 0 { stage.cpu_ms * 1e3 / stage.items as f64 } else { 0.0 };
    vec![
        stage.name.as_str().into(),
        stage.items.into(),
        number(rate(stage.items as f64, stage.busy_ms)),
        number(format!("{:.1}", stage.bytes as f64 / 1e3 / stage.busy_ms.max(f64::MIN_POSITIVE))),
        number(microseconds(per_item)),
        number(microseconds(stage.latency_us.p50)),
        number(microseconds(stage.latency_us.p99)),
        number(milliseconds(stage.busy_ms)),
        number(milliseconds(stage.cpu_ms)),
        number(milliseconds(stage.starved_ms)),
        number(milliseconds(stage.blocked_ms)),
        number(bytes(stage.peak_queue_bytes)),
    ]
}

/// Renders stages and parts that were measured alone, each against the first variant of its name and number
/// of threads.
#[must_use]
pub fn standalone(measured: &[StandaloneMeasured]) -> String {
    let has_variants = measured.iter().any(|row| !row.variant.is_empty());
    let mut headings = vec![
        "stage",
        "threads",
        "items",
        "wall",
        "interval",
        "items/s",
        "MB/s",
        "CPU/item",
        "allocs/item",
        "bytes/item",
        "p50",
        "p99",
        "max",
    ];
    if has_variants {
        headings.insert(0, "variant");
        headings.extend(["wall ratio", "interval", ""]);
    }
    let mut table = TextTable::new(headings);
    for (index, row) in measured.iter().enumerate() {
        let mut cells: Vec<TextCell> = Vec::new();
        if has_variants {
            cells.push(row.variant.as_str().into());
        }
        cells.extend(standalone_cells(row));
        let is_baseline = |other: &&StandaloneMeasured| other.name == row.name && other.threads == row.threads;
        if let Some(baseline) = measured[..index].iter().find(is_baseline) {
            let walls = |row: &StandaloneMeasured| row.samples.iter().map(|sample| sample.wall_ms).collect::<Vec<_>>();
            let pairs: Vec<(f64, f64)> = walls(baseline).into_iter().zip(walls(row)).collect();
            if let Some(ratio) = paired_ratio(&pairs) {
                cells.push(number(format!("{:.3}", ratio.estimate)));
                cells.push(number(ends(&ratio, |end| format!("{end:.3}"))));
                cells.push(of_time(Verdict::of(&ratio)).into());
            }
        }
        table.row(cells);
    }
    let walls = |row: &StandaloneMeasured| row.samples.iter().map(|sample| sample.wall_ms).collect::<Vec<_>>();
    let coverage = measured.first().and_then(|row| median(&walls(row))).map_or(0.0, |median| median.coverage);
    format!("{}\n{}", table.render(), of_coverage(coverage))
}

/// Says how sure intervals are.
fn of_coverage(coverage: f64) -> String {
    if coverage >= crate::CONFIDENCE {
        return "Intervals are of 95 % confidence.\n".into();
    }
    if coverage < 0.5 {
        return "One trial has no interval; use --repeat 6 or more.\n".into();
    }
    let coverage = coverage * 100.0;
    format!(
        "With so few trials intervals are of {coverage:.0} % confidence, and show no difference; use --repeat 6 or more.\n"
    )
}

fn standalone_cells(row: &StandaloneMeasured) -> Vec<TextCell> {
    let walls: Vec<f64> = row.samples.iter().map(|sample| sample.wall_ms).collect();
    let (Some(wall), Some(sample)) = (median(&walls), row.samples.last()) else {
        return vec![row.name.as_str().into()];
    };
    let cpus: Vec<f64> = row.samples.iter().filter_map(|sample| sample.cpu_ms).collect();
    let per_item = median(&cpus).filter(|_| sample.items > 0).map(|cpu| cpu.estimate * 1e3 / sample.items as f64);
    let latency = |of: &dyn Fn(&gristmill_pipeline::Percentiles) -> f64| {
        number(sample.latency_us.as_ref().map_or_else(String::new, |latency| microseconds(of(latency))))
    };
    let allocated = |show: &dyn Fn((f64, f64)) -> String| {
        let items = sample.items.max(1) as f64;
        let per_item = sample.allocated.map(|(times, bytes)| (times as f64 / items, bytes as f64 / items));
        number(per_item.map_or_else(String::new, show))
    };
    let megabytes = sample.bytes as f64 / 1e3 / wall.estimate.max(f64::MIN_POSITIVE);
    vec![
        row.name.as_str().into(),
        row.threads.into(),
        sample.items.into(),
        number(milliseconds(wall.estimate)),
        number(ends(&wall, milliseconds)),
        number(rate(sample.items as f64, wall.estimate)),
        number(if sample.bytes > 0 { format!("{megabytes:.1}") } else { String::new() }),
        number(per_item.map_or_else(String::new, microseconds)),
        allocated(&|(times, _)| format!("{times:.1}")),
        allocated(&|(_, requested)| bytes(requested as u64)),
        latency(&|latency| latency.p50),
        latency(&|latency| latency.p99),
        latency(&|latency| latency.max),
    ]
}

/// Renders comparisons, one per line.
#[must_use]
pub fn comparisons(comparisons: &[Comparison]) -> String {
    let mut table = TextTable::new(["variant", "baseline", "metric", "ratio", "interval", ""]);
    for found in comparisons {
        let ratio = found.ratio.map_or_else(|| "?".into(), |ratio| format!("{:.3}", ratio.estimate));
        let interval = found.ratio.map_or_else(String::new, |ratio| ends(&ratio, |end| format!("{end:.3}")));
        let names = [&found.variant, &found.baseline, &found.metric].map(|name| name.as_str().into());
        table.row(names.into_iter().chain([number(ratio), number(interval), found.verdict.as_str().into()]));
    }
    table.render()
}

/// A verdict on a time.
fn of_time(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Less => "faster",
        Verdict::More => "slower",
        Verdict::NotShown => verdict.as_str(),
    }
}

fn ends(interval: &Interval, show: impl Fn(f64) -> String) -> String {
    format!("{}–{}", show(interval.low), show(interval.high))
}

fn number(text: impl Into<String>) -> TextCell {
    TextCell::number(text)
}

/// Formats how many there are per second.
fn rate(count: f64, time_ms: f64) -> String {
    if time_ms <= 0.0 { String::new() } else { thousands((count * 1e3 / time_ms) as u64) }
}

/// Formats a duration in microseconds.
fn microseconds(value: f64) -> String {
    if value >= 1e4 {
        milliseconds(value / 1e3)
    } else if value < 10.0 {
        format!("{value:.1} µs")
    } else {
        format!("{value:.0} µs")
    }
}
