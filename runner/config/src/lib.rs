//! Jobs: loaded from a TOML file, the command line and the environment, and checked completely
//! before anything runs.
//!
//! ```text
//! job file ─► GRISTMILL_MODE ─► --set ─► ${VARIABLES} ─► --mode, --source, --index ─► sections ─► Job
//!             later settings win                                                      └► stages ─► Graph
//! ```
//!
//! [`load`] reports every error, not only the first; each is a [`ConfigError`] with its location. The
//! result is a [`Job`], which creates the pipeline's run plan and source. A program builds one without a
//! job file by [`Pipeline::builder`].
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod decode;
mod directory;
mod document;
mod error;
mod form;
mod listed;
mod pipeline_builder;
mod pipeline_error;
mod places;
mod registry;
mod run_plan;
mod schema;
mod sections;
mod stages;
mod texts;
mod values;
mod variables;
mod wiring;

pub use directory::{Directory, PipelineSource};
pub use document::{DEFAULT_GRAPH, Override};
pub use error::{ConfigError, ConfigErrors, Label, SourceText};
pub use pipeline_builder::{Pipeline, PipelineBuilder};
pub use pipeline_error::{PipelineError, PipelineFault};
pub use registry::{Entry, Params, Registry, SourceFactory, ViewFactory};
pub use schema::schema;
pub use values::{ByteSize, ByteSizeError, Glob};
pub use variables::Environment;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gristmill_pipeline::source::{Source, SourceError};
use gristmill_pipeline::{Graph, Mode, View};
use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::DeValue;

use document::Document;
use error::Fault;
use sections::{IndexSection, JobSection, SourceKind, SourceSection, ViewsSection};
use texts::Place;

/// The environment variable that sets the mode. It overrides the job file; `--set` and `--mode`
/// override it.
pub const MODE_VARIABLE: &str = "GRISTMILL_MODE";

/// A checked job.
pub struct Job {
    /// The name of the job, in reports.
    pub name: String,
    /// The execution mode.
    pub mode: Mode,
    /// Worker threads of the data plane.
    pub workers: NonZeroUsize,
    /// Bytes that the process should stay within while it indexes.
    pub memory_limit: u64,
    /// Worker threads of the fact plane.
    pub plane_workers: NonZeroUsize,
    /// The source.
    pub source: SourceConfig,
    /// The index folder, as an absolute path.
    pub index: PathBuf,
    /// The number of epochs to retain; 0 for all.
    pub keep: u64,
    /// The folder of vectors shared with other indexes.
    pub vectors: Option<PathBuf>,
    /// The graph of stages.
    pub graph: Graph,
    /// The views.
    pub views: Vec<Arc<dyn View>>,
    /// Opens the source, where it is of a kind that the program added.
    own_source: Option<Arc<OpenSource>>,
}

type OpenSource = dyn Fn() -> Result<Box<dyn Source>, SourceError> + Send + Sync;

impl Job {
    /// Creates a job with defaults whose index is this folder.
    ///
    /// # Errors
    /// If the path is not a valid index path.
    pub fn of_index(folder: &Path, registry: &Registry) -> Result<Self, ConfigErrors> {
        let value = folder.to_string_lossy().into_owned();
        let index = Override::Value { origin: "the index", section: "index", key: "path", value };
        let working = std::env::current_dir().unwrap_or_default();
        let request = JobRequest {
            file: None,
            overrides: std::slice::from_ref(&index),
            environment: &|_| None,
            folder: &working,
            check_places: false,
        };
        load(&request, registry)
    }
}

/// The source of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceConfig {
    /// The folder or repository, as an absolute path.
    pub root: PathBuf,
    /// The revision to index, if the source is a git repository.
    pub revision: Option<String>,
    /// Patterns of branches and tags to index, instead of one revision.
    pub refs: Vec<String>,
    /// Globs of files to include, relative to the root; empty: all.
    pub include: Vec<String>,
    /// Globs of files to exclude, relative to the root.
    pub exclude: Vec<String>,
    /// Folders that are always excluded, such as the index folder.
    pub excluded_folders: Vec<PathBuf>,
    /// Whether to include files and folders whose name starts with a dot.
    pub hidden: bool,
    /// Whether to follow symbolic links.
    pub follow_links: bool,
    /// Whether to include linked worktrees of a repository of which the source holds another checkout.
    pub linked_worktrees: bool,
    /// Whether to include files that `.gitattributes` marks as generated or vendored code.
    pub generated: bool,
    /// The maximum file size in bytes; larger files are skipped.
    pub max_file_bytes: u64,
}

/// The inputs of [`load`].
pub struct JobRequest<'a> {
    /// The job file; `None` for a job with defaults.
    pub file: Option<&'a Path>,
    /// Settings from the command line; later ones win.
    pub overrides: &'a [Override],
    /// Looks up environment variables.
    pub environment: &'a Environment<'a>,
    /// The base of relative paths if there is no job file.
    pub folder: &'a Path,
    /// Whether to check that the source exists and the index folder is writable.
    pub check_places: bool,
}

/// Loads and checks a job.
///
/// # Errors
/// Every error in the file, the settings and the graph, in textual order.
pub fn load(request: &JobRequest<'_>, registry: &Registry) -> Result<Job, ConfigErrors> {
    let text = match request.file.map(std::fs::read_to_string) {
        Some(Ok(text)) => text,
        Some(Err(error)) => return Err(unreadable(request.file, &error)),
        None => String::new(),
    };
    let file = request.file.map(places::absolute);
    let folder = file.as_deref().and_then(Path::parent).unwrap_or(request.folder);
    let name = request.file.map_or_else(|| "the default job".into(), |file| file.display().to_string());

    let mode = (request.environment)(MODE_VARIABLE).filter(|mode| !mode.is_empty());
    let mode = mode.map(|value| Override::Value { origin: MODE_VARIABLE, section: "job", key: "mode", value });
    let mut document = Document::parse(&name, &text);
    let (assignments, values): (Vec<_>, Vec<_>) =
        request.overrides.iter().partition(|setting| matches!(setting, Override::Assignment(_)));
    mode.iter().chain(assignments).for_each(|setting| document.set(setting));
    let Document { root, faults, .. } = &mut document;
    for (_, value) in root.iter_mut() {
        variables::expand(value, request.environment, faults);
    }
    // Set after the expansion: a `${` in a path from the command line is literal.
    values.into_iter().for_each(|setting| document.set(setting));
    let stem = request.file.and_then(Path::file_stem).map(|stem| stem.to_string_lossy().into_owned());
    resolve(document, folder, stem, request.check_places, registry)
}

fn unreadable(file: Option<&Path>, error: &std::io::Error) -> ConfigErrors {
    let name = file.unwrap_or(Path::new("")).display().to_string();
    let fault = Fault::whole("unreadable", format!("cannot read the job file {name}: {error}"));
    let help = "pass the path of a job file, or create one with `gristmill init`";
    ConfigErrors::new(vec![fault.help(Some(help))], &texts::Texts::default())
}

fn resolve(
    document: Document<'_>,
    folder: &Path,
    stem: Option<String>,
    check_places: bool,
    registry: &Registry,
) -> Result<Job, ConfigErrors> {
    let Document { root, texts, mut faults } = document;
    let sections = ["job", "source", "index", "views", "stage"];
    for (key, _) in root.iter().filter(|(key, _)| !sections.contains(&&**key.get_ref())) {
        faults.push(form::unknown_key("the job", key.get_ref(), key.span(), sections.into_iter()));
    }
    let section_of = |name: &str| root.get(name);
    let job: JobSection = section(section_of("job"), "[job]", &mut faults);
    let own_kind = section_of("source").and_then(|table| own_source(table.get_ref(), registry));
    let source: SourceSection = match &own_kind {
        Some((_, path)) => SourceSection { path: path.clone(), ..SourceSection::default() },
        None => section(section_of("source"), "[source]", &mut faults),
    };
    let index: IndexSection = section(section_of("index"), "[index]", &mut faults);
    let (standard, own) = own_views(section_of("views"), registry, &mut faults);
    let views: ViewsSection = section(standard.as_ref(), "[views]", &mut faults);

    let place_of = |section: &str, key: &str| -> Option<Place> {
        section_of(section).and_then(|table| table.get_ref().get(key)).map(Spanned::span)
    };
    let source_root = places::resolve(folder, Path::new(&source.path));
    let index_folder = match &index.path {
        Some(path) => places::resolve(folder, Path::new(path)),
        None => source_root.join(".gristmill"),
    };
    let own_source = own_kind.as_ref().zip(section_of("source")).and_then(|((entry, _), table)| {
        let DeValue::Table(keys) = table.get_ref() else { return None };
        (entry.decode)(keys, table.span(), &source_root, &mut faults)
    });
    let vectors = index.vectors.as_deref().map(|path| places::resolve(folder, Path::new(path)));
    if check_places && faults.is_empty() {
        faults.extend(places::check_source(&source_root, place_of("source", "path")));
        faults.extend(places::check_index(&index_folder, &source_root, place_of("index", "path")));
    }
    let fault_at = |section: &str, key: &str, code: &'static str, message: String| match place_of(section, key) {
        Some(place) => Fault::at(code, place, message),
        None => Fault::whole(code, message),
    };
    let key = if source.refs.is_empty() { "revision" } else { "refs" };
    if source.kind == SourceKind::Directory && (source.revision.is_some() || !source.refs.is_empty()) {
        let fault = fault_at("source", key, "revision", format!("`source.{key}` requires a git source"));
        faults.push(fault.help(Some(format!("set `source.kind = \"git\"`, or remove `source.{key}`"))));
    } else if source.revision.is_some() && !source.refs.is_empty() {
        let message = "`source.revision` and `source.refs` are mutually exclusive";
        faults.push(fault_at("source", "refs", "revision", message.into()).help(Some("remove one of them")));
    }
    let memory_limit = job.memory_limit.unwrap_or_else(default_memory_limit);
    if memory_limit < source.max_file_bytes {
        let (limit, size) = (memory_limit, source.max_file_bytes);
        let message = format!("`job.memory_limit` must be at least `source.max_file_bytes` ({size}), got {limit}");
        let help = format!("raise `job.memory_limit` to {size} or more, or lower `source.max_file_bytes`");
        let section = if place_of("job", "memory_limit").is_some() {
            ("job", "memory_limit")
        } else {
            ("source", "max_file_bytes")
        };
        let fault = fault_at(section.0, section.1, "memory-limit", message);
        faults.push(fault.help(Some(help)));
    }
    let mut views = views.build().unwrap_or_else(|error| {
        faults.push(fault_at("views", "reachable", "bad-value", error.to_string()));
        Vec::new()
    });
    views.extend(own);
    if !source.refs.is_empty() && !views.is_empty() {
        let message = "views cannot be combined with `source.refs`: they cover one revision";
        let fault = fault_at("source", "refs", "views-over-refs", message.into());
        faults.push(fault.help(Some("remove `[views]`, or index one revision with `source.revision`")));
    }
    let graph = section_of("stage").and_then(|stages| stages::build(stages, registry, folder, &mut faults));

    drop_consequences(&mut faults, &texts);
    match graph {
        Some(graph) if faults.is_empty() => Ok(Job {
            name: job.name.or(stem).unwrap_or_else(|| "gristmill".into()),
            mode: job.mode,
            workers: job.workers.unwrap_or_else(cores),
            memory_limit: memory_limit.0,
            plane_workers: job.plane_workers,
            source: SourceConfig {
                root: source_root,
                revision: (source.kind == SourceKind::Git && source.refs.is_empty())
                    .then(|| source.revision.unwrap_or_else(|| "HEAD".into())),
                refs: source.refs.into_iter().map(|pattern| pattern.0).collect(),
                include: source.include.into_iter().map(|glob| glob.0).collect(),
                exclude: source.exclude.into_iter().map(|glob| glob.0).collect(),
                excluded_folders: [index_folder.clone()].into_iter().chain(vectors.clone()).collect(),
                hidden: source.hidden,
                follow_links: source.follow_links,
                linked_worktrees: source.linked_worktrees,
                generated: source.generated,
                max_file_bytes: source.max_file_bytes.0,
            },
            index: index_folder,
            keep: index.keep,
            vectors,
            graph,
            views,
            own_source,
        }),
        _ => Err(ConfigErrors::new(faults, &texts)),
    }
}

/// The memory limit of a job that sets none: half of what the process may use, at most 4 GiB.
fn default_memory_limit() -> ByteSize {
    const MAX: u64 = 4 << 30;
    ByteSize(gristmill_pipeline::run::available_memory().map_or(MAX, |available| (available / 2).min(MAX)))
}

/// The source of the program's own that a `[source]` table names, and its path.
fn own_source<'r>(table: &DeValue<'_>, registry: &'r Registry) -> Option<(&'r registry::SourceEntry, String)> {
    let text = |key: &str| table.get(key).and_then(|value| value.get_ref().as_str());
    let kind = text("kind")?;
    let entry = registry.sources.iter().find(|entry| entry.kind == kind)?;
    Some((entry, text("path").unwrap_or(".").to_owned()))
}

/// Splits `[views]` into the views that come with gristmill and the program's own.
fn own_views<'t>(
    section: Option<&Spanned<DeValue<'t>>>,
    registry: &Registry,
    faults: &mut Vec<Fault>,
) -> (Option<Spanned<DeValue<'t>>>, Vec<Arc<dyn View>>) {
    let Some((section, DeValue::Table(table))) = section.map(|section| (section, section.get_ref())) else {
        return (section.cloned(), Vec::new());
    };
    let (mut standard, mut own) = (table.clone(), Vec::new());
    for entry in &registry.views {
        let Some(value) = standard.remove(entry.name) else { continue };
        match value.get_ref() {
            DeValue::Boolean(false) => {}
            DeValue::Boolean(true) => own.extend((entry.build)(&toml::de::DeTable::new(), value.span(), faults)),
            DeValue::Table(params) => own.extend((entry.build)(params, value.span(), faults)),
            other => {
                let found = form::kind_of(other);
                let message = format!("`views.{}`: expected true, false or a table, found {found}", entry.name);
                faults.push(Fault::at("wrong-type", value.span(), message));
            }
        }
    }
    (Some(Spanned::new(section.span(), DeValue::Table(standard))), own)
}

/// Drops errors that are consequences of others: those on the line of a syntax error, and those of a
/// value whose variables could not be expanded.
fn drop_consequences(faults: &mut Vec<Fault>, texts: &texts::Texts<'_>) {
    let causes: Vec<(&str, Place)> =
        faults.iter().filter_map(|fault| Some((fault.code(), fault.place()?.clone()))).collect();
    let unreadable = causes.iter().any(|(code, _)| *code == "syntax");
    faults.retain(|fault| match fault.place() {
        _ if fault.code() == "syntax" || fault.code() == "variable" => true,
        // Errors of the whole graph are unreliable if a part could not be parsed.
        None => !unreadable,
        Some(place) => !causes.iter().any(|(code, cause)| match *code {
            "syntax" => texts.share_line(place, cause),
            "variable" => place.start < cause.end && cause.start < place.end,
            _ => false,
        }),
    });
}

/// Decodes a section. On errors it returns the defaults, so that the rest can be checked.
fn section<T: DeserializeOwned + Default + schemars::JsonSchema>(
    value: Option<&Spanned<DeValue<'_>>>,
    owner: &str,
    faults: &mut Vec<Fault>,
) -> T {
    let Some(value) = value else { return T::default() };
    match value.get_ref() {
        DeValue::Table(table) => decode::decode(table, &value.span(), owner, &[], faults).unwrap_or_default(),
        other => {
            let name = owner.trim_matches(['[', ']']);
            let message = format!("`{name}`: expected a table, found {}", form::kind_of(other));
            let help = format!("write `{owner}` on its own line, with the keys below");
            faults.push(Fault::at("wrong-type", value.span(), message).help(Some(help)));
            T::default()
        }
    }
}

fn cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
