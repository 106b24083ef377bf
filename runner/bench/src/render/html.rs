//! Results as a self-contained page.

mod chart;

use std::fmt::Write as _;

use gristmill_display::{TextCell, bytes, escaped, milliseconds, thousands, utc};

use self::chart::{Bar, Plot, bars, legend};
use super::table::{stage_cells, stage_headings};
use crate::profile::{Profile, Series};
use crate::results::{Measured, Metric, Results};

const STYLE: &str = "
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 22%, transparent); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2.4rem; overflow-wrap: anywhere; } h3 { font-size: 1rem; margin: 1.6rem 0 .3rem; }
p.note { opacity: .75; margin: .2rem 0 .8rem; } p.warning { border-left: 3px solid #e69f00; padding-left: .7rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%; }
th, td { white-space: nowrap; padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 8rem; } td.less { color: #009e73; font-weight: 650; } td.more { color: #d55e00; font-weight: 650; }
.wide { overflow-x: auto; } .legend { margin: .2rem 0; } .legend span { margin-right: 1rem; overflow-wrap: anywhere; }
.legend i { display: inline-block; width: .8em; height: .8em; margin-right: .4em; border-radius: 2px; }
svg { width: 100%; height: auto; } svg text { fill: currentColor; font-size: 12px; } svg .name { opacity: .7; }
svg .axis { stroke: var(--line); } svg .mark { stroke: currentColor; opacity: .45; stroke-dasharray: 3 4; }
svg .end { stroke: currentColor; stroke-width: 2; } svg .sample { fill: none; stroke: currentColor; opacity: .8; }
";

/// Renders the page: variants with their intervals, sweeps, scaling, stages, and what threads did over time.
/// It needs no network.
#[must_use]
pub fn html(results: &Results) -> String {
    let mut out = String::from("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    let write = |out: &mut String, text: std::fmt::Arguments<'_>| {
        // Writing to a string cannot fail.
        let _ = out.write_fmt(text);
    };
    write(
        &mut out,
        format_args!(
            "<meta name=\"viewport\" content=\"width=device-width\"><title>gristmill bench</title><style>{STYLE}</style>\
             </head><body><h1>Benchmark</h1><p class=\"note\">{}</p>",
            escaped(&headline(results))
        ),
    );
    for warning in &results.warnings {
        write(&mut out, format_args!("<p class=\"warning\">{}</p>", escaped(warning)));
    }
    for metric in Metric::ALL {
        write(&mut out, format_args!("<h2>{}</h2>", title(metric)));
        out.push_str(&metric_bars(results, metric));
    }
    out.push_str(&comparisons(results));
    out.push_str(&sweeps(results));
    for variant in &results.variants {
        write(&mut out, format_args!("<h2>{}</h2>", escaped(&variant.name)));
        out.push_str(&stages(variant));
        if let Some(profile) = &variant.profile {
            out.push_str(&over_time(&in_order(profile, variant)));
        }
    }
    out.push_str("</body></html>\n");
    out
}

fn headline(results: &Results) -> String {
    let (machine, corpus) = (&results.machine, &results.corpus);
    let processor = machine.processor.as_deref().unwrap_or("unknown processor");
    let programs: Vec<String> = results.variants.iter().map(|variant| variant.program.version.clone()).collect();
    let mut versions: Vec<&str> = programs.iter().map(String::as_str).collect();
    versions.dedup();
    let walls = results.variants.iter().filter_map(|variant| variant.median(Metric::Wall));
    let coverage = walls.map(|median| median.coverage).fold(1.0, f64::min).min(crate::CONFIDENCE) * 100.0;
    format!(
        "{} UTC · {} · scenario {} · {} files, {} of text, Merkle root {} · {} cores ({processor}), {} · medians with \
         intervals of {coverage:.0} % confidence; circles are trials",
        utc(results.started_ms),
        versions.join(", "),
        results.scenario.as_str(),
        thousands(corpus.files),
        bytes(corpus.bytes),
        corpus.merkle_root.get(..12).unwrap_or_default(),
        machine.cores,
        machine.system,
    )
}

fn title(metric: Metric) -> &'static str {
    match metric {
        Metric::Wall => "Wall time",
        Metric::Cpu => "CPU time",
        Metric::Memory => "Peak memory",
        Metric::IndexBytes => "Size of the index",
    }
}

fn shown(metric: Metric, value: f64) -> String {
    match metric {
        Metric::Wall | Metric::Cpu => milliseconds(value),
        Metric::Memory | Metric::IndexBytes => bytes(value as u64),
    }
}

fn metric_bars(results: &Results, metric: Metric) -> String {
    let values: Vec<Vec<f64>> = results.variants.iter().map(|variant| variant.values(metric)).collect();
    let shown = results.variants.iter().zip(&values).filter_map(|(variant, samples)| {
        let median = variant.median(metric)?;
        let label = shown(metric, median.estimate);
        Some(Bar { name: &variant.name, value: median.estimate, samples, ends: (median.low, median.high), label })
    });
    bars(&shown.collect::<Vec<_>>())
}

fn comparisons(results: &Results) -> String {
    let found = results.comparisons();
    let Some(first) = found.first() else { return String::new() };
    let mut rows = Vec::new();
    for variant in &results.variants[1..] {
        let mut row = format!("<td>{}</td>", escaped(&variant.name));
        for comparison in found.iter().filter(|comparison| comparison.variant == variant.name) {
            let class = match comparison.verdict {
                crate::Verdict::Less => "less",
                crate::Verdict::More => "more",
                crate::Verdict::NotShown => "",
            };
            let ratio = comparison.ratio.map_or_else(
                || "?".into(),
                |ratio| format!("{:.3} ({:.3}–{:.3})", ratio.estimate, ratio.low, ratio.high),
            );
            // Writing to a string cannot fail.
            let _ = write!(row, "<td class=\"{class}\">{ratio}</td>");
        }
        rows.push(row);
    }
    let headings: String = Metric::ALL.map(|metric| format!("<th>{}</th>", title(metric))).concat();
    format!(
        "<h2>Ratios to {}</h2><p class=\"note\">Of the n-th trials, one after the other; coloured where the interval \
         excludes 1.</p><div class=\"wide\"><table><tr><th></th>{headings}</tr><tr>{}</tr></table></div>",
        escaped(&first.baseline),
        rows.join("</tr><tr>")
    )
}

/// A chart for each setting that was swept over numbers, with one line for each combination of the others.
fn sweeps(results: &Results) -> String {
    let mut out = String::new();
    let mut names: Vec<&str> = Vec::new();
    for setting in results.variants.iter().flat_map(|variant| &variant.settings) {
        if !names.contains(&setting.name.as_str()) {
            names.push(&setting.name);
        }
    }
    for name in names {
        let mut lines: Vec<(String, Vec<(f64, &Measured)>)> = Vec::new();
        for variant in &results.variants {
            let Some(value) = variant.settings.iter().find(|setting| setting.name == name).and_then(number) else {
                continue;
            };
            let of = |setting: &&crate::Setting| setting.name != name;
            let others =
                variant.settings.iter().filter(of).map(|setting| format!("{}={}", setting.name, setting.value));
            // The program and the job are parts of the name that no setting accounts for.
            let own = format!("{name}=");
            let rest: Vec<&str> = variant.name.split(' ').filter(|part| !part.starts_with(&own)).collect();
            let label = if rest.is_empty() { others.collect::<Vec<_>>().join(" ") } else { rest.join(" ") };
            match lines.iter_mut().find(|(known, _)| *known == label) {
                Some((_, points)) => points.push((value, variant)),
                None => lines.push((label, vec![(value, variant)])),
            }
        }
        lines.iter_mut().for_each(|(_, points)| points.sort_by(|left, right| left.0.total_cmp(&right.0)));
        if lines.iter().all(|(_, points)| points.len() < 2) {
            continue;
        }
        // Writing to a string cannot fail.
        let _ = write!(out, "<h2>Sweep of <code>{}</code></h2>", escaped(name));
        out.push_str(&legend(lines.iter().map(|(label, _)| if label.is_empty() { "wall time" } else { label })));
        out.push_str(&sweep_plot(name, &lines));
        if name == "workers" {
            out.push_str(
                "<h3>Scaling efficiency</h3><p class=\"note\">Speed-up over the fewest workers, per worker: 1 is \
                          perfect.</p>",
            );
            out.push_str(&scaling_plot(&lines));
        }
    }
    out
}

fn number(setting: &crate::Setting) -> Option<f64> {
    setting.value.trim_matches('"').parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0)
}

fn sweep_plot(name: &str, lines: &[(String, Vec<(f64, &Measured)>)]) -> String {
    let all = || lines.iter().flat_map(|(_, points)| points);
    let wall = |variant: &Measured| variant.median(Metric::Wall);
    let most = all().filter_map(|(_, variant)| wall(variant)).map(|wall| wall.high).fold(0.0, f64::max);
    let end = all().map(|(value, _)| *value).fold(0.0, f64::max);
    let mut plot = Plot::new(260.0, (end, most), name, (&plain, &milliseconds));
    for (nth, (label, points)) in lines.iter().enumerate() {
        let medians: Vec<_> = points.iter().filter_map(|(value, variant)| Some((*value, wall(variant)?))).collect();
        plot.line(&medians.iter().map(|(value, wall)| (*value, wall.estimate)).collect::<Vec<_>>(), nth, label);
        medians.iter().for_each(|(value, wall)| plot.whisker(*value, wall.low, wall.high, nth));
    }
    plot.finish()
}

fn scaling_plot(lines: &[(String, Vec<(f64, &Measured)>)]) -> String {
    let end = lines.iter().flat_map(|(_, points)| points).map(|(value, _)| *value).fold(0.0, f64::max);
    let mut plot = Plot::new(200.0, (end, 1.2), "workers", (&plain, &plain));
    for (nth, (label, points)) in lines.iter().enumerate() {
        let wall = |variant: &Measured| variant.median(Metric::Wall).map(|wall| wall.estimate);
        let Some((fewest, Some(slowest))) = points.first().map(|(value, variant)| (*value, wall(variant))) else {
            continue;
        };
        let efficiency =
            points.iter().filter_map(|(value, variant)| Some((*value, slowest * fewest / (wall(variant)? * value))));
        plot.line(&efficiency.collect::<Vec<_>>(), nth, label);
    }
    plot.finish()
}

fn stages(variant: &Measured) -> String {
    let Some(sample) = variant.typical() else { return String::new() };
    let cell = |cell: &TextCell| format!("<td>{}</td>", escaped(cell.text()));
    let busy = sample.report.stages.iter().filter(|stage| stage.items > 0 || stage.busy_ms > 0.0);
    let rows: String =
        busy.map(|stage| format!("<tr>{}</tr>", stage_cells(stage).iter().map(cell).collect::<String>())).collect();
    let headings: String = stage_headings().iter().map(|heading| format!("<th>{heading}</th>")).collect();
    format!(
        "<h3>Stages</h3><p class=\"note\">Of the trial nearest to the median. Rates are per second of a thread in the \
         stage; latencies are per item.</p><div class=\"wide\"><table><tr>{headings}</tr>{rows}</table></div>"
    )
}

/// Sorts the stages of a profile as in the graph, so that they have the same colours in every chart.
fn in_order(profile: &Profile, variant: &Measured) -> Profile {
    let mut profile = profile.clone();
    let stages = variant.typical().map_or(&[][..], |sample| &sample.report.stages);
    let place = |series: &Series| stages.iter().position(|stage| stage.name == series.name).unwrap_or(stages.len());
    profile.work.sort_by_key(place);
    profile
}

fn over_time(profile: &Profile) -> String {
    let at: Vec<f64> = (0..profile.work.first().map_or(0, |series| series.values.len()))
        .map(|index| (index as f64 + 0.5) * profile.interval_ms)
        .collect();
    let Some(end) = at.last().map(|last| last + profile.interval_ms) else { return String::new() };
    let mut out = String::from(
        "<h3>Threads at work over time</h3><p class=\"note\">By stage, in a trial of its own. A thread that waits for a \
         server or a disk within its stage counts.</p>",
    );
    out.push_str(&legend(profile.work.iter().map(|series| series.name.as_str())));
    let mut below = vec![0.0; at.len()];
    let stacked: Vec<Vec<f64>> = std::iter::once(below.clone())
        .chain(profile.work.iter().map(|series| {
            below.iter_mut().zip(&series.values).for_each(|(below, value)| *below += value);
            below.clone()
        }))
        .collect();
    let most = below.iter().copied().fold(1.0, f64::max);
    let mut plot = Plot::new(260.0, (end, most), "time", (&milliseconds, &plain));
    for (nth, (series, levels)) in profile.work.iter().zip(stacked.windows(2)).enumerate() {
        if let [from, to] = levels {
            plot.area(&at, from, to, nth, &series.name);
        }
    }
    for (name, begin, finish) in &profile.phases {
        // Labels of short phases would cover each other.
        let is_long = finish - begin > end / 25.0;
        plot.mark(*begin, if is_long { name } else { "" });
    }
    out.push_str(&plot.finish());
    let held: Vec<&Series> = profile.levels.iter().collect();
    if !held.is_empty() {
        out.push_str("<h3>Bytes that wait</h3>");
        out.push_str(&legend(held.iter().map(|series| series.name.as_str())));
        let most = held.iter().flat_map(|series| series.values.iter().copied()).fold(1.0, f64::max);
        let mut plot = Plot::new(200.0, (end, most), "time", (&milliseconds, &|value| bytes(value as u64)));
        for (nth, series) in held.iter().enumerate() {
            let points: Vec<(f64, f64)> = at.iter().copied().zip(series.values.iter().copied()).collect();
            plot.line(&points, nth, &series.name);
        }
        out.push_str(&plot.finish());
    }
    out
}

/// Formats a number without needless decimals.
fn plain(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
