//! What flows through each port of a job, on disk: the inputs of stages that are measured alone.
//!
//! ```text
//! DIR/manifest.json     the job's graph, the corpus, and for each file: stage, port, items, bytes, BLAKE3 checksum
//! DIR/source.arrow      the source's files with their bytes
//! DIR/<stage>.arrow     what a stage gave, one Arrow file per operator stage
//! ```
//!
//! Each Arrow file has a row per item, which names its file by its row in `source.arrow`. What is flat is a
//! column; what parsing found is one binary column.

mod columns;
mod record;
mod replay;

pub use record::record;
pub(crate) use replay::{RecordedSource, replayed};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gristmill_pipeline::graph::Graph;
use gristmill_pipeline::port::{FileItem, Item, Passage, Port};
use gristmill_pipeline::{EmbedLaneId, ErasedOperator, StageId};
use serde::{Deserialize, Serialize};

use crate::error::BenchError;

/// The version of the format of recordings.
const FORMAT: u32 = 1;

const MANIFEST: &str = "manifest.json";
/// The part with the source's files; no stage can have this name.
const FILES: &str = gristmill_pipeline::graph::SOURCE;

/// What a recording holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this format.
    pub format: u32,
    /// The program that recorded it.
    pub program: String,
    /// The name of the job.
    pub job: String,
    /// The root hash of the source's Merkle tree.
    pub merkle_root: String,
    /// The source's files, and what each stage gave, in the order of the graph.
    pub parts: Vec<Part>,
}

/// A file of a recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The stage, or `source`.
    pub stage: String,
    /// The name of the file.
    pub file: String,
    /// The port of its items.
    pub port: Port,
    /// The hash of all that its items depend on: the stage and the stages before it.
    pub lineage: String,
    /// Items.
    pub items: u64,
    /// Bytes of source text that they stand for; of vectors their own.
    pub bytes: u64,
    /// The BLAKE3 hash of the file, in hexadecimal digits.
    pub checksum: String,
}

/// A recording in memory.
pub struct Recording {
    /// What it holds.
    pub manifest: Manifest,
    pub(crate) flow: Flow,
}

/// What flows through the ports of a graph.
#[derive(Default)]
pub(crate) struct Flow {
    /// The source's files.
    pub(crate) files: Vec<Arc<FileItem>>,
    /// By operator stage what it gave, each item with the position of its file. Vectors have none.
    outputs: BTreeMap<StageId, Vec<(u32, Item)>>,
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("manifest", &self.manifest).finish_non_exhaustive()
    }
}

impl Recording {
    /// Reads the recording of a graph, and checks every file of it. Says in `warnings` which stages of the
    /// graph are not those that were recorded: their recorded outputs are used all the same.
    ///
    /// # Errors
    /// If a file is missing or damaged, or the graph has a stage that was not recorded.
    pub fn open(folder: &Path, graph: &Graph, warnings: &mut Vec<String>) -> Result<Self, BenchError> {
        let path = folder.join(MANIFEST);
        let invalid = |path: &Path, reason: String| BenchError::Invalid { path: path.into(), reason };
        let json = std::fs::read(&path).map_err(BenchError::file("read", &path))?;
        let manifest: Manifest = serde_json::from_slice(&json)
            .map_err(|error| invalid(&path, format!("{error}; expected what `gristmill bench record` wrote")))?;
        if manifest.format != FORMAT {
            let found = manifest.format;
            return Err(invalid(
                &path,
                format!("it has format {found}, and this program reads format {FORMAT}; record again"),
            ));
        }
        let part = |stage: &str| {
            let found = manifest.parts.iter().find(|part| part.stage == stage);
            let reason = || format!("stage `{stage}` was not recorded; record the job again");
            found.cloned().ok_or_else(|| invalid(&path, reason()))
        };
        let files = columns::read_files(&checked(folder, &part(FILES)?)?)?;
        let mut flow = Flow { files, outputs: BTreeMap::new() };
        for stage in graph.stages() {
            let Some(port) = stage.output() else { continue };
            let part = part(&stage.name)?;
            if part.port != port {
                let (recorded, name) = (part.port, &stage.name);
                return Err(invalid(
                    &path,
                    format!("stage `{name}` gave {recorded} and now gives {port}; record again"),
                ));
            }
            if part.lineage != stage.lineage.to_string() {
                warnings
                    .push(format!("the outputs of `{}` were recorded with another code or configuration", stage.name));
            }
            let file = checked(folder, &part)?;
            let items = columns::read(&file, port, &flow.files, &flow.before(graph, stage.id))?;
            flow.outputs.insert(stage.id, items);
        }
        Ok(Self { manifest, flow })
    }
}

impl Flow {
    /// What a stage takes: what the stage before it gave.
    #[must_use]
    pub fn inputs(&self, graph: &Graph, stage: StageId) -> Vec<Item> {
        let takes_passages = graph.stage(stage).operator().is_some_and(ErasedOperator::moves_passages);
        if takes_passages {
            let lane = graph.embed_lanes().iter().find(|lane| lane.stage == stage);
            return lane.map_or_else(Vec::new, |lane| self.passages(graph, lane.id));
        }
        self.before(graph, stage).into_iter().map(|(_, item)| item).collect()
    }

    /// What the stage before gave, each with the position of its file.
    fn before(&self, graph: &Graph, stage: StageId) -> Vec<(u32, Item)> {
        match graph.stage(stage).inputs.first() {
            Some(input) => self.outputs.get(input).cloned().unwrap_or_default(),
            None => (0..).zip(self.files.iter().map(|file| Item::File(Arc::clone(file)))).collect(),
        }
    }

    /// The passages of an embed lane, each once.
    fn passages(&self, graph: &Graph, lane: EmbedLaneId) -> Vec<Item> {
        let chunk_lane = graph.chunk_lane(graph.embed_lane(lane).chunk_lane);
        let (header, mut seen) = (chunk_lane.header, std::collections::HashSet::new());
        let chunked = self.outputs.get(&chunk_lane.stage).into_iter().flatten();
        let passages = chunked.filter_map(|(_, item)| match item {
            Item::Chunked(chunked) => Some(chunked),
            _ => None,
        });
        let passages = passages.flat_map(|chunked| {
            let (text, path) = (&chunked.syntax.content.text, &chunked.syntax.content.file.path);
            chunked
                .chunks
                .iter()
                .map(move |chunk| Passage::of(chunk, path, text, header, &header.chunk_hash(path, &chunk.body_hash)))
        });
        passages.filter(|passage| seen.insert(passage.key)).map(|passage| Item::Passage(Arc::new(passage))).collect()
    }
}

/// Checks the checksum of a part, and gives its path.
fn checked(folder: &Path, part: &Part) -> Result<PathBuf, BenchError> {
    let path = folder.join(&part.file);
    if checksum(&path)? != part.checksum {
        let reason = "its checksum is not that of the manifest; record again".into();
        return Err(BenchError::Invalid { path, reason });
    }
    Ok(path)
}

/// The BLAKE3 hash of a file, in hexadecimal.
pub(crate) fn checksum(path: &Path) -> Result<String, BenchError> {
    let file = std::fs::File::open(path).map_err(BenchError::file("read", path))?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file).map_err(BenchError::file("read", path))?;
    Ok(hasher.finalize().to_hex().to_string())
}
