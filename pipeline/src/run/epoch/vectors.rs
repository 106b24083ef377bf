//! Vector resolution: where the vector of each passage comes from.
//!
//! The fact plane says which passages came to life; that alone starts a search. It goes
//! through the journal, the base and the epochs kept before it, and the vectors shared with
//! other indexes, in this order; only what is in none of them is embedded. Rows wait for
//! passages: for one whose search is under way, or for one that lived before the row came
//! and is stored.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use gristmill_ids::{EmbedLaneId, Hash, PassageKey};
use gristmill_plane::{Difference, PassageId};

use super::recall::History;
use crate::diagnostic::Diagnostic;
use crate::execute::{Executor, Task};
use crate::graph::{EmbedLane, Graph, SpaceId};
use crate::index::SharedVectors;
use crate::operator::{ErasedOperator, Filled};
use crate::path::RelPath;
use crate::port::{Passage, Vector};
use crate::run::RunError;
use crate::run::assembly::{Assembler, Known, Slot, without_vector};
use crate::run::report::Work;
use crate::run::sinks::WritingSinks;
use crate::sink::StoredVectors;

/// The vectors of the epoch that is being built.
pub(in crate::run) trait VectorLog {
    /// Whether it has the vector of that key.
    fn contains(&self, key: PassageKey) -> bool;
    /// Whether an interrupted run had left the vector of that key.
    fn is_recovered(&self, key: PassageKey) -> bool;
    /// Reads the vector of that key, which it has.
    fn read(&mut self, key: PassageKey) -> std::io::Result<Vec<f32>>;
    /// Adds a vector, unless it is there.
    fn append(&mut self, key: PassageKey, values: &[f32]) -> std::io::Result<()>;
    /// Makes what was added survive the death of this process, if that was not done for a while; tells
    /// whether it did.
    fn flush_if_due(&mut self) -> std::io::Result<bool>;
    /// How many passages were asked of a server again, as an interrupted run had not had the answer.
    fn asked_again(&self) -> u64;
}

/// A chunk of a row that needs a vector.
pub(super) struct Want<'k> {
    pub(super) lane: EmbedLaneId,
    pub(super) passage: PassageId,
    pub(super) hash: Hash,
    pub(super) slot: Slot,
    pub(super) path: &'k RelPath,
    pub(super) known: &'k Known,
}

impl Want<'_> {
    fn key(&self) -> PassageKey {
        PassageKey::from(&self.hash)
    }

    /// What the embedder sees of it.
    fn passage(&self, graph: &Graph, lane: &EmbedLane) -> Option<Arc<Passage>> {
        let chunk = self.known.lanes[lane.chunk_lane.index()].get(self.slot.chunk)?;
        let header = graph.chunk_lane(lane.chunk_lane).header;
        Some(Arc::new(Passage::of(chunk, self.path, &self.known.analysis.text, header, &self.hash)))
    }
}

/// Finds vectors, and keeps who waits for which.
pub(super) struct VectorResolver<'a, L> {
    graph: &'a Graph,
    /// The vectors of this epoch, by embedding space.
    logs: &'a mut [L],
    /// Vectors shared with other indexes, by embedding space; empty if nothing is shared.
    shared: &'a mut [SharedVectors],
    /// The chunks that wait for a vector, over all lanes of its embedding space.
    waiting: HashMap<(SpaceId, PassageKey), Vec<(EmbedLaneId, Slot)>>,
    /// Passages of this epoch for which there will be no vector, and why.
    failed: HashMap<(SpaceId, PassageKey), Diagnostic>,
}

/// What a lookup works with.
pub(super) struct Stores<'a, 'b> {
    pub(super) sinks: &'a mut WritingSinks,
    pub(super) history: &'a mut History<'b>,
    pub(super) executor: &'a mut dyn Executor,
    pub(super) assembler: &'a mut Assembler,
    pub(super) work: &'a mut Work,
}

/// A path with a new diagnostic.
pub(super) type Told = (RelPath, Diagnostic);

impl<'a, L: VectorLog> VectorResolver<'a, L> {
    pub(super) fn new(graph: &'a Graph, logs: &'a mut [L], shared: &'a mut [SharedVectors]) -> Self {
        Self { graph, logs, shared, waiting: HashMap::new(), failed: HashMap::new() }
    }

    /// See [`VectorLog::asked_again`].
    pub(super) fn asked_again(&self) -> u64 {
        self.logs.iter().map(VectorLog::asked_again).sum()
    }

    /// Whether nothing waits for a vector.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Makes rows wait for their passages, and starts a search for each passage of theirs
    /// that came to life.
    pub(super) fn resolve(
        &mut self,
        wants: Vec<Want<'_>>,
        passages: &[(PassageId, Difference)],
        stores: &mut Stores<'_, '_>,
    ) -> Result<Vec<Told>, RunError> {
        let (mut first, mut told) = (HashMap::new(), Vec::new());
        for want in wants {
            stores.assembler.wait_for(want.slot);
            let vector = (self.space(want.lane), want.key());
            if let Some(diagnostic) = self.failed.get(&vector) {
                let path = stores.assembler.fail(want.slot, want.lane, diagnostic);
                told.extend(path.map(|path| (path, diagnostic.clone())));
                continue;
            }
            match self.waiting.entry(vector) {
                Entry::Occupied(mut waiting) => {
                    waiting.get_mut().push((want.lane, want.slot));
                    stores.work.passages_shared += 1;
                }
                Entry::Vacant(waiting) => {
                    waiting.insert(vec![(want.lane, want.slot)]);
                    first.insert(want.passage, want);
                }
            }
        }
        let (mut born, mut announced) = (Vec::new(), Vec::new());
        for (passage, times) in passages.iter().filter(|(_, times)| *times > 0) {
            if let Some(want) = first.get(passage) {
                announced.push(*passage);
                // Once, as the plane's `distinct` makes sure.
                born.extend((0..*times).map(|_| want));
            }
        }
        for lane in self.graph.embed_lanes() {
            let mut searched: Vec<&Want<'_>> = born.iter().copied().filter(|want| want.lane == lane.id).collect();
            // In the order of the rows, whatever order the keys have.
            searched.sort_by_key(|want| want.slot.order());
            let sought = self.read_log(lane.space, searched, stores)?;
            let sought = self.read_stores(lane.space, sought, stores)?;
            let sought = self.read_shared(lane.space, sought, stores);
            self.embed(lane, &sought, stores.executor);
        }
        for passage in announced {
            first.remove(&passage);
        }
        self.read_living(first.into_values().collect(), stores)?;
        Ok(told)
    }

    /// Takes the vectors of passages that lived before: these are not looked for elsewhere, and
    /// not embedded. Only passages that could not be embedded are tried again, so that every
    /// row with such a passage gets the diagnostic.
    fn read_living(&mut self, wants: Vec<Want<'_>>, stores: &mut Stores<'_, '_>) -> Result<(), RunError> {
        for lane in self.graph.embed_lanes() {
            let mut of_lane: Vec<&Want<'_>> = wants.iter().filter(|want| want.lane == lane.id).collect();
            of_lane.sort_by_key(|want| want.slot.order());
            let sought = self.read_log(lane.space, of_lane, stores)?;
            let without = self.read_stores(lane.space, sought, stores)?;
            let (failed, lost) = self.failed_before(lane.space, without, stores)?;
            if let Some(want) = lost.first() {
                return Err(RunError::LostVector { path: want.path.clone(), stage: self.stage_name(lane) });
            }
            self.embed(lane, &failed, stores.executor);
        }
        Ok(())
    }

    fn stage_name(&self, lane: &EmbedLane) -> Box<str> {
        self.graph.stage(lane.stage).name.as_ref().into()
    }

    fn space(&self, lane: EmbedLaneId) -> SpaceId {
        self.graph.embed_lane(lane).space
    }

    /// Takes vectors from the journal, and gives back the passages that it does not have.
    fn read_log<'w, 'k>(
        &mut self,
        space: SpaceId,
        wants: Vec<&'w Want<'k>>,
        stores: &mut Stores<'_, '_>,
    ) -> Result<Vec<&'w Want<'k>>, RunError> {
        let mut missing = Vec::new();
        for want in wants {
            let (key, log) = (want.key(), &mut self.logs[space.index()]);
            if !log.contains(key) {
                missing.push(want);
                continue;
            }
            let values = log.read(key).map_err(RunError::Journal)?;
            let recovered = log.is_recovered(key);
            *(if recovered { &mut stores.work.passages_recovered } else { &mut stores.work.passages_shared }) += 1;
            self.fill(space, key, &values, stores.assembler);
        }
        Ok(missing)
    }

    /// Takes vectors from the base and the epochs kept before it, and gives back the
    /// passages that have none there.
    fn read_stores<'w, 'k>(
        &mut self,
        space: SpaceId,
        mut wants: Vec<&'w Want<'k>>,
        stores: &mut Stores<'_, '_>,
    ) -> Result<Vec<&'w Want<'k>>, RunError> {
        let graph = self.graph;
        for lane in graph.embed_lanes().iter().filter(|lane| lane.space == space) {
            let hashes = wants.iter().map(|want| want.hash).collect();
            let Some(stored) = stores.vectors(lane, hashes)? else { continue };
            let mut values = stored.values.chunks_exact(lane.dimension.max(1));
            let mut missing = Vec::new();
            for (nth, want) in wants.into_iter().enumerate() {
                let vector = if stored.found.get(nth) == Some(&true) { values.next() } else { None };
                let Some(vector) = vector else {
                    missing.push(want);
                    continue;
                };
                stores.work.passages_reused += 1;
                self.fill(space, want.key(), vector, stores.assembler);
            }
            wants = missing;
        }
        Ok(wants)
    }

    /// Splits passages without a stored vector into those that are stored as failed, and those
    /// that are not stored at all.
    fn failed_before<'w, 'k>(
        &self,
        space: SpaceId,
        mut wants: Vec<&'w Want<'k>>,
        stores: &mut Stores<'_, '_>,
    ) -> Result<(Vec<&'w Want<'k>>, Vec<&'w Want<'k>>), RunError> {
        let mut failed = Vec::new();
        for lane in self.graph.embed_lanes().iter().filter(|lane| lane.space == space) {
            let hashes = wants.iter().map(|want| without_vector(&want.hash)).collect();
            let Some(stored) = stores.vectors(lane, hashes)? else { continue };
            let mut found = stored.found.into_iter();
            let (there, missing): (Vec<_>, Vec<_>) = wants.into_iter().partition(|_| found.next() == Some(true));
            failed.extend(there);
            wants = missing;
        }
        Ok((failed, wants))
    }

    /// Takes vectors that other indexes have, and gives back the passages that have none
    /// there.
    fn read_shared<'w, 'k>(
        &mut self,
        space: SpaceId,
        wants: Vec<&'w Want<'k>>,
        stores: &mut Stores<'_, '_>,
    ) -> Vec<&'w Want<'k>> {
        let Some(shared) = self.shared.get_mut(space.index()).filter(|_| !wants.is_empty()) else { return wants };
        let keys: Vec<PassageKey> = wants.iter().map(|want| want.key()).collect();
        let found = shared.find(&keys);
        let mut missing = Vec::new();
        for (want, vector) in wants.into_iter().zip(found) {
            match vector {
                Some(vector) => {
                    stores.work.passages_reused += 1;
                    self.fill(space, want.key(), &vector, stores.assembler);
                }
                None => missing.push(want),
            }
        }
        missing
    }

    /// Gives passages to the executor in batches of the size that the embedder wants.
    fn embed(&self, lane: &EmbedLane, wants: &[&Want<'_>], executor: &mut dyn Executor) {
        let Some(size) = self.graph.stage(lane.stage).operator().map(ErasedOperator::batch_size) else { return };
        let (mut batch, mut filled) = (Vec::new(), Filled::default());
        for passage in wants.iter().filter_map(|want| want.passage(self.graph, lane)) {
            let (bytes, tokens) = (passage.text.len() as u64, u64::from(passage.tokens));
            if !filled.takes(&size, bytes, tokens) {
                executor.submit(Task::Embed { lane: lane.id, passages: std::mem::take(&mut batch) });
                filled = Filled::default();
                filled.takes(&size, bytes, tokens);
            }
            batch.push(passage);
        }
        if !batch.is_empty() {
            executor.submit(Task::Embed { lane: lane.id, passages: batch });
        }
    }

    /// Takes what an embedder made of a batch.
    pub(super) fn embedded(
        &mut self,
        lane: EmbedLaneId,
        vectors: Vec<Vector>,
        failed: Vec<(PassageKey, RelPath, Diagnostic)>,
        assembler: &mut Assembler,
    ) -> Result<Vec<Told>, RunError> {
        let space = self.space(lane);
        for vector in &vectors {
            self.logs[space.index()].append(vector.key, &vector.values).map_err(RunError::Journal)?;
            self.fill(space, vector.key, &vector.values, assembler);
        }
        let mut told = Vec::new();
        for (key, _, diagnostic) in failed {
            for (lane, slot) in self.waiting.remove(&(space, key)).unwrap_or_default() {
                told.extend(assembler.fail(slot, lane, &diagnostic).map(|path| (path, diagnostic.clone())));
            }
            self.failed.insert((space, key), diagnostic);
        }
        if self.logs[space.index()].flush_if_due().map_err(RunError::Journal)? {
            crate::failpoint::reach("embed.journaled");
        }
        Ok(told)
    }

    /// Gives a vector to all who wait for it.
    fn fill(&mut self, space: SpaceId, key: PassageKey, values: &[f32], assembler: &mut Assembler) {
        for (lane, slot) in self.waiting.remove(&(space, key)).unwrap_or_default() {
            assembler.fill(slot, lane, values);
        }
    }
}

impl Stores<'_, '_> {
    /// Looks these hashes up in the store of a lane. `None` if there are no hashes, or the lane
    /// has no store with vectors of this embedder.
    fn vectors(&mut self, lane: &EmbedLane, hashes: Vec<Hash>) -> Result<Option<StoredVectors>, RunError> {
        if hashes.is_empty() || !self.history.has_vectors(lane.id) {
            return Ok(None);
        }
        let Self { sinks, history, .. } = self;
        Ok(sinks.vectors(lane.id, hashes, |sink| history.vectors_since(sink))?)
    }
}

#[cfg(test)]
mod tests;
