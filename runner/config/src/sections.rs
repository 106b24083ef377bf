//! The sections of a job file as they are written; [`Job`](super::Job) is what they
//! come to.

use std::num::NonZeroUsize;
use std::sync::Arc;

use gristmill_pipeline::Mode;
use gristmill_pipeline::incremental::{Edges, ImportCycles, Reachable, Rollups, SymbolRanks, Unresolved, View};
use schemars::JsonSchema;
use serde::Deserialize;

use super::values::{ByteSize, Glob, Inputs};

/// How the job is run.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct JobSection {
    /// The job's name in reports. Default: the name of the job file.
    pub(super) name: Option<String>,
    /// How the stages are executed.
    pub(super) mode: Mode,
    /// Worker threads of the data plane. Default: one for each core.
    pub(super) workers: Option<NonZeroUsize>,
    /// Bytes of source text and vectors that may be in flight at once.
    pub(super) memory_limit: ByteSize,
    /// Worker threads of the fact plane.
    pub(super) plane_workers: NonZeroUsize,
}

impl Default for JobSection {
    fn default() -> Self {
        Self {
            name: None,
            mode: Mode::default(),
            workers: None,
            memory_limit: ByteSize(256 << 20),
            plane_workers: NonZeroUsize::MIN,
        }
    }
}

/// What a source is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum SourceKind {
    /// A folder and what lies below it.
    #[default]
    Directory,
    /// A revision of a git repository, read from its object store: nothing is checked out.
    Git,
}

/// What is indexed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SourceSection {
    /// What the source is.
    pub(super) kind: SourceKind,
    /// The folder, relative to the job file's own folder; for `git` the repository, or a
    /// folder in its work tree.
    pub(super) path: String,
    /// For `git`: a branch, tag, commit, or anything that leads to one. Default: `HEAD`.
    pub(super) revision: Option<String>,
    /// For `git`: patterns of branches and tags to index side by side, instead of one
    /// revision. `*` stands for what is between slashes, `**` for anything; a branch of a
    /// remote is `origin/main`. What they share is stored once; the table `refs` says which
    /// shows what.
    pub(super) refs: Vec<Glob>,
    /// Globs of the files to take, relative to the source. Default: all.
    pub(super) include: Vec<Glob>,
    /// Globs of the files to leave out, though `include` takes them.
    pub(super) exclude: Vec<Glob>,
    /// Whether to take files and folders whose name begins with a dot.
    pub(super) hidden: bool,
    /// Whether to follow symbolic links.
    pub(super) follow_links: bool,
    /// Larger files are left out.
    pub(super) max_file_bytes: ByteSize,
}

impl Default for SourceSection {
    fn default() -> Self {
        Self {
            kind: SourceKind::default(),
            path: ".".into(),
            revision: None,
            refs: Vec::new(),
            include: Vec::new(),
            exclude: Vec::new(),
            hidden: false,
            follow_links: false,
            max_file_bytes: ByteSize(2 << 20),
        }
    }
}

/// Where the index lies.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct IndexSection {
    /// The index folder, relative to the job file's own folder. Default: `.gristmill` in
    /// the source. It is never indexed itself.
    pub(super) path: Option<String>,
    /// How many epochs are kept, the newest included. Once there are twice as many, a run
    /// gives up the older ones; 0 keeps them all. What a file held in an epoch that is
    /// kept is neither parsed nor embedded again when the file goes back to it.
    pub(super) keep: u64,
    /// A folder of vectors that several indexes share, relative to the job file's own
    /// folder: what one has embedded with a model, no other embeds again. It only grows;
    /// deleting it loses nothing but time. Default: none.
    pub(super) vectors: Option<String>,
}

impl Default for IndexSection {
    fn default() -> Self {
        Self { path: None, keep: 16, vectors: None }
    }
}

/// The views that are kept, each as a table of its own beside the others.
///
/// A job with views loads all facts of the index when it starts, so that one with few
/// changes is better off without them, or in a process that stays (`gristmill watch`).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ViewsSection {
    /// From every use of a name to its definition, and from every import to its file.
    pub(super) edges: bool,
    /// The names that lead to no edge.
    pub(super) unresolved: bool,
    /// The files that import each other, directly or not.
    pub(super) import_cycles: bool,
    /// Globs of the files from which `reachable` follows imports; none for no such table.
    pub(super) reachable: Vec<Glob>,
    /// PageRank of the symbols, over the edges.
    pub(super) symbol_ranks: bool,
    /// Files, bytes, lines, chunks and symbols of each folder, by language.
    pub(super) rollups: bool,
}

impl ViewsSection {
    /// The views.
    ///
    /// # Errors
    /// If the globs do not make a set.
    pub(super) fn build(&self) -> Result<Vec<Arc<dyn View>>, globset::Error> {
        let mut views: Vec<Arc<dyn View>> = Vec::new();
        if self.edges {
            views.push(Arc::new(Edges));
        }
        if self.unresolved {
            views.push(Arc::new(Unresolved));
        }
        if self.import_cycles {
            views.push(Arc::new(ImportCycles));
        }
        if !self.reachable.is_empty() {
            let mut roots = globset::GlobSetBuilder::new();
            for glob in &self.reachable {
                roots.add(globset::GlobBuilder::new(&glob.0).literal_separator(true).build()?);
            }
            let globs = self.reachable.iter().map(|glob| glob.0.clone()).collect();
            views.push(Arc::new(Reachable::new(roots.build()?, globs)));
        }
        if self.symbol_ranks {
            views.push(Arc::new(SymbolRanks::default()));
        }
        if self.rollups {
            views.push(Arc::new(Rollups));
        }
        Ok(views)
    }
}

/// What every stage has, whatever it runs.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct StageSection {
    /// The stage's name, unique in the job. Default: the name of what it runs. A sink
    /// keeps its rows in a folder of this name.
    #[schemars(extend("pattern" = "^[A-Za-z0-9_][A-Za-z0-9_-]*$"))]
    pub(super) name: Option<String>,
    /// The operator that the stage runs.
    pub(super) operator: Option<String>,
    /// The sink that the stage runs.
    pub(super) sink: Option<String>,
    /// The stage that it takes from, or `source`; a sink may take from several.
    pub(super) input: Inputs,
    /// Workers that it wishes for in `pipeline` mode.
    pub(super) workers: Option<NonZeroUsize>,
    /// Bytes that may wait for it in `pipeline` mode. Default: an equal share of
    /// `memory_limit`.
    pub(super) queue: Option<ByteSize>,
}

/// The keys of [`StageSection`]; all others are the parameters of what the stage runs.
pub(super) const STAGE_KEYS: [&str; 6] = ["name", "operator", "sink", "input", "workers", "queue"];
