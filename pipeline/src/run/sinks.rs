//! The sinks of a run, as one group that goes through the steps of an epoch together.
//!
//! ```text
//! SinkGroup ──begin──► WritingSinks ──stage──► StagedSinks ──publish──► SinkGroup
//! ```
//!
//! A group that is dropped within an epoch aborts it in every sink.

mod handle;
mod stored;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use gristmill_ids::{ChunkLaneId, ContentHash, EmbedLaneId, Epoch, Hash};
use gristmill_views::{ViewDelta, ViewSchema};

use self::handle::{Pending, Shape};
pub(super) use self::handle::{SinkHandle, SinkState};
use self::stored::StorePart;
pub(super) use self::stored::StoredRow;
use super::assembly::Assembly;
use crate::execute::Lease;
use crate::graph::{Graph, SinkStage};
use crate::index::{CommitRecord, rebuild_folder};
use crate::measure::Meters;
use crate::past_files::PastFiles;
use crate::port::Port;
use crate::sink::{EpochMeta, Record, RowId, SinkContext, SinkError, StagedRows, StoredFacts, StoredVectors, Token};

/// What sinks are opened with.
pub(super) struct Opening<'a> {
    pub(super) graph: &'a Graph,
    pub(super) meters: &'a Meters,
    /// The index folder.
    pub(super) index: PathBuf,
    /// The tables of views, which the first sink that can keeps.
    pub(super) tables: Vec<Arc<ViewSchema>>,
    /// Whether each sink gets a thread of its own.
    pub(super) threaded: bool,
    /// Bytes that the process should stay within.
    pub(super) memory_limit: u64,
    /// The epoch at which they are opened; without one they hold nothing.
    pub(super) base: Option<&'a CommitRecord>,
    /// The sinks that are rebuilt from nothing, in folders of their own.
    pub(super) rebuilt: &'a BTreeSet<Arc<str>>,
}

impl Opening<'_> {
    /// The sink that keeps the tables of views: the first that can.
    fn keeper(&self) -> Option<usize> {
        let can = |sink: &SinkStage| sink.ports.contains(&Port::Syntax) && sink.config.keeps_views();
        self.graph.sinks().iter().position(can)
    }

    fn context(&self, nth: usize, sink: &SinkStage) -> SinkContext {
        let keeps_views = self.keeper() == Some(nth);
        let is_rebuilt = self.rebuilt.contains(&sink.name);
        SinkContext {
            name: sink.name.as_ref().into(),
            folder: if is_rebuilt { rebuild_folder(&self.index, &sink.name) } else { self.index.join(&*sink.name) },
            inputs: sink.ports.clone(),
            dimension: sink.dimension,
            columns: sink.columns.clone(),
            views: if keeps_views { self.tables.clone() } else { Vec::new() },
            single_threaded: !self.threaded,
            memory_limit: self.memory_limit,
            past_files: PastFiles::of(&self.index, &sink.name),
        }
    }

    fn shape(&self, nth: usize, sink: &SinkStage) -> Shape {
        let stage = self.graph.stage(sink.stage);
        Shape {
            name: Arc::clone(&sink.name),
            chunk_lane: sink.chunk_lane,
            embed_lane: sink.embed_lane,
            has_syntax: sink.ports.contains(&Port::Syntax),
            keeps_views: self.keeper() == Some(nth),
            facts: sink.config.facts(&self.context(nth, sink)),
            meter: Arc::clone(self.meters.stage(sink.stage)),
            before: stage.inputs.last().map(|&input| Arc::clone(self.meters.stage(input))),
        }
    }

    fn token(&self, sink: &SinkStage) -> Option<Token> {
        let is_rebuilt = self.rebuilt.contains(&sink.name);
        self.base.filter(|_| !is_rebuilt).and_then(|record| record.tokens.get(&*sink.name)).cloned()
    }
}

/// Sinks that are open at an epoch.
pub(super) struct SinkGroup {
    sinks: Vec<SinkHandle>,
}

impl SinkGroup {
    /// The sinks of a job, none of them open yet.
    pub(super) fn closed(opening: &Opening<'_>) -> Result<Self, SinkError> {
        let sinks = opening.graph.sinks().iter().enumerate();
        let closed = sinks.map(|(nth, sink)| SinkHandle::closed(opening.shape(nth, sink), opening.threaded));
        Ok(Self { sinks: closed.collect::<Result<_, _>>()? })
    }

    /// Opens all sinks, side by side where they have threads.
    pub(super) fn open(&mut self, opening: &Opening<'_>) -> Result<(), SinkError> {
        let mut pending = Vec::new();
        for ((nth, sink), handle) in opening.graph.sinks().iter().enumerate().zip(&mut self.sinks) {
            let (config, context, token) = (Arc::clone(&sink.config), opening.context(nth, sink), opening.token(sink));
            handle.is_rebuilt = opening.rebuilt.contains(&sink.name);
            pending.push(handle.open(move || config.open(context, token.as_ref()))?);
        }
        self.finish(&pending)
    }

    /// Makes all sinks count what they would store, and give back what is stored.
    pub(super) fn count(&mut self, opening: &Opening<'_>) -> Result<(), SinkError> {
        let mut pending = Vec::new();
        for ((nth, sink), handle) in opening.graph.sinks().iter().enumerate().zip(&mut self.sinks) {
            let (config, context) = (Arc::clone(&sink.config), opening.context(nth, sink));
            pending.push(handle.count(config, context, opening.token(sink))?);
        }
        self.finish(&pending)
    }

    fn finish(&self, pending: &[Pending<()>]) -> Result<(), SinkError> {
        self.sinks.iter().zip(pending).try_for_each(|(sink, pending)| sink.finish(pending))
    }

    /// Begins an epoch in all sinks. With `replace`, they start from no rows.
    pub(super) fn begin(mut self, epoch: Epoch, replace: bool) -> Result<WritingSinks, SinkError> {
        let begun: Result<Vec<_>, _> = self.sinks.iter_mut().map(|sink| sink.begin(epoch, replace)).collect();
        let writing = WritingSinks { sinks: self.sinks };
        for (sink, begun) in writing.sinks.iter().zip(&begun?) {
            sink.finish(begun)?;
        }
        Ok(writing)
    }

    /// The sinks, in the order of the graph.
    pub(super) fn sinks(&self) -> &[SinkHandle] {
        &self.sinks
    }

    /// For each sink how many rows it has of these.
    pub(super) fn stored_rows(&mut self, rows: &[RowId]) -> Result<Vec<u64>, SinkError> {
        const AT_ONCE: usize = 64;
        let mut counts = vec![0; self.sinks.len()];
        for rows in rows.chunks(AT_ONCE) {
            let stored = stored(&mut self.sinks, rows, |_| None)?;
            for (sink, count) in self.sinks.iter_mut().zip(&mut counts) {
                let records = rows.iter().zip(&stored).filter_map(|(row, stored)| {
                    let stored = stored.as_ref()?;
                    let chunks = sink.chunk_lane.and_then(|lane| stored.chunks(lane).cloned());
                    Some(Record { path: row.path.clone(), analysis: Arc::clone(&stored.analysis), chunks })
                });
                *count += sink.rows_of(records.collect())?;
            }
        }
        Ok(counts)
    }
}

/// Reads these rows from all fact stores, merged; `None` for rows that no store has. `since`
/// returns the oldest state of a sink from which rows may be read.
fn stored(
    sinks: &mut [SinkHandle],
    rows: &[RowId],
    since: impl Fn(&str) -> Option<Token>,
) -> Result<Vec<Option<StoredRow>>, SinkError> {
    let mut parts: Vec<Vec<StorePart>> = rows.iter().map(|_| Vec::new()).collect();
    for sink in sinks.iter_mut().filter(|sink| sink.is_fact_store) {
        let (asked, since) = (rows.to_vec(), since(&sink.name));
        let records = sink.read(move |store| store.records(&asked, since.as_ref()))?;
        for (parts, record) in parts.iter_mut().zip(records) {
            let (has_syntax, chunk_lane) = (sink.has_syntax, sink.chunk_lane);
            parts.extend(record.map(|record| StorePart { record, has_syntax, chunk_lane }));
        }
    }
    Ok(parts.into_iter().map(StoredRow::of).collect())
}

/// All facts of one store.
pub(super) struct StoreFacts {
    /// Whether the store has definitions, references and imports.
    pub(super) has_syntax: bool,
    /// The chunk lane that the store has.
    pub(super) chunk_lane: Option<ChunkLaneId>,
    pub(super) facts: Vec<StoredFacts>,
}

/// Sinks within an epoch.
pub(super) struct WritingSinks {
    sinks: Vec<SinkHandle>,
}

impl WritingSinks {
    /// Removes rows from all sinks.
    pub(super) fn remove(&mut self, rows: Vec<RowId>) -> Result<(), SinkError> {
        let rows: Arc<[RowId]> = rows.into();
        self.sinks.iter_mut().filter(|sink| !sink.is_rebuilt).try_for_each(|sink| {
            let rows = Arc::clone(&rows);
            sink.write("remove rows", move |writer| writer.remove(&rows))
        })
    }

    /// Hands complete records to all sinks, with their shares of the memory limit.
    pub(super) fn add(&mut self, mut complete: Vec<Assembly>, bytes: u64) -> Result<(), SinkError> {
        for nth in 0..self.sinks.len() {
            let (this, later) = self.sinks.split_at_mut(nth + 1);
            let Some(sink) = this.last_mut() else { continue };
            // The last sink of a lane takes the vectors, the others copy them.
            let is_last = later.iter().all(|later| later.embed_lane != sink.embed_lane);
            let records: Vec<Record> = complete
                .iter_mut()
                .map(|assembly| assembly.record(sink.chunk_lane, sink.embed_lane, is_last))
                .collect();
            let leases: Vec<Arc<Lease>> = complete.iter().flat_map(|assembly| assembly.leases.clone()).collect();
            sink.add(records, bytes, move || drop(leases))?;
        }
        Ok(())
    }

    /// Waits until all that was given is done.
    pub(super) fn settle(&mut self) -> Result<(), SinkError> {
        self.sinks.iter_mut().try_for_each(SinkHandle::settle)
    }

    /// Changes the tables of views, in the sink that keeps them.
    pub(super) fn change_views(&mut self, deltas: Vec<ViewDelta>) -> Result<(), SinkError> {
        match self.sinks.iter_mut().find(|sink| sink.keeps_views) {
            Some(sink) if !deltas.is_empty() => {
                sink.write("write views", move |writer| writer.change_views(&deltas))?;
                sink.settle()
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Compacts all stores.
    pub(super) fn compact(&mut self) -> Result<(), SinkError> {
        for sink in &mut self.sinks {
            sink.write("compact", |writer| writer.compact())?;
        }
        self.settle()
    }

    /// The sinks, in the order of the graph.
    pub(super) fn sinks(&self) -> &[SinkHandle] {
        &self.sinks
    }

    /// Calls `visit` for each fact store with the facts of all rows of the base. Stores of the
    /// first chunk lane come first.
    pub(super) fn facts(&mut self, mut visit: impl FnMut(StoreFacts)) -> Result<(), SinkError> {
        let mut stores: Vec<&mut SinkHandle> = self.sinks.iter_mut().filter(|sink| sink.is_fact_store).collect();
        stores.sort_by_key(|sink| (sink.chunk_lane.is_none(), sink.chunk_lane, !sink.has_syntax));
        for sink in stores {
            let facts = sink.read(|store| {
                let mut all = Vec::new();
                store.facts(&mut |facts| all.push(facts))?;
                Ok(all)
            })?;
            visit(StoreFacts { has_syntax: sink.has_syntax, chunk_lane: sink.chunk_lane, facts });
        }
        Ok(())
    }

    /// Reads these rows from all fact stores, merged; `None` for rows that no store has. `since`
    /// returns the oldest state of a sink from which rows may be read.
    pub(super) fn stored(
        &mut self,
        rows: &[RowId],
        since: impl Fn(&str) -> Option<Token>,
    ) -> Result<Vec<Option<StoredRow>>, SinkError> {
        stored(&mut self.sinks, rows, since)
    }

    /// For each content all rows, deleted ones too, that hold or held it, by the first store
    /// that gives rows back.
    pub(super) fn holders(
        &mut self,
        contents: Vec<ContentHash>,
        since: impl Fn(&str) -> Option<Token>,
    ) -> Result<Vec<Vec<RowId>>, SinkError> {
        let Some(sink) = self.sinks.iter_mut().find(|sink| sink.is_fact_store) else { return Ok(Vec::new()) };
        let Some(since) = since(&sink.name) else { return Ok(Vec::new()) };
        sink.read(move |store| store.holders(&contents, Some(&since)))
    }

    /// The vectors stored for these chunk hashes, if a sink gives the lane's vectors back.
    pub(super) fn vectors(
        &mut self,
        lane: EmbedLaneId,
        hashes: Vec<Hash>,
        since: impl FnOnce(&str) -> Option<Token>,
    ) -> Result<Option<StoredVectors>, SinkError> {
        let Some(store) = vector_store(&self.sinks, lane) else { return Ok(None) };
        let sink = &mut self.sinks[store];
        let since = since(&sink.name);
        sink.read(move |store| store.vectors(&hashes, since.as_ref())).map(Some)
    }

    /// Stages in all sinks, side by side where they have threads.
    pub(super) fn stage(mut self, meta: &EpochMeta) -> Result<(StagedSinks, Vec<StagedRows>), SinkError> {
        let begun: Result<Vec<_>, _> = self.sinks.iter_mut().map(|sink| sink.stage(meta.clone())).collect();
        let staged = StagedSinks { sinks: std::mem::take(&mut self.sinks) };
        let rows =
            staged.sinks.iter().zip(&begun?).map(|(sink, begun)| sink.finish(begun)).collect::<Result<_, _>>()?;
        Ok((staged, rows))
    }
}

/// Which sink gives the vectors of a lane back. Rounded vectors will do only where every
/// sink of the lane rounds them.
pub(super) fn vector_store(sinks: &[SinkHandle], lane: EmbedLaneId) -> Option<usize> {
    let rounded_will_do = sinks.iter().all(|sink| sink.embed_lane != Some(lane) || sink.rounds_vectors);
    sinks.iter().position(|sink| {
        sink.is_fact_store && sink.embed_lane == Some(lane) && (rounded_will_do || !sink.rounds_vectors)
    })
}

impl Drop for WritingSinks {
    fn drop(&mut self) {
        self.sinks.iter_mut().for_each(SinkHandle::abort);
    }
}

/// Sinks whose epoch is on disk, and that nobody sees yet.
pub(super) struct StagedSinks {
    sinks: Vec<SinkHandle>,
}

impl StagedSinks {
    /// Publishes in all sinks.
    pub(super) fn publish(mut self) -> Result<PublishedSinks, SinkError> {
        let begun: Vec<_> = self.sinks.iter_mut().map(SinkHandle::publish).collect::<Result<_, _>>()?;
        let (mut states, mut notices) = (Vec::with_capacity(begun.len()), Vec::new());
        for (sink, begun) in self.sinks.iter().zip(&begun) {
            let (state, notice) = sink.finish(begun)?;
            states.push(state);
            notices.extend(notice.map(|notice| format!("{}: {notice}", sink.name)));
            crate::failpoint::reach("publish.one");
        }
        Ok(PublishedSinks { sinks: SinkGroup { sinks: std::mem::take(&mut self.sinks) }, states, notices })
    }
}

/// Sinks that published an epoch.
pub(super) struct PublishedSinks {
    pub(super) sinks: SinkGroup,
    /// In the order of the graph.
    pub(super) states: Vec<SinkState>,
    /// What the user should know, each with the sink.
    pub(super) notices: Vec<String>,
}

impl Drop for StagedSinks {
    fn drop(&mut self) {
        self.sinks.iter_mut().for_each(SinkHandle::abort);
    }
}
