//! What can be wrong with a graph.

use std::fmt;

use super::SOURCE;
use crate::port::Port;

/// An error in a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphError {
    /// The stage, as an index into what was given; `None` for the graph as a whole.
    pub stage: Option<usize>,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Two stages have this name, or it is [`SOURCE`].
    DuplicateName(Box<str>),
    /// The stage takes from none.
    NoInput,
    /// The stage takes from a name that is no stage; the nearest name, if one is near.
    UnknownInput {
        /// The unknown name.
        input: Box<str>,
        /// A name that was perhaps meant.
        nearest: Option<Box<str>>,
    },
    /// The stage takes from a sink, which gives nothing.
    InputIsSink(Box<str>),
    /// An operator takes from one stage only.
    TooManyInputs(usize),
    /// The stage's input gives a port that the stage does not take.
    PortMismatch {
        /// The stage that it takes from.
        input: Box<str>,
        /// What that stage gives.
        gives: Port,
        /// What this stage takes.
        takes: Vec<Port>,
    },
    /// The sink has two inputs of one kind.
    RepeatedPort {
        /// The port of both.
        port: Port,
        /// The inputs.
        inputs: [Box<str>; 2],
    },
    /// The sink takes chunks and vectors that come from different chunk stages.
    ForeignChunks {
        /// The chunk stage that the sink takes from.
        chunks: Box<str>,
        /// The embed stage that the sink takes from.
        vectors: Box<str>,
    },
    /// The stage is part of a cycle, which these stages form.
    Cycle(Vec<Box<str>>),
    /// Nothing comes from the source to this stage.
    Unreachable,
    /// The output of this stage is stored nowhere.
    Unused,
    /// A second stage takes this output, from which the graph cannot fan out.
    FanOut {
        /// The port that two stages take.
        port: Port,
        /// The stage that takes it already.
        other: Box<str>,
    },
    /// The stage turns contents into syntax without being a [`Parser`](crate::Parser).
    NotAParser,
    /// The stage turns syntax into chunks without being a [`Chunker`](crate::Chunker).
    NotAChunker,
    /// The stage turns chunks into vectors without being an [`Embedder`](crate::Embedder).
    NotAnEmbedder,
    /// The stage turns chunks into chunks, but its items are
    /// [`Passage`](crate::port::Passage)s, which only embedders take.
    MovesPassages,
    /// No kind of operator has these ports.
    NoRole {
        /// The port that the stage takes.
        takes: Port,
        /// The port that it outputs.
        gives: Port,
    },
    /// Two stages declare this extra column for the same rows.
    RepeatedColumn {
        /// The column.
        column: Box<str>,
        /// The stage that has it already.
        other: Box<str>,
    },
    /// An extra column has a name that no column can have.
    BadColumn(Box<str>),
    /// The graph has no sink.
    NoSink,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateName(name) if &**name == SOURCE => {
                write!(f, "the stage name `{SOURCE}` is reserved for the files of the source; choose another name")
            }
            Self::DuplicateName(name) => write!(f, "duplicate stage name `{name}`; stage names must be unique"),
            Self::NoInput => write!(f, "the stage has no input; set `input` to the name of a stage or to `{SOURCE}`"),
            Self::UnknownInput { input, nearest: Some(nearest) } => {
                write!(f, "unknown input stage `{input}`; did you mean `{nearest}`?")
            }
            Self::UnknownInput { input, nearest: None } => write!(f, "unknown input stage `{input}`"),
            Self::InputIsSink(input) => {
                write!(f, "`{input}` is a sink and has no output; use a stage that runs an operator")
            }
            Self::TooManyInputs(count) => write!(f, "an operator takes exactly 1 input, got {count}"),
            Self::PortMismatch { input, gives, takes } => {
                let takes: Vec<&str> = takes.iter().map(|port| port.as_str()).collect();
                write!(
                    f,
                    "port mismatch: `{input}` outputs `{gives}`, but this stage accepts `{}`",
                    takes.join("` or `")
                )
            }
            Self::RepeatedPort { port, inputs: [first, second] } => {
                write!(
                    f,
                    "`{first}` and `{second}` both output `{port}`, and a sink stores one input per port; use two sinks"
                )
            }
            Self::ForeignChunks { chunks, vectors } => {
                write!(f, "the chunks of `{chunks}` are not those that `{vectors}` embeds; use two sinks")
            }
            Self::Cycle(names) => write!(f, "the stages {} form a cycle", names.join(" → ")),
            Self::Unreachable => write!(f, "this stage is unreachable from the source"),
            Self::Unused => write!(f, "no sink stores the output of this stage; add a sink, or remove the stage"),
            Self::FanOut { port, other } => {
                write!(
                    f,
                    "`{other}` already takes this `{port}` output; a graph fans out only after the last stage that outputs `syntax`"
                )
            }
            Self::NotAParser => write!(f, "a stage that takes `contents` and outputs `syntax` must be a `Parser`"),
            Self::NotAChunker => write!(f, "a stage that takes `syntax` and outputs `chunks` must be a `Chunker`"),
            Self::NotAnEmbedder => write!(f, "a stage that takes `chunks` and outputs `vectors` must be an `Embedder`"),
            Self::MovesPassages => {
                write!(
                    f,
                    "a stage that takes and outputs `chunks` must use the type `Chunked`; only an `Embedder` takes `Passage`"
                )
            }
            Self::NoRole { takes, gives } => {
                write!(f, "unsupported ports: an operator cannot take `{takes}` and output `{gives}`")
            }
            Self::RepeatedColumn { column, other } => {
                write!(f, "`{other}` adds a column `{column}` already; rename one of them")
            }
            Self::BadColumn(column) => write!(
                f,
                "`{column}` is not a valid column name; use lower-case letters, digits and `_`, beginning with a letter"
            ),
            Self::NoSink => write!(f, "the graph has no sink and would store nothing; add a stage with `sink = …`"),
        }
    }
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}

impl std::error::Error for GraphError {}
