//! The graph of a job: named stages with typed ports, checked before anything runs.
//!
//! ```text
//! source ─files► read ─contents► hash ─contents► parse ─syntax► chunk ─chunks► embed ─vectors► lance
//!                                                   └─syntax► lance    └─chunks► tantivy
//! ```
//!
//! Up to the syntax the graph is a line, because a content is read and parsed once. From
//! there on it may fan out: several chunk stages, several embed stages, any number of
//! sinks. Each chunk stage is a *lane* of the fact plane, and so is each embed stage.

mod check;
mod render;

pub use check::{Fault, GraphError};
pub use render::Format;

use std::path::Path;
use std::sync::Arc;

use crate::hash::{Fingerprint, Hash};
use crate::operator::ErasedOperator;
use crate::path::RelPath;
use crate::port::{Import, Port};
use crate::sink::{Sink, SinkContext, SinkError, Token};

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

/// What a stage runs.
pub enum Role {
    /// An operator.
    Operator(Arc<dyn ErasedOperator>),
    /// A sink.
    Sink(Arc<dyn SinkFactory>),
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

/// Builds a sink when a run begins.
pub trait SinkFactory: Send + Sync {
    /// The sink's name in configuration, such as `lance`.
    fn kind(&self) -> &str;

    /// The ports that it can store.
    fn accepts(&self) -> &[Port];

    /// Hash of what shapes the rows, apart from its inputs.
    fn fingerprint(&self) -> Fingerprint;

    /// Whether it keeps tables of views.
    fn keeps_views(&self) -> bool {
        false
    }

    /// Gives back the space that only other epochs need than those of these tokens, of
    /// which the last is the newest. No sink is open in the folder.
    ///
    /// # Errors
    /// If the folder cannot be read or written.
    fn retain(&self, _folder: &Path, _tokens: &[Token]) -> Result<(), SinkError> {
        Ok(())
    }

    /// Builds the sink.
    ///
    /// # Errors
    /// If the folder cannot be used.
    fn build(&self, context: SinkContext) -> Result<Box<dyn Sink>, SinkError>;
}

/// A stage of a checked graph.
pub struct Stage {
    /// Its name.
    pub name: Arc<str>,
    /// The stages whose output it takes, by index; empty for one that takes the source.
    pub inputs: Vec<usize>,
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
    Operator(Arc<dyn ErasedOperator>),
    /// A sink.
    Sink(Arc<dyn SinkFactory>),
}

impl Stage {
    /// The operator, if the stage runs one.
    #[must_use]
    pub fn operator(&self) -> Option<&Arc<dyn ErasedOperator>> {
        match &self.body {
            Body::Operator(operator) => Some(operator),
            Body::Sink(_) => None,
        }
    }

    /// The port it gives; a sink gives none.
    #[must_use]
    pub fn output(&self) -> Option<Port> {
        self.operator().map(|operator| operator.output())
    }
}

/// A checked graph.
pub struct Graph {
    stages: Vec<Stage>,
    chunk_lanes: Vec<ChunkLane>,
    embed_lanes: Vec<EmbedLane>,
    sinks: Vec<SinkStage>,
}

/// A chunk stage, as the fact plane sees it.
pub struct ChunkLane {
    /// Its stage.
    pub stage: usize,
    /// The header that its chunks get.
    pub header: crate::port::Header,
}

/// An embed stage, as the fact plane sees it.
pub struct EmbedLane {
    /// Its stage.
    pub stage: usize,
    /// The chunk lane that feeds it.
    pub chunk_lane: usize,
    /// The number of components of its vectors.
    pub dimension: usize,
}

/// A sink stage and the lanes that it stores.
pub struct SinkStage {
    /// Its stage.
    pub stage: usize,
    /// The ports of its inputs.
    pub ports: Vec<Port>,
    /// The chunk lane whose chunks it stores.
    pub chunk_lane: Option<usize>,
    /// The embed lane whose vectors it stores.
    pub embed_lane: Option<usize>,
}

impl Graph {
    /// Checks the stages and builds the graph.
    ///
    /// # Errors
    /// Every error that the stages hold, in the order of the stages.
    pub fn build(specs: Vec<StageSpec>) -> Result<Self, Vec<GraphError>> {
        check::build(specs)
    }

    /// All stages, each after those it takes from.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// The chunk stages.
    #[must_use]
    pub fn chunk_lanes(&self) -> &[ChunkLane] {
        &self.chunk_lanes
    }

    /// The embed stages.
    #[must_use]
    pub fn embed_lanes(&self) -> &[EmbedLane] {
        &self.embed_lanes
    }

    /// The sinks.
    #[must_use]
    pub fn sinks(&self) -> &[SinkStage] {
        &self.sinks
    }

    /// Operator stages that take the output of stage `index`, or of the source.
    pub fn consumers(&self, index: Option<usize>) -> impl Iterator<Item = usize> + '_ {
        self.stages.iter().enumerate().filter_map(move |(consumer, stage)| {
            let takes = match index {
                Some(index) => stage.inputs.contains(&index),
                None => stage.inputs.is_empty(),
            };
            (takes && stage.operator().is_some()).then_some(consumer)
        })
    }

    /// Whether the stage works on one content alone: it comes before the fact plane
    /// decides what to embed.
    #[must_use]
    pub fn is_analysis(&self, index: usize) -> bool {
        self.stages.get(index).and_then(Stage::operator).is_some_and(|operator| operator.output() <= Port::Chunks)
    }

    /// Hash of all that decides what a content's definitions and chunks are.
    #[must_use]
    pub fn analysis_fingerprint(&self) -> Fingerprint {
        let lineages: Vec<Fingerprint> = (0..self.stages.len())
            .filter(|&index| self.is_analysis(index))
            .filter_map(|index| self.stages.get(index).map(|stage| stage.lineage))
            .collect();
        Hash::of_parts(lineages.iter().map(|lineage| lineage.as_bytes().as_slice()))
    }

    /// Hash of what decides the vectors of an embed lane, given a chunk: the embedder and
    /// the header that it sees.
    #[must_use]
    pub fn embed_fingerprint(&self, lane: usize) -> Option<Fingerprint> {
        let lane = self.embed_lanes.get(lane)?;
        let stage = self.stages.get(lane.stage)?;
        let header = self.chunk_lanes.get(lane.chunk_lane)?.header;
        Some(Hash::of_parts([stage.fingerprint.as_bytes().as_slice(), format!("{header:?}").as_bytes()]))
    }

    /// What a file's path says about how to process its content: the variants of all
    /// operators, of which at most one is expected to care.
    #[must_use]
    pub fn variant(&self, path: &RelPath) -> &'static str {
        let operators = self.stages.iter().filter_map(Stage::operator);
        operators.map(|operator| operator.variant(path)).find(|variant| !variant.is_empty()).unwrap_or_default()
    }

    /// See [`Operator::module_names`](crate::Operator::module_names).
    #[must_use]
    pub fn module_names(&self, path: &RelPath) -> Vec<String> {
        self.parser().map_or_else(Vec::new, |parser| parser.module_names(path))
    }

    /// See [`Operator::import_names`](crate::Operator::import_names).
    #[must_use]
    pub fn import_names(&self, path: &RelPath, import: &Import) -> Vec<String> {
        self.parser().map_or_else(Vec::new, |parser| parser.import_names(path, import))
    }

    /// See [`Operator::name_scope`](crate::Operator::name_scope).
    #[must_use]
    pub fn name_scope<'t>(&self, language: &'t str) -> &'t str {
        self.parser().map_or(language, |parser| parser.name_scope(language))
    }

    fn parser(&self) -> Option<&dyn ErasedOperator> {
        self.stages
            .iter()
            .filter_map(Stage::operator)
            .map(|operator| &**operator)
            .find(|operator| operator.output() == Port::Syntax)
    }
}
