//! Executors: how the stages of the data plane run.
//!
//! | mode | analysis | embedding | sinks |
//! |---|---|---|---|
//! | `sequential` | one file through all stages, in path order, on the calling thread | likewise | on the calling thread |
//! | `parallel` | each worker of a rayon pool takes a file from read to chunk | on the same pool, before further files | a thread each |
//! | `pipeline` | every stage has an inbox counted in bytes; workers go to where work waits | a stage like the others, batched across files | a thread each |
//!
//! Where reads wait, as from a network mount, more threads read than compute, but in `sequential`: see `reading`.
//! An embedder that waits for requests to a server holds no worker meanwhile, but in `sequential`: see
//! `requests`.
//!
//! What they execute is the same: a [`Task`] goes in, an [`Outcome`] comes out. Between
//! the two kinds of task stands the fact plane, which says what has to be embedded.

mod analysis;
mod budget;
mod embedding;
mod line_stage;
mod parallel;
mod pipeline;
mod reading;
mod requests;
mod sequential;
mod stage;

pub(crate) use analysis::{Analysed, Line};
pub(crate) use budget::{Budget, Lease};
pub(crate) use embedding::EmbedLine;
use reading::ReadWatch;
pub use stage::StandaloneStage;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use gristmill_ids::{ContentKey, EmbedLaneId, PassageKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diagnostic::Diagnostic;
use crate::graph::{EmbedLane, Graph};
use crate::interrupt::Interrupt;
use crate::measure::Meters;
use crate::operator::{AnswerLog, OperatorError};
use crate::path::RelPath;
use crate::port::{FileItem, Passage, Vector};

/// How a graph is executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One thread, one file through all stages, in path order.
    Sequential,
    /// Each worker takes a file from read to chunk; sinks take batches.
    #[default]
    Parallel,
    /// Every stage at once, with bounded channels between them.
    Pipeline,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Sequential, Self::Parallel, Self::Pipeline];

    /// The name used in configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sequential => "sequential",
            Self::Parallel => "parallel",
            Self::Pipeline => "pipeline",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|mode| mode.as_str() == name);
        known.ok_or_else(|| format!("`{name}` is no mode; the modes are sequential, parallel and pipeline"))
    }
}

/// Something for the data plane to do.
pub(crate) enum Task {
    /// Take a file from read to chunk.
    Analyse {
        /// The content's key, which the outcome repeats.
        key: ContentKey,
        /// The file that stands for the content.
        file: Arc<FileItem>,
        /// Its share of the memory limit, held until its rows are written.
        lease: Lease,
    },
    /// Embed passages.
    Embed {
        /// The embed lane.
        lane: EmbedLaneId,
        /// The passages.
        passages: Vec<Arc<Passage>>,
    },
}

/// What became of a task, or of a part of it.
pub(crate) enum Outcome {
    /// A file was analysed.
    Analysed(Analysed),
    /// Passages were embedded. A passage that is named in none of the two lists is still
    /// to come.
    Embedded {
        /// The embed lane.
        lane: EmbedLaneId,
        /// The number of passages that this outcome is for.
        asked: usize,
        /// The vectors, at most one per passage.
        vectors: Vec<Vector>,
        /// Passages for which there will be none, and why.
        failed: Vec<(PassageKey, RelPath, Diagnostic)>,
    },
}

/// Runs tasks. The conductor of an epoch is its only caller.
pub(crate) trait Executor {
    /// Takes a task. It may wait for room.
    fn submit(&mut self, task: Task);

    /// The next outcome; waits for it if any task is under way, and gives `None` if not.
    fn next(&mut self) -> Option<Result<Outcome, OperatorError>>;

    /// An outcome that is there already.
    fn try_next(&mut self) -> Option<Result<Outcome, OperatorError>>;

    /// How many analyses are under way or waiting.
    fn analysing(&self) -> usize;
}

/// The stages of the data plane as executors run them.
pub(crate) struct DataPlane {
    pub(crate) line: Line,
    /// By embed lane the stages that make its vectors.
    pub(crate) embedders: Vec<EmbedLine>,
}

/// Takes out the embedders that wait for something outside of the machine.
fn take_waiting(embedders: &mut Vec<EmbedLine>) -> Vec<EmbedLine> {
    embedders.extract_if(.., |line| line.embedder.operator.operator().requests() > 0).collect()
}

impl DataPlane {
    pub(crate) fn new(
        graph: &Graph,
        meters: &Meters,
        interrupt: &Interrupt,
        answers: &dyn Fn(&EmbedLane) -> AnswerLog,
    ) -> Self {
        let lanes = graph.embed_lanes().iter();
        let embedders = lanes.filter_map(|lane| EmbedLine::new(graph, meters, interrupt, lane, answers)).collect();
        Self { line: Line::new(graph, meters, interrupt), embedders }
    }
}

/// Starts an executor.
pub(crate) fn start(
    mode: Mode,
    workers: usize,
    memory_limit: u64,
    graph: &Graph,
    meters: &Meters,
    interrupt: &Interrupt,
    answers: &dyn Fn(&EmbedLane) -> AnswerLog,
) -> Result<Box<dyn Executor>, String> {
    let plane = DataPlane::new(graph, meters, interrupt, answers);
    let reads = ReadWatch::new(graph, meters);
    Ok(match mode {
        Mode::Sequential => Box::new(sequential::Sequential::new(plane)),
        Mode::Parallel => Box::new(parallel::Parallel::start(plane, workers, reads)?),
        Mode::Pipeline => Box::new(pipeline::Pipeline::start(plane, workers, memory_limit, graph, reads)?),
    })
}
