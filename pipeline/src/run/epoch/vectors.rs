//! Vectors for the rows of an epoch: found where they exist, asked for where they do not.
//!
//! A vector is looked for among those under way, in the journal, and in the base, in this
//! order; only what is in none of them is embedded.

use std::collections::HashSet;
use std::sync::Arc;

use super::super::RunError;
use super::super::assembly::{Assembly, Known};
use super::super::sinks::SinkHandle;
use super::{Conductor, Slot};
use crate::diagnostic::Diagnostic;
use crate::execute::Task;
use crate::hash::{Hash, Key};
use crate::incremental::PassageId;
use crate::path::RelPath;
use crate::port::{Header, Passage, Text, Vector};

impl Conductor<'_> {
    /// Begins records: finds the vectors that exist, and asks for those that do not.
    pub(super) fn assemble(&mut self, rows: &[(RelPath, &Known)], born: &HashSet<PassageId>) -> Result<(), RunError> {
        let mut tasks: Vec<Vec<Arc<Passage>>> = self.with.graph.embed_lanes().iter().map(|_| Vec::new()).collect();
        let mut stored: Vec<Vec<(Hash, Slot)>> = self.with.graph.embed_lanes().iter().map(|_| Vec::new()).collect();
        let first = self.next_assembly;
        for (path, known) in rows {
            self.note_findings(path, &known.analysis);
            let index = self.next_assembly;
            self.next_assembly += 1;
            let mut assembly = self.begin(path, known);
            for (lane, shape) in self.with.graph.embed_lanes().iter().enumerate() {
                let header = self.header(shape.chunk_lane);
                let header_key = if header == Header::Path { path.key() } else { 0 };
                let is_stored = self.is_stored(lane);
                let chunks = known.lanes.get(shape.chunk_lane).map_or(&[][..], |chunks| chunks);
                let hashes = assembly.hashes.get(shape.chunk_lane).cloned().unwrap_or_default();
                for (chunk, (of, hash)) in chunks.iter().zip(hashes).enumerate() {
                    let slot = Slot { assembly: index, chunk };
                    let key = hash.key();
                    let id = PassageId { lane: lane as u16, header: header_key, body: of.body_hash.key() };
                    let in_base = is_stored && (!born.contains(&id) || self.died.contains(&id));
                    if let Some(waiting) = self.awaited.get_mut(&(lane, key)) {
                        waiting.push(slot);
                        assembly.missing += 1;
                        self.outcome.work.passages_shared += 1;
                    } else if self.with.journals.get(lane).is_some_and(|journal| journal.contains(key)) {
                        self.read_journal(lane, key, chunk, &mut assembly)?;
                    } else if in_base {
                        if let Some(stored) = stored.get_mut(lane) {
                            stored.push((hash, slot));
                        }
                        assembly.missing += 1;
                    } else {
                        self.awaited.insert((lane, key), vec![slot]);
                        assembly.missing += 1;
                        let text = known.analysis.text.slice(of.span.bytes()).unwrap_or_else(|| Text::new(""));
                        let passage = Passage {
                            key,
                            header,
                            path: path.clone(),
                            scope: of.scope.clone(),
                            symbol: of.symbol.clone(),
                            text,
                            tokens: of.tokens,
                        };
                        if let Some(tasks) = tasks.get_mut(lane) {
                            tasks.push(Arc::new(passage));
                        }
                    }
                }
            }
            self.assemblies.insert(index, assembly);
        }
        for (lane, wanted) in stored.into_iter().enumerate() {
            self.fetch_stored(lane, wanted)?;
        }
        for (lane, passages) in tasks.into_iter().enumerate() {
            self.submit(lane, passages);
        }
        for index in first..self.next_assembly {
            self.complete_if_whole(index);
        }
        Ok(())
    }

    fn header(&self, chunk_lane: usize) -> Header {
        self.with.graph.chunk_lanes().get(chunk_lane).map_or(Header::None, |lane| lane.header)
    }

    /// Whether vectors of the lane can be taken from the base.
    fn is_stored(&self, lane: usize) -> bool {
        self.with.base.is_some_and(|base| base.same_embedding.get(lane) == Some(&true))
            && self.with.sinks.iter().any(|sink| sink.is_fact_store && sink.embed_lane == Some(lane))
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

    /// Takes vectors from the base.
    fn fetch_stored(&mut self, lane: usize, wanted: Vec<(Hash, Slot)>) -> Result<(), RunError> {
        if wanted.is_empty() {
            return Ok(());
        }
        let hashes: Vec<Hash> = wanted.iter().map(|(hash, _)| *hash).collect();
        let stores = |sink: &&mut SinkHandle| sink.is_fact_store && sink.embed_lane == Some(lane);
        let Some(sink) = self.with.sinks.iter_mut().find(stores) else { return Ok(()) };
        let values = sink.call(move |sink| match sink.fact_store() {
            Some(store) => Ok(store.vectors(&hashes, None)?.values),
            None => Ok(Vec::new()),
        })?;
        let dimension = self.with.graph.embed_lanes().get(lane).map_or(1, |lane| lane.dimension);
        self.outcome.work.passages_reused += wanted.len() as u64;
        for ((_, slot), values) in wanted.into_iter().zip(values.chunks_exact(dimension)) {
            if let Some(assembly) = self.assemblies.get_mut(&slot.assembly) {
                assembly.place(lane, slot.chunk, values);
                assembly.missing -= 1;
            }
        }
        Ok(())
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
            for slot in self.awaited.remove(&(lane, vector.key)).unwrap_or_default() {
                if let Some(assembly) = self.assemblies.get_mut(&slot.assembly) {
                    assembly.place(lane, slot.chunk, &vector.values);
                    assembly.missing -= 1;
                }
                self.complete_if_whole(slot.assembly);
            }
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
