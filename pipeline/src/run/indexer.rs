//! The indexer: holds an index open for writing, and brings it up to date as often as it
//! is asked.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use super::base::{Base, check_dimensions, rebuild_reason};
use super::changes::{absolute, changes, corrected, count, is_current, noted};
use super::clock::Clock;
use super::epoch::{Conductor, EpochOutcome, Parts};
use super::facts::FactMaker;
use super::hydrate::{Entered, Hydrated};
use super::report::RunReport;
use super::sinks::{self, SinkHandle};
use super::views::ViewChanges;
use super::{RunError, RunPlan};
use crate::execute::{self, Budget, Mode};
use crate::hash::Hash;
use crate::incremental::FactPlane;
use crate::index::{CommitRecord, IndexError, IndexWriter, Journal, SharedVectors};
use crate::merkle::{Diff, Tree};
use crate::sink::Token;
use crate::source::{RefRevision, Scan, Source};

/// An index that is open for writing, with the job that writes it.
///
/// It stays warm between updates: the sinks stay open, and the fact plane keeps what it
/// has loaded.
pub struct Indexer<'a> {
    pub(super) plan: RunPlan<'a>,
    pub(super) writer: IndexWriter,
    /// What the index holds.
    pub(super) head: Option<(CommitRecord, Tree)>,
    /// Something about the index that the user should know, told with the next update.
    pub(super) notice: Option<String>,
    /// The stored tree could not be used, for this reason.
    pub(super) damage: Option<String>,
    /// The head may lack changes that nobody will tell of again: the next update scans
    /// everything.
    pub(super) behind: bool,
    pub(super) warm: Option<Warm<'a>>,
}

/// What is opened by the first update that has something to do.
pub(super) struct Warm<'a> {
    pub(super) sinks: Vec<SinkHandle>,
    pub(super) plane: FactPlane,
    pub(super) hydrated: Hydrated,
    pub(super) maker: FactMaker<'a>,
}

/// An epoch that is being built.
pub(super) struct Draft {
    pub(super) number: crate::Epoch,
    pub(super) base: Option<Base>,
    pub(super) tree: Tree,
    pub(super) revision: Option<Box<str>>,
    pub(super) refs: Vec<RefRevision>,
    pub(super) selection: Option<Hash>,
    pub(super) place: PathBuf,
}

impl<'a> Indexer<'a> {
    /// Opens the index that the plan names, and locks it.
    ///
    /// # Errors
    /// If it cannot be opened, or another process writes to it.
    pub fn open(plan: RunPlan<'a>) -> Result<Self, RunError> {
        plan.check()?;
        let writer = IndexWriter::open(plan.index)?;
        let mut indexer = Self { plan, writer, head: None, notice: None, damage: None, behind: false, warm: None };
        indexer.read_head(plan.full)?;
        Ok(indexer)
    }

    /// The newest epoch's record, if there is an epoch.
    #[must_use]
    pub fn record(&self) -> Option<&CommitRecord> {
        self.head.as_ref().map(|(record, _)| record)
    }

    /// The newest epoch with its tree. A damaged tree costs a rebuild, not the index.
    fn read_head(&mut self, full: bool) -> Result<(), RunError> {
        let folder = self.writer.folder();
        self.head = match folder.head() {
            Ok(None) => None,
            Ok(Some(record)) => match folder.tree(&record) {
                Ok(tree) => Some((record, tree)),
                Err(error) => {
                    let damage = format!("the stored Merkle tree cannot be used ({error})");
                    self.notice = Some(damage.clone());
                    self.damage = Some(damage);
                    self.behind = true;
                    Some((record, Tree::empty()))
                }
            },
            // What cannot be read is replaced when the user asks for it, and only then.
            Err(IndexError::Damaged { .. }) if full => None,
            Err(error) => return Err(error.into()),
        };
        Ok(())
    }

    /// Notices when somebody deleted or replaced the folder since the last update, and
    /// begins anew with what is there.
    fn look_again(&mut self) -> Result<(), RunError> {
        let is_in_place = self.writer.is_in_place();
        // A `HEAD` that cannot be read, of an index that is to be built from nothing, is
        // replaced with the rest.
        let is_newest = |record: &CommitRecord| matches!(self.writer.folder().head_epoch(), Ok(Some(found)) if found == record.epoch);
        if is_in_place && self.record().is_none_or(is_newest) {
            return Ok(());
        }
        self.warm = None;
        self.behind = true;
        if !is_in_place {
            self.writer = IndexWriter::open(self.plan.index)?;
        }
        self.read_head(false)?;
        self.notice =
            Some("the index folder was deleted or replaced while it was open; went on with what is there".into());
        Ok(())
    }

    /// Scans the source, and brings the index up to date with it: one epoch, or none if
    /// nothing changed. With `full` it is built from nothing.
    ///
    /// # Errors
    /// If the epoch could not be committed; the index then holds what it held before.
    pub fn update(&mut self, source: &dyn Source, full: bool) -> Result<RunReport, RunError> {
        self.advance(source, None, full)
    }

    /// Brings the index up to date like [`update`](Self::update), but looks only at these
    /// paths and below them: nothing else changed since the last epoch, neither in the
    /// source nor in what is taken of it. Everything is scanned if there is no epoch yet,
    /// or if the last update failed, as it may have been told of other paths.
    ///
    /// # Errors
    /// As for [`update`](Self::update).
    pub fn update_paths(&mut self, source: &dyn Source, changed: &[PathBuf]) -> Result<RunReport, RunError> {
        self.advance(source, Some(changed), false)
    }

    fn advance(&mut self, source: &dyn Source, changed: Option<&[PathBuf]>, full: bool) -> Result<RunReport, RunError> {
        let mut clock = Clock::start();
        let plan = self.plan;
        plan.meters.reset();
        self.look_again()?;
        if let Some((record, _)) = self.head.as_ref().filter(|_| !full) {
            check_dimensions(plan.graph, record)?;
        }
        let threads = plan.threads();
        let changed = changed.filter(|_| !self.behind);
        let is_whole = changed.is_none();
        self.behind = true;
        let known = self.head.as_ref().map(|(record, tree)| (record, tree));
        let scan = match (known, changed) {
            (Some(known), Some(changed)) => source.rescan(known, changed, threads),
            _ => source.scan(known, threads),
        }?;
        plan.meters.files.store(scan.measures.files, Ordering::Relaxed);
        clock.scan = clock.lap();
        plan.interrupt.check()?;

        let root = scan.tree.root_hash();
        let mut report = clock.report(&plan, threads);
        report.scan = scan.measures;
        report.merkle_root = root;
        report.revision = scan.revision.clone();
        report.refs = scan.refs.clone();
        report.notice = self.notice.take();
        let place = absolute(source.place());
        if let Some((record, tree)) = &mut self.head
            && !full
            && is_current(&plan, record, &root)
        {
            let named = |record: &CommitRecord| (record.revision.clone(), record.refs.clone(), record.selection);
            let now = (scan.revision, scan.refs, scan.selection);
            if named(record) != now {
                // The same files by another name: the next run compares with that one.
                (record.revision, record.refs, record.selection) = now;
                self.writer.rename(record)?;
            }
            if scan.measures.files_read > 0 || report.notice.is_some() {
                // Files were touched or raced, or the stored tree was damaged: from now on
                // their stat data vouches for them.
                self.writer.refresh_tree(record, &scan.tree)?;
                *tree = scan.tree;
                self.damage = None;
            }
            report.epoch = record.epoch;
            report.quarantined = noted(tree);
            // What is written to folders that are left out must not push the reports of
            // epochs out.
            return Ok(self.finish(clock.finish(report, &plan, None), is_whole));
        }
        match self.build(source, scan, full, threads, place, &mut report, &mut clock) {
            Ok(budget) => {
                if let Err(error) = self.collect_now_and_then() {
                    // The epoch is committed, and stands.
                    self.warm = None;
                    report.notice.get_or_insert(format!("old epochs could not be given up: {error}"));
                }
                Ok(self.finish(clock.finish(report, &plan, Some(&budget)), true))
            }
            Err(error) => {
                // What is open may be half way: the next update opens it anew, at the epoch
                // that stands.
                if let Some(mut warm) = self.warm.take() {
                    warm.sinks.iter_mut().for_each(SinkHandle::abandon);
                }
                Err(error)
            }
        }
    }

    /// Keeps the report of a run that succeeded beside the index, if it is worth it.
    fn finish(&mut self, report: RunReport, is_kept: bool) -> RunReport {
        self.behind = false;
        // The epoch is committed: a report that cannot be stored does not undo it.
        if let Some(json) = is_kept.then(|| serde_json::to_vec(&report).ok()).flatten() {
            let _ = self.writer.write_run(&json);
        }
        report
    }

    /// Builds an epoch and commits it.
    #[expect(clippy::too_many_arguments, reason = "the parts of one update, used once")]
    fn build(
        &mut self,
        source: &dyn Source,
        scan: Scan,
        full: bool,
        threads: usize,
        place: PathBuf,
        report: &mut RunReport,
        clock: &mut Clock,
    ) -> Result<Budget, RunError> {
        let plan = self.plan;
        let number = self.record().map_or(1, |record| record.epoch + 1);
        let rebuilt_because = self.open_sinks(number, full)?;
        let replace = self.head.is_none() || rebuilt_because.is_some();
        let base = self.head.clone().filter(|_| !replace).map(|(record, tree)| Base::new(plan.graph, record, tree));
        let Some(warm) = &mut self.warm else { return Err(RunError::Threads("the sinks are not open".into())) };
        let Scan { tree, revision, refs, selection, .. } = scan;
        let mut draft = Draft { number, base, tree, revision, refs, selection, place };

        let changes = changes(draft.base.as_ref(), &draft.tree);
        report.changes = count(&changes);
        report.rebuilt_because = rebuilt_because;
        let (rounds, facts, busy) = warm.plane.measures();
        let mut views = ViewChanges::of(plan.views, draft.base.as_ref());
        let loaded = match &draft.base {
            Some(base) => {
                let Warm { sinks, plane, hydrated, maker } = warm;
                hydrated.load(plan.graph, base, &changes, maker, sinks)?.enter(plane, &mut views)?
            }
            None => Entered::default(),
        };
        report.plane.loaded = loaded.facts;
        clock.hydrate = clock.lap();

        let mut journals = self.journals()?;
        let mut shared = plan.shared_vectors()?;
        let budget = Budget::new(plan.memory_limit);
        let outcome = self.process(
            source,
            &changes,
            (&mut journals, &mut shared),
            &budget,
            &mut draft,
            loaded.stored,
            &mut views,
            threads,
        )?;
        draft.tree = corrected(std::mem::replace(&mut draft.tree, Tree::empty()), &outcome);
        report.work = outcome.work;
        report.findings = outcome.findings;
        report.quarantined = outcome.quarantined;
        report.plane.passages = outcome.passages;
        report.epoch = number;
        report.merkle_root = draft.tree.root_hash();
        let views = self.change_views(views, &draft)?;
        report.views = views;
        clock.process = clock.lap();
        plan.interrupt.check()?;

        let staged = self.stage(&draft)?;
        self.writer.write_tree(number, &draft.tree)?;
        crate::failpoint::reach("staged");
        clock.stage = clock.lap();
        plan.interrupt.check()?;

        // From here on the epoch is finished, whatever is asked.
        let record = self.publish(&draft, &staged)?;
        crate::failpoint::reach("published");
        self.writer.commit(&record)?;
        crate::failpoint::reach("committed");
        for (shared, journal) in shared.iter_mut().zip(&mut journals) {
            if let Err(error) = shared.add(journal) {
                report.notice.get_or_insert(format!("vectors could not be shared: {error}"));
            }
        }
        for journal in journals {
            // One that stays behind is found by its fingerprint and does no harm.
            let _ = journal.remove();
        }
        self.writer.drop_old_trees(number);
        report.rows = record.sinks.iter().map(|(name, sink)| (name.clone(), sink.staged)).collect();
        if let Some(warm) = &self.warm {
            let (all_rounds, all_facts, all_busy) = warm.plane.measures();
            report.plane.rounds = all_rounds - rounds;
            report.plane.facts = all_facts - facts;
            report.plane.busy_ms = (all_busy - busy).as_secs_f64() * 1e3;
        }
        self.head = Some((record, draft.tree));
        self.damage = None;
        clock.publish = clock.lap();
        Ok(budget)
    }

    /// Opens the sinks at the newest epoch if they are not open, and begins an epoch in
    /// them. Gives the reason why it begins from nothing, if it does.
    pub(super) fn open_sinks(&mut self, number: crate::Epoch, full: bool) -> Result<Option<String>, RunError> {
        let plan = self.plan;
        let (threaded, is_cold) = (plan.mode != Mode::Sequential, self.warm.is_none());
        let warm = match &mut self.warm {
            Some(warm) => warm,
            warm => {
                let folder = |name: &str| self.writer.folder().sink(name);
                let sinks = sinks::build(plan.graph, plan.meters, folder, &plan.tables(), threaded, |sink| sink)?;
                if !plan.tables().is_empty() && !sinks.iter().any(|sink| sink.keeps_views) {
                    return Err(RunError::NoPlaceForViews);
                }
                let plane = plan.start_plane()?;
                let maker = FactMaker::new(plan.graph, plan.views);
                warm.insert(Warm { sinks, plane, hydrated: Hydrated::default(), maker })
            }
        };
        let rebuilt_because = self.head.as_ref().and_then(|(record, _)| {
            let damage = self.damage.as_deref();
            rebuild_reason(plan.graph, record, full, damage, &warm.sinks)
        });
        let replace = self.head.is_none() || rebuilt_because.is_some();
        if replace && !is_cold {
            // The plane knows what the index is about to forget.
            warm.plane = plan.start_plane()?;
            warm.hydrated = Hydrated::default();
        }
        let tokens: BTreeMap<String, Token> =
            self.head.as_ref().map(|(record, _)| record.tokens.clone()).unwrap_or_default();
        let begun: Vec<_> = warm
            .sinks
            .iter_mut()
            .map(|sink| {
                let token = tokens.get(&*sink.name).cloned();
                sink.begin(move |sink| {
                    if is_cold {
                        sink.open(token.as_ref())?;
                    }
                    sink.begin(number, replace)
                })
            })
            .collect::<Result<_, _>>()?;
        for (sink, begun) in warm.sinks.iter().zip(&begun) {
            sink.finish(begun)?;
        }
        Ok(rebuilt_because)
    }

    /// Opens the sinks that are open anew, after files below them were deleted.
    pub(super) fn reopen_sinks(&mut self) -> Result<(), RunError> {
        let (Some(warm), Some((record, _))) = (&mut self.warm, &self.head) else { return Ok(()) };
        for sink in &mut warm.sinks {
            let token = record.tokens.get(&*sink.name).cloned();
            sink.call(move |sink| sink.open(token.as_ref()))?;
        }
        Ok(())
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

    #[expect(clippy::too_many_arguments, reason = "the parts of one epoch, used once")]
    fn process(
        &mut self,
        source: &dyn Source,
        changes: &Diff,
        (journals, shared): (&mut [Journal], &mut [SharedVectors]),
        budget: &Budget,
        draft: &mut Draft,
        stored: HashMap<crate::Key, crate::RowId>,
        views: &mut ViewChanges,
        threads: usize,
    ) -> Result<EpochOutcome, RunError> {
        let plan = self.plan;
        let Some(warm) = &mut self.warm else { return Err(RunError::Threads("the sinks are not open".into())) };
        let executor = execute::start(plan.mode, threads, plan.memory_limit, plan.graph, plan.meters);
        let conductor = Conductor::new(Parts {
            graph: plan.graph,
            source,
            meters: plan.meters,
            interrupt: plan.interrupt,
            plane: &mut warm.plane,
            executor: executor.map_err(RunError::Threads)?,
            sinks: &mut warm.sinks,
            journals,
            shared,
            budget: budget.clone(),
            folder: self.writer.folder(),
            base: draft.base.as_mut(),
            stored,
            maker: &mut warm.maker,
            views,
            workers: threads,
            embeds: true,
        });
        let outcome = conductor.run(changes)?;
        let everything = draft.base.as_ref().is_none_or(|base| !base.same_rows);
        warm.hydrated.entered(everything, &outcome.entered);
        Ok(outcome)
    }
}
