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
use crate::graph::{EmbedLane, Graph};
use crate::index::SharedVectors;
use crate::operator::ErasedOperator;
use crate::path::RelPath;
use crate::port::{Passage, Text, Vector};
use crate::run::RunError;
use crate::run::assembly::{Assembler, Known, Slot};
use crate::run::report::Work;
use crate::run::sinks::WritingSinks;
use crate::sink::Analysis;

/// The vectors of the epoch that is being built.
pub(in crate::run) trait VectorLog {
    /// Whether it has the vector of that key.
    fn contains(&self, key: PassageKey) -> bool;
    /// Whether an interrupted run had left the vector of that key.
    fn is_recovered(&self, key: PassageKey) -> bool;
    /// Reads the vector of that key, which it has.
    fn read(&mut self, key: PassageKey) -> std::io::Result<Vec<f32>>;
    /// Adds a vector.
    fn append(&mut self, key: PassageKey, values: &[f32]) -> std::io::Result<()>;
    /// Makes what was added survive the end of this process.
    fn flush(&mut self) -> std::io::Result<()>;
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
        let text = self.known.analysis.text.slice(chunk.span.bytes());
        Some(Arc::new(Passage {
            key: self.key(),
            header: graph.chunk_lane(lane.chunk_lane).header,
            path: self.path.clone(),
            scope: chunk.scope.clone(),
            symbol: chunk.symbol.clone(),
            context: chunk.context().into(),
            text: text.unwrap_or_else(|| Text::new("")),
            tokens: chunk.tokens,
        }))
    }
}

/// Finds vectors, and keeps who waits for which.
pub(super) struct VectorResolver<'a, L> {
    graph: &'a Graph,
    /// By embed lane the vectors of this epoch.
    logs: &'a mut [L],
    /// By embed lane what other indexes have embedded; empty if nothing is shared.
    shared: &'a mut [SharedVectors],
    /// Who waits for a vector that is looked for or made.
    waiting: HashMap<(EmbedLaneId, PassageKey), Vec<Slot>>,
    /// Passages of this epoch for which there will be no vector, and why.
    failed: HashMap<(EmbedLaneId, PassageKey), Diagnostic>,
}

/// What a lookup works with.
pub(super) struct Stores<'a, 'b> {
    pub(super) sinks: &'a mut WritingSinks,
    pub(super) history: &'a mut History<'b>,
    pub(super) executor: &'a mut dyn Executor,
    pub(super) assembler: &'a mut Assembler,
    pub(super) work: &'a mut Work,
}

/// A path of which something new is known.
pub(super) type Told = (RelPath, Arc<Analysis>);

impl<'a, L: VectorLog> VectorResolver<'a, L> {
    pub(super) fn new(graph: &'a Graph, logs: &'a mut [L], shared: &'a mut [SharedVectors]) -> Self {
        Self { graph, logs, shared, waiting: HashMap::new(), failed: HashMap::new() }
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
            if let Some(diagnostic) = self.failed.get(&(want.lane, want.key())) {
                told.extend(stores.assembler.fail(want.slot, diagnostic));
                continue;
            }
            match self.waiting.entry((want.lane, want.key())) {
                Entry::Occupied(mut waiting) => {
                    waiting.get_mut().push(want.slot);
                    stores.work.passages_shared += 1;
                }
                Entry::Vacant(waiting) => {
                    waiting.insert(vec![want.slot]);
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
            let sought = self.read_log(lane.id, searched, stores)?;
            let sought = self.read_stores(lane, sought, stores)?;
            let sought = self.read_shared(lane.id, sought, stores);
            let passages = sought.iter().filter_map(|want| want.passage(self.graph, lane));
            self.embed(lane, passages.collect(), stores.executor);
        }
        for passage in announced {
            first.remove(&passage);
        }
        self.read_living(first.into_values().collect(), stores)?;
        Ok(told)
    }

    /// Takes the vectors of passages that lived before: nothing of them is looked for
    /// elsewhere, and nothing embedded.
    fn read_living(&mut self, wants: Vec<Want<'_>>, stores: &mut Stores<'_, '_>) -> Result<(), RunError> {
        for lane in self.graph.embed_lanes() {
            let mut of_lane: Vec<&Want<'_>> = wants.iter().filter(|want| want.lane == lane.id).collect();
            of_lane.sort_by_key(|want| want.slot.order());
            let sought = self.read_log(lane.id, of_lane, stores)?;
            let lost = self.read_stores(lane, sought, stores)?;
            if let Some(want) = lost.first() {
                return Err(RunError::LostVector { path: want.path.clone(), stage: self.stage_name(lane) });
            }
        }
        Ok(())
    }

    fn stage_name(&self, lane: &EmbedLane) -> Box<str> {
        self.graph.stage(lane.stage).name.as_ref().into()
    }

    /// Takes vectors from the journal, and gives back the passages that it does not have.
    fn read_log<'w, 'k>(
        &mut self,
        lane: EmbedLaneId,
        wants: Vec<&'w Want<'k>>,
        stores: &mut Stores<'_, '_>,
    ) -> Result<Vec<&'w Want<'k>>, RunError> {
        let mut missing = Vec::new();
        for want in wants {
            let (key, log) = (want.key(), &mut self.logs[lane.index()]);
            if !log.contains(key) {
                missing.push(want);
                continue;
            }
            let values = log.read(key).map_err(RunError::Journal)?;
            let recovered = log.is_recovered(key);
            *(if recovered { &mut stores.work.passages_recovered } else { &mut stores.work.passages_shared }) += 1;
            self.fill(lane, key, &values, stores.assembler);
        }
        Ok(missing)
    }

    /// Takes vectors from the base and the epochs kept before it, and gives back the
    /// passages that have none there.
    fn read_stores<'w, 'k>(
        &mut self,
        lane: &EmbedLane,
        wants: Vec<&'w Want<'k>>,
        stores: &mut Stores<'_, '_>,
    ) -> Result<Vec<&'w Want<'k>>, RunError> {
        if wants.is_empty() || !stores.history.has_vectors(lane.id) {
            return Ok(wants);
        }
        let hashes = wants.iter().map(|want| want.hash).collect();
        let Stores { sinks, history, .. } = stores;
        let Some(stored) = sinks.vectors(lane.id, hashes, |sink| history.vectors_since(sink))? else {
            return Ok(wants);
        };
        let mut values = stored.values.chunks_exact(lane.dimension);
        let mut missing = Vec::new();
        for (nth, want) in wants.into_iter().enumerate() {
            let vector = if stored.found.get(nth) == Some(&true) { values.next() } else { None };
            let Some(vector) = vector else {
                missing.push(want);
                continue;
            };
            stores.work.passages_reused += 1;
            self.fill(lane.id, want.key(), vector, stores.assembler);
        }
        Ok(missing)
    }

    /// Takes vectors that other indexes have, and gives back the passages that have none
    /// there.
    fn read_shared<'w, 'k>(
        &mut self,
        lane: EmbedLaneId,
        wants: Vec<&'w Want<'k>>,
        stores: &mut Stores<'_, '_>,
    ) -> Vec<&'w Want<'k>> {
        let Some(shared) = self.shared.get_mut(lane.index()).filter(|_| !wants.is_empty()) else { return wants };
        let keys: Vec<PassageKey> = wants.iter().map(|want| want.key()).collect();
        let found = shared.find(&keys);
        let mut missing = Vec::new();
        for (want, vector) in wants.into_iter().zip(found) {
            match vector {
                Some(vector) => {
                    stores.work.passages_reused += 1;
                    self.fill(lane, want.key(), &vector, stores.assembler);
                }
                None => missing.push(want),
            }
        }
        missing
    }

    /// Gives passages to the executor in batches of the size that the embedder wants.
    fn embed(&self, lane: &EmbedLane, passages: Vec<Arc<Passage>>, executor: &mut dyn Executor) {
        let Some(size) = self.graph.stage(lane.stage).operator().map(ErasedOperator::batch_size) else { return };
        let mut batch = Vec::new();
        let (mut bytes, mut tokens) = (0, 0);
        for passage in passages {
            let (more_bytes, more_tokens) = (passage.text.len() as u64, u64::from(passage.tokens));
            let full =
                batch.len() >= size.items || bytes + more_bytes > size.bytes || tokens + more_tokens > size.tokens;
            if full && !batch.is_empty() {
                executor.submit(Task::Embed { lane: lane.id, passages: std::mem::take(&mut batch) });
                (bytes, tokens) = (0, 0);
            }
            bytes += more_bytes;
            tokens += more_tokens;
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
        for vector in &vectors {
            self.logs[lane.index()].append(vector.key, &vector.values).map_err(RunError::Journal)?;
            self.fill(lane, vector.key, &vector.values, assembler);
        }
        let mut told = Vec::new();
        for (key, _, diagnostic) in failed {
            for slot in self.waiting.remove(&(lane, key)).unwrap_or_default() {
                told.extend(assembler.fail(slot, &diagnostic));
            }
            self.failed.insert((lane, key), diagnostic);
        }
        self.logs[lane.index()].flush().map_err(RunError::Journal)?;
        crate::failpoint::reach("embed.journaled");
        Ok(told)
    }

    /// Gives a vector to all who wait for it.
    fn fill(&mut self, lane: EmbedLaneId, key: PassageKey, values: &[f32], assembler: &mut Assembler) {
        for slot in self.waiting.remove(&(lane, key)).unwrap_or_default() {
            assembler.fill(slot, lane, values);
        }
    }
}

#[cfg(test)]
mod tests;
