//! Operators that are small enough to see through, and a sink whose disk is a map.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use gristmill_pipeline::graph::{Role, SinkFactory, StageSpec};
use gristmill_pipeline::incremental::{Edges, ImportCycles, Reachable, Rollups, SymbolRanks, Unresolved, View};
use gristmill_pipeline::merkle::Tree;
use gristmill_pipeline::port::{
    Chunk, Chunked, Content, Definition, DefinitionKind, FileItem, Header, Import, Passage, Port, Reference,
    ReferenceKind, Span, Syntax, Text, Vector,
};
use gristmill_pipeline::run::{Interrupt, RunError, RunPlan, RunReport, run};
use gristmill_pipeline::source::{DirectorySource, Origin, Source};
use gristmill_pipeline::{
    Analysis, Batch, BatchSize, Emitter, EpochMeta, ErasedOperator, FactStore, Fingerprint, Graph, Hash, Meters, Mode,
    Operator, OperatorError, Record, RelPath, RowId, Severity, Sink, SinkContext, SinkError, StagedRows, StoredFacts,
    StoredVectors, Token, ViewDelta, ViewRow,
};
use serde_json::json;

use crate::oracle::Oracle;

/// How often operators were asked.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) parsed: AtomicU64,
    pub(crate) embedded: AtomicU64,
}

impl Counts {
    pub(crate) fn take(&self) -> (u64, u64) {
        (self.parsed.swap(0, Ordering::Relaxed), self.embedded.swap(0, Ordering::Relaxed))
    }
}

/// Reads UTF-8; a content that begins with `binary` gives nothing. A file called `gone`
/// vanishes before it is read, and one called `moving` changes.
pub(crate) struct Read;

impl Operator for Read {
    type In = Arc<FileItem>;
    type Out = Arc<Content>;

    fn name(&self) -> &str {
        "read"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(b"read")
    }

    fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
        for file in batch {
            if file.path.file_name().starts_with("gone") {
                out.report(&file.path, Severity::Note, "vanished", 0, "it is gone");
                continue;
            }
            let mut bytes = match &file.origin {
                Origin::File(location) => std::fs::read(location),
                Origin::Object(object) => object.read(),
            }
            .expect("reads");
            if file.path.file_name().starts_with("moving") {
                bytes.extend(b"more\n");
            }
            let content_hash = Hash::of(&bytes);
            let text = String::from_utf8(bytes).expect("tests write UTF-8");
            if text.starts_with("binary") {
                out.report(&file.path, Severity::Note, "binary", 0, "no text");
                continue;
            }
            out.emit(Arc::new(Content { file, text: Text::new(text), content_hash, encoding: "UTF-8" }));
        }
        Ok(())
    }
}

/// A file can be imported by its path and by its name, both without extension.
pub(crate) fn module_names(path: &RelPath) -> Vec<String> {
    let stem = path.as_str().rsplit_once('.').map_or(path.as_str(), |(stem, _)| stem);
    let name = stem.rsplit('/').next().unwrap_or(stem);
    if name == stem { vec![stem.into()] } else { vec![stem.into(), name.into()] }
}

/// A file of the same folder comes first.
pub(crate) fn import_names(path: &RelPath, import: &Import) -> Vec<String> {
    let folder = path.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
    vec![format!("{folder}/{}", import.module), import.module.to_string()]
}

/// Every line that begins with `def` defines its second word, one with `use` uses it and
/// one with `import` imports the file of that name. `panic` panics.
pub(crate) struct Parse {
    pub(crate) counts: Arc<Counts>,
    pub(crate) version: u32,
}

impl Operator for Parse {
    type In = Arc<Content>;
    type Out = Arc<Syntax>;

    fn name(&self) -> &str {
        "parse"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of_parts([b"parse".as_slice(), &self.version.to_le_bytes()])
    }

    fn variant(&self, path: &RelPath) -> &'static str {
        if path.extension() == Some("md") { "prose" } else { "" }
    }

    fn module_names(&self, path: &RelPath) -> Vec<String> {
        module_names(path)
    }

    fn import_names(&self, path: &RelPath, import: &Import) -> Vec<String> {
        import_names(path, import)
    }

    fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
        for content in batch {
            self.counts.parsed.fetch_add(1, Ordering::Relaxed);
            assert!(!content.text.contains("panic"), "asked to");
            let (mut definitions, mut references, mut imports) = (Vec::new(), Vec::new(), Vec::new());
            let mut start = 0;
            for (line, text) in (1..).zip(content.text.split_inclusive('\n')) {
                let end = start + text.len() as u32;
                if let Some(name) = text.strip_prefix("def ") {
                    let name: Box<str> = name.trim().into();
                    let span = Span { start_byte: start, end_byte: end, start_line: line, end_line: line };
                    definitions.push(Definition {
                        qualified_name: name.clone(),
                        name,
                        kind: DefinitionKind::Function,
                        signature: format!("v{}", self.version).into(),
                        doc: "".into(),
                        span,
                        extent_start: start,
                        parent: None,
                    });
                }
                if let Some(name) = text.strip_prefix("use ") {
                    references.push(Reference {
                        name: name.trim().into(),
                        qualifier: "".into(),
                        kind: ReferenceKind::Call,
                        start_byte: start + 4,
                        line,
                        within: (definitions.len() as u32).checked_sub(1),
                    });
                }
                if let Some(module) = text.strip_prefix("import ") {
                    imports.push(Import { module: module.trim().into(), name: "".into(), alias: "".into(), line });
                }
                start = end;
            }
            let language = if content.file.variant.is_empty() { "toy" } else { content.file.variant };
            let lines = content.text.lines().count() as u32;
            out.emit(Arc::new(Syntax {
                content,
                language,
                lines,
                definitions,
                references,
                imports,
                blocks: Vec::new(),
            }));
        }
        Ok(())
    }
}

/// One chunk a line.
pub(crate) struct Lines {
    pub(crate) header: Header,
}

impl Operator for Lines {
    type In = Arc<Syntax>;
    type Out = Arc<Chunked>;

    fn name(&self) -> &str {
        "chunk"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(format!("lines {:?}", self.header).as_bytes())
    }

    fn header(&self) -> Header {
        self.header
    }

    fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
        for syntax in batch {
            let mut start = 0;
            let mut chunks = Vec::new();
            for (line, text) in (1..).zip(syntax.content.text.split_inclusive('\n')) {
                let end = start + text.len() as u32;
                chunks.push(Chunk {
                    span: Span { start_byte: start, end_byte: end, start_line: line, end_line: line },
                    kind: "code",
                    symbol: "".into(),
                    scope: "".into(),
                    tokens: 1,
                    body_hash: self.header.body_hash("", "", text),
                });
                start = end;
            }
            out.emit(Arc::new(Chunked { syntax, chunks }));
        }
        Ok(())
    }
}

/// Two numbers from the hash of what it sees. `unembeddable` panics.
pub(crate) struct Embed {
    pub(crate) counts: Arc<Counts>,
    pub(crate) version: u32,
}

impl Operator for Embed {
    type In = Arc<Passage>;
    type Out = Vector;

    fn name(&self) -> &str {
        "embed"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of_parts([b"embed".as_slice(), &self.version.to_le_bytes()])
    }

    fn batch_size(&self) -> BatchSize {
        BatchSize { items: 3, bytes: 64, tokens: u64::MAX }
    }

    fn dimension(&self) -> Option<usize> {
        Some(2)
    }

    fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
        for passage in batch {
            let mut seen = String::new();
            passage.write_to(&mut seen);
            assert!(!seen.contains("unembeddable"), "asked to");
            self.counts.embedded.fetch_add(1, Ordering::Relaxed);
            let hash = Hash::of(seen.as_bytes()).key();
            let values = [(hash % 1000) as f32, self.version as f32];
            out.emit(Vector { key: passage.key, values: values.into() });
        }
        Ok(())
    }
}

/// A stored record.
pub(crate) type Row = Record;

/// The rows of an epoch.
type Stored = BTreeMap<RowId, Row>;

/// Everything that was ever published, by version.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    versions: Vec<Stored>,
    views: Vec<Views>,
    pub(crate) fail_add: bool,
}

/// The tables of views, each a set of rows.
pub(crate) type Views = BTreeMap<Box<str>, BTreeSet<ViewRow>>;

/// Builds sinks that share a disk.
pub(crate) struct Memory {
    pub(crate) disk: Arc<Mutex<Disk>>,
}

struct MemorySink {
    disk: Arc<Mutex<Disk>>,
    base: Stored,
    next: Stored,
    views: Views,
    next_views: Views,
    rows: StagedRows,
}

impl SinkFactory for Memory {
    fn kind(&self) -> &str {
        "memory"
    }

    fn accepts(&self) -> &[Port] {
        &[Port::Syntax, Port::Chunks, Port::Vectors]
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(b"memory")
    }

    fn keeps_views(&self) -> bool {
        true
    }

    fn build(&self, _context: SinkContext) -> Result<Box<dyn Sink>, SinkError> {
        Ok(Box::new(MemorySink {
            disk: Arc::clone(&self.disk),
            base: BTreeMap::new(),
            next: BTreeMap::new(),
            views: BTreeMap::new(),
            next_views: BTreeMap::new(),
            rows: StagedRows::default(),
        }))
    }
}

impl Sink for MemorySink {
    fn fingerprint(&self) -> Fingerprint {
        Hash::of(b"memory")
    }

    fn open(&mut self, base: Option<&Token>) -> Result<(), SinkError> {
        let mut disk = self.disk.lock().expect("whole");
        let version = base.and_then(|token| token["version"].as_u64()).unwrap_or(0) as usize;
        disk.versions.truncate(version);
        self.base = disk.versions.last().cloned().unwrap_or_default();
        disk.views.truncate(version);
        self.views = disk.views.last().cloned().unwrap_or_default();
        Ok(())
    }

    fn open_to_read(&mut self, base: &Token) -> Result<(), SinkError> {
        let version = base["version"].as_u64().expect("is one of ours") as usize;
        self.base = self.disk.lock().expect("whole").versions[version - 1].clone();
        Ok(())
    }

    fn rows_of(&self, _record: &Record) -> u64 {
        1
    }

    fn begin(&mut self, _epoch: u64, replace: bool) -> Result<(), SinkError> {
        self.next = if replace { BTreeMap::new() } else { self.base.clone() };
        self.next_views = if replace { BTreeMap::new() } else { self.views.clone() };
        self.rows = StagedRows::default();
        Ok(())
    }

    fn remove(&mut self, rows: &[RowId]) -> Result<(), SinkError> {
        for row in rows {
            self.next.remove(row).expect("only stored rows are removed");
            self.rows.deleted += 1;
        }
        Ok(())
    }

    fn add(&mut self, records: &[Record]) -> Result<(), SinkError> {
        if self.disk.lock().expect("whole").fail_add {
            return Err(SinkError { sink: "memory".into(), action: "add".into(), message: "disk full".into() });
        }
        for record in records {
            let row = RowId { path: record.path.clone(), content_hash: record.analysis.content_hash };
            let before = self.next.insert(row, record.clone());
            assert!(before.is_none(), "{} was not removed, or came twice", record.path);
            self.rows.added += 1;
        }
        Ok(())
    }

    fn change_views(&mut self, deltas: &[ViewDelta]) -> Result<(), SinkError> {
        for delta in deltas {
            let table = self.next_views.entry(delta.schema.name.clone()).or_default();
            if delta.replace {
                table.clear();
            }
            for row in &delta.removed {
                assert!(table.remove(row), "{}: only stored rows are removed: {row:?}", delta.schema.name);
            }
            for row in &delta.added {
                assert_eq!(row.values.len(), delta.schema.columns.len());
                assert!(table.insert(row.clone()), "{}: a row came twice: {row:?}", delta.schema.name);
            }
        }
        Ok(())
    }

    fn stage(&mut self, _meta: &EpochMeta) -> Result<StagedRows, SinkError> {
        Ok(self.rows)
    }

    fn publish(&mut self) -> Result<Token, SinkError> {
        let mut disk = self.disk.lock().expect("whole");
        self.base = std::mem::take(&mut self.next);
        self.views = std::mem::take(&mut self.next_views);
        disk.versions.push(self.base.clone());
        disk.views.push(self.views.clone());
        Ok(json!({ "version": disk.versions.len() }))
    }

    fn abandon(&mut self) -> Result<(), SinkError> {
        self.next.clear();
        Ok(())
    }

    fn fact_store(&mut self) -> Option<&mut dyn FactStore> {
        Some(self)
    }
}

impl FactStore for MemorySink {
    fn facts(&mut self, visit: &mut dyn FnMut(StoredFacts)) -> Result<(), SinkError> {
        for record in self.base.values() {
            let chunks = record.chunks.iter().flat_map(|chunks| chunks.chunks.iter());
            let bodies = chunks.map(|chunk| chunk.body_hash).collect();
            visit(StoredFacts { path: record.path.clone(), analysis: Analysis::clone(&record.analysis), bodies });
        }
        Ok(())
    }

    fn records(&mut self, rows: &[RowId], since: Option<&Token>) -> Result<Vec<Option<Record>>, SinkError> {
        let all = self.kept(since);
        let find = |row: &RowId| all.iter().find_map(|version| version.get(row)).cloned();
        Ok(rows.iter().map(find).collect())
    }

    fn vectors(&mut self, chunk_hashes: &[Hash], since: Option<&Token>) -> Result<StoredVectors, SinkError> {
        let all = self.kept(since);
        let mut vectors = StoredVectors::default();
        for wanted in chunk_hashes {
            let chunks = all.iter().flat_map(BTreeMap::values).filter_map(|record| record.chunks.as_ref());
            let found = chunks.filter_map(|chunks| {
                let at = chunks.hashes.iter().position(|hash| hash == wanted)?;
                Some(chunks.vectors.as_ref()?[at * 2..at * 2 + 2].to_vec())
            });
            let found = found.take(1).next();
            vectors.found.push(found.is_some());
            vectors.values.extend(found.unwrap_or_default());
        }
        Ok(vectors)
    }

    fn holders(&mut self, contents: &[Hash], since: Option<&Token>) -> Result<Vec<Vec<RowId>>, SinkError> {
        let all = self.kept(since);
        let ids: BTreeSet<&RowId> = all.iter().flat_map(BTreeMap::keys).collect();
        let of =
            |content: &Hash| ids.iter().filter(|id| id.content_hash == *content).map(|id| RowId::clone(id)).collect();
        Ok(contents.iter().map(of).collect())
    }
}

impl MemorySink {
    /// The base, and the versions before it down to `since`, newest first.
    fn kept(&self, since: Option<&Token>) -> Vec<Stored> {
        let disk = self.disk.lock().expect("whole");
        let oldest = since.and_then(|token| token["version"].as_u64()).unwrap_or(u64::MAX) as usize;
        let older = (oldest..disk.versions.len()).rev().filter_map(|version| disk.versions.get(version - 1).cloned());
        [self.base.clone()].into_iter().chain(older).collect()
    }
}

/// Paths that contain this are roots.
const ROOTS: &str = "0.x";

const RANK_ROUNDS: u32 = 3;

/// Every view that comes with the plane.
pub(crate) fn all_views() -> Vec<Arc<dyn View>> {
    let mut roots = globset::GlobSetBuilder::new();
    roots.add(globset::Glob::new("**/*0.x*").expect("is one"));
    let roots = Reachable::new(roots.build().expect("builds"), vec!["**/*0.x*".into()]);
    vec![
        Arc::new(Edges),
        Arc::new(Unresolved),
        Arc::new(ImportCycles),
        Arc::new(roots),
        Arc::new(SymbolRanks::new(RANK_ROUNDS)),
        Arc::new(Rollups),
    ]
}

/// A job over a folder, with its disk.
pub(crate) struct Job {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) disk: Arc<Mutex<Disk>>,
    pub(crate) text_disk: Arc<Mutex<Disk>>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) header: Header,
    pub(crate) parse_version: u32,
    pub(crate) embed_version: u32,
    pub(crate) memory_limit: u64,
    pub(crate) plane_workers: usize,
    pub(crate) interrupt: Interrupt,
    pub(crate) views: Vec<Arc<dyn View>>,
    pub(crate) vectors: Option<std::path::PathBuf>,
}

impl Job {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("creates");
        std::fs::create_dir(folder.path().join("src")).expect("creates");
        Self {
            folder,
            disk: Arc::default(),
            text_disk: Arc::default(),
            counts: Arc::default(),
            header: Header::Path,
            parse_version: 1,
            embed_version: 1,
            memory_limit: 1 << 20,
            plane_workers: 1,
            interrupt: Interrupt::default(),
            views: Vec::new(),
            vectors: None,
        }
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.folder.path().join("src").join(path);
        std::fs::create_dir_all(path.parent().expect("has a parent")).expect("creates");
        std::fs::write(path, content).expect("writes");
    }

    pub(crate) fn remove(&self, path: &str) {
        std::fs::remove_file(self.folder.path().join("src").join(path)).expect("removes");
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        let root = self.folder.path().join("src");
        std::fs::rename(root.join(from), root.join(to)).expect("renames");
    }

    pub(crate) fn index(&self) -> std::path::PathBuf {
        self.folder.path().join("index")
    }

    pub(crate) fn graph(&self) -> Graph {
        let stage = |name: &str, inputs: &[&str], role: Role| StageSpec {
            name: name.into(),
            inputs: inputs.iter().map(|input| (*input).into()).collect(),
            role,
            workers: 1,
            queue_bytes: None,
        };
        fn operator<O: ErasedOperator + 'static>(operator: O) -> Role {
            Role::Operator(Arc::new(operator))
        }
        let counts = || Arc::clone(&self.counts);
        let memory = |disk: &Arc<Mutex<Disk>>| Role::Sink(Arc::new(Memory { disk: Arc::clone(disk) }));
        Graph::build(vec![
            stage("read", &["source"], operator(Read)),
            stage("parse", &["read"], operator(Parse { counts: counts(), version: self.parse_version })),
            stage("chunk", &["parse"], operator(Lines { header: self.header })),
            stage("embed", &["chunk"], operator(Embed { counts: counts(), version: self.embed_version })),
            stage("vectors", &["parse", "embed"], memory(&self.disk)),
            stage("text", &["chunk"], memory(&self.text_disk)),
        ])
        .expect("is sound")
    }

    pub(crate) fn source(&self) -> DirectorySource {
        DirectorySource {
            root: self.folder.path().join("src"),
            include: Vec::new(),
            exclude: Vec::new(),
            hidden: false,
            follow_links: false,
            max_file_bytes: 1 << 20,
            skip: Vec::new(),
        }
    }

    pub(crate) fn try_run(&self, mode: Mode, full: bool) -> Result<RunReport, RunError> {
        self.with_plan(mode, full, run)
    }

    pub(crate) fn try_run_from(&self, source: &dyn Source, mode: Mode, full: bool) -> Result<RunReport, RunError> {
        self.with_plan(mode, full, |plan| run(&RunPlan { source, ..*plan }))
    }

    /// Calls `work` with the plan of a run.
    pub(crate) fn with_plan<R>(&self, mode: Mode, full: bool, work: impl FnOnce(&RunPlan<'_>) -> R) -> R {
        let graph = self.graph();
        work(&RunPlan {
            graph: &graph,
            views: &self.views,
            source: &self.source(),
            index: &self.index(),
            mode,
            workers: 2,
            plane_workers: self.plane_workers,
            keep: 0,
            vectors: self.vectors.as_deref(),
            memory_limit: self.memory_limit,
            full,
            meters: &Meters::new(&graph),
            interrupt: &self.interrupt,
        })
    }

    pub(crate) fn run(&self, mode: Mode) -> RunReport {
        self.try_run(mode, false).expect("runs")
    }

    /// The views of the newest epoch.
    pub(crate) fn stored_views(&self) -> Views {
        self.disk.lock().expect("whole").views.last().cloned().unwrap_or_default()
    }

    /// The views that its rows come to.
    pub(crate) fn expected_views(&self) -> Views {
        let disk = self.disk.lock().expect("whole");
        let records = disk.versions.last().into_iter().flat_map(BTreeMap::values);
        Oracle::new(records, ROOTS, RANK_ROUNDS as usize).views()
    }

    /// All rows of the newest epoch, in a comparable form.
    pub(crate) fn rows(&self) -> String {
        [&self.disk, &self.text_disk]
            .map(|disk| format!("{:#?}", Rows(disk.lock().expect("whole").versions.last())))
            .join("\n")
    }
}

struct Rows<'a>(Option<&'a Stored>);

impl std::fmt::Debug for Rows<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (RowId { path, .. }, record) in self.0.into_iter().flatten() {
            let analysis = &record.analysis;
            write!(f, "{path} {} {} {} ", analysis.language, analysis.bytes, analysis.lines)?;
            write!(f, "{:?} {:?} {:?} ", analysis.content_hash, analysis.definitions, analysis.diagnostics)?;
            write!(f, "{:?} {:?} ", analysis.references, analysis.imports)?;
            if let Some(chunks) = &record.chunks {
                write!(f, "{:?} {:?} {:?}", chunks.chunks, chunks.hashes, chunks.vectors)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// The tree of a job's newest epoch.
pub(crate) fn stored_tree(index: &Path) -> Tree {
    let folder = gristmill_pipeline::index::IndexFolder::open(index).expect("is an index");
    let head = folder.head().expect("reads").expect("has an epoch");
    folder.tree(&head).expect("reads")
}
