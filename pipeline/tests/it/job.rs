//! A job over a folder, with toy operators and sinks in memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use gristmill_pipeline::graph::StageSpec;
use gristmill_pipeline::merkle::Tree;
use gristmill_pipeline::plane::Broken;
use gristmill_pipeline::port::Header;
use gristmill_pipeline::run::{Interrupt, RunError, RunPlan, RunReport, run};
use gristmill_pipeline::source::{DirectorySource, Source};
use gristmill_pipeline::testing::{
    Contextualise, Counts, Disk, Embed, Lines, Memory, Oracle, Parse, Qualify, Read, Select, Shorten, Stored, Strip,
    Views,
};
use gristmill_pipeline::views::{Edges, ImportCycles, Reachable, Rollups, SymbolRanks, Unresolved, View};
use gristmill_pipeline::{AnyOperator, Graph, Meters, Mode, RowId};
use parking_lot::Mutex;

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

/// Operators between those of a plain job: how many stand in a row, and their versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Between {
    /// `Contents → Contents`, at most 2.
    pub(crate) contents: usize,
    /// `Syntax → Syntax`, at most 2.
    pub(crate) syntax: usize,
    /// `Chunks → Chunks` that drops chunks.
    pub(crate) select: bool,
    /// `Chunks → Chunks` that gives them context.
    pub(crate) context: bool,
    /// `Vectors → Vectors`, at most 2.
    pub(crate) vectors: usize,
    /// The versions of the first of each of them.
    pub(crate) versions: Versions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Versions {
    pub(crate) contents: u32,
    pub(crate) syntax: u32,
    pub(crate) select: u32,
    pub(crate) context: u32,
    pub(crate) vectors: u32,
}

impl Default for Versions {
    fn default() -> Self {
        Self { contents: 1, syntax: 1, select: 1, context: 1, vectors: 1 }
    }
}

impl Versions {
    /// Versions of which one is another than in [`Self::default`], but for the first.
    pub(crate) fn nth(nth: u32) -> Self {
        let version = |of| if nth == of { 2 } else { 1 };
        Self { contents: 1, syntax: 1, select: version(1), context: version(2), vectors: version(3) }
    }
}

impl Between {
    /// Every kind, some of them twice.
    pub(crate) fn all() -> Self {
        Self { contents: 2, syntax: 2, select: true, context: true, vectors: 2, versions: Versions::default() }
    }
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
    /// How many requests the embedder has under way at once; 0 if it computes.
    pub(crate) requests: usize,
    pub(crate) between: Between,
    /// Another graph than the usual one.
    pub(crate) stages: Option<fn(&Self) -> Vec<StageSpec>>,
    pub(crate) memory_limit: u64,
    pub(crate) plane_workers: usize,
    pub(crate) interrupt: Interrupt,
    pub(crate) views: Vec<Arc<dyn View>>,
    pub(crate) vectors: Option<std::path::PathBuf>,
    /// Whether the sink of vectors gives nothing back.
    pub(crate) forgets_vectors: bool,
    pub(crate) broken_plane: Option<Broken>,
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
            requests: 0,
            between: Between::default(),
            stages: None,
            memory_limit: 1 << 20,
            plane_workers: 1,
            interrupt: Interrupt::default(),
            views: Vec::new(),
            vectors: None,
            forgets_vectors: false,
            broken_plane: None,
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
        let (from, to) = (self.folder.path().join("src").join(from), self.folder.path().join("src").join(to));
        std::fs::create_dir_all(to.parent().expect("has a parent")).expect("creates");
        std::fs::rename(from, to).expect("renames");
    }

    pub(crate) fn index(&self) -> std::path::PathBuf {
        self.folder.path().join("index")
    }

    pub(crate) fn graph(&self) -> Graph {
        if let Some(stages) = self.stages {
            return Graph::build(stages(self)).expect("is sound");
        }
        let counts = || Arc::clone(&self.counts);
        let memory = |disk: &Arc<Mutex<Disk>>, gives_nothing_back| {
            Arc::new(Memory { disk: Arc::clone(disk), gives_nothing_back })
        };
        let parse = Parse { counts: counts(), version: self.parse_version };
        let embed = Embed { counts: counts(), version: self.embed_version, requests: self.requests };
        let chunk = Lines { header: self.header };
        let Between { contents, syntax, select, context, vectors, versions } = self.between;
        let mut stages = vec![StageSpec::new("read", ["source"], AnyOperator::plain(Read))];
        // Adds a stage behind the last one.
        let mut behind = |name: &str, operator| {
            let last = stages.last().expect("has one").name.clone();
            stages.push(StageSpec::new(name, [last], operator));
        };
        let strips = [('#', "comments", versions.contents), ('%', "percents", 1)];
        for (nth, (mark, column, version)) in strips.into_iter().enumerate().take(contents) {
            behind(&format!("strip {nth}"), AnyOperator::plain(Strip { mark, column, version }));
        }
        behind("parse", AnyOperator::parser(parse));
        let qualifiers = [("definitions", versions.syntax), ("definitions_again", 1)];
        for (nth, (column, version)) in qualifiers.into_iter().enumerate().take(syntax) {
            behind(&format!("qualify {nth}"), AnyOperator::plain(Qualify { column, version }));
        }
        let last_syntax = if syntax > 0 { format!("qualify {}", syntax - 1) } else { "parse".into() };
        behind("chunk", AnyOperator::chunker(chunk));
        if select {
            behind("select", AnyOperator::plain(Select { version: versions.select }));
        }
        if context {
            behind("context", AnyOperator::plain(Contextualise { header: self.header, version: versions.context }));
        }
        let last_chunks = match (context, select) {
            (true, _) => "context",
            (false, true) => "select",
            (false, false) => "chunk",
        };
        behind("embed", AnyOperator::embedder(embed));
        for (nth, (dimension, factor)) in [(2, versions.vectors), (1, 10)].into_iter().enumerate().take(vectors) {
            behind(&format!("shorten {nth}"), AnyOperator::vector_map(Shorten { dimension, factor }));
        }
        let last_vectors = if vectors > 0 { format!("shorten {}", vectors - 1) } else { "embed".into() };
        let inputs = [last_syntax.as_str(), &last_vectors];
        stages.push(StageSpec::new("vectors", inputs, memory(&self.disk, self.forgets_vectors)));
        // Some sink has to give back what texts define.
        let inputs = if self.forgets_vectors { vec![last_syntax.as_str(), last_chunks] } else { vec![last_chunks] };
        stages.push(StageSpec::new("text", inputs, memory(&self.text_disk, false)));
        Graph::build(stages).expect("is sound")
    }

    pub(crate) fn source(&self) -> DirectorySource {
        DirectorySource {
            root: self.folder.path().join("src"),
            include: Vec::new(),
            exclude: Vec::new(),
            hidden: false,
            follow_links: false,
            linked_worktrees: false,
            generated: true,
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
            lock_wait: std::time::Duration::ZERO,
            graph: &graph,
            views: &self.views,
            source: &self.source(),
            index: &self.index(),
            mode,
            workers: 2,
            plane_workers: self.plane_workers,
            keep: 0,
            vectors: self.vectors.as_deref(),
            in_flight_limit: self.memory_limit,
            memory_limit: u64::MAX,
            full,
            verify: false,
            meters: &Meters::new(&graph),
            interrupt: &self.interrupt,
            broken_plane: self.broken_plane,
        })
    }

    pub(crate) fn run(&self, mode: Mode) -> RunReport {
        self.try_run(mode, false).expect("runs")
    }

    /// The views of the newest epoch, from the sink that keeps them.
    pub(crate) fn stored_views(&self) -> Views {
        let [first, second] = [&self.disk, &self.text_disk].map(|disk| disk.lock().newest_views());
        if first.is_empty() { second } else { first }
    }

    /// The views that its rows come to.
    pub(crate) fn expected_views(&self) -> Views {
        let disk = self.disk.lock();
        let records = disk.newest().into_iter().flat_map(BTreeMap::values);
        Oracle::new(records, ROOTS, RANK_ROUNDS as usize).views()
    }

    /// All rows of the newest epoch, in a comparable form.
    pub(crate) fn rows(&self) -> String {
        [&self.disk, &self.text_disk].map(|disk| format!("{:#?}", Rows(disk.lock().newest()))).join("\n")
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
            write!(f, "{:?} ", analysis.extras)?;
            if let Some(chunks) = &record.chunks {
                let texts: Vec<_> = chunks.chunks.iter().map(|chunk| analysis.text.get(chunk.span.bytes())).collect();
                write!(f, "{:?} {texts:?} {:?} {:?}", chunks.chunks, chunks.hashes, chunks.vectors)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// A store of a job, by one of its disks.
pub(crate) fn memory(disk: &Arc<Mutex<Disk>>) -> Arc<Memory> {
    Arc::new(Memory { disk: Arc::clone(disk), gives_nothing_back: false })
}

/// The tree of a job's newest epoch.
pub(crate) fn stored_tree(index: &Path) -> Tree {
    let folder = gristmill_pipeline::index::IndexFolder::open(index).expect("is an index");
    let head = folder.head().expect("reads").expect("has an epoch");
    folder.tree(&head).expect("reads")
}
