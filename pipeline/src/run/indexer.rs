//! The indexer: holds an index open for writing, and brings it up to date as often as it
//! is asked.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use gristmill_ids::{Epoch, PassageKey};

use super::base::{Base, check_dimensions, gives_syntax_back, rebuild_reason};
use super::changes::{absolute, changes, corrected, count, is_current, noted, nothing_found};
use super::clock::Clock;
use super::commit::{Draft, table_changes, table_rows};
use super::epoch::VectorLog;
use super::losses::{self, Losses};
use super::memory::MemoryWatch;
use super::process::{EpochRun, Knowledge, Processed};
use super::report::RunReport;
use super::sinks::{Opening, PublishedSinks, SinkGroup, WritingSinks};
use super::{RunError, RunPlan};
use crate::execute::{self, Budget, Mode};
use crate::graph::EmbedLane;
use crate::index::{Cleared, CommitRecord, Damage, Depth, Fault, IndexError, IndexWriter, Journal};
use crate::merkle::Tree;
use crate::source::{Scan, Source};

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
    /// Damaged files of the newest epoch, which the next update rebuilds.
    pub(super) damages: Vec<Damage>,
    /// The largest number that an epoch may have had whose record is damaged.
    floor: Epoch,
    /// The head may lack changes that nobody will tell of again: the next update scans
    /// everything.
    pub(super) behind: bool,
    pub(super) warm: Option<Warm<'a>>,
}

/// What is opened by the first update that has something to do.
pub(super) struct Warm<'a> {
    /// The sinks, at the newest epoch.
    pub(super) sinks: SinkGroup,
    pub(super) knowledge: Knowledge<'a>,
}

impl<'a> Indexer<'a> {
    /// Opens the index that the plan names, and locks it.
    ///
    /// # Errors
    /// If it cannot be opened, or another process writes to it.
    pub fn open(plan: RunPlan<'a>) -> Result<Self, RunError> {
        plan.check()?;
        let mut indexer = Self {
            plan,
            writer: match IndexWriter::open_within(plan.index, plan.lock_wait, plan.interrupt) {
                Err(IndexError::Locked { .. }) if plan.interrupt.is_requested() => return Err(RunError::Interrupted),
                opened => opened?,
            },
            head: None,
            notice: None,
            damage: None,
            damages: Vec::new(),
            floor: Epoch::NONE,
            behind: false,
            warm: None,
        };
        indexer.read_head(plan.full)?;
        Ok(indexer)
    }

    /// The newest epoch's record, if there is an epoch.
    #[must_use]
    pub fn record(&self) -> Option<&CommitRecord> {
        self.head.as_ref().map(|(record, _)| record)
    }

    /// The newest epoch with its tree. A damaged tree costs a scan without it, other damage what is damaged.
    fn read_head(&mut self, full: bool) -> Result<(), RunError> {
        let record = self.newest(full)?;
        self.head = record.map(|record| match self.writer.folder().tree(&record) {
            Ok(tree) => (record, tree),
            Err(error) => {
                let damage = format!("the stored Merkle tree cannot be used ({error})");
                self.notice.get_or_insert_with(|| damage.clone());
                self.damage = Some(damage);
                self.behind = true;
                (record, Tree::empty())
            }
        });
        let is_doubted = full || self.plan.verify || self.writer.is_suspect();
        for sink in self.plan.graph.sinks() {
            sink.config.tidy(&self.writer.folder().sink(&sink.name))?;
        }
        self.find_damages(if is_doubted { Depth::Contents } else { Depth::Lengths });
        if self.plan.verify {
            let given_up = self.writer.give_up_damaged()?;
            let notice = || format!("{given_up} older epochs were given up: files of theirs are damaged");
            self.notice = self.notice.take().or_else(|| (given_up > 0).then(notice));
        }
        for sink in self.plan.graph.sinks() {
            self.writer.remove_rebuilds(&sink.name)?;
        }
        Ok(())
    }

    /// The record of the newest epoch; of the newest that is whole where `HEAD` or its record is damaged.
    fn newest(&mut self, full: bool) -> Result<Option<CommitRecord>, RunError> {
        let largest = self.writer.largest_number();
        let why = match self.writer.folder().head() {
            Ok(Some(record)) => return Ok(Some(record)),
            // It is new, or was cleared.
            Ok(None) if self.writer.has_no_record() => {
                self.floor = largest;
                return Ok(None);
            }
            Ok(None) => "HEAD is missing".to_owned(),
            Err(error @ IndexError::Damaged { .. }) => error.to_string(),
            // What an older program wrote is replaced when the user asks for it, and only then.
            Err(IndexError::Older { .. }) if full => "an older program wrote it".to_owned(),
            Err(error) => return Err(error.into()),
        };
        // A reader may hold an epoch whose record is damaged now.
        self.floor = largest;
        self.behind = true;
        let restored = self.writer.restore_head()?;
        let went_on = match &restored {
            Some(record) => format!("went on from epoch {}, the newest that is whole", record.epoch),
            None => "built the index from nothing".to_owned(),
        };
        self.notice = Some(format!("{why}: {went_on}"));
        Ok(restored)
    }

    /// Looks for damaged files of the newest epoch.
    pub(super) fn find_damages(&mut self, depth: Depth) {
        let (folder, graph) = (self.writer.folder(), self.plan.graph);
        self.damages.clear();
        let Some((record, _)) = &self.head else { return };
        self.damages = match depth {
            Depth::Lengths => folder.damages(record),
            Depth::Contents => folder.verify(record),
        };
        // A damaged tree was found when it was read.
        self.damages.retain(|damage| !damage.path.starts_with("merkle"));
        for sink in graph.sinks() {
            let Some(token) = record.tokens.get(&*sink.name) else { continue };
            for (file, reason) in sink.config.verify(&folder.sink(&sink.name), token, depth) {
                let path = Path::new(&*sink.name).join(file);
                self.damages.push(Damage { path, fault: Fault::Unreadable(reason) });
            }
        }
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
        let updated = self.advance_or_repair(source, None, full);
        self.at_rest(updated)
    }

    /// Brings the index up to date like [`update`](Self::update), but looks only at these
    /// paths and below them: nothing else changed since the last epoch, neither in the
    /// source nor in what is taken of it. Everything is scanned if there is no epoch yet,
    /// or if the last update failed, as it may have been told of other paths.
    ///
    /// # Errors
    /// As for [`update`](Self::update).
    pub fn update_paths(&mut self, source: &dyn Source, changed: &[PathBuf]) -> Result<RunReport, RunError> {
        let updated = self.advance_or_repair(source, Some(changed), false);
        self.at_rest(updated)
    }

    /// Deletes all that the index holds: see [`IndexWriter::clear`].
    ///
    /// # Errors
    /// If a file cannot be deleted.
    pub fn clear(&mut self) -> Result<Cleared, RunError> {
        self.look_again()?;
        self.writer.presence().show("clear", None);
        self.warm = None;
        self.behind = true;
        let sinks: Vec<&str> = self.plan.graph.sinks().iter().map(|sink| &*sink.name).collect();
        let cleared = self.writer.clear_with(&sinks);
        let reread = self.read_head(false);
        let cleared = self.at_rest(cleared)?;
        reread?;
        Ok(cleared)
    }

    /// Tells the index that nothing is going on, whatever the outcome.
    fn at_rest<T>(&self, outcome: T) -> T {
        self.writer.presence().show("idle", None);
        outcome
    }

    /// Advances. Where that fails and the newest epoch turns out to be damaged, it is rebuilt where it is. Where that
    /// fails too, or the user asked for what fails to be rebuilt, the sink that failed is rebuilt beside its folder.
    fn advance_or_repair(
        &mut self,
        source: &dyn Source,
        changed: Option<&[PathBuf]>,
        full: bool,
    ) -> Result<RunReport, RunError> {
        let was_damaged = !self.damages.is_empty();
        let mut error = match self.advance(source, changed, full) {
            Err(error @ (RunError::Sink(_) | RunError::LostVector { .. })) => error,
            advanced => return advanced,
        };
        self.warm = None;
        self.find_damages(Depth::Contents);
        if !was_damaged && !self.damages.is_empty() {
            error = match self.advance(source, None, full) {
                Err(error @ RunError::Sink(_)) => error,
                advanced => return advanced,
            };
            self.warm = None;
            self.find_damages(Depth::Contents);
        }
        let is_asked_for = full || self.plan.verify || !self.damages.is_empty();
        let failed = match error {
            RunError::Sink(failed) if self.head.is_some() && is_asked_for => failed,
            error => return Err(error),
        };
        // Its folder holds something that no epoch names.
        self.damages.push(Damage { path: (&*failed.sink).into(), fault: Fault::Unreadable(failed.to_string()) });
        self.advance(source, None, full)
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
        self.writer.presence().show("scan", None);
        let last = self.head.as_ref().map(|(record, tree)| record.last_scan(tree));
        let scan = match (&last, changed) {
            (Some(last), Some(changed)) => source.rescan(last, changed, &plan.scan_options()),
            _ => source.scan(last.as_ref(), &plan.scan_options()),
        }?;
        plan.meters.files.store(scan.measures.files, Ordering::Relaxed);
        clock.scan = clock.lap(plan.meters, "scan");
        plan.interrupt.check()?;

        let root = scan.tree.root_hash();
        let mut report = clock.report(&plan, threads);
        report.scan = scan.measures;
        report.merkle_root = root;
        report.revision = scan.revision.clone();
        report.refs = scan.refs.clone();
        report.notice = self.notice.take();
        let place = absolute(source.place());
        if is_whole {
            // What is watched was told of when the watch began.
            report.source_notices.clone_from(&scan.notices);
            report.source_notices.extend(scan.tree.is_empty().then(|| nothing_found(&place, &scan.measures)));
        }
        if let Some((record, tree)) = &mut self.head
            && !full
            && self.damages.is_empty()
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
            self.writer.clear_suspicion();
            // What is written to folders that are left out must not push the reports of
            // epochs out.
            return Ok(self.finish(clock.finish(report, &plan, None), is_whole));
        }
        match self.build(Update { source, full, threads, place }, scan, &mut report, &mut clock) {
            Ok(budget) => {
                if let Err(error) = self.collect_now_and_then() {
                    // The epoch is committed, and stands.
                    self.warm = None;
                    report.notice.get_or_insert(format!("old epochs could not be given up: {error}"));
                }
                Ok(self.finish(clock.finish(report, &plan, Some(&budget)), true))
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps the report of a run that succeeded beside the index, if it is worth it.
    fn finish(&mut self, mut report: RunReport, is_kept: bool) -> RunReport {
        self.behind = false;
        if let Some(ended) = self.writer.take_ended().filter(|_| report.notice.is_none()) {
            // A stack that overflows ends the process as a signal does, without a word in `panic.log`.
            report.notice = Some(format!(
                "{ended} ended before this run, in phase `{}`: it was killed, or ran out of memory or stack (see \
                 `panic.log`; RUST_MIN_STACK sets the stack of threads)",
                ended.phase
            ));
        }
        // The epoch is committed: a report that cannot be stored does not undo it.
        if let Some(json) = is_kept.then(|| serde_json::to_vec(&report).ok()).flatten() {
            let _ = self.writer.write_run(&json);
        }
        report
    }

    /// Builds an epoch and commits it.
    fn build(
        &mut self,
        update: Update<'_>,
        scan: Scan,
        report: &mut RunReport,
        clock: &mut Clock,
    ) -> Result<Budget, RunError> {
        let plan = self.plan;
        let Update { source, full, threads, place } = update;
        let number = self.next_epoch();
        report.notice = report.notice.take().or_else(|| losses::notice(&self.damages));
        let Begun { mut sinks, mut knowledge, rebuilt_because, losses } = self.begin(number, full)?;
        let replace = self.head.is_none() || rebuilt_because.is_some();
        let base = self.head.clone().filter(|_| !replace);
        let base = base.map(|(record, tree)| Base::new(plan.graph, record, tree, sinks.sinks(), &losses));
        let Scan { tree, revision, refs, selection, .. } = scan;
        let mut draft = Draft { number, base, tree, revision, refs, selection, place };

        let changes = changes(draft.base.as_ref(), &draft.tree);
        report.changes = count(&changes);
        report.rebuilt_because = rebuilt_because;
        if draft.base.is_some() && !gives_syntax_back(sinks.sinks()) {
            let why = "all files were parsed again: a sink takes `syntax`, but no lance sink stores it";
            report.notice.get_or_insert_with(|| why.into());
        }
        let measures = knowledge.plane().measures();
        let mut journals = self.journals()?;
        let mut shared = plan.shared_vectors()?;
        let (presence, meters) = (self.writer.presence().clone(), Arc::clone(plan.meters));
        let memory = MemoryWatch::start(plan.memory_limit, move |phase| presence.show(phase, Some(&meters)));
        let budget = Budget::new(plan.in_flight_limit);
        let answers = |lane: &EmbedLane| journals.get(lane.space.index()).map(Journal::answers).unwrap_or_default();
        let (limit, graph) = (plan.in_flight_limit, plan.graph);
        let executor = execute::start(plan.mode, threads, limit, graph, plan.meters, plan.interrupt, &answers);
        let run = EpochRun {
            plan: &plan,
            source,
            knowledge: &mut knowledge,
            sinks: &mut sinks,
            folder: self.writer.folder(),
            base: draft.base.as_mut(),
            logs: &mut journals,
            shared: &mut shared,
            budget: budget.clone(),
            memory: Some(&memory),
            executor: executor.map_err(RunError::Threads)?,
            workers: threads,
        };
        let Processed { outcome, views, loaded } =
            run.process(&changes, || clock.hydrate = clock.lap(plan.meters, "hydrate"))?;
        draft.tree = corrected(std::mem::replace(&mut draft.tree, Tree::empty()), &outcome);
        report.work = outcome.work;
        report.findings = outcome.findings;
        report.quarantined = outcome.quarantined;
        report.plane.loaded = loaded;
        report.plane.passages = outcome.passages;
        report.epoch = number;
        report.merkle_root = draft.tree.root_hash();
        let tables = table_changes(&plan, views, &knowledge.maker, draft.base.as_ref(), &draft.tree);
        report.views = table_rows(&tables);
        sinks.change_views(tables)?;
        clock.process = clock.lap(plan.meters, "process");
        memory.enter("stage");
        plan.interrupt.check()?;

        let (sinks, staged) = sinks.stage(&draft.meta())?;
        self.writer.write_tree(number, &draft.tree)?;
        crate::failpoint::reach("staged");
        clock.stage = clock.lap(plan.meters, "stage");
        memory.enter("publish");
        plan.interrupt.check()?;

        // From here on the epoch is finished, whatever is asked.
        let PublishedSinks { sinks, states, notices } = sinks.publish()?;
        for notice in notices {
            report.notice.get_or_insert(notice);
        }
        let before = draft.base.as_ref().map(|base| base.record.seals.clone()).unwrap_or_default();
        let folder = |sink: &str| match losses.rebuilt.contains(sink) {
            true => self.writer.rebuild_folder(sink),
            false => self.writer.folder().sink(sink),
        };
        let record = draft.record(&plan, &staged, states, &before, folder)?;
        crate::failpoint::reach("published");
        for sink in &losses.rebuilt {
            self.writer.swap_in(sink)?;
            crate::failpoint::reach("swapped");
        }
        self.writer.commit(&record)?;
        crate::failpoint::reach("committed");
        self.writer.clear_suspicion();
        self.damages.clear();
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
        let (rounds, facts, busy) = knowledge.plane().measures();
        report.plane.rounds = rounds - measures.0;
        report.plane.facts = facts - measures.1;
        report.plane.busy_ms = (busy - measures.2).as_secs_f64() * 1e3;
        self.head = Some((record, draft.tree));
        self.damage = None;
        // Sinks that were built beside their folder are open where it is no more.
        self.warm = losses.rebuilt.is_empty().then_some(Warm { sinks, knowledge });
        if !losses.is_empty()
            && let Err(error) = self.forget_damaged(&losses)
        {
            report.notice.get_or_insert(format!("what was damaged could not be deleted: {error}"));
        }
        clock.publish = clock.lap(plan.meters, "publish");
        report.memory = memory.report();
        Ok(budget)
    }

    /// The number of the epoch that an update would commit.
    pub(super) fn next_epoch(&self) -> Epoch {
        self.record().map_or(Epoch::NONE, |record| record.epoch).max(self.floor).next()
    }

    /// Deletes what there was of rebuilt sinks, and the epochs that reach it.
    fn forget_damaged(&mut self, losses: &Losses) -> Result<(), RunError> {
        for sink in &losses.rebuilt {
            self.writer.remove_rebuilds(sink)?;
        }
        self.retain(1)?;
        Ok(())
    }

    /// Opens the sinks at the newest epoch if they are not open, and begins an epoch in them.
    /// What is open may be half way when the epoch fails: nothing stays open then, and the
    /// next update opens it anew, at the epoch that stands.
    pub(super) fn begin(&mut self, number: Epoch, full: bool) -> Result<Begun<'a>, RunError> {
        let plan = self.plan;
        let warm = self.warm.take();
        let is_warm = warm.is_some();
        let mut losses = Losses::default();
        let (mut group, knowledge) = match warm {
            Some(Warm { sinks, knowledge }) => (sinks, Some(knowledge)),
            None => (SinkGroup::closed(&self.opening(&losses))?, None),
        };
        if !plan.tables().is_empty() && !group.sinks().iter().any(|sink| sink.keeps_views) {
            return Err(RunError::NoPlaceForViews);
        }
        let mut knowledge = match knowledge {
            Some(knowledge) => knowledge,
            None => Knowledge::start(&plan, group.sinks())?,
        };
        let has_views = !plan.views.is_empty();
        let rebuilt_because = self.head.as_ref().and_then(|(record, _)| {
            rebuild_reason(plan.graph, record, full, self.damage.as_deref(), group.sinks(), has_views)
        });
        let replace = self.head.is_none() || rebuilt_because.is_some();
        if is_warm && (replace || !gives_syntax_back(group.sinks())) {
            // The plane holds facts that the index is about to drop, or holds them under other keys.
            knowledge.restart(&plan)?;
        }
        if !is_warm {
            losses = self.losses(replace, full)?;
            match group.open(&self.opening(&losses)) {
                Err(_) if full && self.head.is_some() => {
                    // Whatever it is that keeps them from being opened.
                    losses = Losses::of_all_sinks(plan.graph);
                    group.open(&self.opening(&losses))?;
                }
                opened => opened?,
            }
        }
        Ok(Begun { sinks: group.begin(number, replace)?, knowledge, rebuilt_because, losses })
    }

    /// What the damage to the newest epoch loses. Its record says afterwards what is left.
    fn losses(&mut self, replace: bool, full: bool) -> Result<Losses, RunError> {
        let (graph, is_suspect) = (self.plan.graph, self.writer.is_suspect());
        match &mut self.head {
            // A fault ended the run before, and the next one too, unless it opens nothing that there is.
            Some(_) if full && is_suspect => Ok(Losses::of_all_sinks(graph)),
            Some(_) if replace => Ok(Losses::of_whole_sinks(graph, &self.damages)),
            Some((record, _)) => Ok(Losses::salvage(graph, self.writer.folder(), record, &self.damages)?),
            None => Ok(Losses::default()),
        }
    }

    fn opening<'o>(&'o self, losses: &'o Losses) -> Opening<'o> {
        Opening {
            graph: self.plan.graph,
            meters: self.plan.meters,
            index: self.writer.folder().path().to_owned(),
            tables: self.plan.tables(),
            threaded: self.plan.mode != Mode::Sequential,
            memory_limit: self.plan.memory_limit,
            base: self.record(),
            rebuilt: &losses.rebuilt,
        }
    }

    /// Opens the sinks that are open anew, after files below them were deleted.
    pub(super) fn reopen_sinks(&mut self) -> Result<(), RunError> {
        let Some(Warm { mut sinks, knowledge }) = self.warm.take() else { return Ok(()) };
        sinks.open(&self.opening(&Losses::default()))?;
        self.warm = Some(Warm { sinks, knowledge });
        Ok(())
    }

    /// Opens the journal of each embedding space.
    fn journals(&self) -> Result<Vec<Journal>, RunError> {
        let folder = self.writer.journal_folder();
        let open = |lane: &EmbedLane| Journal::open(&folder, &lane.fingerprint, lane.dimension);
        self.plan.graph.spaces().map(|lane| open(lane).map_err(RunError::Journal)).collect()
    }
}

/// An epoch that has begun in all sinks.
pub(super) struct Begun<'a> {
    pub(super) sinks: WritingSinks,
    pub(super) knowledge: Knowledge<'a>,
    /// Why it begins from nothing, if it does though there is an epoch.
    pub(super) rebuilt_because: Option<String>,
    /// What damage to the newest epoch lost.
    pub(super) losses: Losses,
}

/// What one update is asked for.
struct Update<'s> {
    source: &'s dyn Source,
    full: bool,
    threads: usize,
    place: PathBuf,
}

impl VectorLog for Journal {
    fn contains(&self, key: PassageKey) -> bool {
        Journal::contains(self, key)
    }

    fn is_recovered(&self, key: PassageKey) -> bool {
        Journal::is_recovered(self, key)
    }

    fn read(&mut self, key: PassageKey) -> std::io::Result<Vec<f32>> {
        let mut values = Vec::new();
        Journal::read(self, &[key], &mut values)?;
        Ok(values)
    }

    fn append(&mut self, key: PassageKey, values: &[f32]) -> std::io::Result<()> {
        Journal::append(self, key, values)
    }

    fn flush_if_due(&mut self) -> std::io::Result<bool> {
        Journal::flush_if_due(self)
    }

    fn asked_again(&self) -> u64 {
        Journal::asked_again(self)
    }
}
