//! The graph of a job: named stages with typed ports, checked before anything runs.
//!
//! ```text
//! source ─files► read ─contents► hash ─contents► parse ─syntax► chunk ─chunks► embed ─vectors► lance
//!                                                   └─syntax► lance    └─chunks► tantivy
//! ```
//!
//! An operator fits wherever its ports do: one that gives the port that it takes can stand
//! anywhere on that edge, several in a row. Up to the syntax the graph is a line, because a
//! content is read and parsed once. From there on it may fan out: several chunk stages,
//! several embed stages, any number of sinks. A stage whose chunks are embedded or stored is
//! a *chunk lane* of the fact plane, and one whose vectors are stored ends an *embed lane*.

mod build;
mod check;
mod fault;
mod query;
mod render;
mod role;

pub use fault::{Fault, GraphError};
pub use query::QueryEmbedder;
pub use render::Format;

use std::sync::Arc;

use gristmill_ids::{ChunkLaneId, EmbedLaneId, Fingerprint, Hash, StageId};

use crate::extra::{ExtraColumn, ExtraOwner};
use crate::operator::{
    AnyOperator, Declared, ErasedEmbedder, ErasedOperator, ErasedParser, ModuleName, ModulePlace, ModuleUnit,
};
use crate::path::RelPath;
use crate::port::{Header, Import, Port};
use crate::sink::SinkConfig;

/// The name by which stages take the files that the source names.
pub const SOURCE: &str = "source";

/// A stage as configured.
pub struct StageSpec {
    /// Its name, unique in the graph.
    pub name: Box<str>,
    /// The names of the stages whose output it takes, or [`SOURCE`].
    pub inputs: Vec<Box<str>>,
    /// What it runs.
    pub role: Role,
    /// How many workers it wishes for in `pipeline` mode.
    pub workers: usize,
    /// How many bytes may wait for it in `pipeline` mode, if configured.
    pub queue_bytes: Option<u64>,
}

impl StageSpec {
    /// A stage with one worker and an equal share of the memory limit.
    pub fn new<I: Into<Box<str>>>(
        name: impl Into<Box<str>>,
        inputs: impl IntoIterator<Item = I>,
        role: impl Into<Role>,
    ) -> Self {
        let inputs = inputs.into_iter().map(Into::into).collect();
        Self { name: name.into(), inputs, role: role.into(), workers: 1, queue_bytes: None }
    }
}

/// What a stage runs.
pub enum Role {
    /// An operator.
    Operator(AnyOperator),
    /// A sink.
    Sink(Arc<dyn SinkConfig>),
    /// Something that could not be built. It is an error already, reported by whoever
    /// tried; the ports are what is known of it, so that the rest can be checked.
    Unbuilt {
        /// The ports it would take; empty if unknown.
        accepts: Vec<Port>,
        /// The port it would give.
        output: Option<Port>,
        /// Whether it is a sink.
        is_sink: bool,
    },
}

impl From<AnyOperator> for Role {
    fn from(operator: AnyOperator) -> Self {
        Self::Operator(operator)
    }
}

impl<S: SinkConfig + 'static> From<Arc<S>> for Role {
    fn from(sink: Arc<S>) -> Self {
        Self::Sink(sink)
    }
}

/// A stage of a checked graph.
pub struct Stage {
    /// Its place in the graph.
    pub id: StageId,
    /// Its name.
    pub name: Arc<str>,
    /// The stages whose output it takes; empty for one that takes the source.
    pub inputs: Vec<StageId>,
    /// What it runs.
    pub body: Body,
    /// How many workers it wishes for in `pipeline` mode.
    pub workers: usize,
    /// How many bytes may wait for it in `pipeline` mode, if configured.
    pub queue_bytes: Option<u64>,
    /// Hash of the stage's own code and configuration.
    pub fingerprint: Fingerprint,
    /// Hash of its fingerprint and those of all stages before it: it changes when
    /// anything does that its output depends on.
    pub lineage: Fingerprint,
}

/// What a checked stage runs.
pub enum Body {
    /// An operator.
    Operator(AnyOperator),
    /// A sink.
    Sink(Arc<dyn SinkConfig>),
}

impl Stage {
    /// The operator, if the stage runs one.
    #[must_use]
    pub fn operator(&self) -> Option<&dyn ErasedOperator> {
        match &self.body {
            Body::Operator(operator) => Some(operator.operator()),
            Body::Sink(_) => None,
        }
    }

    /// The port it gives; a sink gives none.
    #[must_use]
    pub fn output(&self) -> Option<Port> {
        self.operator().map(ErasedOperator::output)
    }

    /// The dimension of its vectors, given the dimension of its input.
    fn dimension(&self, input: usize) -> usize {
        match &self.body {
            Body::Operator(operator) => operator.dimension(input),
            Body::Sink(_) => input,
        }
    }
}

/// A checked graph.
pub struct Graph {
    stages: Vec<Stage>,
    chunk_lanes: Vec<ChunkLane>,
    embed_lanes: Vec<EmbedLane>,
    sinks: Vec<SinkStage>,
    columns: Vec<ExtraColumn>,
}

/// A stage whose chunks are embedded or stored.
pub struct ChunkLane {
    /// Its place among the chunk lanes.
    pub id: ChunkLaneId,
    /// Its stage.
    pub stage: StageId,
    /// The header of the passages that are made from its chunks.
    pub header: Header,
}

/// An embedder, with the operators on vectors behind it.
pub struct EmbedLane {
    /// Its place among the embed lanes.
    pub id: EmbedLaneId,
    /// The embed stage.
    pub stage: StageId,
    /// The stages that its vectors go through, in order.
    pub maps: Vec<StageId>,
    /// The chunk lane that feeds it.
    pub chunk_lane: ChunkLaneId,
    /// The number of components of its vectors, after the last stage.
    pub dimension: usize,
    /// Hash of what decides its vectors, given a chunk: the embedder, the header that it
    /// sees, and the stages behind it.
    pub fingerprint: Fingerprint,
    /// Its embedding space. Lanes with equal fingerprints share one: they give equal chunks
    /// equal vectors.
    pub(crate) space: SpaceId,
    embedder: Arc<dyn ErasedEmbedder>,
}

/// The index of an embedding space of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SpaceId(usize);

impl SpaceId {
    pub(crate) const fn index(self) -> usize {
        self.0
    }
}

/// A sink stage and the lanes that it stores.
pub struct SinkStage {
    /// Its stage.
    pub stage: StageId,
    /// Its name.
    pub name: Arc<str>,
    /// What builds it.
    pub config: Arc<dyn SinkConfig>,
    /// The ports of its inputs.
    pub ports: Vec<Port>,
    /// The chunk lane whose chunks it stores.
    pub chunk_lane: Option<ChunkLaneId>,
    /// The embed lane whose vectors it stores.
    pub embed_lane: Option<EmbedLaneId>,
    /// The number of components of these vectors.
    pub dimension: Option<usize>,
    /// The extra columns of the rows that it stores.
    pub columns: Vec<ExtraColumn>,
    /// Hash of all that decides the form of its rows.
    pub shape: Fingerprint,
}

impl Graph {
    /// Checks the stages and builds the graph.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use gristmill_pipeline::graph::StageSpec;
    /// use gristmill_pipeline::port::Header;
    /// use gristmill_pipeline::testing::{Embed, Lines, Memory, Parse, Read, Shorten};
    /// use gristmill_pipeline::{AnyOperator, Graph};
    ///
    /// let stages = |input: &str| {
    ///     vec![
    ///         StageSpec::new("read", ["source"], AnyOperator::plain(Read)),
    ///         StageSpec::new("parse", ["read"], AnyOperator::parser(Parse::default())),
    ///         StageSpec::new("chunk", ["parse"], AnyOperator::chunker(Lines { header: Header::Path })),
    ///         StageSpec::new("embed", ["chunk"], AnyOperator::embedder(Embed::default())),
    ///         StageSpec::new("shorten", [input], AnyOperator::vector_map(Shorten { dimension: 1, factor: 1 })),
    ///         StageSpec::new("store", ["parse", "shorten"], Arc::new(Memory::default())),
    ///     ]
    /// };
    /// let graph = Graph::build(stages("embed"));
    /// assert_eq!(graph.map(|graph| graph.embed_lanes()[0].dimension), Ok(1));
    ///
    /// let errors = Graph::build(stages("chunk")).err().unwrap_or_default();
    /// assert_eq!(errors[0].to_string(), "port mismatch: `chunk` outputs `chunks`, but this stage accepts `vectors`");
    /// ```
    ///
    /// # Errors
    /// Every error that the stages hold, in the order of the stages.
    pub fn build(specs: Vec<StageSpec>) -> Result<Self, Vec<GraphError>> {
        check::check(&specs).and_then(|inputs| build::build(specs, &inputs))
    }

    /// All stages, each after those it takes from.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// A stage. The id must be one of this graph's.
    #[must_use]
    pub fn stage(&self, id: StageId) -> &Stage {
        &self.stages[id.index()]
    }

    /// The chunk lanes.
    #[must_use]
    pub fn chunk_lanes(&self) -> &[ChunkLane] {
        &self.chunk_lanes
    }

    /// A chunk lane. The id must be one of this graph's.
    #[must_use]
    pub fn chunk_lane(&self, id: ChunkLaneId) -> &ChunkLane {
        &self.chunk_lanes[id.index()]
    }

    /// The embed lanes.
    #[must_use]
    pub fn embed_lanes(&self) -> &[EmbedLane] {
        &self.embed_lanes
    }

    /// An embed lane. The id must be one of this graph's.
    #[must_use]
    pub fn embed_lane(&self, id: EmbedLaneId) -> &EmbedLane {
        &self.embed_lanes[id.index()]
    }

    /// The first lane of each embedding space.
    pub(crate) fn spaces(&self) -> impl Iterator<Item = &EmbedLane> {
        let lanes = self.embed_lanes.iter().enumerate();
        lanes
            .filter(|(nth, lane)| self.embed_lanes[..*nth].iter().all(|other| other.space != lane.space))
            .map(|it| it.1)
    }

    /// The sinks.
    #[must_use]
    pub fn sinks(&self) -> &[SinkStage] {
        &self.sinks
    }

    /// Hash of what decides the vectors that a sink stores.
    pub(crate) fn stored_vectors(&self, sink: &SinkStage) -> Option<Fingerprint> {
        sink.embed_lane.map(|lane| self.embed_lane(lane).fingerprint)
    }

    /// Hash of what decides the chunks that a sink stores. With a single chunk lane that is
    /// the [analysis fingerprint](Self::analysis_fingerprint), and this is `None`.
    pub(crate) fn stored_chunks(&self, sink: &SinkStage) -> Option<Fingerprint> {
        let lane = sink.chunk_lane.filter(|_| self.chunk_lanes.len() > 1)?;
        Some(self.stage(self.chunk_lane(lane).stage).lineage)
    }

    /// The extra columns that operators add to these rows.
    pub fn columns(&self, owner: ExtraOwner) -> impl Iterator<Item = &ExtraColumn> {
        self.columns.iter().filter(move |column| column.owner == owner)
    }

    /// The extra columns declared by a stage and the stages before it.
    pub(crate) fn columns_before(&self, stage: StageId) -> Vec<ExtraColumn> {
        build::lineage(&self.stages, stage)
            .filter_map(|id| self.stage(id).operator())
            .flat_map(ErasedOperator::columns)
            .collect()
    }

    /// Operator stages that take the output of a stage, or of the source.
    pub fn consumers(&self, of: Option<StageId>) -> impl Iterator<Item = StageId> + '_ {
        self.stages.iter().filter_map(move |stage| {
            let takes = match of {
                Some(of) => stage.inputs.contains(&of),
                None => stage.inputs.is_empty(),
            };
            (takes && stage.operator().is_some()).then_some(stage.id)
        })
    }

    /// The stages that work on one content alone, which come before the fact plane decides
    /// what to embed.
    pub fn analysis(&self) -> impl Iterator<Item = &Stage> {
        self.stages.iter().filter(|stage| stage.output().is_some_and(|output| output <= Port::Chunks))
    }

    /// Hash of all that decides what a content's definitions and chunks are.
    #[must_use]
    pub fn analysis_fingerprint(&self) -> Fingerprint {
        let lineages: Vec<Fingerprint> = self.analysis().map(|stage| stage.lineage).collect();
        Hash::of_parts(lineages.iter().map(|lineage| lineage.as_bytes().as_slice()))
    }

    /// Hash of all that decides what rows a content leads to.
    #[must_use]
    pub fn rows_fingerprint(&self) -> Fingerprint {
        let embedders = self.embed_lanes.iter().map(|lane| lane.fingerprint);
        let all: Vec<Fingerprint> = [self.analysis_fingerprint()].into_iter().chain(embedders).collect();
        Hash::of_parts(all.iter().map(|fingerprint| fingerprint.as_bytes().as_slice()))
    }

    /// The parser's [variant](crate::Operator::variant) of a path.
    #[must_use]
    pub fn variant(&self, path: &RelPath) -> &'static str {
        self.parser().map_or("", |parser| parser.variant(path))
    }

    /// The non-empty [variants](crate::Operator::variant) of a path, over all operators.
    pub(crate) fn variants(&self, path: &RelPath) -> impl Iterator<Item = (&Stage, &'static str)> {
        let variants = self.stages.iter().filter_map(|stage| Some((stage, stage.operator()?.variant(path))));
        variants.filter(|(_, variant)| !variant.is_empty())
    }

    /// Whether all operators process equal bytes under these two paths alike.
    pub(crate) fn are_alike(&self, left: &RelPath, right: &RelPath) -> bool {
        self.stages.iter().filter_map(Stage::operator).all(|operator| operator.variant(left) == operator.variant(right))
    }

    /// See [`Parser::module_names`](crate::Parser::module_names).
    #[must_use]
    pub fn module_names(&self, path: &RelPath) -> Vec<String> {
        self.parser().map_or_else(Vec::new, |parser| parser.module_names(path))
    }

    /// See [`Parser::import_names`](crate::Parser::import_names).
    #[must_use]
    pub fn import_names(&self, path: &RelPath, import: &Import) -> Vec<ModuleName> {
        self.parser().map_or_else(Vec::new, |parser| parser.import_names(path, import))
    }

    /// See [`Parser::local_names`](crate::Parser::local_names).
    #[must_use]
    pub fn local_names(&self, path: &RelPath, import: &Import) -> Vec<Box<str>> {
        self.parser().map_or_else(Vec::new, |parser| parser.local_names(path, import))
    }

    /// See [`Parser::module_places`](crate::Parser::module_places).
    #[must_use]
    pub fn module_places(&self, path: &RelPath) -> Vec<ModulePlace> {
        self.parser().map_or_else(Vec::new, |parser| parser.module_places(path))
    }

    /// See [`Parser::declared`](crate::Parser::declared).
    #[must_use]
    pub fn declared(&self, path: &RelPath, import: &Import) -> Option<Declared> {
        self.parser().and_then(|parser| parser.declared(path, import))
    }

    /// See [`Parser::implied_imports`](crate::Parser::implied_imports).
    #[must_use]
    pub fn implied_imports(&self, path: &RelPath) -> Vec<Import> {
        self.parser().map_or_else(Vec::new, |parser| parser.implied_imports(path))
    }

    /// See [`Parser::unit`](crate::Parser::unit).
    #[must_use]
    pub fn unit(&self, path: &RelPath) -> ModuleUnit {
        self.parser().map_or_else(ModuleUnit::default, |parser| parser.unit(path))
    }

    /// See [`Parser::name_scope`](crate::Parser::name_scope).
    #[must_use]
    pub fn name_scope<'t>(&self, language: &'t str) -> &'t str {
        self.parser().map_or(language, |parser| parser.name_scope(language))
    }

    fn parser(&self) -> Option<&dyn ErasedParser> {
        self.stages.iter().find_map(|stage| match &stage.body {
            Body::Operator(AnyOperator::Parser(parser)) => Some(&**parser),
            Body::Operator(_) | Body::Sink(_) => None,
        })
    }
}
