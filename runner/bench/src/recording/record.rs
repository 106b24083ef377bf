//! Records what flows through each port of a job.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use gristmill_config::Job;
use gristmill_pipeline::graph::Graph;
use gristmill_pipeline::port::{FileItem, Item, Port};
use gristmill_pipeline::run::Interrupt;
use gristmill_pipeline::source::{Origin, ScanOptions, Source};
use gristmill_pipeline::{Meters, PassageKey, RelPath, RowId, StageId, StandaloneStage};

use super::columns::{Recorded, Writer};
use super::{FILES, FORMAT, Flow, MANIFEST, Manifest, Part, checksum};
use crate::error::BenchError;

/// Files that go through the stages together.
const GROUP: usize = 64;

/// Scans the source of a job, takes every file through the stages of its graph, and writes what flows
/// through each port to a new folder.
///
/// # Errors
/// If the source is over several refs, the folder has files already or cannot be written, a stage can no
/// longer work, or `interrupt` asks to stop.
pub fn record(job: &Job, folder: &Path, interrupt: &Interrupt) -> Result<Manifest, BenchError> {
    let source = job.open_source()?;
    if source.is_over_refs() {
        return Err(BenchError::Plan("a source over several refs cannot be recorded; name one `revision`".into()));
    }
    std::fs::create_dir_all(folder).map_err(BenchError::file("create", folder))?;
    let mut entries = std::fs::read_dir(folder).map_err(BenchError::file("read", folder))?;
    if entries.next().is_some() {
        let place = folder.display();
        return Err(BenchError::Plan(format!("{place} is not empty; record into a new folder")));
    }
    let recorded = write(job, &*source, folder, interrupt);
    if recorded.is_err() {
        // So that it can be tried again. What cannot be removed is told by the next try.
        let _ = std::fs::remove_dir_all(folder);
    }
    match recorded {
        // A stage that is interrupted reports an error of its own.
        Err(_) if interrupt.is_requested() => Err(BenchError::Interrupted),
        recorded => recorded,
    }
}

fn write(job: &Job, source: &dyn Source, folder: &Path, interrupt: &Interrupt) -> Result<Manifest, BenchError> {
    let options = ScanOptions { threads: job.workers.get(), interrupt: interrupt.clone() };
    let scan = source.scan(None, &options)?;
    let mut rows = Vec::new();
    scan.tree.for_each(|path, leaf| {
        // What the scan did not take flows through no port.
        if leaf.note.is_none() {
            rows.push(RowId { path: path.into(), content_hash: leaf.content_hash });
        }
    });
    let mut recorder = Recorder::new(&job.graph, folder, interrupt);
    for group in rows.chunks(GROUP) {
        if interrupt.is_requested() {
            return Err(BenchError::Interrupted);
        }
        let files = group.iter().filter_map(|row| {
            let bytes = bytes(&source.origin(row)).ok()?;
            // A file that changed since the scan is left out, as a run would.
            let is_same = gristmill_pipeline::Hash::of(&bytes) == row.content_hash;
            is_same.then(|| file(&job.graph, row, bytes))
        });
        recorder.group(files.collect())?;
    }
    let manifest = Manifest {
        format: FORMAT,
        program: format!("gristmill {}", env!("CARGO_PKG_VERSION")),
        job: job.name.clone(),
        merkle_root: scan.tree.root_hash().to_string(),
        parts: recorder.finish()?,
    };
    let (path, json) = (folder.join(MANIFEST), serde_json::to_vec_pretty(&manifest).map_err(std::io::Error::from));
    json.and_then(|json| std::fs::write(&path, json)).map_err(BenchError::file("write", &path))?;
    Ok(manifest)
}

fn bytes(origin: &Origin) -> std::io::Result<Vec<u8>> {
    match origin {
        Origin::File(path) => std::fs::read(path),
        Origin::Object(object) => object.read(),
    }
}

/// A file whose bytes are in memory.
fn file(graph: &Graph, row: &RowId, bytes: Vec<u8>) -> Arc<FileItem> {
    let (path, content_hash, variant) = (row.path.clone(), row.content_hash, graph.variant(&row.path));
    let (length, origin) = (bytes.len() as u64, Origin::Object(Arc::new(Recorded(bytes.into()))));
    Arc::new(FileItem { path, origin, bytes: length, content_hash, variant })
}

/// Writes what flows through the ports, group by group.
struct Recorder<'a> {
    graph: &'a Graph,
    folder: &'a Path,
    files: Output,
    /// The operator stages in order, with what they give.
    stages: Vec<(StageId, StandaloneStage, Output)>,
    /// Files recorded so far.
    recorded: u32,
    /// Passages that were embedded.
    embedded: HashSet<(StageId, PassageKey)>,
}

/// What a stage gives, on its way to a file.
struct Output {
    part: Part,
    writer: Writer,
}

impl Output {
    fn new(folder: &Path, stage: &str, port: Port, lineage: String) -> Self {
        let file = format!("{stage}.arrow");
        let writer = Writer::create(folder.join(&file), port);
        let (stage, checksum) = (stage.to_owned(), String::new());
        Self { part: Part { stage, file, port, lineage, items: 0, bytes: 0, checksum }, writer }
    }

    fn push(&mut self, file: u32, item: &Item) -> Result<(), BenchError> {
        self.part.items += 1;
        self.part.bytes += item.bytes();
        self.writer.push(file, item)
    }
}

impl<'a> Recorder<'a> {
    fn new(graph: &'a Graph, folder: &'a Path, interrupt: &Interrupt) -> Self {
        let meters = Meters::new(graph);
        let stages = graph.stages().iter().filter_map(|stage| {
            let standalone = StandaloneStage::new(graph, &meters, interrupt, stage.id)?;
            let output = Output::new(folder, &stage.name, stage.output()?, stage.lineage.to_string());
            Some((stage.id, standalone, output))
        });
        let files = Output::new(folder, FILES, Port::Files, String::new());
        Self { graph, folder, files, stages: stages.collect(), recorded: 0, embedded: HashSet::new() }
    }

    /// Takes files through all stages.
    fn group(&mut self, files: Vec<Arc<FileItem>>) -> Result<(), BenchError> {
        let first = self.recorded;
        let positions: HashMap<RelPath, u32> = (0..).zip(&files).map(|(at, file)| (file.path.clone(), at)).collect();
        for (at, file) in (first..).zip(&files) {
            self.files.push(at, &Item::File(Arc::clone(file)))?;
            self.recorded += 1;
        }
        let mut flow = Flow { files, ..Flow::default() };
        for (stage, standalone, output) in &mut self.stages {
            let mut inputs = flow.inputs(self.graph, *stage);
            inputs.retain(|item| match item {
                Item::Passage(passage) => self.embedded.insert((*stage, passage.key)),
                _ => true,
            });
            let mut given = Vec::new();
            for batch in standalone.batches(inputs) {
                for item in standalone.run(batch)? {
                    let at = item.path().and_then(|path| positions.get(path)).copied().unwrap_or_default();
                    output.push(first + at, &item)?;
                    given.push((at, item));
                }
            }
            flow.outputs.insert(*stage, given);
        }
        Ok(())
    }

    /// Completes the files. Gives what is in them.
    fn finish(self) -> Result<Vec<Part>, BenchError> {
        let outputs = std::iter::once(self.files).chain(self.stages.into_iter().map(|(_, _, output)| output));
        let finished = outputs.map(|Output { mut part, writer }| {
            writer.finish()?;
            part.checksum = checksum(&self.folder.join(&part.file))?;
            Ok(part)
        });
        finished.collect()
    }
}
