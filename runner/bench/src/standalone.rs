//! Stages alone, on recorded inputs: operators on as many threads as asked for, and the parts that only
//! run together (sinks, fact plane, commit, recall) with operators that give what was recorded.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gristmill_config::Job;
use gristmill_memory::{Allocated, count};
use gristmill_pipeline::graph::{Body, Graph};
use gristmill_pipeline::merkle::{Tree, diff};
use gristmill_pipeline::port::Item;
use gristmill_pipeline::run::{Indexer, Interrupt, RunPlan, RunReport};
use gristmill_pipeline::source::{LastScan, ScanOptions};
use gristmill_pipeline::{Meters, OperatorError, Percentiles, StageId, StandaloneStage};
use serde::{Deserialize, Serialize};

use crate::error::BenchError;
use crate::recording::{RecordedSource, Recording, replayed};

/// Parts of a run that are no stage.
pub const PARTS: [&str; 7] = ["scan", "rescan", "merkle diff", "fact plane", "commit", "commit of one edit", "recall"];

/// What one trial measured of a stage or a part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StandaloneSample {
    /// Items: those of the stage's input; files, directories, facts or rows for parts.
    pub items: u64,
    /// Bytes of source text that they stand for, where the part has any.
    pub bytes: u64,
    /// The time it took, in milliseconds.
    pub wall_ms: f64,
    /// The CPU time it took, in milliseconds: of its threads and parse workers. `None` for parts whose
    /// threads do other work too.
    pub cpu_ms: Option<f64>,
    /// Allocations of its threads, and the bytes that they asked for. `None` for parts, and in a program
    /// whose allocator does not count.
    pub allocated: Option<(u64, u64)>,
    /// Time per item, in microseconds, where items are measured one by one.
    pub latency_us: Option<Percentiles>,
}

/// A stage or part with its samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StandaloneMeasured {
    /// The settings of sweeps, such as `stage.embed.batch=16`; empty without sweeps.
    pub variant: String,
    /// The stage or part.
    pub name: String,
    /// Threads that ran it.
    pub threads: usize,
    /// The samples.
    pub samples: Vec<StandaloneSample>,
}

/// A job whose stages are measured alone.
pub struct Bench<'a> {
    job: &'a Job,
    recording: &'a Recording,
    interrupt: &'a Interrupt,
}

impl<'a> Bench<'a> {
    /// A bench for the stages of a job, with inputs that were recorded of the same graph.
    #[must_use]
    pub fn new(job: &'a Job, recording: &'a Recording, interrupt: &'a Interrupt) -> Self {
        Self { job, recording, interrupt }
    }

    /// The stages and parts that can be measured.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.job.graph.stages().iter().map(|stage| stage.name.to_string()).collect();
        for part in PARTS {
            // A stage of that name is meant, if there is one.
            if !names.iter().any(|name| name == part) {
                names.push(part.to_owned());
            }
        }
        names
    }

    /// The operator stage of that name.
    #[must_use]
    pub fn operator(&self, name: &str) -> Option<StageId> {
        let is_it =
            |stage: &&gristmill_pipeline::graph::Stage| *stage.name == *name && matches!(stage.body, Body::Operator(_));
        self.job.graph.stages().iter().find(is_it).map(|stage| stage.id)
    }

    /// Runs an operator stage once over its recorded inputs, on that many threads.
    ///
    /// # Errors
    /// If the operator can no longer work, or the interrupt asks to stop.
    pub fn run_operator(&self, stage: StageId, threads: usize) -> Result<StandaloneSample, BenchError> {
        let graph = &self.job.graph;
        let meters = Meters::new(graph);
        let Some(standalone) = StandaloneStage::new(graph, &meters, self.interrupt, stage) else {
            return Ok(StandaloneSample::default());
        };
        let batches = standalone.batches(self.recording.flow.inputs(graph, stage));
        let started = Instant::now();
        let allocated = run_batches(&standalone, &batches, threads, self.interrupt)?;
        let wall = started.elapsed();
        if self.interrupt.is_requested() {
            return Err(BenchError::Interrupted);
        }
        let report = meters.stages().get(stage.index()).map(|meter| meter.report());
        Ok(report.map_or_else(StandaloneSample::default, |report| StandaloneSample {
            items: report.items,
            bytes: report.bytes,
            wall_ms: milliseconds(wall),
            cpu_ms: Some(report.cpu_ms),
            allocated: (allocated.times > 0).then_some((allocated.times, allocated.bytes)),
            latency_us: Some(report.latency_us),
        }))
    }

    /// Runs everything but the operators once, whose outputs are replayed. Gives the sinks by the names of
    /// their stages, and [`PARTS`].
    ///
    /// # Errors
    /// If a run fails, or the interrupt asks to stop.
    pub fn run_parts(&self) -> Result<Vec<(String, StandaloneSample)>, BenchError> {
        if self.job.open_source()?.is_over_refs() {
            return Err(BenchError::Plan(
                "a source over several refs cannot be measured in parts; name one `revision`".into(),
            ));
        }
        let mut samples = self.scans()?;
        let flow = &self.recording.flow;
        let graph = replayed(&self.job.graph, flow)?;
        let folder = tempfile::tempdir().map_err(BenchError::file("create a folder in", std::env::temp_dir()))?;
        let all = RecordedSource::new(&flow.files);
        let middle = flow.files.len() / 2;
        let but_one: Vec<_> = [&flow.files[..middle], &flow.files[(middle + 1).min(flow.files.len())..]].concat();
        let (but_one, none) = (RecordedSource::new(&but_one), RecordedSource::new(&[]));
        let started = Instant::now();
        let everything = diff(&Tree::empty(), all.tree());
        let one = diff(all.tree(), but_one.tree());
        let (time, paths) = (started.elapsed(), everything.changes.len() + one.changes.len());
        samples.push((
            "merkle diff".into(),
            StandaloneSample { items: paths as u64, wall_ms: milliseconds(time), ..StandaloneSample::default() },
        ));

        let meters = Meters::new(&graph);
        let index = folder.path().join("index");
        let plan = RunPlan {
            graph: &graph,
            index: &index,
            vectors: None,
            // The epoch that the recall goes back to must be kept.
            keep: KEPT_EPOCHS,
            ..self.job.run_plan(&all, &meters, false, self.interrupt)
        };
        let mut indexer = Indexer::open(plan)?;
        let first = indexer.update(&all, false)?;
        samples.extend(of_sinks(&graph, &first));
        samples.push(("fact plane".into(), plane(&first)));
        samples.push(("commit".into(), commit(&first)));
        let edit = indexer.update(&but_one, false)?;
        samples.push(("commit of one edit".into(), commit(&edit)));
        indexer.update(&none, false)?;
        let again = indexer.update(&all, false)?;
        let (items, wall_ms) = (again.work.paths_recalled, again.time.process_ms);
        samples.push(("recall".into(), StandaloneSample { items, wall_ms, ..StandaloneSample::default() }));
        Ok(samples)
    }

    /// Scans the job's own source: from nothing, and when nothing changed.
    fn scans(&self) -> Result<Vec<(String, StandaloneSample)>, BenchError> {
        let source = self.job.open_source()?;
        let options = ScanOptions { threads: self.job.workers.get(), interrupt: self.interrupt.clone() };
        let started = Instant::now();
        let scan = source.scan(None, &options)?;
        if scan.tree.root_hash().to_string() != self.recording.manifest.merkle_root {
            let message =
                "the source of the job does not hold what was recorded; record again, or measure single stages";
            return Err(BenchError::Plan(message.into()));
        }
        let cold = started.elapsed();
        let last = LastScan {
            tree: &scan.tree,
            merkle_root: scan.tree.root_hash(),
            place: source.place(),
            revision: scan.revision.as_deref(),
            refs: &scan.refs,
            selection: scan.selection,
        };
        let started = Instant::now();
        source.scan(Some(&last), &options)?;
        let warm = started.elapsed();
        let sample = |items, bytes, time| StandaloneSample {
            items,
            bytes,
            wall_ms: milliseconds(time),
            ..StandaloneSample::default()
        };
        let files = scan.measures.files;
        Ok(vec![
            ("scan".into(), sample(files, scan.measures.bytes_read, cold)),
            ("rescan".into(), sample(files, 0, warm)),
        ])
    }
}

/// Epochs that the replayed index keeps.
const KEPT_EPOCHS: u64 = 8;

fn run_batches(
    standalone: &StandaloneStage,
    batches: &[Vec<Item>],
    threads: usize,
    interrupt: &Interrupt,
) -> Result<Allocated, BenchError> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<Allocated, BenchError> {
        let (result, allocated) = count(|| -> Result<(), OperatorError> {
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed))
                && !interrupt.is_requested()
            {
                // The output is dropped inside the timed section: freeing it belongs to the cost of the stage.
                standalone.run(batch.clone())?;
            }
            Ok(())
        });
        result?;
        Ok(allocated)
    };
    if threads <= 1 {
        return work();
    }
    std::thread::scope(|scope| {
        let start = |_| std::thread::Builder::new().spawn_scoped(scope, work).map_err(BenchError::Thread);
        // Those that were started end, whether or not all could be.
        let started: Vec<_> = (0..threads).map(start).collect();
        // Panics of operators are contained, so a thread always gives its result.
        let ended = started.into_iter().map(|thread| thread?.join().unwrap_or(Ok(Allocated::default())));
        ended.reduce(|left, right| {
            let (left, right) = (left?, right?);
            Ok(Allocated { times: left.times + right.times, bytes: left.bytes + right.bytes })
        })
    })
    .unwrap_or(Ok(Allocated::default()))
}

fn of_sinks(graph: &Graph, report: &RunReport) -> Vec<(String, StandaloneSample)> {
    let sinks = graph.sinks().iter().filter_map(|sink| report.stages.get(sink.stage.index()));
    let sample = |stage: &gristmill_pipeline::StageReport| StandaloneSample {
        items: stage.items,
        bytes: stage.bytes,
        wall_ms: stage.busy_ms,
        // Stores have threads of their own.
        cpu_ms: None,
        allocated: None,
        latency_us: Some(stage.latency_us),
    };
    sinks.map(|stage| (stage.name.clone(), sample(stage))).collect()
}

fn plane(report: &RunReport) -> StandaloneSample {
    StandaloneSample { items: report.plane.facts, wall_ms: report.plane.busy_ms, ..StandaloneSample::default() }
}

fn commit(report: &RunReport) -> StandaloneSample {
    let rows: u64 = report.rows.values().map(|rows| rows.added + rows.deleted).sum();
    StandaloneSample {
        items: rows,
        wall_ms: report.time.stage_ms + report.time.publish_ms,
        ..StandaloneSample::default()
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
