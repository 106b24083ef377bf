//! The one check of a graph: it finds every error, not the first.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::{Body, ChunkLane, EmbedLane, Graph, Role, SOURCE, SinkStage, Stage, StageSpec};
use crate::hash::Hash;
use crate::nearest::nearest;
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
    /// A second stage takes this port, from which the graph cannot fan out.
    FanOut {
        /// The port that two stages take.
        port: Port,
        /// The stage that takes it already.
        other: Box<str>,
    },
    /// The embed stage does not say how many components its vectors have.
    NoDimension,
    /// The graph has no sink.
    NoSink,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateName(name) if &**name == SOURCE => {
                write!(f, "the name `{SOURCE}` stands for the files of the source; choose another")
            }
            Self::DuplicateName(name) => write!(f, "a stage named `{name}` exists already; names must differ"),
            Self::NoInput => write!(f, "the stage takes from no other; set `input` to a stage or to `{SOURCE}`"),
            Self::UnknownInput { input, nearest: Some(nearest) } => {
                write!(f, "there is no stage `{input}`; did you mean `{nearest}`?")
            }
            Self::UnknownInput { input, nearest: None } => write!(f, "there is no stage `{input}`"),
            Self::InputIsSink(input) => write!(f, "`{input}` is a sink and gives nothing to take"),
            Self::TooManyInputs(count) => write!(f, "an operator takes from one stage, not from {count}"),
            Self::PortMismatch { input, gives, takes } => {
                let takes: Vec<&str> = takes.iter().map(|port| port.as_str()).collect();
                write!(f, "`{input}` gives `{gives}`, but this stage takes `{}`", takes.join("` or `"))
            }
            Self::RepeatedPort { port, inputs: [first, second] } => {
                write!(f, "`{first}` and `{second}` both give `{port}`, and a sink stores one of each; use two sinks")
            }
            Self::ForeignChunks { chunks, vectors } => {
                write!(f, "the chunks of `{chunks}` are not those that `{vectors}` embeds; use two sinks")
            }
            Self::Cycle(names) => write!(f, "the stages {} feed each other in a circle", names.join(" → ")),
            Self::Unreachable => write!(f, "nothing reaches this stage from the source"),
            Self::Unused => write!(f, "no sink stores what this stage gives; add a sink, or remove the stage"),
            Self::FanOut { port, other } => {
                write!(f, "`{other}` takes these `{port}` already; a graph fans out after `syntax` and `chunks` only")
            }
            Self::NoDimension => write!(f, "the embed stage does not say how many components its vectors have"),
            Self::NoSink => write!(f, "the graph has no sink, so it would store nothing; add a stage with `sink = …`"),
        }
    }
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}

impl std::error::Error for GraphError {}

/// Where a stage's input comes from, once its name is resolved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Input {
    Source,
    Stage(usize),
}

struct Check<'a> {
    specs: &'a [StageSpec],
    inputs: Vec<Vec<Input>>,
    errors: Vec<GraphError>,
}

pub(super) fn build(specs: Vec<StageSpec>) -> Result<Graph, Vec<GraphError>> {
    let mut check = Check { specs: &specs, inputs: Vec::new(), errors: Vec::new() };
    check.resolve_names();
    check.check_ports();
    check.check_cycles_and_reach();
    check.check_fan_out();
    let Check { inputs, mut errors, .. } = check;
    errors.sort_by_key(|error| error.stage.unwrap_or(usize::MAX));
    let buildable = specs.iter().all(|spec| !matches!(spec.role, Role::Unbuilt { .. }));
    if errors.is_empty() && buildable { compile(specs, &inputs) } else { Err(errors) }
}

fn accepts(role: &Role) -> Vec<Port> {
    match role {
        Role::Operator(operator) => vec![operator.input()],
        Role::Sink(factory) => factory.accepts().to_vec(),
        Role::Unbuilt { accepts, .. } => accepts.clone(),
    }
}

fn output(role: &Role) -> Option<Port> {
    match role {
        Role::Operator(operator) => Some(operator.output()),
        Role::Sink(_) => None,
        Role::Unbuilt { output, .. } => *output,
    }
}

fn is_sink(role: &Role) -> bool {
    matches!(role, Role::Sink(_) | Role::Unbuilt { is_sink: true, .. })
}

impl Check<'_> {
    fn fault(&mut self, stage: usize, fault: Fault) {
        self.errors.push(GraphError { stage: Some(stage), fault });
    }

    fn resolve_names(&mut self) {
        let specs = self.specs;
        let mut names: HashMap<&str, usize> = HashMap::new();
        for (index, spec) in specs.iter().enumerate() {
            if &*spec.name == SOURCE || names.contains_key(&*spec.name) {
                self.fault(index, Fault::DuplicateName(spec.name.clone()));
            } else {
                names.insert(&spec.name, index);
            }
        }
        for (index, spec) in specs.iter().enumerate() {
            let mut resolved = Vec::new();
            for input in &spec.inputs {
                match names.get(&**input) {
                    _ if &**input == SOURCE => resolved.push(Input::Source),
                    Some(&from) if is_sink(&specs[from].role) => self.fault(index, Fault::InputIsSink(input.clone())),
                    Some(&from) => resolved.push(Input::Stage(from)),
                    None => {
                        let nearest = nearest(input, names.keys().copied().chain([SOURCE])).map(Into::into);
                        self.fault(index, Fault::UnknownInput { input: input.clone(), nearest });
                    }
                }
            }
            if spec.inputs.is_empty() {
                self.fault(index, Fault::NoInput);
            } else if spec.inputs.len() > 1 && !is_sink(&spec.role) {
                self.fault(index, Fault::TooManyInputs(spec.inputs.len()));
            }
            self.inputs.push(resolved);
        }
        if !specs.iter().any(|spec| is_sink(&spec.role)) {
            self.errors.push(GraphError { stage: None, fault: Fault::NoSink });
        }
    }

    fn name_of(&self, input: Input) -> Box<str> {
        match input {
            Input::Source => SOURCE.into(),
            Input::Stage(index) => self.specs[index].name.clone(),
        }
    }

    fn port_of(&self, input: Input) -> Option<Port> {
        match input {
            Input::Source => Some(Port::Files),
            Input::Stage(index) => output(&self.specs[index].role),
        }
    }

    fn check_ports(&mut self) {
        for index in 0..self.specs.len() {
            let takes = accepts(&self.specs[index].role);
            let mut seen: HashMap<Port, Input> = HashMap::new();
            for input in self.inputs[index].clone() {
                let Some(gives) = self.port_of(input) else { continue };
                if !takes.is_empty() && !takes.contains(&gives) {
                    let fault = Fault::PortMismatch { input: self.name_of(input), gives, takes: takes.clone() };
                    self.fault(index, fault);
                } else if let Some(first) = seen.insert(gives, input) {
                    let inputs = [self.name_of(first), self.name_of(input)];
                    self.fault(index, Fault::RepeatedPort { port: gives, inputs });
                }
            }
            if let (Some(&chunks), Some(&vectors)) = (seen.get(&Port::Chunks), seen.get(&Port::Vectors))
                && let Input::Stage(embed) = vectors
                && self.inputs[embed].first().is_some_and(|&fed_by| fed_by != chunks)
            {
                let fault = Fault::ForeignChunks { chunks: self.name_of(chunks), vectors: self.name_of(vectors) };
                self.fault(index, fault);
            }
            if let Role::Operator(operator) = &self.specs[index].role
                && operator.output() == Port::Vectors
                && operator.dimension().is_none()
            {
                self.fault(index, Fault::NoDimension);
            }
        }
    }

    /// Reports each cycle once, at its first stage, and stages that are cut off for no
    /// reason reported elsewhere.
    fn check_cycles_and_reach(&mut self) {
        let count = self.specs.len();
        let mut in_cycle = vec![false; count];
        for start in 0..count {
            // Operators have one input, so following it finds any cycle they are on.
            let mut trail = vec![start];
            let mut at = start;
            while let Some(&Input::Stage(next)) = self.inputs[at].first() {
                if next == start {
                    if trail.iter().all(|&stage| !in_cycle[stage]) {
                        let names = trail.iter().rev().map(|&stage| self.specs[stage].name.clone()).collect();
                        self.fault(start, Fault::Cycle(names));
                    }
                    for &stage in &trail {
                        in_cycle[stage] = true;
                    }
                    break;
                }
                if trail.contains(&next) {
                    break;
                }
                trail.push(next);
                at = next;
            }
        }
        let mut reached = vec![false; count];
        let mut used = vec![false; count];
        for _ in 0..count {
            for index in 0..count {
                reached[index] |= self.inputs[index].iter().any(|input| match *input {
                    Input::Source => true,
                    Input::Stage(from) => reached[from],
                });
                if is_sink(&self.specs[index].role) || used[index] {
                    for input in &self.inputs[index] {
                        if let Input::Stage(from) = *input {
                            used[from] = true;
                        }
                    }
                }
            }
        }
        let blamed: Vec<usize> = self.errors.iter().filter_map(|error| error.stage).collect();
        for index in 0..count {
            let blameless = !blamed.contains(&index) && !in_cycle[index];
            // A stage behind a faulty one is cut off by that fault, which is reported.
            let behind_fault = self.inputs[index]
                .iter()
                .any(|input| matches!(*input, Input::Stage(from) if blamed.contains(&from) || in_cycle[from] || !reached[from]));
            if blameless && !reached[index] && !behind_fault {
                self.fault(index, Fault::Unreachable);
            }
            let has_sink = self.specs.iter().any(|spec| is_sink(&spec.role));
            if blameless && has_sink && blamed.is_empty() && !is_sink(&self.specs[index].role) && !used[index] {
                self.fault(index, Fault::Unused);
            }
        }
    }

    /// A content is read and parsed once, so files and contents feed one operator each.
    fn check_fan_out(&mut self) {
        let mut taken: Vec<(Input, usize)> = Vec::new();
        for index in 0..self.specs.len() {
            if is_sink(&self.specs[index].role) {
                continue;
            }
            let Some(&input) = self.inputs[index].first() else { continue };
            let Some(port) = self.port_of(input).filter(|port| *port <= Port::Contents) else { continue };
            match taken.iter().find(|(from, _)| *from == input) {
                Some(&(_, first)) => {
                    let other = self.specs[first].name.clone();
                    self.fault(index, Fault::FanOut { port, other });
                }
                None => taken.push((input, index)),
            }
        }
    }
}

/// Orders the stages so that each comes after what it takes from, and finds the lanes.
fn compile(specs: Vec<StageSpec>, inputs: &[Vec<Input>]) -> Result<Graph, Vec<GraphError>> {
    let mut order: Vec<usize> = Vec::with_capacity(specs.len());
    while order.len() < specs.len() {
        let ready = (0..specs.len()).find(|index| {
            !order.contains(index)
                && inputs[*index].iter().all(|input| match input {
                    Input::Source => true,
                    Input::Stage(from) => order.contains(from),
                })
        });
        match ready {
            Some(index) => order.push(index),
            None => return Err(vec![GraphError { stage: None, fault: Fault::Cycle(Vec::new()) }]),
        }
    }
    let position = |old: usize| order.iter().position(|&index| index == old).unwrap_or_default();
    let mut by_old: Vec<Option<StageSpec>> = specs.into_iter().map(Some).collect();
    let mut graph = Graph { stages: Vec::new(), chunk_lanes: Vec::new(), embed_lanes: Vec::new(), sinks: Vec::new() };
    for &old in &order {
        let Some(spec) = by_old[old].take() else { continue };
        let from: Vec<usize> = inputs[old]
            .iter()
            .filter_map(|input| match *input {
                Input::Source => None,
                Input::Stage(from) => Some(position(from)),
            })
            .collect();
        graph.push(spec, from);
    }
    Ok(graph)
}

impl Graph {
    fn push(&mut self, spec: StageSpec, inputs: Vec<usize>) {
        let index = self.stages.len();
        let (body, fingerprint) = match spec.role {
            Role::Operator(operator) => {
                let fingerprint = operator.fingerprint();
                match operator.output() {
                    Port::Chunks => self.chunk_lanes.push(ChunkLane { stage: index, header: operator.header() }),
                    Port::Vectors => self.embed_lanes.push(EmbedLane {
                        stage: index,
                        chunk_lane: self.chunk_lane_of(inputs.first()).unwrap_or_default(),
                        dimension: operator.dimension().unwrap_or_default(),
                    }),
                    _ => {}
                }
                (Body::Operator(operator), fingerprint)
            }
            Role::Sink(factory) => {
                let fingerprint = factory.fingerprint();
                self.push_sink(index, &inputs);
                (Body::Sink(factory), fingerprint)
            }
            Role::Unbuilt { .. } => return,
        };
        let before = inputs.iter().filter_map(|&input| self.stages.get(input).map(|stage| stage.lineage));
        let lineages: Vec<Hash> = [fingerprint].into_iter().chain(before).collect();
        let lineage = Hash::of_parts(lineages.iter().map(|hash| hash.as_bytes().as_slice()));
        let name = Arc::from(spec.name);
        let Self { stages, .. } = self;
        let (workers, queue_bytes) = (spec.workers, spec.queue_bytes);
        stages.push(Stage { name, inputs, body, workers, queue_bytes, fingerprint, lineage });
    }

    fn push_sink(&mut self, index: usize, inputs: &[usize]) {
        let embed_lane = self.embed_lanes.iter().position(|lane| inputs.contains(&lane.stage));
        let fed_by_chunks = self.chunk_lanes.iter().position(|lane| inputs.contains(&lane.stage));
        let of_vectors = embed_lane.and_then(|lane| self.embed_lanes.get(lane)).map(|lane| lane.chunk_lane);
        let ports = if inputs.is_empty() {
            vec![Port::Files]
        } else {
            inputs.iter().filter_map(|&input| self.stages.get(input).and_then(Stage::output)).collect()
        };
        self.sinks.push(SinkStage { stage: index, ports, chunk_lane: fed_by_chunks.or(of_vectors), embed_lane });
    }

    fn chunk_lane_of(&self, input: Option<&usize>) -> Option<usize> {
        self.chunk_lanes.iter().position(|lane| Some(&lane.stage) == input)
    }
}
