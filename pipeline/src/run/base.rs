//! The epoch that a run starts from: what is known and need not be done again.

use std::collections::HashMap;

use super::sinks::{SinkHandle, shape};
use crate::graph::Graph;
use crate::hash::{ContentHash, Fingerprint, Hash, Key};
use crate::incremental::{ChunkFact, Facts};
use crate::index::CommitRecord;
use crate::merkle::Tree;
use crate::path::RelPath;
use crate::sink::SinkError;

/// The last epoch.
pub(super) struct Base {
    pub(super) record: CommitRecord,
    pub(super) tree: Tree,
    /// For each embed lane whether the vectors stored for it are what it would compute.
    pub(super) same_embedding: Vec<bool>,
    /// A path for each content, by the content's key in this run. Empty if the contents
    /// were not analysed as this run would: then they are analysed again, not recalled.
    holders: HashMap<Key, RelPath>,
}

/// The key of a content in the fact plane. It covers all that decides its rows, so that
/// a change of an operator makes other contents of all contents (law 7).
pub(super) fn content_key(content_hash: &ContentHash, variant: &str, rows: &Fingerprint) -> Key {
    Hash::of_parts([content_hash.as_bytes().as_slice(), variant.as_bytes(), rows.as_bytes()]).key()
}

/// Hash of all that decides what rows a content leads to.
pub(super) fn rows_fingerprint(graph: &Graph) -> Fingerprint {
    let embedders = (0..graph.embed_lanes().len()).filter_map(|lane| graph.embed_fingerprint(lane));
    let all: Vec<Fingerprint> = [graph.analysis_fingerprint()].into_iter().chain(embedders).collect();
    Hash::of_parts(all.iter().map(|fingerprint| fingerprint.as_bytes().as_slice()))
}

/// Why a run cannot go on from the last epoch, if it cannot.
pub(super) fn obstacle(graph: &Graph, record: &CommitRecord, sinks: &[SinkHandle]) -> Option<String> {
    if record.sinks.len() != graph.sinks().len() {
        return Some("the job has other sinks than the index".into());
    }
    for sink in graph.sinks() {
        let name = graph.stages().get(sink.stage).map(|stage| stage.name.to_string()).unwrap_or_default();
        match record.sinks.get(&name) {
            None => return Some(format!("the index has no sink `{name}`")),
            Some(stored) if Some(stored.shape) != shape(graph, sink) => {
                return Some(format!("the rows of sink `{name}` have another form now"));
            }
            Some(_) => {}
        }
    }
    let stores = |lane: usize| sinks.iter().any(|sink| sink.is_fact_store && sink.chunk_lane == Some(lane));
    let unstored = (0..graph.chunk_lanes().len()).find(|&lane| !stores(lane));
    if let Some(stage) = unstored.and_then(|lane| graph.stages().get(graph.chunk_lanes().get(lane)?.stage)) {
        return Some(format!("no lance sink stores the chunks of `{}`, so nothing of them is known", stage.name));
    }
    (!sinks.iter().any(|sink| sink.is_fact_store)).then(|| "no sink gives rows back; add a lance sink".into())
}

impl Base {
    pub(super) fn new(graph: &Graph, record: CommitRecord, tree: Tree) -> Self {
        let same_analysis = record.analysis == graph.analysis_fingerprint();
        let stored: Vec<Fingerprint> = record.sinks.values().filter_map(|sink| sink.embed).collect();
        let same_embedding = (0..graph.embed_lanes().len())
            .map(|lane| graph.embed_fingerprint(lane).is_some_and(|fingerprint| stored.contains(&fingerprint)))
            .collect();
        let rows = rows_fingerprint(graph);
        let mut holders = HashMap::new();
        if same_analysis {
            tree.for_each(|path, leaf| {
                let path = RelPath::from(path);
                let key = content_key(&leaf.content_hash, graph.variant(&path), &rows);
                holders.entry(key).or_insert(path);
            });
        }
        Self { record, tree, same_embedding, holders }
    }

    /// A path whose stored rows are those of this content.
    pub(super) fn holder(&self, content: Key) -> Option<&RelPath> {
        self.holders.get(&content)
    }

    /// The facts of the epoch, by keys that this run uses for them.
    pub(super) fn facts(&self, graph: &Graph, sinks: &mut [SinkHandle]) -> Result<Facts, SinkError> {
        let rows = self.record.rows;
        let mut facts = Facts::default();
        let mut contents: HashMap<Key, Key> = HashMap::new();
        // One path stands for each content; chunks of the others would count it again.
        let mut standing: HashMap<Key, Key> = HashMap::new();
        self.tree.for_each(|path, leaf| {
            let path = RelPath::from(path);
            let content = content_key(&leaf.content_hash, graph.variant(&path), &rows);
            let path = path.key();
            facts.files.push(((content, path), 1));
            contents.insert(path, content);
            standing.entry(content).or_insert_with(|| {
                facts.analysed.push((content, 1));
                path
            });
        });
        for lane in 0..graph.chunk_lanes().len() {
            let stores = |sink: &&mut SinkHandle| sink.is_fact_store && sink.chunk_lane == Some(lane);
            let Some(sink) = sinks.iter_mut().find(stores) else { continue };
            let stored = sink.call(|sink| {
                let mut all = Vec::new();
                if let Some(store) = sink.fact_store() {
                    store.facts(&mut |facts| all.push(facts))?;
                }
                Ok(all)
            })?;
            for of_path in stored {
                let path = of_path.path.key();
                let Some(&content) = contents.get(&path) else { continue };
                if standing.get(&content) == Some(&path) {
                    for body in of_path.bodies {
                        let fact = ChunkFact { lane: lane as u16, body: body.key() };
                        facts.chunks.push(((content, fact), 1));
                    }
                }
            }
        }
        Ok(facts)
    }
}
