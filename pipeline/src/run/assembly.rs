//! Record assembly: what is known of a content, and records that wait for vectors.

use std::collections::HashMap;
use std::sync::Arc;

use gristmill_ids::{ChunkLaneId, EmbedLaneId, Hash};

use crate::diagnostic::Diagnostic;
use crate::execute::{Analysed, Budget, Lease};
use crate::extra::Extras;
use crate::graph::Graph;
use crate::merkle::{Leaf, path_order};
use crate::path::RelPath;
use crate::port::{Chunk, Text};
use crate::sink::{Analysis, Record, RecordChunks};

/// What is known of a content, whichever way it came to be known.
pub(super) struct Known {
    pub(super) analysis: Arc<Analysis>,
    /// For each chunk lane its chunks.
    pub(super) lanes: Vec<Arc<[Chunk]>>,
    /// Its share of the memory limit.
    pub(super) lease: Arc<Lease>,
}

impl Known {
    /// What the line made of a file.
    pub(super) fn from_analysed(analysed: Analysed) -> Self {
        let Analysed { file, lease, content, syntax, chunked, diagnostics, .. } = analysed;
        let is_binary = diagnostics.iter().any(|diagnostic| &*diagnostic.code == "binary");
        let language = match &syntax {
            Some(syntax) => syntax.language,
            None if is_binary => "binary",
            None => "text",
        };
        let lanes = chunked.into_iter().map(|chunked| match chunked.map(Arc::try_unwrap) {
            None => Arc::from([]),
            // The usual case: this is the last holder, and nothing is copied.
            Some(Ok(chunked)) => chunked.chunks.into(),
            Some(Err(shared)) => shared.chunks.clone().into(),
        });
        let lanes = lanes.collect();
        let lines = syntax.as_ref().map_or(0, |syntax| syntax.lines);
        // The content that chunk spans refer to: an operator may have replaced it.
        let content = syntax.as_ref().map(|syntax| Arc::clone(&syntax.content)).or(content);
        let of_syntax = syntax.as_ref().map(|syntax| syntax.extras.clone()).unwrap_or_default();
        let (definitions, references, imports) = match syntax.map(Arc::try_unwrap) {
            None => Default::default(),
            Some(Ok(syntax)) => (syntax.definitions, syntax.references, syntax.imports),
            Some(Err(shared)) => (shared.definitions.clone(), shared.references.clone(), shared.imports.clone()),
        };
        let mut extras = content.as_ref().map(|content| content.extras.clone()).unwrap_or_default();
        extras.extend(&of_syntax);
        let text = content.map_or_else(|| Text::new(""), |content| content.text.clone());
        let mut diagnostics = diagnostics;
        diagnostics.sort();
        let analysis = Analysis {
            content_hash: file.content_hash,
            language: language.into(),
            bytes: file.bytes,
            lines,
            text,
            definitions,
            references,
            imports,
            diagnostics,
            extras,
        };
        Self { analysis: Arc::new(analysis), lanes, lease: Arc::new(lease) }
    }

    /// What a leaf says whose content was not taken.
    pub(super) fn from_note(leaf: &Leaf, chunk_lanes: usize, lease: Lease) -> Self {
        let diagnostics = leaf.note.iter().map(|note| Diagnostic {
            severity: note.severity,
            stage: crate::graph::SOURCE.into(),
            code: (&*note.code).into(),
            line: 0,
            message: note.message.clone(),
        });
        let analysis = Analysis {
            content_hash: leaf.content_hash,
            language: "text".into(),
            bytes: leaf.stat.bytes,
            lines: 0,
            text: Text::new(""),
            definitions: Vec::new(),
            references: Vec::new(),
            imports: Vec::new(),
            diagnostics: diagnostics.collect(),
            extras: Extras::default(),
        };
        let lanes = (0..chunk_lanes).map(|_| Arc::from([])).collect();
        Self { analysis: Arc::new(analysis), lanes, lease: Arc::new(lease) }
    }
}

/// A record that waits for vectors.
pub(super) struct Assembly {
    pub(super) path: RelPath,
    pub(super) analysis: Arc<Analysis>,
    lanes: Vec<Arc<[Chunk]>>,
    /// For each chunk lane the hashes of its chunks under this path.
    hashes: Vec<Vec<Hash>>,
    /// For each embed lane the vectors, one after the other.
    vectors: Vec<Vec<f32>>,
    /// Vectors that are still to come.
    missing: usize,
    /// Chunks that could not be embedded, each with the embed lane.
    failed: Vec<(EmbedLaneId, usize)>,
    /// Shares of the memory limit: of the content, and of the vectors.
    pub(super) leases: Vec<Arc<Lease>>,
}

impl Assembly {
    fn new(graph: &Graph, budget: &Budget, path: &RelPath, known: &Known) -> Self {
        let hash = |(lane, chunks): (&crate::graph::ChunkLane, &Arc<[Chunk]>)| {
            chunks.iter().map(|chunk| lane.header.chunk_hash(path, &chunk.body_hash)).collect()
        };
        let hashes = graph.chunk_lanes().iter().zip(&known.lanes).map(hash).collect();
        let vectors: Vec<Vec<f32>> = (graph.embed_lanes().iter())
            .map(|lane| vec![0.0; known.lanes[lane.chunk_lane.index()].len() * lane.dimension])
            .collect();
        let bytes: usize = vectors.iter().map(|vectors| vectors.len() * size_of::<f32>()).sum();
        // The content's lease covers its text and, as a rule, its vectors.
        let covered = known.lease.bytes().saturating_sub(known.analysis.text.len() as u64);
        let more = (bytes as u64).saturating_sub(covered);
        Self {
            path: path.clone(),
            analysis: Arc::clone(&known.analysis),
            lanes: known.lanes.clone(),
            hashes,
            vectors,
            missing: 0,
            failed: Vec::new(),
            leases: vec![Arc::clone(&known.lease), Arc::new(budget.force(more))],
        }
    }

    /// Adds a diagnostic for this path only. Returns whether it is new.
    fn report(&mut self, diagnostic: &Diagnostic) -> bool {
        if self.analysis.diagnostics.contains(diagnostic) {
            return false;
        }
        let mut analysis = Analysis::clone(&self.analysis);
        analysis.diagnostics.push(diagnostic.clone());
        analysis.diagnostics.sort();
        self.analysis = Arc::new(analysis);
        true
    }

    /// The record for a sink that stores these lanes. With `last`, vectors are moved
    /// rather than copied.
    pub(super) fn record(
        &mut self,
        chunk_lane: Option<ChunkLaneId>,
        embed_lane: Option<EmbedLaneId>,
        last: bool,
    ) -> Record {
        let chunks = chunk_lane.map(|lane| {
            let mut hashes = self.hashes[lane.index()].clone();
            for (_, chunk) in self.failed.iter().filter(|(lane, _)| embed_lane == Some(*lane)) {
                if let Some(hash) = hashes.get_mut(*chunk) {
                    *hash = without_vector(hash);
                }
            }
            let vectors = embed_lane.map(|lane| &mut self.vectors[lane.index()]);
            RecordChunks {
                chunks: Arc::clone(&self.lanes[lane.index()]),
                hashes,
                vectors: vectors.map(|vectors| if last { std::mem::take(vectors) } else { vectors.clone() }),
            }
        });
        Record { path: self.path.clone(), analysis: Arc::clone(&self.analysis), chunks }
    }

    /// Bytes of text that it stands for.
    fn bytes(&self) -> u64 {
        self.analysis.text.len() as u64
    }
}

/// The hash that a store gets for a chunk without a vector. It differs from the chunk's own
/// hash, so that a lookup by hash does not return the zeros stored in place of the vector.
pub(super) fn without_vector(chunk_hash: &Hash) -> Hash {
    Hash::of_parts([chunk_hash.as_bytes().as_slice(), b"no vector"])
}

/// Names a record in the making.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct AssemblyId(u64);

/// Where the vector of a chunk goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) assembly: AssemblyId,
    pub(super) chunk: usize,
}

impl Slot {
    /// Slots in the order in which their records began.
    pub(super) fn order(self) -> (AssemblyId, usize) {
        (self.assembly, self.chunk)
    }
}

/// Puts records together: each waits until its last vector has come.
#[derive(Default)]
pub(super) struct Assembler {
    waiting: HashMap<AssemblyId, Assembly>,
    next: u64,
    complete: Vec<Assembly>,
    complete_bytes: u64,
}

impl Assembler {
    /// Begins the record of a path, which waits for no vector yet.
    pub(super) fn begin(&mut self, graph: &Graph, budget: &Budget, path: &RelPath, known: &Known) -> AssemblyId {
        let id = AssemblyId(self.next);
        self.next += 1;
        self.waiting.insert(id, Assembly::new(graph, budget, path, known));
        id
    }

    /// The hash of a chunk under the path of its record.
    pub(super) fn hash(&self, slot: Slot, lane: ChunkLaneId) -> Option<Hash> {
        self.waiting.get(&slot.assembly)?.hashes[lane.index()].get(slot.chunk).copied()
    }

    /// One more vector is to come.
    pub(super) fn wait_for(&mut self, slot: Slot) {
        if let Some(assembly) = self.waiting.get_mut(&slot.assembly) {
            assembly.missing += 1;
        }
    }

    /// Writes a vector that was waited for into its place.
    pub(super) fn fill(&mut self, slot: Slot, lane: EmbedLaneId, values: &[f32]) {
        if let Some(assembly) = self.waiting.get_mut(&slot.assembly) {
            let start = slot.chunk * values.len();
            if let Some(place) = assembly.vectors[lane.index()].get_mut(start..start + values.len()) {
                place.copy_from_slice(values);
            }
            assembly.missing = assembly.missing.saturating_sub(1);
        }
        self.settle(slot.assembly);
    }

    /// Records that a chunk could not be embedded. Returns the path if the diagnostic is new
    /// for it.
    pub(super) fn fail(&mut self, slot: Slot, lane: EmbedLaneId, diagnostic: &Diagnostic) -> Option<RelPath> {
        let assembly = self.waiting.get_mut(&slot.assembly)?;
        assembly.failed.push((lane, slot.chunk));
        let is_new = assembly.report(diagnostic);
        assembly.missing = assembly.missing.saturating_sub(1);
        let path = assembly.path.clone();
        self.settle(slot.assembly);
        is_new.then_some(path)
    }

    /// Completes a record that waits for nothing.
    pub(super) fn settle(&mut self, id: AssemblyId) {
        if self.waiting.get(&id).is_some_and(|assembly| assembly.missing == 0)
            && let Some(assembly) = self.waiting.remove(&id)
        {
            self.complete_bytes += assembly.bytes();
            self.complete.push(assembly);
        }
    }

    /// Whether nothing waits for a vector.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether enough records are complete to be handed over.
    pub(super) fn is_full(&self) -> bool {
        const RECORDS: usize = 32;
        const BYTES: u64 = 1 << 20;
        self.complete.len() >= RECORDS || self.complete_bytes >= BYTES
    }

    /// Takes the complete records, in path order, and the bytes of text that they stand for.
    pub(super) fn take_complete(&mut self) -> Option<(Vec<Assembly>, u64)> {
        if self.complete.is_empty() {
            return None;
        }
        let mut complete = std::mem::take(&mut self.complete);
        complete.sort_by(|left, right| path_order(&left.path, &right.path));
        Some((complete, std::mem::take(&mut self.complete_bytes)))
    }
}

#[cfg(test)]
mod tests;
