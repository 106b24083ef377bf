//! The epoch that a run starts from: what is known and need not be done again.

use std::collections::{BTreeMap, HashSet};

use gristmill_ids::{ContentHash, ContentKey, Epoch, Fingerprint, Hash};

use super::RunError;
use super::losses::Losses;
use super::sinks::{SinkHandle, vector_store};
use crate::graph::{EmbedLane, Graph, SinkStage};
use crate::index::{CommitRecord, IndexFolder, SinkRecord};
use crate::merkle::Tree;
use crate::path::RelPath;
use crate::sink::Token;

/// How many epochs back deleted rows are looked for.
const EPOCHS_BACK: u64 = 256;

/// The last epoch.
pub(super) struct Base {
    pub(super) record: CommitRecord,
    pub(super) tree: Tree,
    /// The fingerprint that is part of the keys of its contents; see [`content_key`].
    pub(super) rows: Fingerprint,
    /// Whether its contents were analysed as this run would do it, and can be recalled.
    pub(super) same_analysis: bool,
    /// Whether all that decides rows is as it was, so that contents keep their keys.
    pub(super) same_rows: bool,
    /// For each embed lane whether the vectors stored for it are what it would compute.
    pub(super) same_embedding: Vec<bool>,
    /// The oldest epochs whose deleted rows this run may take, once asked for.
    kept: Option<Kept>,
}

/// By sink the tokens of the oldest epochs from which everything since can be taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    /// The oldest whose contents were analysed alike.
    pub(super) analysis: BTreeMap<String, Token>,
    /// The oldest whose vectors are of the same embedder.
    pub(super) vectors: BTreeMap<String, Token>,
}

/// The key in the fact plane of the content of `path`. It covers everything that decides its
/// rows: the bytes, the operators' variants of the path, and the operators' fingerprints, so
/// that a changed operator changes the keys of all contents (law 7).
pub(super) fn content_key(graph: &Graph, path: &RelPath, content_hash: &ContentHash, rows: &Fingerprint) -> ContentKey {
    let variants = graph.variants(path).flat_map(|(stage, variant)| [stage.name.as_bytes(), variant.as_bytes()]);
    let parts = [content_hash.as_bytes().as_slice(), rows.as_bytes()].into_iter().chain(variants);
    ContentKey::from(&Hash::of_parts(parts))
}

/// Why a run begins from nothing though there is an epoch, if it does; `damage` says what
/// of the epoch cannot be used.
pub(super) fn rebuild_reason(
    graph: &Graph,
    record: &CommitRecord,
    full: bool,
    damage: Option<&str>,
    sinks: &[SinkHandle],
    has_views: bool,
) -> Option<String> {
    if full {
        return Some("asked for with --full".into());
    }
    damage.map(Into::into).or_else(|| obstacle(graph, record, sinks, has_views))
}

/// Refuses vectors of other dimensions than those of an epoch: they would take the place of all
/// that was embedded, which is done when it is asked for.
pub(super) fn check_dimensions(graph: &Graph, record: &CommitRecord) -> Result<(), RunError> {
    let other = |sink: &SinkStage| {
        let (stored, wanted) = (record.sinks.get(&*sink.name)?.dimension?, sink.dimension?);
        (stored != wanted).then(|| RunError::OtherDimension { sink: sink.name.to_string(), stored, wanted })
    };
    graph.sinks().iter().find_map(other).map_or(Ok(()), Err)
}

/// Why a run cannot go on from the last epoch, if it cannot.
fn obstacle(graph: &Graph, record: &CommitRecord, sinks: &[SinkHandle], has_views: bool) -> Option<String> {
    if record.sinks.len() != graph.sinks().len() {
        return Some("the job has other sinks than the index".into());
    }
    for sink in graph.sinks() {
        let name = &sink.name;
        match record.sinks.get(&**name) {
            None => return Some(format!("the index has no sink `{name}`")),
            Some(stored) if stored.shape != sink.shape => {
                return Some(format!("the rows of sink `{name}` have another form now"));
            }
            Some(_) => {}
        }
    }
    let stores = |lane| sinks.iter().any(|sink| sink.is_fact_store && sink.chunk_lane == Some(lane));
    if let Some(unstored) = graph.chunk_lanes().iter().find(|lane| !stores(lane.id)) {
        let name = &graph.stage(unstored.stage).name;
        return Some(format!("no lance sink stores the chunks of `{name}`, so nothing of them is known"));
    }
    if has_views && !gives_syntax_back(sinks) {
        return Some(
            "the job has views, but no lance sink stores the port `syntax`, from which they are computed".into(),
        );
    }
    (!sinks.iter().any(|sink| sink.is_fact_store)).then(|| "no sink gives rows back; add a lance sink".into())
}

/// Whether definitions, references and imports can be recalled, if any sink stores them.
pub(super) fn gives_syntax_back(sinks: &[SinkHandle]) -> bool {
    let mut with_syntax = sinks.iter().filter(|sink| sink.has_syntax).peekable();
    with_syntax.peek().is_none() || with_syntax.any(|sink| sink.is_fact_store)
}

/// Whether a sink holds the chunks and the vectors that it is to store now.
pub(super) fn stores_the_same(graph: &Graph, sink: &SinkStage, stored: &SinkRecord) -> bool {
    stored.embed == graph.stored_vectors(sink) && stores_same_chunks(graph, sink, stored)
}

/// Whether a sink holds the chunks of the lane that it is to store now. Records of older
/// versions do not say which chunks it holds.
fn stores_same_chunks(graph: &Graph, sink: &SinkStage, stored: &SinkRecord) -> bool {
    stored.chunks.is_none() || stored.chunks == graph.stored_chunks(sink)
}

impl Base {
    pub(super) fn new(graph: &Graph, record: CommitRecord, tree: Tree, sinks: &[SinkHandle], losses: &Losses) -> Self {
        let same_embedding = |lane: &EmbedLane| {
            let store = vector_store(sinks, lane.id).map(|store| &*sinks[store].name);
            let store = store.filter(|name| !losses.of_vectors(name)).and_then(|name| record.sinks.get(name));
            store.is_some_and(|store| store.embed == Some(lane.fingerprint))
        };
        let same_embedding = graph.embed_lanes().iter().map(same_embedding).collect();
        let all_sinks = |same: fn(&Graph, &SinkStage, &SinkRecord) -> bool| {
            graph
                .sinks()
                .iter()
                .all(|sink| record.sinks.get(&*sink.name).is_some_and(|stored| same(graph, sink, stored)))
        };
        let lost_facts = sinks.iter().any(|sink| sink.is_fact_store && losses.of_rows(&sink.name));
        let can_recall = gives_syntax_back(sinks) && all_sinks(stores_same_chunks) && !lost_facts;
        // Contents that cannot be recalled, or that sinks must store otherwise, get other keys,
        // as if the operators had changed.
        let lost_rows = sinks.iter().any(|sink| losses.of_rows(&sink.name));
        let keeps_keys = can_recall && all_sinks(stores_the_same) && !lost_rows;
        let rows = if keeps_keys { record.rows } else { Hash::of_parts([record.rows.as_bytes().as_slice()]) };
        Self {
            same_analysis: can_recall && record.analysis == graph.analysis_fingerprint(),
            same_rows: rows == graph.rows_fingerprint(),
            rows,
            record,
            tree,
            same_embedding,
            kept: None,
        }
    }

    /// All paths of the base that hold one of these contents.
    pub(super) fn holders(&self, contents: &HashSet<ContentHash>) -> Vec<(RelPath, ContentHash)> {
        let mut holders = Vec::new();
        self.tree.for_each_row(|path, leaf| {
            if contents.contains(&leaf.content_hash) {
                holders.push((RelPath::from(path), leaf.content_hash));
            }
        });
        holders
    }

    /// How far back deleted rows may be taken from. Records of older epochs are read when
    /// this is first asked.
    pub(super) fn kept(&mut self, folder: &IndexFolder) -> &Kept {
        let Self { record, kept, .. } = self;
        kept.get_or_insert_with(|| {
            let mut kept = Kept::default();
            let (mut analysis, mut rows, mut vectors) = (true, record.sinks.clone(), record.sinks.clone());
            let oldest = record.epoch.back(EPOCHS_BACK).max(Epoch::FIRST);
            for epoch in (oldest.get()..=record.epoch.get()).rev().map(Epoch::new) {
                // An epoch that was collected ends the history.
                let Ok(older) = folder.record(epoch) else { break };
                analysis &= older.analysis == record.analysis;
                let was = |name: &String, same: &dyn Fn(&SinkRecord) -> bool| older.sinks.get(name).is_some_and(same);
                rows.retain(|name, sink| was(name, &|older| (older.shape, older.chunks) == (sink.shape, sink.chunks)));
                vectors.retain(|name, sink| was(name, &|older| (older.shape, older.embed) == (sink.shape, sink.embed)));
                for (name, token) in &older.tokens {
                    if analysis && rows.contains_key(name) {
                        kept.analysis.insert(name.clone(), token.clone());
                    }
                    if vectors.contains_key(name) {
                        kept.vectors.insert(name.clone(), token.clone());
                    }
                }
                if !analysis && vectors.is_empty() {
                    break;
                }
            }
            kept
        })
    }
}
