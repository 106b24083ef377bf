//! Vectors for the rows of an epoch: found where they exist, asked for where they do not.
//!
//! A vector is looked for among those under way, in the journal, in the base and the epochs
//! kept before it, and among those shared with other indexes, in this order; only what is
//! in none of them is embedded.

use std::sync::Arc;

use super::super::RunError;
use super::super::assembly::{Assembly, Known};
use super::super::sinks::SinkHandle;
use super::{Conductor, Slot};
use crate::diagnostic::Diagnostic;
use crate::execute::Task;
use crate::hash::{Hash, Key};
use crate::path::RelPath;
use crate::port::{Chunk, Header, Passage, Text, Vector};
use crate::sink::StoredVectors;

/// A passage that nothing under way has a vector for.
struct Sought<'k> {
    hash: Hash,
    key: Key,
    path: &'k RelPath,
    known: &'k Known,
    chunk: &'k Chunk,
}

impl Conductor<'_, '_> {
    /// Begins records: finds the vectors that exist, and asks for those that do not.
    pub(super) fn assemble(&mut self, rows: &[(RelPath, &Known)]) -> Result<(), RunError> {
        let mut sought: Vec<Vec<Sought<'_>>> = self.with.graph.embed_lanes().iter().map(|_| Vec::new()).collect();
        let first = self.next_assembly;
        for (path, known) in rows {
            self.note_findings(path, &known.analysis);
            let index = self.next_assembly;
            self.next_assembly += 1;
            let mut assembly = self.begin(path, known);
            for (lane, sought) in sought.iter_mut().enumerate() {
                let chunk_lane = self.with.graph.embed_lanes().get(lane).map_or(0, |lane| lane.chunk_lane);
                let chunks = known.lanes.get(chunk_lane).map_or(&[][..], |chunks| chunks);
                let hashes = assembly.hashes.get(chunk_lane).cloned().unwrap_or_default();
                for (nth, (chunk, hash)) in chunks.iter().zip(hashes).enumerate() {
                    let (key, slot) = (hash.key(), Slot { assembly: index, chunk: nth });
                    if let Some(waiting) = self.awaited.get_mut(&(lane, key)) {
                        waiting.push(slot);
                        assembly.missing += 1;
                        self.outcome.work.passages_shared += 1;
                    } else if self.with.journals.get(lane).is_some_and(|journal| journal.contains(key)) {
                        self.read_journal(lane, key, nth, &mut assembly)?;
                    } else if self.imagined.contains(&(lane, key)) {
                        self.outcome.work.passages_shared += 1;
                    } else {
                        self.awaited.insert((lane, key), vec![slot]);
                        assembly.missing += 1;
                        sought.push(Sought { hash, key, path, known, chunk });
                    }
                }
            }
            self.assemblies.insert(index, assembly);
        }
        for (lane, sought) in sought.into_iter().enumerate() {
            let missing = self.fetch_stored(lane, sought)?;
            let missing = self.fetch_shared(lane, missing);
            let header = self.header(self.with.graph.embed_lanes().get(lane).map_or(0, |lane| lane.chunk_lane));
            let passages = missing.into_iter().map(|sought| {
                let text = sought.known.analysis.text.slice(sought.chunk.span.bytes());
                Arc::new(Passage {
                    key: sought.key,
                    header,
                    path: sought.path.clone(),
                    scope: sought.chunk.scope.clone(),
                    symbol: sought.chunk.symbol.clone(),
                    text: text.unwrap_or_else(|| Text::new("")),
                    tokens: sought.chunk.tokens,
                })
            });
            if self.with.embeds {
                self.submit(lane, passages.collect());
            } else {
                let dimension = self.with.graph.embed_lanes().get(lane).map_or(0, |lane| lane.dimension);
                let zeros = passages.map(|passage| Vector { key: passage.key, values: vec![0.0; dimension].into() });
                let zeros: Vec<Vector> = zeros.collect();
                self.imagined.extend(zeros.iter().map(|vector| (lane, vector.key)));
                self.take_embedded(lane, zeros, Vec::new())?;
            }
        }
        for index in first..self.next_assembly {
            self.complete_if_whole(index);
        }
        Ok(())
    }

    fn header(&self, chunk_lane: usize) -> Header {
        self.with.graph.chunk_lanes().get(chunk_lane).map_or(Header::None, |lane| lane.header)
    }

    fn begin(&self, path: &RelPath, known: &Known) -> Assembly {
        let hashes: Vec<Vec<Hash>> = known
            .lanes
            .iter()
            .enumerate()
            .map(|(lane, chunks)| {
                let header = self.header(lane);
                chunks.iter().map(|chunk| header.chunk_hash(path, &chunk.body_hash)).collect()
            })
            .collect();
        let vectors: Vec<Vec<f32>> = self
            .with
            .graph
            .embed_lanes()
            .iter()
            .map(|lane| vec![0.0; known.lanes.get(lane.chunk_lane).map_or(0, |chunks| chunks.len()) * lane.dimension])
            .collect();
        let bytes: usize = vectors.iter().map(|vectors| vectors.len() * size_of::<f32>()).sum();
        // The content's lease covers its text and, as a rule, its vectors.
        let covered = known.lease.bytes().saturating_sub(known.analysis.text.len() as u64);
        let more = (bytes as u64).saturating_sub(covered);
        Assembly {
            path: path.clone(),
            analysis: Arc::clone(&known.analysis),
            lanes: known.lanes.clone(),
            hashes,
            vectors,
            missing: 0,
            leases: vec![Arc::clone(&known.lease), Arc::new(self.with.budget.force(more))],
        }
    }

    fn read_journal(&mut self, lane: usize, key: Key, chunk: usize, assembly: &mut Assembly) -> Result<(), RunError> {
        let Some(journal) = self.with.journals.get_mut(lane) else { return Ok(()) };
        let mut values = Vec::new();
        journal.read(&[key], &mut values).map_err(RunError::Journal)?;
        assembly.place(lane, chunk, &values);
        if journal.is_recovered(key) {
            self.outcome.work.passages_recovered += 1;
        } else {
            self.outcome.work.passages_shared += 1;
        }
        Ok(())
    }

    /// Takes vectors from the base and the epochs kept before it, and gives back the
    /// passages that have none there.
    fn fetch_stored<'k>(&mut self, lane: usize, sought: Vec<Sought<'k>>) -> Result<Vec<Sought<'k>>, RunError> {
        // Rounded vectors will do only for stores that round them.
        let rounded_will_do = self.with.sinks.iter().all(|sink| sink.embed_lane != Some(lane) || sink.rounds_vectors);
        let stores = |sink: &&mut SinkHandle| {
            sink.is_fact_store && sink.embed_lane == Some(lane) && (rounded_will_do || !sink.rounds_vectors)
        };
        let (Some(base), Some(sink)) = (&mut self.with.base, self.with.sinks.iter_mut().find(stores)) else {
            return Ok(sought);
        };
        if sought.is_empty() || base.same_embedding.get(lane) != Some(&true) {
            return Ok(sought);
        }
        let since = base.kept(self.with.folder).vectors.get(&*sink.name).cloned();
        let hashes: Vec<Hash> = sought.iter().map(|sought| sought.hash).collect();
        let stored = sink.call(move |sink| match sink.fact_store() {
            Some(store) => store.vectors(&hashes, since.as_ref()),
            None => Ok(StoredVectors::default()),
        })?;
        let dimension = self.with.graph.embed_lanes().get(lane).map_or(1, |lane| lane.dimension);
        let mut values = stored.values.chunks_exact(dimension);
        let mut missing = Vec::new();
        for (at, sought) in sought.into_iter().enumerate() {
            let vector = if stored.found.get(at) == Some(&true) { values.next() } else { None };
            let Some(vector) = vector else {
                missing.push(sought);
                continue;
            };
            self.outcome.work.passages_reused += 1;
            self.fill(lane, sought.key, vector);
        }
        Ok(missing)
    }

    /// Takes vectors that other indexes have, and gives back the passages that have none
    /// there.
    fn fetch_shared<'k>(&mut self, lane: usize, sought: Vec<Sought<'k>>) -> Vec<Sought<'k>> {
        let Some(shared) = self.with.shared.get_mut(lane).filter(|_| !sought.is_empty()) else { return sought };
        let keys: Vec<Key> = sought.iter().map(|sought| sought.key).collect();
        let found = shared.find(&keys);
        let mut missing = Vec::new();
        for (sought, vector) in sought.into_iter().zip(found) {
            match vector {
                Some(vector) => {
                    self.outcome.work.passages_reused += 1;
                    self.fill(lane, sought.key, &vector);
                }
                None => missing.push(sought),
            }
        }
        missing
    }

    /// Gives a vector to all who wait for it.
    fn fill(&mut self, lane: usize, key: Key, vector: &[f32]) {
        for slot in self.awaited.remove(&(lane, key)).unwrap_or_default() {
            if let Some(assembly) = self.assemblies.get_mut(&slot.assembly) {
                assembly.place(lane, slot.chunk, vector);
                assembly.missing -= 1;
            }
            self.complete_if_whole(slot.assembly);
        }
    }

    /// Gives passages to the executor in batches of the size that the embedder wants.
    fn submit(&mut self, lane: usize, passages: Vec<Arc<Passage>>) {
        let stage = self.with.graph.embed_lanes().get(lane).and_then(|lane| self.with.graph.stages().get(lane.stage));
        let Some(size) = stage.and_then(|stage| stage.operator()).map(|operator| operator.batch_size()) else { return };
        let mut batch = Vec::new();
        let (mut bytes, mut tokens) = (0, 0);
        for passage in passages {
            let (more_bytes, more_tokens) = (passage.text.len() as u64, u64::from(passage.tokens));
            let full =
                batch.len() >= size.items || bytes + more_bytes > size.bytes || tokens + more_tokens > size.tokens;
            if full && !batch.is_empty() {
                self.with.executor.submit(Task::Embed { lane, passages: std::mem::take(&mut batch) });
                (bytes, tokens) = (0, 0);
            }
            bytes += more_bytes;
            tokens += more_tokens;
            batch.push(passage);
        }
        if !batch.is_empty() {
            self.with.executor.submit(Task::Embed { lane, passages: batch });
        }
    }

    pub(super) fn take_embedded(
        &mut self,
        lane: usize,
        vectors: Vec<Vector>,
        failed: Vec<(Key, RelPath, Diagnostic)>,
    ) -> Result<(), RunError> {
        self.outcome.work.passages_embedded += vectors.len() as u64;
        for vector in vectors {
            if let Some(journal) = self.with.journals.get_mut(lane) {
                journal.append(vector.key, &vector.values).map_err(RunError::Journal)?;
            }
            self.fill(lane, vector.key, &vector.values);
        }
        for (key, _, diagnostic) in failed {
            for slot in self.awaited.remove(&(lane, key)).unwrap_or_default() {
                if let Some(assembly) = self.assemblies.get_mut(&slot.assembly) {
                    assembly.report(diagnostic.clone());
                    assembly.missing -= 1;
                    let (path, analysis) = (assembly.path.clone(), Arc::clone(&assembly.analysis));
                    self.note_findings(&path, &analysis);
                }
                self.complete_if_whole(slot.assembly);
            }
        }
        if let Some(journal) = self.with.journals.get_mut(lane) {
            journal.flush().map_err(RunError::Journal)?;
        }
        crate::failpoint::reach("embed.journaled");
        Ok(())
    }

    fn complete_if_whole(&mut self, index: usize) {
        if self.assemblies.get(&index).is_some_and(|assembly| assembly.missing == 0)
            && let Some(assembly) = self.assemblies.remove(&index)
        {
            self.complete_bytes += assembly.bytes();
            self.complete.push(assembly);
        }
    }
}
