//! What a run would do, found out without writing anything.
//!
//! A forecast takes the same way as a run: scan, diff, fact plane, analysis of what is
//! new. Only its sinks are others, which count rows, and its embedders, which give zeros.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

use gristmill_ids::{Epoch, PassageKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::base::{Base, check_dimensions, rebuild_reason};
use super::changes::{changes, count, is_current};
use super::commit::{table_changes, table_rows};
use super::epoch::VectorLog;
use super::losses::Losses;
use super::process::{EpochRun, Knowledge, Processed};
use super::report::{Changes, RunReport, Work};
use super::sinks::{Opening, SinkGroup};
use super::{RunError, RunPlan};
use crate::execute::{self, Budget, Executor, Outcome, Task};
use crate::graph::EmbedLane;
use crate::index::{CommitRecord, IndexError, IndexFolder};
use crate::merkle::Tree;
use crate::operator::{AnswerLog, OperatorError};
use crate::port::{Passage, Vector};
use crate::sink::{EpochMeta, RowId, StagedRows};
use crate::source::RefRevision;

/// What a run would do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Forecast {
    /// The epoch that it would commit; `None` if nothing changed.
    pub epoch: Option<Epoch>,
    /// The revision that would be indexed, where the source has revisions.
    pub revision: Option<Box<str>>,
    /// The refs that would be indexed, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refs: Vec<RefRevision>,
    /// Why it would begin from nothing, if it would.
    pub rebuilt_because: Option<String>,
    /// Files of the source.
    pub files: u64,
    /// Files that would change.
    pub changes: Changes,
    /// What would be done, and what would not.
    pub work: Work,
    /// Rows per sink.
    pub rows: BTreeMap<String, StagedRows>,
    /// Rows per view.
    pub views: BTreeMap<String, StagedRows>,
    /// Files of whose content nothing would be in the index.
    pub quarantined: u64,
    /// How long it would take by what past runs took, in milliseconds; `None` if there is
    /// no past run to go by.
    pub estimated_ms: Option<f64>,
}

/// Embeds nothing: every passage gets a vector of zeros at once.
struct Zeros {
    inner: Box<dyn Executor>,
    /// By embed lane the number of components.
    dimensions: Vec<usize>,
    embedded: VecDeque<Outcome>,
}

impl Executor for Zeros {
    fn submit(&mut self, task: Task) {
        match task {
            Task::Embed { lane, passages } => {
                let values = vec![0.0; self.dimensions[lane.index()]];
                let zeros = |passage: &Arc<Passage>| Vector { key: passage.key, values: values.clone().into() };
                let vectors: Vec<Vector> = passages.iter().map(zeros).collect();
                let asked = vectors.len();
                self.embedded.push_back(Outcome::Embedded { lane, asked, vectors, failed: Vec::new() });
            }
            task @ Task::Analyse { .. } => self.inner.submit(task),
        }
    }

    fn next(&mut self) -> Option<Result<Outcome, OperatorError>> {
        self.embedded.pop_front().map(Ok).or_else(|| self.inner.next())
    }

    fn try_next(&mut self) -> Option<Result<Outcome, OperatorError>> {
        self.embedded.pop_front().map(Ok).or_else(|| self.inner.try_next())
    }

    fn analysing(&self) -> usize {
        self.inner.analysing()
    }
}

/// Remembers which vectors an epoch has, and gives zeros.
struct Imagined {
    keys: HashSet<PassageKey>,
    dimension: usize,
}

impl VectorLog for Imagined {
    fn contains(&self, key: PassageKey) -> bool {
        self.keys.contains(&key)
    }

    fn is_recovered(&self, _: PassageKey) -> bool {
        false
    }

    fn read(&mut self, _: PassageKey) -> std::io::Result<Vec<f32>> {
        Ok(vec![0.0; self.dimension])
    }

    fn append(&mut self, key: PassageKey, _: &[f32]) -> std::io::Result<()> {
        self.keys.insert(key);
        Ok(())
    }

    fn flush_if_due(&mut self) -> std::io::Result<bool> {
        Ok(false)
    }

    fn asked_again(&self) -> u64 {
        0
    }
}

/// Finds out what [`run`](super::run) would do. Nothing is written, and no lock is taken:
/// if something else writes to the index meanwhile, the forecast is of the epoch that
/// stood when it began.
///
/// # Errors
/// As for a run.
pub fn forecast(plan: &RunPlan<'_>) -> Result<Forecast, RunError> {
    plan.check()?;
    let threads = plan.threads();
    let head = read_head(plan.index)?;
    // Keeps the epoch from being collected meanwhile.
    let _pin = match &head {
        Some((folder, record, _)) => Some(folder.pin(record.epoch)?),
        None => None,
    };
    if let Some((_, record, _)) = head.as_ref().filter(|_| !plan.full) {
        check_dimensions(plan.graph, record)?;
    }
    let known = head.as_ref().map(|(_, record, tree)| record.last_scan(tree));
    let scan = plan.source.scan(known.as_ref(), &plan.scan_options())?;
    plan.interrupt.check()?;
    let mut forecast = Forecast {
        files: scan.measures.files,
        revision: scan.revision.clone(),
        refs: scan.refs.clone(),
        ..Forecast::default()
    };
    if let Some((_, record, _)) = &head
        && !plan.full
        && is_current(plan, record, &scan.tree.root_hash())
    {
        forecast.estimated_ms = Some(0.0);
        return Ok(forecast);
    }
    let number = head.as_ref().map_or(Epoch::FIRST, |(_, record, _)| record.epoch.next());
    forecast.epoch = Some(number);

    let mut opening = Opening {
        graph: plan.graph,
        meters: plan.meters,
        index: plan.index.to_owned(),
        tables: plan.tables(),
        threaded: false,
        memory_limit: plan.memory_limit,
        base: head.as_ref().map(|(_, record, _)| record),
        rebuilt: &BTreeSet::new(),
    };
    let mut sinks = SinkGroup::closed(&opening)?;
    forecast.rebuilt_because = head.as_ref().and_then(|(_, record, tree)| {
        let is_damaged = tree.root_hash() != record.merkle_root;
        let damage = is_damaged.then_some("the stored Merkle tree cannot be used");
        rebuild_reason(plan.graph, record, plan.full, damage, sinks.sinks(), !plan.views.is_empty())
    });
    let replaces = head.is_none() || forecast.rebuilt_because.is_some();
    opening.base = opening.base.filter(|_| !replaces);
    sinks.count(&opening)?;
    let mut base = head.as_ref().filter(|_| !replaces).map(|(_, record, tree)| {
        Base::new(plan.graph, record.clone(), tree.clone(), sinks.sinks(), &Losses::default())
    });
    let diff = changes(base.as_ref(), &scan.tree);
    forecast.changes = count(&diff);
    let leaving: Vec<RowId> = diff
        .changes
        .iter()
        .filter_map(|change| {
            let leaf = change.before.as_ref().filter(|_| base.is_some())?;
            Some(RowId { path: change.path.clone(), content_hash: leaf.content_hash })
        })
        .collect();
    let deleted = sinks.stored_rows(&leaving)?;

    let mut knowledge = Knowledge::start(plan, sinks.sinks())?;
    let mut sinks = sinks.begin(number, replaces)?;
    let dimensions: Vec<usize> = plan.graph.embed_lanes().iter().map(|lane| lane.dimension).collect();
    let imagined = |lane: &EmbedLane| Imagined { keys: HashSet::new(), dimension: lane.dimension };
    let mut logs: Vec<Imagined> = plan.graph.spaces().map(imagined).collect();
    let mut shared = plan.shared_vectors()?;
    let none = IndexFolder::at(plan.index);
    let no_answers = |_: &EmbedLane| AnswerLog::default();
    let limit = plan.in_flight_limit;
    let inner = execute::start(plan.mode, threads, limit, plan.graph, plan.meters, plan.interrupt, &no_answers);
    let executor = Zeros { inner: inner.map_err(RunError::Threads)?, dimensions, embedded: VecDeque::new() };
    let run = EpochRun {
        plan,
        source: plan.source,
        knowledge: &mut knowledge,
        sinks: &mut sinks,
        folder: head.as_ref().map_or(&none, |(folder, _, _)| folder),
        base: base.as_mut(),
        logs: &mut logs,
        shared: &mut shared,
        budget: Budget::new(plan.in_flight_limit),
        memory: None,
        executor: Box::new(executor),
        workers: threads,
    };
    let Processed { outcome, views, .. } = run.process(&diff, || {})?;
    forecast.work = outcome.work;
    forecast.quarantined = outcome.quarantined.len() as u64;
    let (_, staged) = sinks.stage(&EpochMeta { epoch: number, merkle_root: scan.tree.root_hash() })?;
    for ((sink, staged), deleted) in plan.graph.sinks().iter().zip(staged).zip(deleted) {
        forecast.rows.insert(sink.name.to_string(), StagedRows { deleted, ..staged });
    }
    let tables = table_changes(plan, views, &knowledge.maker, base.as_ref(), &scan.tree);
    forecast.views = table_rows(&tables);
    forecast.estimated_ms = head.as_ref().and_then(|(folder, ..)| estimate(folder, &forecast.work));
    Ok(forecast)
}

/// The newest epoch, read without a lock. A tree that cannot be read comes as an empty
/// one.
fn read_head(index: &Path) -> Result<Option<(IndexFolder, CommitRecord, Tree)>, RunError> {
    match IndexFolder::open(index) {
        Ok(folder) => {
            let Some(record) = folder.head()? else { return Ok(None) };
            folder.check(&record)?;
            let tree = folder.tree(&record).unwrap_or_else(|_| Tree::empty());
            Ok(Some((folder, record, tree)))
        }
        Err(IndexError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// How long a run with this work would take, by past runs: what the quickest took beside
/// its work, and what contents and passages took in the median.
fn estimate(folder: &IndexFolder, work: &Work) -> Option<f64> {
    let runs = folder.runs().ok()?;
    let runs: Vec<RunReport> = runs.iter().filter_map(|(_, text)| serde_json::from_str(text).ok()).collect();
    let units = |work: &Work| work.contents_analysed + work.paths_recalled + work.passages_embedded;
    let busy = || runs.iter().filter(|run| units(&run.work) > 0);
    let beside = busy().map(|run| run.time.wall_ms - run.time.process_ms).min_by(f64::total_cmp)?;
    let mut each: Vec<f64> = busy().map(|run| run.time.process_ms / units(&run.work) as f64).collect();
    each.sort_by(f64::total_cmp);
    let median = each.get(each.len() / 2)?;
    Some(beside + median * units(work) as f64)
}
