//! Pipelines that are built in a program, without a job file.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gristmill_operators::chunk::ChunkConfig;
use gristmill_operators::embed::StaticConfig;
use gristmill_operators::hash::HashConfig;
use gristmill_operators::parse::ParseConfig;
use gristmill_operators::read::ReadConfig;
use gristmill_pipeline::graph::{Fault as GraphFault, Graph, Role, StageSpec};
use gristmill_pipeline::port::{Port, PortItem as _};
use gristmill_pipeline::run::{Interrupt, RunReport};
use gristmill_pipeline::{AnyOperator, Meters, Mode, Operator, OperatorConfig, SinkConfig, View};

use super::directory::{PipelineSource, SourceChoice};
use super::pipeline_error::{PipelineError, PipelineFault};
use super::sections::{IndexSection, JobSection};
use super::stages::check_name;
use super::wiring::{LooseSink, LooseStage, wire};
use super::{Job, OpenSource, SourceConfig, cores, places};

/// A checked pipeline, which indexes a source from within a program.
///
/// Texts are parsed in the process itself, where a grammar's C code may crash it, unless the program calls
/// [`isolate`](gristmill_operators::parse::isolate) first in its `main`.
///
/// ```
/// use gristmill_config::{Directory, Pipeline, PipelineError};
/// use gristmill_sinks::LanceConfig;
///
/// let folder = tempfile::tempdir().expect("a folder");
/// std::fs::write(folder.path().join("lib.rs"), "/// Adds.\nfn add() {}\n").expect("a file");
///
/// let pipeline = Pipeline::builder()
///     .source(Directory::new(folder.path()))
///     .default_stages()
///     .sink("lance", LanceConfig::default())
///     .index(folder.path().join("index"))
///     .build()?;
/// assert_eq!(pipeline.run()?.changes.added, 1);
/// assert_eq!(pipeline.run()?.changes.added, 0, "the second run finds no changes");
/// # Ok::<(), PipelineError>(())
/// ```
pub struct Pipeline {
    job: Job,
}

impl Pipeline {
    /// Creates a builder.
    pub fn builder() -> PipelineBuilder {
        PipelineBuilder::default()
    }

    /// Updates the index: indexes all changes of the source as one atomic epoch.
    ///
    /// # Errors
    /// [`PipelineError::Run`] if the epoch could not be committed; the index then holds what it held
    /// before.
    pub fn run(&self) -> Result<RunReport, PipelineError> {
        self.execute(false)
    }

    /// Rebuilds the index from scratch.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub fn rebuild(&self) -> Result<RunReport, PipelineError> {
        self.execute(true)
    }

    fn execute(&self, full: bool) -> Result<RunReport, PipelineError> {
        let source = self.job.open_source().map_err(gristmill_pipeline::run::RunError::from)?;
        let (meters, interrupt) = (Meters::new(&self.job.graph), Interrupt::default());
        Ok(gristmill_pipeline::run::run(&self.job.run_plan(&*source, &meters, full, &interrupt))?)
    }

    /// Returns the pipeline as a job, which can be watched, served, or run with meters and an interrupt
    /// (see [`Job::run_plan`]).
    #[must_use]
    pub const fn job(&self) -> &Job {
        &self.job
    }

    /// Converts the pipeline into a job, such as for a query runner.
    #[must_use]
    pub fn into_job(self) -> Job {
        self.job
    }
}

/// Builds a [`Pipeline`]. The order of calls matters only among stages of the same ports.
///
/// A stage takes from the last stage that gives the port which it takes. So an operator from contents to
/// contents stands behind `hash` and before the parser, and the second such operator behind the first;
/// [`stage_after`](Self::stage_after) names another place. A stage with the name of one of the
/// [default stages](Self::default_stages) replaces it. A default stage is left out if no sink and no
/// other stage takes its output.
///
/// A sink takes the last port that it accepts of contents and syntax, and the last of chunks and vectors:
/// Lance takes syntax and vectors, Tantivy takes chunks. [`sink_of`](Self::sink_of) names other inputs.
///
/// ```
/// use gristmill_config::{Directory, Pipeline, PipelineFault};
/// use gristmill_operators::chunk::ChunkConfig;
/// use gristmill_sinks::TantivyConfig;
///
/// let invalid = Pipeline::builder()
///     .source(Directory::new("."))
///     .default_stages()
///     .configured_stage("chunk", ChunkConfig { max_tokens: 1, ..ChunkConfig::default() })
///     .sink("tantivy", TantivyConfig::default())
///     .workers(0)
///     .build();
/// let error = invalid.err().expect("it is invalid");
/// // Every error is reported: no index, no workers, chunks that are too short.
/// assert_eq!(error.faults().len(), 3, "{error}");
/// assert!(matches!(error.faults()[0], PipelineFault::Operator { .. }));
/// ```
#[derive(Default)]
#[must_use]
pub struct PipelineBuilder {
    name: Option<String>,
    source: Option<SourceChoice>,
    index: Option<PathBuf>,
    stages: Vec<LooseStage>,
    has_default_stages: bool,
    sinks: Vec<LooseSink>,
    views: Vec<Arc<dyn View>>,
    mode: Mode,
    workers: Option<usize>,
    plane_workers: Option<usize>,
    memory_limit: Option<u64>,
    keep: Option<u64>,
    vectors: Option<PathBuf>,
    faults: Vec<PipelineFault>,
}

impl PipelineBuilder {
    /// Sets the source: a [`Directory`](super::Directory), or a
    /// [`Source`](gristmill_pipeline::source::Source) of your own.
    pub fn source(mut self, source: impl PipelineSource) -> Self {
        self.source = Some(source.choose());
        self
    }

    /// Sets the index folder. It is created if it does not exist.
    pub fn index(mut self, folder: impl Into<PathBuf>) -> Self {
        self.index = Some(folder.into());
        self
    }

    /// Adds an operator of any role behind the last stage that gives the port which it takes.
    pub fn stage(self, name: impl Into<Box<str>>, operator: impl Into<AnyOperator>) -> Self {
        self.add(name.into(), operator.into(), None)
    }

    /// Adds an operator directly behind a stage, or behind `source`. If it gives the port that it takes,
    /// whatever took from that stage takes from the new one; otherwise it is a branch.
    pub fn stage_after(
        self,
        after: impl Into<Box<str>>,
        name: impl Into<Box<str>>,
        operator: impl Into<AnyOperator>,
    ) -> Self {
        self.add(name.into(), operator.into(), Some(after.into()))
    }

    /// Adds the operator that a configuration builds, as [`stage`](Self::stage) does. Relative paths in
    /// the configuration are relative to the working directory.
    pub fn configured_stage<C: OperatorConfig>(mut self, name: impl Into<Box<str>>, config: C) -> Self {
        let stage = configured(name.into(), config, false, &mut self.faults);
        self.stages.push(stage);
        self
    }

    /// Adds the stages `read`, `hash`, `parse`, `chunk` and `embed` with their default configurations.
    pub fn default_stages(mut self) -> Self {
        self.has_default_stages = true;
        self
    }

    /// Adds a sink, which takes what it accepts. Its rows are stored in a folder of this name.
    pub fn sink(self, name: impl Into<Box<str>>, config: impl SinkConfig + 'static) -> Self {
        self.add_sink(name.into(), None, config)
    }

    /// Adds a sink that takes from these stages.
    pub fn sink_of<I: Into<Box<str>>>(
        self,
        name: impl Into<Box<str>>,
        inputs: impl IntoIterator<Item = I>,
        config: impl SinkConfig + 'static,
    ) -> Self {
        let inputs = inputs.into_iter().map(Into::into).collect();
        self.add_sink(name.into(), Some(inputs), config)
    }

    /// Adds a view, whose table the Lance sink keeps.
    pub fn view(mut self, view: impl View + 'static) -> Self {
        self.views.push(Arc::new(view));
        self
    }

    /// Sets the name in reports and queries. Default: `gristmill`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the execution mode.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets the number of worker threads of the data plane. Default: one per core.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Sets the number of worker threads of the fact plane. Default: 1.
    pub fn plane_workers(mut self, workers: usize) -> Self {
        self.plane_workers = Some(workers);
        self
    }

    /// Sets the bytes that the process should stay within while it indexes; a quarter of them may be source
    /// text and vectors in flight. Default: half of the memory that there is, at most 4 GiB.
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = Some(bytes);
        self
    }

    /// Sets the number of epochs to retain; 0 for all. Default: 16.
    pub fn keep(mut self, epochs: u64) -> Self {
        self.keep = Some(epochs);
        self
    }

    /// Sets a folder of vectors that several indexes share.
    pub fn shared_vectors(mut self, folder: impl Into<PathBuf>) -> Self {
        self.vectors = Some(folder.into());
        self
    }

    /// Checks the pipeline.
    ///
    /// # Errors
    /// [`PipelineError::Invalid`] with every error: of the stages, the sinks, the graph, the source and
    /// the index folder.
    pub fn build(mut self) -> Result<Pipeline, PipelineError> {
        let working = places::absolute(Path::new("."));
        let graph = self.take_graph();
        let (source, own) = self.take_source(&working);
        let index = self.index.as_deref().map(|path| places::resolve(&working, path));
        if index.is_none() {
            self.faults.push(PipelineFault::NoIndex);
        }
        if let Some(source) = &source {
            let unreadable = own.is_none().then(|| places::check_source(&source.root, None)).flatten();
            let unwritable = index.as_ref().and_then(|index| places::check_index(index, &source.root, None));
            let folders = unreadable.into_iter().chain(unwritable);
            self.faults.extend(folders.map(|fault| PipelineFault::Folder(fault.message().to_owned())));
        }
        let (job, defaults) = (JobSection::default(), IndexSection::default());
        let workers = self.positive("workers", self.workers, cores());
        let plane_workers = self.positive("plane_workers", self.plane_workers, job.plane_workers);
        let memory_limit = self.memory_limit.unwrap_or_else(|| crate::default_memory_limit().0);
        let min = source.as_ref().map_or(0, |source| source.max_file_bytes);
        if memory_limit < min {
            self.faults.push(PipelineFault::TooSmall { setting: "memory_limit", min, value: memory_limit });
        }
        let (Some(graph), Some(mut source), Some(index), true) = (graph, source, index, self.faults.is_empty()) else {
            return Err(PipelineError::Invalid(self.faults));
        };
        let vectors = self.vectors.as_deref().map(|path| places::resolve(&working, path));
        source.excluded_folders = [index.clone()].into_iter().chain(vectors.clone()).collect();
        let job = Job {
            name: self.name.unwrap_or_else(|| "gristmill".into()),
            mode: self.mode,
            workers,
            memory_limit,
            plane_workers,
            source,
            index,
            keep: self.keep.unwrap_or(defaults.keep),
            vectors,
            graph,
            views: self.views,
            own_source: own,
        };
        Ok(Pipeline { job })
    }

    fn add(mut self, name: Box<str>, operator: AnyOperator, after: Option<Box<str>>) -> Self {
        let (input, output) = (operator.operator().input(), operator.operator().output());
        let role = Role::Operator(operator);
        self.stages.push(LooseStage { name, input, output, role, after, is_default: false });
        self
    }

    fn add_sink(mut self, name: Box<str>, inputs: Option<Vec<Box<str>>>, config: impl SinkConfig + 'static) -> Self {
        self.sinks.push(LooseSink { name, inputs, config: Arc::new(config) });
        self
    }

    /// Wires the stages and checks the graph.
    fn take_graph(&mut self) -> Option<Graph> {
        let mut stages = std::mem::take(&mut self.stages);
        if self.has_default_stages {
            let faults = &mut self.faults;
            let mut defaults = vec![
                configured("read".into(), ReadConfig::default(), true, faults),
                configured("hash".into(), HashConfig::default(), true, faults),
                configured("parse".into(), ParseConfig::default(), true, faults),
                configured("chunk".into(), ChunkConfig::default(), true, faults),
                configured("embed".into(), StaticConfig::default(), true, faults),
            ];
            defaults.retain(|default| stages.iter().all(|stage| stage.name != default.name));
            stages.splice(0..0, defaults);
        }
        let specs = wire(stages, std::mem::take(&mut self.sinks));
        let names: Vec<Box<str>> = specs.iter().map(|spec| spec.name.clone()).collect();
        self.faults.extend(
            names.iter().filter_map(|name| check_name(name).err().map(|error| PipelineFault::Name(error.message))),
        );
        let takes: Vec<Vec<Port>> = specs.iter().map(takes).collect();
        let errors = match Graph::build(specs) {
            Ok(graph) => {
                let keeps_views =
                    graph.sinks().iter().any(|sink| sink.ports.contains(&Port::Syntax) && sink.config.keeps_views());
                if !self.views.is_empty() && !keeps_views {
                    self.faults.push(PipelineFault::NoPlaceForViews);
                }
                return Some(graph);
            }
            Err(errors) => errors,
        };
        self.faults.extend(errors.into_iter().map(|error| {
            let stage = error.stage.and_then(|nth| Some((names.get(nth)?.clone(), takes.get(nth)?.clone())));
            match (stage, &error.fault) {
                (Some((stage, takes)), GraphFault::NoInput) => PipelineFault::NothingToTake { stage, takes },
                (stage, _) => PipelineFault::Graph { stage: stage.map(|(stage, _)| stage), error },
            }
        }));
        None
    }

    fn take_source(&mut self, working: &Path) -> (Option<SourceConfig>, Option<Arc<OpenSource>>) {
        match self.source.take() {
            None => {
                self.faults.push(PipelineFault::NoSource);
                (None, None)
            }
            Some(SourceChoice::Folder(folder)) => {
                let root = places::resolve(working, &folder.0.root);
                (Some(SourceConfig { root, ..folder.0 }), None)
            }
            Some(SourceChoice::Own(source)) => {
                let root = places::resolve(working, source.place());
                let config = SourceConfig { root, ..SourceConfig::default() };
                (Some(config), Some(Arc::new(move || Ok(Box::new(Arc::clone(&source))))))
            }
        }
    }

    fn positive(&mut self, setting: &'static str, value: Option<usize>, default: NonZeroUsize) -> NonZeroUsize {
        let Some(value) = value else { return default };
        NonZeroUsize::new(value).unwrap_or_else(|| {
            self.faults.push(PipelineFault::TooSmall { setting, min: 1, value: 0 });
            default
        })
    }
}

/// The stage of a configuration. If the operator cannot be built, the stage stands for its ports.
fn configured<C: OperatorConfig>(
    name: Box<str>,
    config: C,
    is_default: bool,
    faults: &mut Vec<PipelineFault>,
) -> LooseStage {
    let input = <C::Operator as Operator>::In::PORT;
    let output = <C::Operator as Operator>::Out::PORT;
    let role = match config.build(&places::absolute(Path::new("."))) {
        Ok(operator) => Role::Operator(operator.into()),
        Err(reason) => {
            faults.push(PipelineFault::Operator { stage: name.clone(), reason });
            Role::Unbuilt { accepts: vec![input], output: Some(output), is_sink: false }
        }
    };
    LooseStage { name, input, output, role, after: None, is_default }
}

/// The ports that a stage takes.
fn takes(spec: &StageSpec) -> Vec<Port> {
    match &spec.role {
        Role::Operator(operator) => vec![operator.operator().input()],
        Role::Sink(config) => config.accepts().to_vec(),
        Role::Unbuilt { accepts, .. } => accepts.clone(),
    }
}
