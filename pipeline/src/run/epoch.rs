//! The conductor: takes one Merkle diff through both planes.
//!
//! It alone talks to the fact plane, the executor and the sinks, and does no heavy work
//! itself. One turn of its loop: let files in as the memory limit allows, take what the
//! executor has done, and, when enough has come together, run a round of facts, whose
//! deltas are new tasks for the executor and rows for the sinks.

mod vectors;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::assembly::{Assembly, Known};
use super::base::{Base, content_key, rows_fingerprint};
use super::facts::{FactMaker, place};
use super::report::{Quarantined, Work};
use super::sinks::SinkHandle;
use super::views::ViewChanges;
use super::{Interrupt, RunError};
use crate::diagnostic::Severity;
use crate::execute::{Analysed, Budget, Executor, Lease, Outcome, Task};
use crate::graph::Graph;
use crate::hash::{ContentHash, Fingerprint, Key};
use crate::incremental::{Deltas, FactPlane, Facts, RowFact};
use crate::index::{IndexFolder, Journal, SharedVectors};
use crate::measure::Meters;
use crate::merkle::{Diff, Leaf, Stat, path_order};
use crate::path::RelPath;
use crate::port::FileItem;
use crate::sink::{Analysis, Record, RowId, SinkError};
use crate::source::Source;

/// Contents whose facts go into one round. More makes rounds cheaper, fewer lets the
/// embedder and the sinks begin sooner.
const ROUND_CONTENTS: usize = 32;

/// Paths whose rows are recalled from a store at once.
const RECALL_PATHS: usize = 64;

/// Analyses that wait for a worker, per worker: enough that none waits for a round.
const QUEUED_PER_WORKER: usize = 8;

/// A path that changed, and what it holds now, in some ref if there are several.
struct Holding {
    path: RelPath,
    leaf: Leaf,
}

impl Holding {
    fn row(&self) -> RowId {
        RowId { path: self.path.clone(), content_hash: self.leaf.content_hash }
    }
}

/// Where the vector of a chunk comes from.
struct Slot {
    assembly: usize,
    chunk: usize,
}

pub(super) struct Conductor<'a, 'g> {
    with: Parts<'a, 'g>,
    rows: Fingerprint,
    /// Rows that come, by their keys.
    holdings: HashMap<RowFact, Holding>,
    /// Rows of the base that go.
    leaving: HashMap<RowFact, RowId>,
    /// Contents to analyse, each with the path to read.
    backlog: VecDeque<RowFact>,
    /// Facts for the next round, and what is known of the contents they are about.
    facts: Facts,
    known: HashMap<Key, Known>,
    /// Facts that only views ask for: they enter with the last round, so that views are
    /// computed once an epoch and not once a round.
    late: Facts,
    assemblies: HashMap<usize, Assembly>,
    next_assembly: usize,
    /// By embed lane and chunk key, who waits for a vector that is looked for or made.
    awaited: HashMap<(usize, Key), Vec<Slot>>,
    /// Where nothing is embedded, the passages that would have been.
    imagined: HashSet<(usize, Key)>,
    /// Records that are complete.
    complete: Vec<Assembly>,
    complete_bytes: u64,
    outcome: EpochOutcome,
}

/// What an epoch's processing found out.
#[derive(Default)]
pub(super) struct EpochOutcome {
    pub(super) work: Work,
    pub(super) findings: BTreeMap<String, u64>,
    pub(super) quarantined: Vec<Quarantined>,
    /// Passages that came to life, and that died.
    pub(super) passages: (u64, u64),
    /// Contents that paths took up.
    pub(super) entered: Vec<Key>,
    /// Rows whose paths turned out to hold something else, or nothing.
    pub(super) corrected: Vec<(RowId, Option<Leaf>)>,
}

/// What a conductor works with.
pub(super) struct Parts<'a, 'g> {
    pub(super) graph: &'a Graph,
    pub(super) source: &'a dyn Source,
    pub(super) meters: &'a Meters,
    pub(super) interrupt: &'a Interrupt,
    pub(super) plane: &'a mut FactPlane,
    pub(super) executor: Box<dyn Executor>,
    pub(super) sinks: &'a mut [SinkHandle],
    pub(super) journals: &'a mut [Journal],
    /// By embed lane what other indexes have embedded; empty if nothing is shared.
    pub(super) shared: &'a mut [SharedVectors],
    pub(super) budget: Budget,
    pub(super) folder: &'a IndexFolder,
    pub(super) base: Option<&'a mut Base>,
    /// By content the rows of the base that stand for it, of contents that this epoch
    /// touches.
    pub(super) stored: HashMap<Key, RowId>,
    pub(super) maker: &'a mut FactMaker<'g>,
    pub(super) views: &'a mut ViewChanges,
    pub(super) workers: usize,
    /// Whether passages are embedded; if not, their vectors are zeros.
    pub(super) embeds: bool,
}

impl<'a, 'g> Conductor<'a, 'g> {
    pub(super) fn new(parts: Parts<'a, 'g>) -> Self {
        Self {
            rows: rows_fingerprint(parts.graph),
            with: parts,
            holdings: HashMap::new(),
            leaving: HashMap::new(),
            backlog: VecDeque::new(),
            facts: Facts::default(),
            late: Facts::default(),
            known: HashMap::new(),
            assemblies: HashMap::new(),
            next_assembly: 0,
            awaited: HashMap::new(),
            imagined: HashSet::new(),
            complete: Vec::new(),
            complete_bytes: 0,
            outcome: EpochOutcome::default(),
        }
    }

    /// Processes a diff until every row of the epoch is with the sinks.
    pub(super) fn run(mut self, diff: &Diff) -> Result<EpochOutcome, RunError> {
        self.enter_diff(diff);
        self.round()?;
        loop {
            self.with.interrupt.check()?;
            self.admit();
            let outcome = if self.known.len() >= ROUND_CONTENTS { None } else { self.with.executor.next() };
            match outcome {
                Some(outcome) => {
                    self.take(outcome?)?;
                    while self.known.len() < ROUND_CONTENTS
                        && let Some(outcome) = self.with.executor.try_next()
                    {
                        self.take(outcome?)?;
                    }
                }
                None if !self.facts.is_empty() => self.round()?,
                None if !self.backlog.is_empty() => self.wait_for_room()?,
                None => break,
            }
            if self.complete.len() >= ROUND_CONTENTS || self.complete_bytes >= 1 << 20 {
                self.hand_over()?;
            }
        }
        self.hand_over()?;
        if !self.late.is_empty() {
            let mut deltas = self.with.plane.round(std::mem::take(&mut self.late))?;
            self.with.views.take(&mut deltas, false);
        }
        debug_assert!(self.assemblies.is_empty() && self.awaited.is_empty(), "every vector has come");
        for sink in &mut *self.with.sinks {
            sink.settle()?;
        }
        Ok(self.outcome)
    }

    /// Turns the diff into facts, in keys of this run.
    fn enter_diff(&mut self, diff: &Diff) {
        let before = self.with.base.as_ref().map(|base| base.record.rows);
        // Where every content is another one now, the plane was told of no path.
        let knows_paths = self.with.base.as_ref().is_some_and(|base| base.same_rows);
        for change in &diff.changes {
            let (place, variant) = (place(&change.path), self.with.graph.variant(&change.path));
            if let (Some(leaf), Some(rows)) = (&change.before, before) {
                let content = content_key(&leaf.content_hash, variant, &rows);
                self.facts.files.push(((content, place), -1));
                let row = RowId { path: change.path.clone(), content_hash: leaf.content_hash };
                self.leaving.insert(RowFact { path: place.path, content }, row);
                if change.after.is_none() && knows_paths {
                    self.with.maker.path(&change.path, -1, &mut self.late);
                }
            }
            if let Some(leaf) = &change.after {
                let content = content_key(&leaf.content_hash, variant, &self.rows);
                self.facts.files.push(((content, place), 1));
                self.outcome.entered.push(content);
                let row = RowFact { path: place.path, content };
                self.holdings.insert(row, Holding { path: change.path.clone(), leaf: leaf.clone() });
                if change.before.is_none() || !knows_paths {
                    self.with.maker.path(&change.path, 1, &mut self.late);
                }
            }
        }
    }

    /// Lets files in, as far as the memory limit and the workers allow.
    fn admit(&mut self) {
        while self.with.executor.analysing() < self.with.workers * QUEUED_PER_WORKER
            && let Some(&row) = self.backlog.front()
        {
            let Some(holding) = self.holdings.get(&row) else {
                self.backlog.pop_front();
                continue;
            };
            let Some(lease) = self.with.budget.try_lease(self.weight(&holding.leaf)) else { return };
            let file = Arc::new(FileItem {
                path: holding.path.clone(),
                origin: self.with.source.origin(&holding.row()),
                bytes: holding.leaf.stat.bytes,
                content_hash: holding.leaf.content_hash,
                variant: self.with.graph.variant(&holding.path),
            });
            self.backlog.pop_front();
            self.with.executor.submit(Task::Analyse { key: row.content, file, lease });
        }
    }

    /// What a file will hold in flight, in bytes: its text, and its vectors by what chunks
    /// usually are. Should it turn out to have more, the rest is leased as it comes.
    fn weight(&self, leaf: &Leaf) -> u64 {
        const USUAL_CHUNK_BYTES: u64 = 400;
        let components: usize = self.with.graph.embed_lanes().iter().map(|lane| lane.dimension).sum();
        let vector_bytes = (components * size_of::<f32>()) as u64;
        leaf.stat.bytes + leaf.stat.bytes * vector_bytes / USUAL_CHUNK_BYTES
    }

    /// Nothing can be done before a sink lets go of something.
    fn wait_for_room(&mut self) -> Result<(), RunError> {
        self.hand_over()?;
        let bytes = self.backlog.front().and_then(|row| self.holdings.get(row));
        let bytes = bytes.map_or(0, |holding| self.weight(&holding.leaf));
        let since = Instant::now();
        self.with.budget.wait_for(bytes);
        if let Some(first) = self.with.graph.consumers(None).next() {
            self.with.meters.stage(first).blocked(since.elapsed());
        }
        Ok(())
    }

    fn take(&mut self, outcome: Outcome) -> Result<(), RunError> {
        match outcome {
            Outcome::Analysed(analysed) => self.take_analysed(analysed),
            Outcome::Embedded { lane, vectors, failed } => return self.take_embedded(lane, vectors, failed),
        }
        Ok(())
    }

    fn take_analysed(&mut self, analysed: Analysed) {
        let row = RowFact { path: analysed.file.path.key(), content: analysed.key };
        let seen = analysed.content.as_ref().map(|content| content.content_hash);
        let transient = analysed.diagnostics.iter().find(|found| TRANSIENT.contains(&&*found.code));
        if let Some(found) = transient {
            let (code, severity, message) = (Arc::clone(&found.code), found.severity, found.message.clone());
            self.correct(row, &code, severity, message.into());
        } else if seen.is_some_and(|seen| seen != analysed.file.content_hash) {
            let message = "changed while it was being indexed; the next run takes its new content";
            self.correct(row, "changed", Severity::Note, message.into());
        } else {
            self.outcome.work.contents_analysed += 1;
            let key = analysed.key;
            self.learn(key, Known::from_analysed(analysed));
        }
    }

    /// A file did not hold, when it was read, what the scan had seen: takes its fact back.
    /// Another path that holds the content stands for it from now on.
    fn correct(&mut self, row: RowFact, code: &str, severity: Severity, message: String) {
        let Some(holding) = self.holdings.remove(&row) else { return };
        let place = place(&holding.path);
        self.facts.files.push(((row.content, place), -1));
        if code == "vanished" {
            self.with.maker.path(&holding.path, -1, &mut self.late);
            self.outcome.corrected.push((holding.row(), None));
            *self.outcome.findings.entry(code.to_owned()).or_default() += 1;
            return;
        }
        // No stat data: the next run looks again.
        let leaf = Leaf::noted(Stat::default(), severity, code, message);
        let noted = content_key(&leaf.content_hash, self.with.graph.variant(&holding.path), &self.rows);
        self.facts.files.push(((noted, place), 1));
        self.outcome.entered.push(noted);
        self.outcome.corrected.push((holding.row(), Some(leaf.clone())));
        self.holdings.insert(RowFact { content: noted, ..row }, Holding { leaf, ..holding });
    }

    /// A content is known: its facts go into the next round.
    fn learn(&mut self, content: Key, known: Known) {
        self.with.maker.content(content, &known, &mut self.facts, &mut self.late);
        self.known.insert(content, known);
    }

    /// Runs a round of facts and does what follows from it.
    fn round(&mut self) -> Result<(), RunError> {
        let mut deltas = self.with.plane.round(std::mem::take(&mut self.facts))?;
        let known = std::mem::take(&mut self.known);
        self.with.views.take(&mut deltas, false);
        self.late.append(deltas.forgotten());
        let gone = deltas.rows.iter().filter(|(_, difference)| *difference < 0);
        let gone: Vec<RowFact> = gone.map(|(row, _)| *row).collect();
        self.remove(&gone)?;
        for (_, difference) in &deltas.passages {
            let (born, died) = &mut self.outcome.passages;
            *if *difference > 0 { born } else { died } += difference.unsigned_abs() as u64;
        }
        self.add_rows(&deltas, &known)?;
        self.plan_contents(&deltas)
    }

    /// Deletes the rows of paths that hold something else, or nothing.
    fn remove(&mut self, gone: &[RowFact]) -> Result<(), RunError> {
        let mut rows: Vec<RowId> = gone.iter().filter_map(|row| self.leaving.remove(row)).collect();
        if rows.is_empty() {
            return Ok(());
        }
        rows.sort_by(|left, right| path_order(&left.path, &right.path));
        let rows: Arc<[RowId]> = rows.into();
        for sink in &mut *self.with.sinks {
            let rows = Arc::clone(&rows);
            sink.post(0, 0, move |sink| sink.remove(&rows))?;
        }
        Ok(())
    }

    /// Contents that nothing is known of yet: notes and stored contents are known at
    /// once, the others are read.
    fn plan_contents(&mut self, deltas: &Deltas) -> Result<(), RunError> {
        let mut recalled: Vec<(Key, RowId)> = Vec::new();
        let mut planned: Vec<RowFact> = Vec::new();
        for ((content, path), _) in deltas.contents.iter().filter(|(_, difference)| *difference > 0) {
            let row = RowFact { path: *path, content: *content };
            let Some(holding) = self.holdings.get(&row) else { continue };
            if holding.leaf.note.is_some() {
                let known =
                    Known::from_note(&holding.leaf, self.with.graph.chunk_lanes().len(), self.with.budget.force(0));
                self.learn(*content, known);
            } else if let Some(row) = self.with.stored.get(content) {
                recalled.push((*content, row.clone()));
            } else {
                planned.push(row);
            }
        }
        let mut former = self.former(&planned)?;
        planned.retain(|row| !former.contains_key(&row.content));
        recalled.extend(former.drain());
        let path_of = |row: &RowFact| self.holdings.get(row).map(|holding| &holding.path);
        planned.sort_by(|left, right| match (path_of(left), path_of(right)) {
            (Some(left), Some(right)) => path_order(left, right),
            (left, right) => left.cmp(&right),
        });
        recalled.sort_by(|(_, left), (_, right)| path_order(&left.path, &right.path));
        self.with.meters.contents.fetch_add(planned.len() as u64, Ordering::Relaxed);
        self.backlog.extend(planned);
        for group in recalled.chunks(RECALL_PATHS) {
            let rows: Vec<RowId> = group.iter().map(|(_, row)| row.clone()).collect();
            for ((content, _), known) in group.iter().zip(self.recall(&rows)?) {
                match known {
                    Some(known) => {
                        self.outcome.work.paths_recalled += 1;
                        self.learn(*content, known);
                    }
                    None => self.read_again(*content),
                }
            }
            // Facts of recalled contents lead to rows, which must not pile up.
            self.round()?;
            self.hand_over()?;
        }
        Ok(())
    }

    /// A content that no store gives back after all is read like any other.
    fn read_again(&mut self, content: Key) {
        self.backlog.extend(self.holdings.keys().find(|row| row.content == content));
    }

    /// Rows of older epochs, since deleted, that held these contents: a file that went
    /// back to what it was is neither parsed nor embedded again.
    fn former(&mut self, planned: &[RowFact]) -> Result<HashMap<Key, RowId>, RunError> {
        let mut found = HashMap::new();
        let Some(base) = self.with.base.as_mut().filter(|base| base.same_analysis && !planned.is_empty()) else {
            return Ok(found);
        };
        let kept = base.kept(self.with.folder).analysis.clone();
        let wanted: Vec<(Key, &Holding)> =
            planned.iter().filter_map(|row| Some((row.content, self.holdings.get(row)?))).collect();
        let hashes: Vec<ContentHash> = wanted.iter().map(|(_, holding)| holding.leaf.content_hash).collect();
        let Some(sink) = self.with.sinks.iter_mut().find(|sink| sink.is_fact_store) else { return Ok(found) };
        let Some(since) = kept.get(&*sink.name).cloned() else { return Ok(found) };
        let holders = sink.call(move |sink| match sink.fact_store() {
            Some(store) => store.holders(&hashes, Some(&since)),
            None => Ok(Vec::new()),
        })?;
        for ((content, holding), rows) in wanted.into_iter().zip(holders) {
            // Equal bytes under a path of another language are another content.
            let variant = self.with.graph.variant(&holding.path);
            let row = rows.into_iter().find(|row| self.with.graph.variant(&row.path) == variant);
            found.extend(row.map(|row| (content, row)));
        }
        Ok(found)
    }

    /// Begins the rows that a round adds.
    fn add_rows(&mut self, deltas: &Deltas, known: &HashMap<Key, Known>) -> Result<(), RunError> {
        let mut of_stored: Vec<(RowFact, RelPath, RowId)> = Vec::new();
        let mut fresh: Vec<(RelPath, &Known)> = Vec::new();
        let mut standing: HashSet<Key> = HashSet::new();
        for (row, _) in deltas.rows.iter().filter(|(_, difference)| *difference > 0) {
            let Some(holding) = self.holdings.get(row) else { continue };
            if let Some(known) = known.get(&row.content) {
                if !standing.insert(row.content) {
                    self.outcome.work.paths_shared += 1;
                }
                self.with.maker.imports(&holding.path, row.content, &known.analysis.imports, &mut self.late);
                fresh.push((holding.path.clone(), known));
            } else if let Some(stored) = self.with.stored.get(&row.content) {
                of_stored.push((*row, holding.path.clone(), stored.clone()));
            }
        }
        self.assemble(&fresh)?;
        for group in of_stored.chunks(RECALL_PATHS) {
            let holders: Vec<RowId> = group.iter().map(|(_, _, holder)| holder.clone()).collect();
            let recalled = self.recall(&holders)?;
            let mut rows: Vec<(RelPath, &Known)> = Vec::new();
            for ((row, path, holder), known) in group.iter().zip(&recalled) {
                let known = known.as_ref().ok_or_else(|| missing(&holder.path))?;
                self.with.maker.imports(path, row.content, &known.analysis.imports, &mut self.late);
                rows.push((path.clone(), known));
            }
            self.outcome.work.paths_recalled += rows.len() as u64;
            self.assemble(&rows)?;
            self.hand_over()?;
        }
        Ok(())
    }

    /// What the stores know of the contents of these rows; `None` where they know nothing.
    fn recall(&mut self, rows: &[RowId]) -> Result<Vec<Option<Known>>, RunError> {
        let lanes = self.with.graph.chunk_lanes().len();
        let kept = match &mut self.with.base {
            Some(base) => base.kept(self.with.folder).analysis.clone(),
            None => BTreeMap::new(),
        };
        let mut all: Vec<Option<Known>> = rows.iter().map(|_| None).collect();
        for sink in self.with.sinks.iter_mut().filter(|sink| sink.is_fact_store) {
            let (asked, since) = (rows.to_vec(), kept.get(&*sink.name).cloned());
            let records = sink.call(move |sink| match sink.fact_store() {
                Some(store) => store.records(&asked, since.as_ref()),
                None => Ok(Vec::new()),
            })?;
            for (slot, record) in all.iter_mut().zip(records) {
                let Some(Record { analysis, chunks, .. }) = record else { continue };
                let known = slot.get_or_insert_with(|| Known {
                    lease: Arc::new(self.with.budget.force(analysis.text.len() as u64)),
                    analysis: Arc::clone(&analysis),
                    lanes: (0..lanes).map(|_| Arc::from([])).collect(),
                });
                if known.analysis.text.is_empty() {
                    known.analysis = analysis;
                }
                if let (Some(lane), Some(chunks)) = (sink.chunk_lane, chunks)
                    && let Some(slot) = known.lanes.get_mut(lane)
                {
                    *slot = chunks.chunks;
                }
            }
        }
        Ok(all)
    }

    /// Hands complete records to the sinks, with their shares of the memory limit.
    fn hand_over(&mut self) -> Result<(), RunError> {
        if self.complete.is_empty() {
            return Ok(());
        }
        let mut complete = std::mem::take(&mut self.complete);
        let bytes = std::mem::take(&mut self.complete_bytes);
        complete.sort_by(|left, right| path_order(&left.path, &right.path));
        for index in 0..self.with.sinks.len() {
            let (this, later) = self.with.sinks.split_at_mut(index + 1);
            let Some(sink) = this.last_mut() else { continue };
            let last = |lane| later.iter().all(|sink| sink.embed_lane != lane);
            let records: Vec<Record> = complete
                .iter_mut()
                .map(|assembly| assembly.record(sink.chunk_lane, sink.embed_lane, last(sink.embed_lane)))
                .collect();
            let leases: Vec<Arc<Lease>> = complete.iter().flat_map(|assembly| assembly.leases.clone()).collect();
            sink.post(records.len(), bytes, move |sink| {
                let result = sink.add(&records);
                drop(leases);
                result
            })?;
        }
        Ok(())
    }

    fn note_findings(&mut self, path: &RelPath, analysis: &Analysis) {
        for found in &analysis.diagnostics {
            *self.outcome.findings.entry(found.code.to_string()).or_default() += 1;
            if found.severity == Severity::Error {
                let (code, message) = (found.code.to_string(), found.message.to_string());
                self.outcome.quarantined.push(Quarantined { path: path.clone(), code, message });
            }
        }
    }
}

fn missing(path: &RelPath) -> SinkError {
    SinkError {
        sink: "store".into(),
        action: "cannot recall a file".into(),
        message: format!("`{path}` is in the epoch but not in its tables; rebuild with `gristmill run --full`").into(),
    }
}

/// Findings that say nothing about the content: it could not be had this time.
const TRANSIENT: [&str; 3] = ["vanished", "changed", "unreadable"];
