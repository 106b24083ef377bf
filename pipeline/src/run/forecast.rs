//! What a run would do, found out without writing anything.
//!
//! A forecast takes the same way as a run: scan, diff, fact plane, analysis of what is
//! new. Only its sinks are others, which count rows, and its embedders, which give zeros.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::base::{Base, check_dimensions, rebuild_reason};
use super::changes::{changes, count, is_current};
use super::epoch::{Conductor, Parts};
use super::facts::FactMaker;
use super::hydrate::{Entered, Hydrated};
use super::refs;
use super::report::{Changes, RunReport, Work};
use super::sinks::{self, SinkHandle};
use super::views::ViewChanges;
use super::{RunError, RunPlan};
use crate::execute::{self, Budget};
use crate::hash::Fingerprint;
use crate::index::{CommitRecord, IndexError, IndexFolder};
use crate::merkle::Tree;
use crate::sink::{Epoch, EpochMeta, FactStore, Record, RowId, Sink, SinkError, StagedRows, Token};
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

/// Counts what a sink would store, and gives back what it has stored.
struct Counting {
    sink: Box<dyn Sink>,
    added: u64,
}

impl Sink for Counting {
    fn fingerprint(&self) -> Fingerprint {
        self.sink.fingerprint()
    }

    fn open(&mut self, base: Option<&Token>) -> Result<(), SinkError> {
        base.map_or(Ok(()), |token| self.sink.open_to_read(token))
    }

    fn begin(&mut self, _: Epoch, _: bool) -> Result<(), SinkError> {
        self.added = 0;
        Ok(())
    }

    fn remove(&mut self, _: &[RowId]) -> Result<(), SinkError> {
        Ok(())
    }

    fn add(&mut self, records: &[Record]) -> Result<(), SinkError> {
        self.added += records.iter().map(|record| self.sink.rows_of(record)).sum::<u64>();
        Ok(())
    }

    fn rows_of(&self, record: &Record) -> u64 {
        self.sink.rows_of(record)
    }

    fn stage(&mut self, _: &EpochMeta) -> Result<StagedRows, SinkError> {
        Ok(StagedRows { added: self.added, deleted: 0 })
    }

    fn publish(&mut self) -> Result<Token, SinkError> {
        Ok(Token::Null)
    }

    fn abandon(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    fn fact_store(&mut self) -> Option<&mut dyn FactStore> {
        self.sink.fact_store()
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
    let known = head.as_ref().map(|(_, record, tree)| (record, tree));
    let scan = plan.source.scan(known, threads)?;
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
    let number = head.as_ref().map_or(1, |(_, record, _)| record.epoch + 1);
    forecast.epoch = Some(number);

    let folder = |name: &str| plan.index.join(name);
    let counting = |sink| Box::new(Counting { sink, added: 0 }) as Box<dyn Sink>;
    let mut sinks = sinks::build(plan.graph, plan.meters, folder, &plan.tables(), false, counting)?;
    forecast.rebuilt_because = head.as_ref().and_then(|(_, record, tree)| {
        let is_damaged = tree.root_hash() != record.merkle_root;
        let damage = is_damaged.then_some("the stored Merkle tree cannot be used");
        rebuild_reason(plan.graph, record, plan.full, damage, &sinks)
    });
    let replaces = head.is_none() || forecast.rebuilt_because.is_some();
    let stored = head.as_ref().filter(|_| !replaces);
    if let Some((_, record, _)) = stored {
        for sink in &mut sinks {
            let token = record.tokens.get(&*sink.name).cloned();
            sink.call(move |sink| sink.open(token.as_ref()))?;
        }
    }
    let mut base = stored.map(|(_, record, tree)| Base::new(plan.graph, record.clone(), tree.clone()));
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
    let deleted = deleted_rows(&mut sinks, &leaving)?;

    let mut plane = plan.start_plane()?;
    let mut maker = FactMaker::new(plan.graph, plan.views);
    let mut views = ViewChanges::of(plan.views, base.as_ref());
    let loaded = match &base {
        Some(base) => {
            let loaded = Hydrated::default().load(plan.graph, base, &diff, &mut maker, &mut sinks)?;
            loaded.enter(&mut plane, &mut views)?
        }
        None => Entered::default(),
    };
    let mut shared = plan.shared_vectors()?;
    let none = IndexFolder::at(plan.index);
    let executor = execute::start(plan.mode, threads, plan.memory_limit, plan.graph, plan.meters);
    let conductor = Conductor::new(Parts {
        graph: plan.graph,
        source: plan.source,
        meters: plan.meters,
        interrupt: plan.interrupt,
        plane: &mut plane,
        executor: executor.map_err(RunError::Threads)?,
        sinks: &mut sinks,
        journals: &mut [],
        shared: &mut shared,
        budget: Budget::new(plan.memory_limit),
        folder: head.as_ref().map_or(&none, |(folder, _, _)| folder),
        base: base.as_mut(),
        stored: loaded.stored,
        maker: &mut maker,
        views: &mut views,
        workers: threads,
        embeds: false,
    });
    let outcome = conductor.run(&diff)?;
    forecast.work = outcome.work;
    forecast.quarantined = outcome.quarantined.len() as u64;
    for (sink, deleted) in sinks.iter_mut().zip(deleted) {
        let meta = EpochMeta { epoch: number, merkle_root: scan.tree.root_hash() };
        let staged = sink.call(move |sink| sink.stage(&meta))?;
        forecast.rows.insert(sink.name.to_string(), StagedRows { deleted, ..staged });
    }
    let refs = plan.source.is_over_refs().then(|| refs::change(base.as_ref(), &scan.tree)).flatten();
    for delta in views.finish(&maker).into_iter().chain(refs) {
        let rows = StagedRows { added: delta.added.len() as u64, deleted: delta.removed.len() as u64 };
        forecast.views.insert(delta.schema.name.to_string(), rows);
    }
    forecast.estimated_ms = head.as_ref().and_then(|(folder, ..)| estimate(folder, &forecast.work));
    Ok(forecast)
}

/// The newest epoch, read without a lock. A tree that cannot be read comes as an empty
/// one.
fn read_head(index: &Path) -> Result<Option<(IndexFolder, CommitRecord, Tree)>, RunError> {
    match IndexFolder::open(index) {
        Ok(folder) => {
            let Some(record) = folder.head()? else { return Ok(None) };
            let tree = folder.tree(&record).unwrap_or_else(|_| Tree::empty());
            Ok(Some((folder, record, tree)))
        }
        Err(IndexError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// For each sink how many rows it has of these.
fn deleted_rows(sinks: &mut [SinkHandle], leaving: &[RowId]) -> Result<Vec<u64>, SinkError> {
    const AT_ONCE: usize = 64;
    let mut deleted = vec![0; sinks.len()];
    for rows in leaving.chunks(AT_ONCE) {
        // A store with chunks knows all that is known of a row.
        let knows = |sink: &SinkHandle| (sink.is_fact_store, sink.chunk_lane.is_some());
        let Some(store) = (0..sinks.len()).max_by_key(|&nth| sinks.get(nth).map(knows)) else { continue };
        let Some(store) = sinks.get_mut(store) else { continue };
        let asked = rows.to_vec();
        let records = store.call(move |sink| match sink.fact_store() {
            Some(store) => store.records(&asked, None),
            None => Ok(Vec::new()),
        })?;
        let records: Arc<[Record]> = records.into_iter().flatten().collect();
        for (sink, deleted) in sinks.iter_mut().zip(&mut deleted) {
            let records = Arc::clone(&records);
            *deleted += sink.call(move |sink| Ok(records.iter().map(|record| sink.rows_of(record)).sum::<u64>()))?;
        }
    }
    Ok(deleted)
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
