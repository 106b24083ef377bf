//! Where the time of a run goes, and the bound that it is measured against.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::report::{Changes, Ending, InFlight, MemoryReport, PlaneReport, RunReport, Times, Work};
use super::{RunPlan, now_ms};
use crate::execute::Budget;
use crate::graph::Graph;
use crate::measure::{Meters, peak_memory, process_cpu};
use crate::trace::TraceKind;

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Takes the time of a run's parts.
pub(super) struct Clock {
    started: Instant,
    started_ms: u64,
    cpu_started: Duration,
    last: Instant,
    pub(super) scan: Duration,
    pub(super) hydrate: Duration,
    pub(super) process: Duration,
    pub(super) stage: Duration,
    pub(super) publish: Duration,
}

impl Clock {
    pub(super) fn start() -> Self {
        let now = Instant::now();
        let zero = Duration::ZERO;
        let (cpu_started, started_ms) = (process_cpu(), now_ms());
        Self {
            started: now,
            started_ms,
            cpu_started,
            last: now,
            scan: zero,
            hydrate: zero,
            process: zero,
            stage: zero,
            publish: zero,
        }
    }

    /// Ends a phase of the run, which began when the last one ended. Gives the time it took.
    pub(super) fn lap(&mut self, meters: &Meters, phase: &'static str) -> Duration {
        meters.trace_since(TraceKind::Phase, phase, self.last);
        let now = Instant::now();
        let lap = now - self.last;
        self.last = now;
        lap
    }

    /// A report of a run that has done nothing yet.
    pub(super) fn report(&self, plan: &RunPlan<'_>, workers: usize) -> RunReport {
        RunReport {
            ending: Ending::Unchanged,
            epoch: gristmill_ids::Epoch::NONE,
            merkle_root: crate::Hash::of(b""),
            mode: plan.mode,
            workers,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            started_ms: self.started_ms,
            rebuilt_because: None,
            notice: None,
            source_notices: Vec::new(),
            scan: crate::source::ScanMeasures::default(),
            changes: Changes::default(),
            work: Work::default(),
            revision: None,
            refs: Vec::new(),
            rows: BTreeMap::new(),
            views: BTreeMap::new(),
            stages: Vec::new(),
            plane: PlaneReport::default(),
            time: Times::default(),
            in_flight: InFlight { limit_bytes: plan.in_flight_limit, peak_bytes: 0 },
            peak_memory_bytes: None,
            memory: MemoryReport::default(),
            findings: BTreeMap::new(),
            quarantined: Vec::new(),
        }
    }

    /// Completes the report; `budget` is that of the epoch that was built, if one was.
    pub(super) fn finish(&self, mut report: RunReport, plan: &RunPlan<'_>, budget: Option<&Budget>) -> RunReport {
        report.stages = plan.meters.stages().iter().map(|meter| meter.report()).collect();
        if let Some(budget) = budget {
            report.ending = Ending::Committed;
            report.in_flight.peak_bytes = budget.peak();
        }
        report.peak_memory_bytes = peak_memory();
        let outside: Duration = plan.meters.stages().iter().map(|meter| meter.outside_cpu()).sum();
        let cpu = process_cpu().saturating_sub(self.cpu_started) + outside;
        let (wall, cpu) = (ms(self.started.elapsed()), ms(cpu));
        let serial = serial_parts(plan.graph, &report);
        let slowest_serial = serial.iter().map(|(_, busy)| *busy).fold(0.0, f64::max);
        // Requests wait on threads of their own; what computes shares the workers.
        let mut waits: f64 = 0.0;
        let mut shares = Vec::new();
        for (stage, meter) in plan.graph.stages().iter().zip(plan.meters.stages()) {
            let Some(operator) = stage.operator() else { continue };
            let share = match operator.requests() {
                0 => ms(meter.busy()) / report.workers as f64,
                requests => ms(meter.waited()) / requests as f64,
            };
            if operator.requests() > 0 {
                waits = waits.max(share);
            }
            shares.push((stage.name.to_string(), share));
        }
        let bottleneck = serial.iter().cloned().chain(shares).max_by(|left, right| left.1.total_cmp(&right.1));
        let bound = (cpu / report.cores as f64).max(slowest_serial).max(waits);
        report.time = Times {
            wall_ms: wall,
            cpu_ms: cpu,
            scan_ms: ms(self.scan),
            hydrate_ms: ms(self.hydrate),
            process_ms: ms(self.process),
            stage_ms: ms(self.stage),
            publish_ms: ms(self.publish),
            bottleneck: bottleneck.map(|(name, _)| name).unwrap_or_default(),
            bound_ms: bound,
            overlap_efficiency: if wall > 0.0 { (bound / wall).min(1.0) } else { 1.0 },
        };
        report
    }
}

/// The parts of a run that run on one thread each, with the time they were busy.
fn serial_parts(graph: &Graph, report: &RunReport) -> Vec<(String, f64)> {
    let sinks = graph.sinks().iter().filter_map(|sink| report.stages.get(sink.stage.index()));
    let sinks = sinks.map(|measures| (measures.name.clone(), measures.busy_ms));
    sinks.chain([("fact plane".to_owned(), report.plane.busy_ms)]).collect()
}
