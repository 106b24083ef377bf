//! A run: from a source to a committed epoch.
//!
//! ```text
//! lock ─► HEAD ─► scan ─► diff ─► hydrate ─► process ─► stage ─► publish ─► commit
//!                          └─ nothing changed: done
//! ```

mod assembly;
mod base;
mod clock;
mod epoch;
mod report;
mod sinks;

pub use report::{Changes, Ending, InFlight, PlaneReport, Quarantined, RunReport, Times, Work};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use base::{Base, obstacle, rows_fingerprint};
use clock::Clock;
use epoch::{Conductor, EpochOutcome, Parts};
use sinks::{SinkHandle, shape};

use crate::execute::{self, Budget, Mode};
use crate::graph::Graph;
use crate::incremental::{FactPlane, PassageLane, PlaneError};
use crate::index::{CommitRecord, FORMAT, IndexError, IndexWriter, Journal, SinkRecord};
use crate::measure::Meters;
use crate::merkle::{Change, Diff, Tree, diff};
use crate::operator::OperatorError;
use crate::port::Header;
use crate::sink::{EpochMeta, SinkError, StagedRows, Token};
use crate::source::{Scan, Source, SourceError};

/// A request to stop, which any thread may make. The run abandons its epoch and ends
/// with [`RunError::Interrupted`]; an epoch that is being published is finished first.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Asks the run to stop.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn check(&self) -> Result<(), RunError> {
        if self.0.load(Ordering::Relaxed) { Err(RunError::Interrupted) } else { Ok(()) }
    }
}

/// What to run.
pub struct RunPlan<'a> {
    /// The checked graph.
    pub graph: &'a Graph,
    /// Where files come from.
    pub source: &'a dyn Source,
    /// The index folder.
    pub index: &'a Path,
    /// How the graph is executed.
    pub mode: Mode,
    /// Worker threads of the data plane, at least one. `sequential` uses one whatever
    /// this says.
    pub workers: usize,
    /// Timely workers of the fact plane, at least one.
    pub plane_workers: usize,
    /// Bytes of source text and vectors that may be in flight.
    pub memory_limit: u64,
    /// Whether to build from nothing, whatever is known.
    pub full: bool,
    /// The meters to write to.
    pub meters: &'a Meters,
    /// Asks the run to stop.
    pub interrupt: &'a Interrupt,
}

/// A run failed. The index holds the epoch that it held before.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The index folder cannot be used.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The source cannot be scanned.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A sink failed.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// An operator can no longer work.
    #[error(transparent)]
    Operator(#[from] OperatorError),
    /// The fact plane ended.
    #[error(transparent)]
    Plane(#[from] PlaneError),
    /// The journal of vectors cannot be read or written.
    #[error("the journal of vectors in the index folder cannot be read or written: {0}")]
    Journal(std::io::Error),
    /// Threads could not be started.
    #[error("worker threads could not be started: {0}")]
    Threads(String),
    /// It was asked to stop.
    #[error("interrupted: the epoch was abandoned, and the index holds the one before")]
    Interrupted,
}

/// Milliseconds since 1970.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}

/// Runs a job once.
///
/// # Errors
/// If the epoch could not be committed; the index then holds what it held before.
pub fn run(plan: &RunPlan<'_>) -> Result<RunReport, RunError> {
    let mut clock = Clock::start();
    let writer = IndexWriter::open(plan.index)?;
    let (head, notice) = newest(&writer, plan.full)?;
    let threads = if plan.mode == Mode::Sequential { 1 } else { plan.workers.max(1) };
    let known = head.as_ref().map(|(record, tree)| (record, tree));
    let scan = plan.source.scan(known, threads)?;
    plan.meters.files.store(scan.measures.files, Ordering::Relaxed);
    clock.scan = clock.lap();
    plan.interrupt.check()?;

    let root = scan.tree.root_hash();
    let mut report = clock.report(plan, threads);
    report.scan = scan.measures;
    report.merkle_root = root;
    report.notice = notice.clone();
    if let Some((record, _)) = &head
        && !plan.full
        && is_current(plan.graph, record, &root)
    {
        if scan.measures.files_read > 0 || notice.is_some() {
            // Files were touched or raced, or the stored tree was damaged: from now on
            // their stat data vouches for them.
            writer.refresh_tree(record, &scan.tree)?;
        }
        if record.revision != scan.revision || record.selection != scan.selection {
            // The same files by another name: the next run compares with that one.
            let (revision, selection) = (scan.revision, scan.selection);
            writer.commit(&CommitRecord { revision, selection, ..record.clone() })?;
        }
        report.epoch = record.epoch;
        report.quarantined = noted(&scan.tree);
        return finish(clock.finish(report, plan, None), &writer);
    }
    let mut epoch = Epoch::open(plan, &writer, head, notice, threads)?;
    clock.hydrate = clock.lap();
    match epoch.build(scan, &mut report, &mut clock) {
        Ok(()) => finish(clock.finish(report, plan, Some(&epoch)), &writer),
        Err(error) => {
            epoch.sinks.iter_mut().for_each(SinkHandle::abandon);
            Err(error)
        }
    }
}

/// Keeps the report of a run beside the index.
fn finish(report: RunReport, writer: &IndexWriter) -> Result<RunReport, RunError> {
    // The epoch is committed: a report that cannot be stored does not undo it.
    if let Ok(json) = serde_json::to_vec(&report) {
        let _ = writer.write_run(&json);
    }
    Ok(report)
}

/// The newest epoch with its tree. A damaged tree costs a rebuild, not the index: the
/// second value says so.
#[expect(clippy::type_complexity, reason = "two values, used once")]
fn newest(writer: &IndexWriter, full: bool) -> Result<(Option<(CommitRecord, Tree)>, Option<String>), RunError> {
    match writer.folder().head() {
        Ok(None) => Ok((None, None)),
        Ok(Some(record)) => match writer.folder().tree(&record) {
            Ok(tree) => Ok((Some((record, tree)), None)),
            Err(error) => {
                let notice = format!("the stored Merkle tree cannot be used ({error})");
                Ok((Some((record, Tree::empty())), Some(notice)))
            }
        },
        // What cannot be read is replaced when the user asks for it, and only then.
        Err(IndexError::Damaged { .. } | IndexError::NoEpoch { .. }) if full => Ok((None, None)),
        Err(error) => Err(error.into()),
    }
}

/// Whether the epoch is what this job would build from this tree.
fn is_current(graph: &Graph, record: &CommitRecord, root: &crate::Hash) -> bool {
    let sink_is_current = |sink: &crate::graph::SinkStage| {
        let name = graph.stages().get(sink.stage).map(|stage| stage.name.to_string()).unwrap_or_default();
        record.sinks.get(&name).is_some_and(|stored| Some(stored.shape) == shape(graph, sink))
    };
    record.merkle_root == *root
        && record.rows == rows_fingerprint(graph)
        && record.sinks.len() == graph.sinks().len()
        && graph.sinks().iter().all(sink_is_current)
}

/// Files of a tree that are quarantined before they are read.
fn noted(tree: &Tree) -> Vec<Quarantined> {
    let mut found = Vec::new();
    tree.for_each(|path, leaf| {
        if let Some(note) = leaf.note.as_ref().filter(|note| note.severity == crate::Severity::Error) {
            let (code, message) = (note.code.to_string(), note.message.to_string());
            found.push(Quarantined { path: path.into(), code, message });
        }
    });
    found
}

/// An epoch that is being built.
struct Epoch<'a> {
    plan: &'a RunPlan<'a>,
    writer: &'a IndexWriter,
    number: crate::Epoch,
    base: Option<Base>,
    rebuilt_because: Option<String>,
    sinks: Vec<SinkHandle>,
    plane: FactPlane,
    budget: Budget,
    threads: usize,
}

impl<'a> Epoch<'a> {
    /// Opens the sinks at the newest epoch, and loads its facts if the run can go on
    /// from there.
    fn open(
        plan: &'a RunPlan<'a>,
        writer: &'a IndexWriter,
        head: Option<(CommitRecord, Tree)>,
        notice: Option<String>,
        threads: usize,
    ) -> Result<Self, RunError> {
        let threaded = plan.mode != Mode::Sequential;
        let folder = |name: &str| writer.folder().sink(name);
        let mut sinks = sinks::build(plan.graph, plan.meters, folder, threaded)?;
        let number = head.as_ref().map_or(1, |(record, _)| record.epoch + 1);
        let tokens: BTreeMap<String, Token> =
            head.as_ref().map(|(record, _)| record.tokens.clone()).unwrap_or_default();
        let rebuilt_because = match &head {
            None => None,
            Some(_) if plan.full => Some("asked for with --full".to_owned()),
            Some((record, _)) => notice.or_else(|| obstacle(plan.graph, record, &sinks)),
        };
        let replace = head.is_none() || rebuilt_because.is_some();
        let opened: Vec<_> = sinks
            .iter_mut()
            .map(|sink| {
                let token = tokens.get(&*sink.name).cloned();
                sink.begin(move |sink| {
                    sink.open(token.as_ref())?;
                    sink.begin(number, replace)
                })
            })
            .collect::<Result<_, _>>()?;
        for (sink, opened) in sinks.iter().zip(&opened) {
            sink.finish(opened)?;
        }
        let mut plane = FactPlane::start(plan.plane_workers, &passage_lanes(plan.graph))?;
        let base = match head {
            Some((record, tree)) if !replace => Some(Base::new(plan.graph, record, tree)),
            _ => None,
        };
        if let Some(base) = &base {
            let facts = base.facts(plan.graph, &mut sinks)?;
            // What is known leads to no work: the deltas of this round are dropped.
            plane.round(facts)?;
        }
        let budget = Budget::new(plan.memory_limit);
        Ok(Self { plan, writer, number, base, rebuilt_because, sinks, plane, budget, threads })
    }

    /// Builds the epoch and commits it.
    fn build(&mut self, scan: Scan, report: &mut RunReport, clock: &mut Clock) -> Result<(), RunError> {
        let changes = self.changes(&scan.tree);
        report.changes = count(&changes);
        report.rebuilt_because = self.rebuilt_because.clone();
        let mut journals = self.journals()?;
        let outcome = self.process(&changes, &mut journals)?;
        let scan = Scan { tree: corrected(scan.tree, &outcome), ..scan };
        let tree = &scan.tree;
        report.work = outcome.work;
        report.findings = outcome.findings;
        report.quarantined = outcome.quarantined;
        report.epoch = self.number;
        report.merkle_root = tree.root_hash();
        clock.process = clock.lap();
        self.plan.interrupt.check()?;

        let staged = self.stage(tree)?;
        self.writer.write_tree(self.number, tree)?;
        crate::failpoint::reach("staged");
        clock.stage = clock.lap();
        self.plan.interrupt.check()?;

        // From here on the epoch is finished, whatever is asked.
        let record = self.publish(&scan, &staged)?;
        crate::failpoint::reach("published");
        self.writer.commit(&record)?;
        crate::failpoint::reach("committed");
        for journal in journals {
            // One that stays behind is found by its fingerprint and does no harm.
            let _ = journal.remove();
        }
        self.writer.drop_old_trees(self.number);
        report.rows = record.sinks.into_iter().map(|(name, sink)| (name, sink.staged)).collect();
        clock.publish = clock.lap();
        Ok(())
    }

    /// What changed since the base. Where the operators changed, every file did.
    fn changes(&self, tree: &Tree) -> Diff {
        match &self.base {
            Some(base) if base.record.rows == rows_fingerprint(self.plan.graph) => diff(&base.tree, tree),
            Some(base) => {
                let mut changes = diff(&base.tree, tree);
                let mut same = Vec::new();
                base.tree.for_each(|path, leaf| {
                    if tree.get(path).is_some_and(|now| now.content_hash == leaf.content_hash) {
                        let leaf = Some(leaf.clone());
                        same.push(Change { path: path.into(), before: leaf.clone(), after: leaf });
                    }
                });
                changes.changes.extend(same);
                changes
            }
            None => diff(&Tree::empty(), tree),
        }
    }

    fn journals(&self) -> Result<Vec<Journal>, RunError> {
        let graph = self.plan.graph;
        let folder = self.writer.journal_folder();
        let lanes = graph.embed_lanes().iter().enumerate();
        lanes
            .filter_map(|(lane, shape)| {
                let embedder = graph.embed_fingerprint(lane)?;
                Some(Journal::open(&folder, &embedder, shape.dimension).map_err(RunError::Journal))
            })
            .collect()
    }

    fn process(&mut self, changes: &Diff, journals: &mut [Journal]) -> Result<EpochOutcome, RunError> {
        let plan = self.plan;
        let executor = execute::start(plan.mode, self.threads, plan.memory_limit, plan.graph, plan.meters);
        let conductor = Conductor::new(Parts {
            graph: plan.graph,
            source: plan.source,
            meters: plan.meters,
            interrupt: plan.interrupt,
            plane: &mut self.plane,
            executor: executor.map_err(RunError::Threads)?,
            sinks: &mut self.sinks,
            journals,
            budget: self.budget.clone(),
            base: self.base.as_ref(),
            workers: self.threads,
        });
        conductor.run(changes)
    }

    /// Stages in all sinks, side by side where they have threads.
    fn stage(&mut self, tree: &Tree) -> Result<Vec<StagedRows>, RunError> {
        let meta = EpochMeta { epoch: self.number, merkle_root: tree.root_hash() };
        let begun: Vec<_> = self
            .sinks
            .iter_mut()
            .map(|sink| {
                let meta = meta.clone();
                sink.begin(move |sink| sink.stage(&meta))
            })
            .collect::<Result<_, _>>()?;
        let staged = self.sinks.iter().zip(&begun).map(|(sink, begun)| sink.finish(begun));
        Ok(staged.collect::<Result<_, _>>()?)
    }

    /// Publishes in all sinks and gives the record that makes the epoch real.
    fn publish(&mut self, scan: &Scan, staged: &[StagedRows]) -> Result<CommitRecord, RunError> {
        let begun: Vec<_> =
            self.sinks.iter_mut().map(|sink| sink.begin(|sink| sink.publish())).collect::<Result<_, _>>()?;
        let graph = self.plan.graph;
        let (mut records, mut tokens) = (BTreeMap::new(), BTreeMap::new());
        for (index, sink) in self.sinks.iter().enumerate() {
            let token = match begun.get(index) {
                Some(begun) => sink.finish(begun)?,
                None => continue,
            };
            crate::failpoint::reach("publish.one");
            let (Some(stage), Some(shape)) =
                (graph.sinks().get(index), graph.sinks().get(index).and_then(|sink| shape(graph, sink)))
            else {
                continue;
            };
            let kind = match graph.stages().get(stage.stage).map(|stage| &stage.body) {
                Some(crate::graph::Body::Sink(factory)) => factory.kind().to_owned(),
                _ => String::new(),
            };
            let embed = sink.embed_lane.and_then(|lane| graph.embed_fingerprint(lane));
            let staged = staged.get(index).copied().unwrap_or_default();
            records.insert(sink.name.to_string(), SinkRecord { kind, shape, embed, staged });
            tokens.insert(sink.name.to_string(), token);
        }
        Ok(CommitRecord {
            format: FORMAT,
            epoch: self.number,
            committed_ms: now_ms(),
            merkle_root: scan.tree.root_hash(),
            files: scan.tree.len() as u64,
            source: absolute(self.plan.source.place()),
            revision: scan.revision.clone(),
            selection: scan.selection,
            views: BTreeMap::new(),
            analysis: graph.analysis_fingerprint(),
            rows: rows_fingerprint(graph),
            sinks: records,
            tokens,
        })
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn passage_lanes(graph: &Graph) -> Vec<PassageLane> {
    let lane = |lane: &crate::graph::EmbedLane| PassageLane {
        chunk_lane: lane.chunk_lane as u16,
        path_in_header: graph.chunk_lanes().get(lane.chunk_lane).is_some_and(|lane| lane.header == Header::Path),
    };
    graph.embed_lanes().iter().map(lane).collect()
}

/// The tree with what processing found out about files that changed under the reader.
fn corrected(tree: Tree, outcome: &EpochOutcome) -> Tree {
    if outcome.corrected.is_empty() {
        return tree;
    }
    let scanned_ns = tree.scanned_ns;
    let mut files: BTreeMap<_, _> = tree.into_files().into_iter().collect();
    for (path, leaf) in &outcome.corrected {
        match leaf {
            Some(leaf) => files.insert(path.clone(), leaf.clone()),
            None => files.remove(path),
        };
    }
    Tree::build(files.into_iter().collect(), scanned_ns)
}

fn count(diff: &Diff) -> Changes {
    let mut changes = Changes { directories_entered: diff.entered as u64, ..Changes::default() };
    for change in &diff.changes {
        match (&change.before, &change.after) {
            (None, _) => changes.added += 1,
            (_, None) => changes.deleted += 1,
            (Some(before), Some(after)) if before.content_hash != after.content_hash => changes.modified += 1,
            _ => {}
        }
    }
    changes
}

/// Whether the calling thread is inside an operator. A panic there becomes a diagnostic,
/// so a panic hook may keep quiet about it.
#[must_use]
pub fn in_operator() -> bool {
    execute::in_operator()
}
