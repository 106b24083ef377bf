//! Summaries of runs.

use std::fmt::Write as _;

use gristmill_config::Job;
use gristmill_display::{TextCell, TextTable, bytes, milliseconds, seconds, thousands};
use gristmill_pipeline::StageReport;
use gristmill_pipeline::run::{Ending, RunReport};

/// The maximum number of quarantined files to list.
const MAX_LISTED: usize = 10;

/// Renders the summary of a run.
#[must_use]
pub fn render(job: &Job, report: &RunReport) -> String {
    let mut out = String::new();
    let time = &report.time;
    let seconds = seconds(time.wall_ms);
    // Writing to a String cannot fail.
    let _ = match report.ending {
        Ending::Unchanged => writeln!(
            out,
            "{}: no changes in {} files; epoch {} is current ({seconds})",
            job.name,
            thousands(report.scan.files),
            report.epoch
        ),
        Ending::Committed => writeln!(
            out,
            "{}: committed epoch {} with {} files in {seconds} ({}, {} workers)",
            job.name,
            report.epoch,
            thousands(report.scan.files),
            report.mode,
            report.workers
        ),
    };
    let _ = writeln!(out, "{}", totals(report));
    for notice in report.notice.iter().chain(&report.source_notices) {
        let _ = writeln!(out, "note: {notice}");
    }
    if let Some(reason) = &report.rebuilt_because {
        let _ = writeln!(out, "full rebuild: {reason}");
    }
    if report.ending == Ending::Committed {
        committed(&mut out, report);
    }
    findings(&mut out, report);
    let _ = writeln!(out, "index: {}", job.index.display());
    out
}

/// What became of all files of the source, on one line.
fn totals(report: &RunReport) -> String {
    let (scan, changes) = (&report.scan, &report.changes);
    let changed = changes.added + changes.modified;
    format!(
        "files: {} indexed or updated, {} unchanged, {} skipped by rules or hidden, {} quarantined",
        thousands(changed),
        thousands(scan.files.saturating_sub(changed)),
        thousands(scan.ignored + scan.hidden),
        thousands(report.quarantined.len() as u64)
    )
}

/// Renders an epoch on one line.
#[must_use]
pub fn line(job: &Job, report: &RunReport) -> String {
    let (changes, work) = (&report.changes, &report.work);
    let mut out = format!(
        "{}: epoch {} in {}: {} added, {} modified, {} deleted; {} analysed, {} recalled; {} embedded, {} reused\n",
        job.name,
        report.epoch,
        milliseconds(report.time.wall_ms),
        thousands(changes.added),
        thousands(changes.modified),
        thousands(changes.deleted),
        thousands(work.contents_analysed),
        thousands(work.paths_recalled),
        thousands(work.passages_embedded),
        thousands(work.passages_reused),
    );
    for notice in report.notice.iter().chain(&report.source_notices) {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "note: {notice}");
    }
    out
}

fn committed(out: &mut String, report: &RunReport) {
    let (changes, work, time) = (&report.changes, &report.work, &report.time);
    let _ = writeln!(out);
    let mut stages =
        TextTable::new(["stage", "items", "bytes", "busy", "cpu", "starved", "blocked", "max queue", "p50", "p99"]);
    for stage in &report.stages {
        stages.row(stage_row(stage));
    }
    let _ = writeln!(out, "{}", stages.render());
    let read = format!("{} read", thousands(report.scan.files_read));
    let left_out = match report.scan.ignored {
        0 => String::new(),
        ignored => format!("; {} files and folders ignored", thousands(ignored)),
    };
    let _ = writeln!(
        out,
        "files     {} added, {} modified, {} deleted, {} renamed ({read}, {}{left_out})",
        thousands(changes.added),
        thousands(changes.modified),
        thousands(changes.deleted),
        thousands(changes.renamed),
        bytes(report.scan.bytes_read)
    );
    let _ = writeln!(
        out,
        "contents  {} analysed, {} shared, {} recalled",
        thousands(work.contents_analysed),
        thousands(work.paths_shared),
        thousands(work.paths_recalled)
    );
    let _ = writeln!(
        out,
        "passages  {} embedded, {} reused, {} shared, {} recovered",
        thousands(work.passages_embedded),
        thousands(work.passages_reused),
        thousands(work.passages_shared),
        thousands(work.passages_recovered)
    );
    if work.passages_asked_again > 0 {
        let _ = writeln!(
            out,
            "          {} asked again, in flight when the run before ended",
            thousands(work.passages_asked_again)
        );
    }
    for stage in &report.stages {
        let Some(padding) = stage.padding_share() else { continue };
        let _ = writeln!(
            out,
            "tokens    {}: {} embedded, {:.1}% padding",
            stage.name,
            thousands(stage.tokens),
            padding * 100.0
        );
    }
    for (sink, rows) in report.rows.iter().chain(&report.views) {
        let _ = writeln!(out, "rows      {sink}: {} added, {} deleted", thousands(rows.added), thousands(rows.deleted));
    }
    let _ = writeln!(
        out,
        "time      scan {}, hydrate {}, process {}, stage {}, publish {}; cpu {}",
        milliseconds(time.scan_ms),
        milliseconds(time.hydrate_ms),
        milliseconds(time.process_ms),
        milliseconds(time.stage_ms),
        milliseconds(time.publish_ms),
        milliseconds(time.cpu_ms)
    );
    let _ = writeln!(
        out,
        "plane     {} rounds, {} facts ({} loaded), {}",
        thousands(report.plane.rounds),
        thousands(report.plane.facts),
        thousands(report.plane.loaded),
        milliseconds(report.plane.busy_ms)
    );
    let _ = writeln!(
        out,
        "in flight peak {}, limit {}",
        bytes(report.in_flight.peak_bytes),
        bytes(report.in_flight.limit_bytes)
    );
    let memory = &report.memory;
    if memory.peak_bytes > 0 {
        let resident =
            report.peak_memory_bytes.map_or_else(String::new, |peak| format!("; {} with files", bytes(peak)));
        let (peak, limit) = (bytes(memory.peak_bytes), bytes(memory.limit_bytes));
        let _ = writeln!(out, "memory    peak {peak} in phase `{}`, limit {limit}{resident}", memory.peak_phase);
    }
    if memory.was_short {
        let _ = writeln!(out, "note: memory ran short, so files were let in more slowly; raise `job.memory_limit`");
    }
    let _ = writeln!(
        out,
        "overlap   {:.0}% (lower bound {} on {} cores; bottleneck: {})",
        time.overlap_efficiency * 100.0,
        milliseconds(time.bound_ms),
        report.cores,
        time.bottleneck
    );
}

fn stage_row(stage: &StageReport) -> Vec<TextCell> {
    let microseconds =
        |value: f64| TextCell::number(if value < 1e3 { format!("{value:.0} µs") } else { milliseconds(value / 1e3) });
    vec![
        TextCell::from(stage.name.as_str()),
        TextCell::number(thousands(stage.items)),
        TextCell::number(bytes(stage.bytes)),
        TextCell::number(milliseconds(stage.busy_ms)),
        TextCell::number(milliseconds(stage.cpu_ms)),
        TextCell::number(milliseconds(stage.starved_ms)),
        TextCell::number(milliseconds(stage.blocked_ms)),
        TextCell::number(thousands(stage.peak_queue_items)),
        microseconds(stage.latency_us.p50),
        microseconds(stage.latency_us.p99),
    ]
}

fn findings(out: &mut String, report: &RunReport) {
    if !report.findings.is_empty() {
        let found: Vec<String> = report.findings.iter().map(|(code, count)| format!("{count} {code}")).collect();
        let _ = writeln!(out, "findings  {} (see table `diagnostics`)", found.join(", "));
    }
    if report.quarantined.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "\n{} files quarantined: their content is not in the index",
        thousands(report.quarantined.len() as u64)
    );
    for file in report.quarantined.iter().take(MAX_LISTED) {
        let _ = writeln!(out, "  {}: {}: {}", file.path, file.code, file.message);
    }
    if report.quarantined.len() > MAX_LISTED {
        let _ = writeln!(out, "  … and {} more in the table `diagnostics`", report.quarantined.len() - MAX_LISTED);
    }
}
