//! The sections of a job file as they are written. [`Job`](super::Job) is the result.

use std::num::NonZeroUsize;
use std::sync::Arc;

use gristmill_pipeline::Mode;
use gristmill_pipeline::views::{Edges, ImportCycles, Reachable, Rollups, SymbolRanks, Unresolved, View};
use schemars::JsonSchema;
use serde::Deserialize;

use super::values::{ByteSize, Glob, Inputs};

/// Execution of the job.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct JobSection {
    /// The name of the job in reports. Default: the name of the job file.
    pub(super) name: Option<String>,
    /// The execution mode.
    pub(super) mode: Mode,
    /// Worker threads of the data plane. Default: one per core.
    pub(super) workers: Option<NonZeroUsize>,
    /// Memory that the process and its parse workers should stay within while it indexes, without the pages of
    /// files; a quarter of it may be source text and vectors in flight. Default: half of the memory that the
    /// machine or the control group has, at most 4 GiB.
    pub(super) memory_limit: Option<ByteSize>,
    /// Worker threads of the fact plane.
    pub(super) plane_workers: NonZeroUsize,
}

impl Default for JobSection {
    fn default() -> Self {
        Self { name: None, mode: Mode::default(), workers: None, memory_limit: None, plane_workers: NonZeroUsize::MIN }
    }
}

/// The kind of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum SourceKind {
    /// A folder with its subfolders.
    #[default]
    Directory,
    /// A revision of a git repository, read from the object store without a checkout.
    Git,
}

/// The source to index.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SourceSection {
    /// The kind of the source.
    pub(super) kind: SourceKind,
    /// The folder, relative to the job file; for `git` the repository, or a folder in its work tree.
    pub(super) path: String,
    /// For `git`: a branch, tag, commit or revision expression. Default: `HEAD`.
    pub(super) revision: Option<String>,
    /// For `git`: patterns of branches and tags to index side by side, instead of one revision. `*`
    /// matches within a path component, `**` across components; a remote branch is `origin/main`.
    /// Shared rows are stored once; the table `refs` maps refs to rows.
    pub(super) refs: Vec<Glob>,
    /// Globs of files to include, relative to the source. Default: all.
    pub(super) include: Vec<Glob>,
    /// Globs of files to exclude; they take precedence over `include`.
    pub(super) exclude: Vec<Glob>,
    /// Whether to include files and folders whose name starts with a dot.
    pub(super) hidden: bool,
    /// Whether to follow symbolic links.
    pub(super) follow_links: bool,
    /// Whether to include linked worktrees (`git worktree add`) of a repository of which the source holds
    /// another checkout: their files come twice.
    pub(super) linked_worktrees: bool,
    /// Whether to include generated and vendored code, as far as `.gitattributes` marks it with
    /// `linguist-generated` or `linguist-vendored`.
    pub(super) generated: bool,
    /// The maximum file size; larger files are skipped.
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
            linked_worktrees: false,
            generated: true,
            max_file_bytes: ByteSize(2 << 20),
        }
    }
}

/// The index.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct IndexSection {
    /// The index folder, relative to the job file. Default: `.gristmill` in the source. The index
    /// itself is never indexed.
    pub(super) path: Option<String>,
    /// The number of epochs to retain, including the newest. Once there are twice as many, a run
    /// deletes the older ones; 0 retains all. A file that reverts to its content in a retained epoch
    /// is neither parsed nor embedded again.
    pub(super) keep: u64,
    /// A folder of vectors that several indexes share, relative to the job file: a passage that one
    /// index embedded with a model is not embedded again by another. It only grows; deleting it costs
    /// only time. Default: none.
    pub(super) vectors: Option<String>,
}

impl Default for IndexSection {
    fn default() -> Self {
        Self { path: None, keep: 16, vectors: None }
    }
}

/// The views to maintain, each as a table.
///
/// A job with views loads all facts of the index at start. If changes are small, run it in a
/// long-lived process (`gristmill watch`), or without views.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ViewsSection {
    /// Edges from every reference to its definition, and from every import to its file.
    pub(super) edges: bool,
    /// References without an edge.
    pub(super) unresolved: bool,
    /// Files in import cycles.
    pub(super) import_cycles: bool,
    /// Globs of the root files from which `reachable` follows imports. Default: no such table.
    pub(super) reachable: Vec<Glob>,
    /// PageRank of the symbols over the edges.
    pub(super) symbol_ranks: bool,
    /// Files, bytes, lines, chunks and symbols per folder and language.
    pub(super) rollups: bool,
}

impl ViewsSection {
    /// Creates the views.
    ///
    /// # Errors
    /// If a glob is invalid.
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

/// The keys that all stages have.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct StageSection {
    /// The name of the stage, unique in the job. Default: the name of its operator or sink. A sink
    /// stores its rows in a folder of this name.
    #[schemars(extend("pattern" = "^[A-Za-z0-9_][A-Za-z0-9_-]*$"))]
    pub(super) name: Option<String>,
    /// The operator.
    pub(super) operator: Option<String>,
    /// The sink.
    pub(super) sink: Option<String>,
    /// The input stage, or `source`; a sink may have several.
    pub(super) input: Inputs,
    /// Requested number of workers in `pipeline` mode.
    pub(super) workers: Option<NonZeroUsize>,
    /// Maximum size of the queue of this stage in `pipeline` mode. Default: an equal share of
    /// `memory_limit`.
    pub(super) queue: Option<ByteSize>,
}

/// The keys that every source has; all others are parameters of its kind.
pub(super) const SOURCE_KEYS: [&str; 2] = ["kind", "path"];

/// The keys of [`StageSection`]; all others are parameters of the operator or sink.
pub(super) const STAGE_KEYS: [&str; 6] = ["name", "operator", "sink", "input", "workers", "queue"];
