//! Errors of pipelines that are built in a program.

use gristmill_pipeline::OperatorConfigError;
use gristmill_pipeline::graph::GraphError;
use gristmill_pipeline::port::Port;
use gristmill_pipeline::run::RunError;

/// A pipeline could not be built or run.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The pipeline is invalid; nothing was run. Every error is listed.
    #[error("invalid pipeline: {}", listed(.0))]
    Invalid(Vec<PipelineFault>),
    /// The run failed. The index holds the epoch that it held before.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl PipelineError {
    /// Returns the errors of the pipeline; empty if it is valid and its run failed.
    #[must_use]
    pub fn faults(&self) -> &[PipelineFault] {
        match self {
            Self::Invalid(faults) => faults,
            Self::Run(_) => &[],
        }
    }
}

fn listed(faults: &[PipelineFault]) -> String {
    match faults {
        [fault] => fault.to_string(),
        faults => faults.iter().map(|fault| format!("\n- {fault}")).collect(),
    }
}

/// One error of a pipeline.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineFault {
    /// There is no source.
    #[error("the pipeline has no source; set one with `source`")]
    NoSource,
    /// There is no index folder.
    #[error("the pipeline has no index folder; set one with `index`")]
    NoIndex,
    /// The source cannot be read, or the index folder cannot be written.
    #[error("{0}")]
    Folder(String),
    /// A number is out of range.
    #[error("`{setting}` must be at least {min}, got {value}")]
    TooSmall {
        /// The method that sets it.
        setting: &'static str,
        /// The minimum.
        min: u64,
        /// The value.
        value: u64,
    },
    /// The name of a stage is not valid.
    #[error("{0}")]
    Name(String),
    /// An operator could not be built from its configuration.
    #[error("stage `{stage}`: {reason}")]
    Operator {
        /// The stage.
        stage: Box<str>,
        /// The error of the configuration.
        reason: OperatorConfigError,
    },
    /// No stage gives what a stage takes.
    #[error("stage `{stage}`: no stage outputs {}; add one, or all with `default_stages`", ports(takes))]
    NothingToTake {
        /// The stage.
        stage: Box<str>,
        /// The ports that it takes.
        takes: Vec<Port>,
    },
    /// The stages form no valid graph.
    #[error("{}{error}", prefix(stage.as_deref()))]
    Graph {
        /// The stage; `None` for the graph as a whole.
        stage: Option<Box<str>>,
        /// What is wrong.
        error: GraphError,
    },
    /// There are views, and no sink that keeps their tables.
    #[error("the pipeline has views, but no sink keeps their tables; add a Lance sink that takes `syntax`")]
    NoPlaceForViews,
}

fn ports(takes: &[Port]) -> String {
    super::listed::listed(takes.iter().map(|port| port.as_str()))
}

fn prefix(stage: Option<&str>) -> String {
    stage.map_or_else(String::new, |stage| format!("stage `{stage}`: "))
}
