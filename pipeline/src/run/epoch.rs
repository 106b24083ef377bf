//! The epoch driver: takes one Merkle diff through both planes.
//!
//! ```text
//!           diff ─► fact plane ─► contents ─► admission ─► executor ─► facts ─► fact plane
//!                       │
//!                       ├─ rows + ─► record assembly ◄─ vector resolution ◄─ passages +
//!                       │                  └─► sinks: add
//!                       └─ rows − ─► sinks: remove
//! ```
//!
//! It alone talks to the fact plane and the executor, and decides nothing: the plane says
//! which contents are analysed, which rows come and go, and which passages get a vector. One
//! turn of its loop: let files in, take what the executor has done, and, when enough has come
//! together, run a *round* of facts.

mod admission;
mod ledger;
mod recall;
mod vectors;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::time::Instant;

use gristmill_ids::{ContentKey, Fingerprint};
use gristmill_plane::{Deltas, Difference, FactPlane, Facts, PassageId, PassageLane, RowFact};

use self::admission::Admission;
use self::ledger::Ledger;
pub(in crate::run) use self::recall::History;
pub(in crate::run) use self::vectors::VectorLog;
use self::vectors::{Stores, Told, VectorResolver, Want};
use super::assembly::{Assembler, Known, Slot};

use super::facts::{FactMaker, place};
use super::hydrate::Hydrated;
use super::memory::MemoryWatch;
use super::report::{Quarantined, Work};
use super::sinks::WritingSinks;
use super::views::ViewChanges;
use super::{Interrupt, RunError};
use crate::diagnostic::{Diagnostic, Severity};
use crate::execute::{Analysed, Budget, Executor, Outcome};
use crate::graph::Graph;
use crate::index::SharedVectors;
use crate::measure::Meters;
use crate::merkle::{Diff, Leaf, Stat, path_order};
use crate::operator::OperatorError;
use crate::path::RelPath;
use crate::sink::{RowId, SinkError};
use crate::source::Source;
use crate::trace::TraceKind;

/// Contents whose facts go into one round. More makes rounds cheaper, fewer lets the
/// embedder and the sinks begin sooner.
const ROUND_CONTENTS: usize = 32;

/// What traces call the fact plane.
const PLANE: &str = "fact plane";

/// Contents that are recalled from a store at once.
const RECALL_CONTENTS: usize = 64;

/// What an epoch's processing found out.
#[derive(Default)]
pub(super) struct EpochOutcome {
    pub(super) work: Work,
    pub(super) findings: BTreeMap<String, u64>,
    pub(super) quarantined: Vec<Quarantined>,
    /// Passages that came to life, and that died.
    pub(super) passages: (u64, u64),
    /// Contents that paths took up.
    pub(super) entered: Vec<ContentKey>,
    /// Rows whose paths turned out to hold something else, or nothing.
    pub(super) corrected: Vec<(RowId, Option<Leaf>)>,
}

/// What a driver works with.
pub(super) struct Parts<'a, 'g, L> {
    pub(super) graph: &'a Graph,
    pub(super) source: &'a dyn Source,
    pub(super) meters: &'a Meters,
    pub(super) interrupt: &'a Interrupt,
    pub(super) plane: &'a mut FactPlane,
    /// How the plane identifies passages.
    pub(super) lanes: &'a [PassageLane],
    pub(super) hydrated: &'a mut Hydrated,
    pub(super) maker: &'a mut FactMaker<'g>,
    pub(super) views: &'a mut ViewChanges,
    pub(super) executor: Box<dyn Executor>,
    pub(super) workers: usize,
    pub(super) budget: Budget,
    pub(super) memory: Option<&'a MemoryWatch>,
    pub(super) sinks: &'a mut WritingSinks,
    pub(super) logs: &'a mut [L],
    pub(super) shared: &'a mut [SharedVectors],
    pub(super) history: History<'a>,
}

/// Drives an epoch until every row of it is with the sinks.
pub(super) struct EpochDriver<'a, 'g, L> {
    graph: &'a Graph,
    source: &'a dyn Source,
    meters: &'a Meters,
    interrupt: &'a Interrupt,
    plane: Plane<'a, 'g>,
    executor: Box<dyn Executor>,
    admission: Admission<'a>,
    vectors: VectorResolver<'a, L>,
    assembler: Assembler,
    sinks: &'a mut WritingSinks,
    history: History<'a>,
    ledger: Ledger,
    rows: Fingerprint,
    outcome: EpochOutcome,
}

/// The fact plane, with the facts that are to enter it.
struct Plane<'a, 'g> {
    plane: &'a mut FactPlane,
    lanes: &'a [PassageLane],
    hydrated: &'a mut Hydrated,
    maker: &'a mut FactMaker<'g>,
    views: &'a mut ViewChanges,
    /// Facts for the next round, and what is known of the contents they are about.
    next: Facts,
    known: HashMap<ContentKey, Known>,
    /// Facts that only views ask for: they enter with the last round, so that views are
    /// computed once an epoch and not once a round.
    late: Facts,
}

impl Plane<'_, '_> {
    /// Runs a round of facts. Gives what follows, and what is known of the contents that
    /// were learned since the last round.
    fn round(&mut self, meters: &Meters) -> Result<(Deltas, HashMap<ContentKey, Known>), RunError> {
        let since = Instant::now();
        let mut deltas = self.plane.round(std::mem::take(&mut self.next))?;
        meters.trace_since(TraceKind::Work, PLANE, since);
        self.views.take(&mut deltas, false);
        self.late.append(deltas.forgotten());
        Ok((deltas, std::mem::take(&mut self.known)))
    }

    /// A content is known: its facts go into the next round.
    fn learn(&mut self, content: ContentKey, known: Known) {
        self.maker.content(content, &known, &mut self.next, &mut self.late);
        self.known.insert(content, known);
    }

    /// Runs the last round.
    fn finish(&mut self, meters: &Meters) -> Result<(), RunError> {
        if !self.late.is_empty() {
            let since = Instant::now();
            let mut deltas = self.plane.round(std::mem::take(&mut self.late))?;
            meters.trace_since(TraceKind::Work, PLANE, since);
            self.views.take(&mut deltas, false);
        }
        Ok(())
    }
}

/// A row that an epoch adds.
struct NewRow<'k> {
    row: RowFact,
    path: RelPath,
    known: &'k Known,
}

impl<'a, 'g, L: VectorLog> EpochDriver<'a, 'g, L> {
    pub(super) fn new(parts: Parts<'a, 'g, L>) -> Self {
        let Parts { graph, source, meters, interrupt, plane, lanes, hydrated, maker, views, .. } = parts;
        let Parts { executor, workers, budget, memory, sinks, logs, shared, history, .. } = parts;
        let (next, late, known) = (Facts::default(), Facts::default(), HashMap::new());
        Self {
            graph,
            source,
            meters,
            interrupt,
            plane: Plane { plane, lanes, hydrated, maker, views, next, known, late },
            executor,
            admission: Admission::new(graph, budget, memory, workers),
            vectors: VectorResolver::new(graph, logs, shared),
            assembler: Assembler::default(),
            sinks,
            history,
            ledger: Ledger::default(),
            rows: graph.rows_fingerprint(),
            outcome: EpochOutcome::default(),
        }
    }

    /// Processes a diff until every row of the epoch is with the sinks.
    pub(super) fn run(mut self, diff: &Diff) -> Result<EpochOutcome, RunError> {
        self.enter_diff(diff);
        self.round()?;
        loop {
            self.interrupt.check()?;
            self.admission.admit(self.graph, self.source, &self.ledger, &mut *self.executor);
            // What is known waits for no embedder when nothing can be added to it.
            let known = self.plane.known.len();
            let is_full = known >= ROUND_CONTENTS || known > 0 && self.executor.analysing() == 0;
            match if is_full { None } else { self.next_outcome() } {
                Some(outcome) => {
                    self.take(outcome)?;
                    while self.plane.known.len() < ROUND_CONTENTS
                        && let Some(outcome) = self.executor.try_next()
                    {
                        self.take(outcome)?;
                    }
                }
                None if !self.plane.next.is_empty() => self.round()?,
                None if !self.admission.is_empty() => {
                    // Nothing can be done before a sink lets go of something.
                    self.hand_over()?;
                    self.admission.wait_for_room(self.graph, self.meters, &self.ledger);
                }
                None => break,
            }
            if self.assembler.is_full() {
                self.hand_over()?;
            }
        }
        self.hand_over()?;
        self.plane.finish(self.meters)?;
        debug_assert!(self.assembler.is_idle() && self.vectors.is_idle(), "every vector has come");
        self.sinks.settle()?;
        self.outcome.work.passages_asked_again = self.vectors.asked_again();
        Ok(self.outcome)
    }

    /// Waits for an outcome.
    fn next_outcome(&mut self) -> Option<Result<Outcome, OperatorError>> {
        let since = Instant::now();
        let outcome = self.executor.next();
        self.meters.trace_since(TraceKind::Phase, "next outcome", since);
        self.meters.trace_level("bytes in flight", self.admission.budget().held());
        outcome
    }

    /// Turns the diff into facts, in keys of this run.
    fn enter_diff(&mut self, diff: &Diff) {
        let before = self.history.rows();
        // Where every content is another one now, the plane was told of no path.
        let knows_paths = self.history.has_same_rows();
        let Plane { next, late, maker, .. } = &mut self.plane;
        for change in &diff.changes {
            if let (Some(leaf), Some(rows)) = (&change.before, before) {
                next.files.push((self.ledger.leaves(self.graph, &rows, &change.path, leaf), -1));
                if change.after.is_none() && knows_paths {
                    maker.path(&change.path, -1, late);
                }
            }
            if let Some(leaf) = &change.after {
                let (content, place) = self.ledger.comes(self.graph, &self.rows, &change.path, leaf);
                next.files.push(((content, place), 1));
                self.outcome.entered.push(content);
                if change.before.is_none() || !knows_paths {
                    maker.path(&change.path, 1, late);
                }
            }
        }
    }

    fn take(&mut self, outcome: Result<Outcome, OperatorError>) -> Result<(), RunError> {
        // An operator that gave up because of the interrupt reports an error too.
        let outcome = outcome.map_err(|error| self.interrupt.check().map_or_else(RunError::from, |()| error.into()))?;
        match outcome {
            Outcome::Analysed(analysed) => self.take_analysed(analysed),
            Outcome::Embedded { lane, vectors, failed, .. } => {
                self.outcome.work.passages_embedded += vectors.len() as u64;
                let told = self.vectors.embedded(lane, vectors, failed, &mut self.assembler)?;
                self.note_findings(&told);
            }
        }
        Ok(())
    }

    fn take_analysed(&mut self, analysed: Analysed) {
        let row = RowFact { path: analysed.file.path.key(), content: analysed.key };
        let transient = analysed.diagnostics.iter().find(|found| TRANSIENT.contains(&&*found.code));
        if let Some(found) = transient {
            self.correct(row, &found.code, found.severity, found.message.as_ref().into());
        } else if analysed.seen.is_some_and(|seen| seen != analysed.file.content_hash) {
            let message = "changed while it was being indexed; the next run takes its new content";
            self.correct(row, "changed", Severity::Note, message.into());
        } else {
            self.outcome.work.contents_analysed += 1;
            let key = analysed.key;
            self.plane.learn(key, Known::from_analysed(analysed));
        }
    }

    /// A file did not hold, when it was read, what the scan had seen: takes its fact back.
    /// Another path that holds the content stands for it from now on.
    fn correct(&mut self, row: RowFact, code: &str, severity: Severity, message: String) {
        let Some(coming) = self.ledger.retract(&row) else { return };
        self.plane.next.files.push(((row.content, place(self.graph, &coming.path)), -1));
        if code == "vanished" {
            self.plane.maker.path(&coming.path, -1, &mut self.plane.late);
            self.outcome.corrected.push((coming.row(), None));
            *self.outcome.findings.entry(code.to_owned()).or_default() += 1;
            return;
        }
        // No stat data: the next run looks again.
        let leaf = Leaf::noted(Stat::default(), severity, code, message);
        let (noted, place) = self.ledger.comes(self.graph, &self.rows, &coming.path, &leaf);

        self.plane.next.files.push(((noted, place), 1));
        self.outcome.entered.push(noted);
        self.outcome.corrected.push((coming.row(), Some(leaf)));
    }

    /// Runs a round of facts and does what follows from it.
    fn round(&mut self) -> Result<(), RunError> {
        let (deltas, known) = self.plane.round(self.meters)?;
        self.remove(&deltas)?;
        for (_, difference) in &deltas.passages {
            let (born, died) = &mut self.outcome.passages;
            *if *difference > 0 { born } else { died } += difference.unsigned_abs() as u64;
        }
        let stored = self.add_rows(&deltas, &known)?;
        self.add_stored(stored, &deltas.passages)?;
        self.plan_contents(&deltas)
    }

    /// Deletes the rows of paths that hold something else, or nothing.
    fn remove(&mut self, deltas: &Deltas) -> Result<(), RunError> {
        let gone = deltas.rows.iter().filter(|(_, difference)| *difference < 0);
        let mut rows: Vec<RowId> = gone.filter_map(|(row, _)| self.ledger.take_leaving(row)).collect();
        if !rows.is_empty() {
            rows.sort_by(|left, right| path_order(&left.path, &right.path));
            self.sinks.remove(rows)?;
        }
        Ok(())
    }

    /// Begins the rows that a round adds, of contents that were learned for it. Gives those
    /// of contents that the base has.
    fn add_rows(
        &mut self,
        deltas: &Deltas,
        known: &HashMap<ContentKey, Known>,
    ) -> Result<BTreeMap<ContentKey, Vec<RowFact>>, RunError> {
        let mut stored: BTreeMap<ContentKey, Vec<RowFact>> = BTreeMap::new();
        let mut fresh = Vec::new();
        let mut standing: HashSet<ContentKey> = HashSet::new();
        for (row, _) in deltas.rows.iter().filter(|(_, difference)| *difference > 0) {
            let Some(coming) = self.ledger.coming(row) else { continue };
            if let Some(known) = known.get(&row.content) {
                if !standing.insert(row.content) {
                    self.outcome.work.paths_shared += 1;
                }
                fresh.push(NewRow { row: *row, path: coming.path.clone(), known });
            } else if self.history.stored(row.content).is_some() {
                stored.entry(row.content).or_default().push(*row);
            }
        }
        self.begin(&fresh, &deltas.passages)?;
        Ok(stored)
    }

    /// Begins rows of contents that the base has. Where the plane lacks their chunks these
    /// enter it first, so that it can say which of their passages came to life.
    fn add_stored(
        &mut self,
        stored: BTreeMap<ContentKey, Vec<RowFact>>,
        passages: &[(PassageId, Difference)],
    ) -> Result<(), RunError> {
        let mut stored: Vec<(RowId, Vec<RowFact>)> = stored
            .into_iter()
            .filter_map(|(content, rows)| Some((self.history.stored(content)?.clone(), rows)))
            .collect();
        stored.sort_by(|(left, _), (right, _)| path_order(&left.path, &right.path));
        for group in stored.chunks(RECALL_CONTENTS) {
            let holders: Vec<RowId> = group.iter().map(|(holder, _)| holder.clone()).collect();
            let recalled = self.history.recall(&holders, self.admission.budget(), self.sinks)?;
            let mut rows = Vec::new();
            for ((holder, facts), known) in group.iter().zip(&recalled) {
                let known = known.as_ref().ok_or_else(|| missing(&holder.path))?;
                for row in facts {
                    let Some(coming) = self.ledger.coming(row) else { continue };
                    rows.push(NewRow { row: *row, path: coming.path.clone(), known });
                }
                if let Some(row) = facts.first()
                    && self.plane.hydrated.learns_chunks(row.content)
                {
                    self.plane.maker.chunks(row.content, known, &mut self.plane.next);
                }
            }
            self.outcome.work.paths_recalled += rows.len() as u64;
            if self.plane.next.is_empty() {
                self.begin(&rows, passages)?;
            } else {
                let (deltas, _) = self.plane.round(self.meters)?;
                self.begin(&rows, &[passages, &deltas.passages].concat())?;
            }
            self.hand_over()?;
        }
        Ok(())
    }

    /// Begins records, and has the vectors of their chunks resolved.
    fn begin(&mut self, rows: &[NewRow<'_>], passages: &[(PassageId, Difference)]) -> Result<(), RunError> {
        let (mut wants, mut begun) = (Vec::new(), Vec::with_capacity(rows.len()));
        for NewRow { row, path, known } in rows {
            self.plane.maker.imports(path, row.content, &known.analysis.imports, &mut self.plane.late);
            known.analysis.diagnostics.iter().for_each(|found| note_finding(&mut self.outcome, path, found));
            let assembly = self.assembler.begin(self.graph, self.admission.budget(), path, known);
            begun.push(assembly);
            for (lane, identity) in self.graph.embed_lanes().iter().zip(self.plane.lanes) {
                for (chunk, of_chunk) in known.lanes[lane.chunk_lane.index()].iter().enumerate() {
                    let slot = Slot { assembly, chunk };
                    let Some(hash) = self.assembler.hash(slot, lane.chunk_lane) else { continue };
                    let passage = identity.passage(*row, (&of_chunk.body_hash).into());
                    wants.push(Want { lane: lane.id, passage, hash, slot, path, known });
                }
            }
        }
        let mut stores = Stores {
            sinks: self.sinks,
            history: &mut self.history,
            executor: &mut *self.executor,
            assembler: &mut self.assembler,
            work: &mut self.outcome.work,
        };
        let told = self.vectors.resolve(wants, passages, &mut stores)?;
        self.note_findings(&told);
        begun.into_iter().for_each(|assembly| self.assembler.settle(assembly));
        Ok(())
    }

    /// Contents that nothing is known of yet: notes and stored contents are known at
    /// once, the others are read.
    fn plan_contents(&mut self, deltas: &Deltas) -> Result<(), RunError> {
        let mut recalled: Vec<(ContentKey, RowId)> = Vec::new();
        let mut planned: Vec<RowFact> = Vec::new();
        for ((content, path), _) in deltas.contents.iter().filter(|(_, difference)| *difference > 0) {
            let row = RowFact { path: *path, content: *content };
            let Some(coming) = self.ledger.coming(&row) else { continue };
            if coming.leaf.note.is_some() {
                let lease = self.admission.budget().force(0);
                let known = Known::from_note(&coming.leaf, self.graph.chunk_lanes().len(), lease);
                self.plane.learn(*content, known);
            } else if let Some(row) = self.history.stored(*content) {
                recalled.push((*content, row.clone()));
            } else {
                planned.push(row);
            }
        }
        let mut former = self.history.former(&planned, &self.ledger, self.sinks)?;
        planned.retain(|row| !former.contains_key(&row.content));
        recalled.extend(former.drain());
        let path_of = |row: &RowFact| self.ledger.coming(row).map(|coming| &coming.path);
        planned.sort_by(|left, right| match (path_of(left), path_of(right)) {
            (Some(left), Some(right)) => path_order(left, right),
            (left, right) => left.cmp(&right),
        });
        recalled.sort_by(|(_, left), (_, right)| path_order(&left.path, &right.path));
        self.meters.contents.fetch_add(planned.len() as u64, Ordering::Relaxed);
        self.admission.queue(planned);
        for group in recalled.chunks(RECALL_CONTENTS) {
            let rows: Vec<RowId> = group.iter().map(|(_, row)| row.clone()).collect();
            let known = self.history.recall(&rows, self.admission.budget(), self.sinks)?;
            for ((content, _), known) in group.iter().zip(known) {
                match known {
                    Some(known) => {
                        self.outcome.work.paths_recalled += 1;
                        self.plane.learn(*content, known);
                    }
                    // What no store gives back after all is read like any other.
                    None => self.admission.queue(self.ledger.holders(*content)),
                }
            }
            // Facts of recalled contents lead to rows, which must not pile up.
            self.round()?;
            self.hand_over()?;
        }
        Ok(())
    }

    /// Hands complete records to the sinks.
    fn hand_over(&mut self) -> Result<(), RunError> {
        match self.assembler.take_complete() {
            Some((complete, bytes)) => Ok(self.sinks.add(complete, bytes)?),
            None => Ok(()),
        }
    }

    fn note_findings(&mut self, told: &[Told]) {
        told.iter().for_each(|(path, found)| note_finding(&mut self.outcome, path, found));
    }
}

fn note_finding(outcome: &mut EpochOutcome, path: &RelPath, found: &Diagnostic) {
    *outcome.findings.entry(found.code.to_string()).or_default() += 1;
    if found.severity == Severity::Error {
        let (code, message) = (found.code.to_string(), found.message.to_string());
        outcome.quarantined.push(Quarantined { path: path.clone(), code, message });
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
