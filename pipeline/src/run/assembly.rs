//! Rows in the making: what is known of a content, and records that wait for vectors.

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::execute::{Analysed, Lease};
use crate::hash::Hash;
use crate::merkle::Leaf;
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
        let (definitions, references, imports) = match syntax.map(Arc::try_unwrap) {
            None => Default::default(),
            Some(Ok(syntax)) => (syntax.definitions, syntax.references, syntax.imports),
            Some(Err(shared)) => (shared.definitions.clone(), shared.references.clone(), shared.imports.clone()),
        };
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
        };
        let lanes = (0..chunk_lanes).map(|_| Arc::from([])).collect();
        Self { analysis: Arc::new(analysis), lanes, lease: Arc::new(lease) }
    }
}

/// A record that waits for vectors.
pub(super) struct Assembly {
    pub(super) path: RelPath,
    pub(super) analysis: Arc<Analysis>,
    pub(super) lanes: Vec<Arc<[Chunk]>>,
    /// For each chunk lane the hashes of its chunks under this path.
    pub(super) hashes: Vec<Vec<Hash>>,
    /// For each embed lane the vectors, one after the other.
    pub(super) vectors: Vec<Vec<f32>>,
    /// Vectors that are still to come.
    pub(super) missing: usize,
    /// Shares of the memory limit: of the content, and of the vectors.
    pub(super) leases: Vec<Arc<Lease>>,
}

impl Assembly {
    /// Writes one vector into its place.
    pub(super) fn place(&mut self, lane: usize, chunk: usize, values: &[f32]) {
        let start = chunk * values.len();
        if let Some(slot) = self.vectors.get_mut(lane).and_then(|all| all.get_mut(start..start + values.len())) {
            slot.copy_from_slice(values);
        }
    }

    /// Adds a finding about this path alone.
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        let mut analysis = Analysis::clone(&self.analysis);
        if !analysis.diagnostics.contains(&diagnostic) {
            analysis.diagnostics.push(diagnostic);
            analysis.diagnostics.sort();
        }
        self.analysis = Arc::new(analysis);
    }

    /// The record for a sink that stores these lanes. With `last`, vectors are moved
    /// rather than copied.
    pub(super) fn record(&mut self, chunk_lane: Option<usize>, embed_lane: Option<usize>, last: bool) -> Record {
        let chunks = chunk_lane.and_then(|lane| {
            let vectors = embed_lane.and_then(|lane| self.vectors.get_mut(lane));
            Some(RecordChunks {
                chunks: Arc::clone(self.lanes.get(lane)?),
                hashes: self.hashes.get(lane)?.clone(),
                vectors: vectors.map(|vectors| if last { std::mem::take(vectors) } else { vectors.clone() }),
            })
        });
        Record { path: self.path.clone(), analysis: Arc::clone(&self.analysis), chunks }
    }

    /// Bytes of text that it stands for.
    pub(super) fn bytes(&self) -> u64 {
        self.analysis.text.len() as u64
    }
}
