//! Where the stages and sinks of a built pipeline take their input.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use gristmill_pipeline::SinkConfig;
use gristmill_pipeline::graph::{Role, SOURCE, StageSpec};
use gristmill_pipeline::port::Port;

/// An operator stage without its input.
pub(super) struct LooseStage {
    pub(super) name: Box<str>,
    pub(super) input: Port,
    pub(super) output: Port,
    pub(super) role: Role,
    /// The stage that it directly follows, if one was named.
    pub(super) after: Option<Box<str>>,
    /// Whether it is left out if nothing takes its output.
    pub(super) is_default: bool,
}

/// A sink without its inputs, unless they were named.
pub(super) struct LooseSink {
    pub(super) name: Box<str>,
    pub(super) inputs: Option<Vec<Box<str>>>,
    pub(super) config: Arc<dyn SinkConfig>,
}

struct Wired {
    stage: LooseStage,
    /// `None` if no stage gives the port that it takes.
    from: Option<Box<str>>,
}

/// Gives every stage its inputs; one that finds none has none.
pub(super) fn wire(stages: Vec<LooseStage>, sinks: Vec<LooseSink>) -> Vec<StageSpec> {
    let mut wired = wire_stages(stages);
    let sinks: Vec<StageSpec> = sinks.into_iter().map(|sink| sink_spec(sink, &wired)).collect();
    if !sinks.is_empty() {
        leave_out_unused(&mut wired, &sinks);
    }
    let spec = |Wired { stage, from }| StageSpec::new(stage.name, from, stage.role);
    wired.into_iter().map(spec).chain(sinks).collect()
}

fn wire_stages(stages: Vec<LooseStage>) -> Vec<Wired> {
    let (pinned, mut free): (Vec<_>, Vec<_>) = stages.into_iter().partition(|stage| stage.after.is_some());
    // For each port first the stages that lead to it, then those on its edge; otherwise the given order.
    free.sort_by_key(|stage| (stage.output, stage.input == stage.output));
    let mut last: BTreeMap<Port, Box<str>> = BTreeMap::from([(Port::Files, SOURCE.into())]);
    let mut wired: Vec<Wired> = Vec::new();
    for stage in free {
        let from = last.get(&stage.input).cloned();
        last.insert(stage.output, stage.name.clone());
        wired.push(Wired { stage, from });
    }
    for stage in pinned {
        let from = stage.after.clone();
        if stage.input == stage.output {
            for other in wired.iter_mut().filter(|other| other.from == from) {
                other.from = Some(stage.name.clone());
            }
        }
        wired.push(Wired { stage, from });
    }
    wired
}

/// The last stage that gives this port: one whose output goes through no other stage of the port.
fn last_of(wired: &[Wired], port: Port) -> Option<&str> {
    let gives = |node: &&Wired| node.stage.output == port;
    let is_last = |node: &&Wired| {
        let follows = |other: &Wired| other.stage.output == port && other.from.as_deref() == Some(&*node.stage.name);
        !wired.iter().any(follows)
    };
    let found = wired.iter().rev().filter(gives).find(is_last).map(|node| &*node.stage.name);
    found.or((port == Port::Files).then_some(SOURCE))
}

/// A sink takes what is known best of files, and of chunks: the last port of each kind that it accepts.
fn sink_spec(sink: LooseSink, wired: &[Wired]) -> StageSpec {
    let LooseSink { name, inputs, config } = sink;
    let accepted = config.accepts();
    let best = |ports: &[Port]| {
        let accepted = ports.iter().rev().filter(|port| accepted.contains(port));
        accepted.filter_map(|port| last_of(wired, *port)).next().map(Box::<str>::from)
    };
    let found = || {
        let files = best(&[Port::Files, Port::Contents, Port::Syntax]);
        files.into_iter().chain(best(&[Port::Chunks, Port::Vectors])).collect()
    };
    let inputs = inputs.unwrap_or_else(found);
    StageSpec::new(name, inputs, Role::Sink(config))
}

/// Leaves out default stages that lead to no sink and to no other stage.
fn leave_out_unused(wired: &mut Vec<Wired>, sinks: &[StageSpec]) {
    loop {
        let of_sinks = sinks.iter().flat_map(|sink| &sink.inputs);
        let used: HashSet<Box<str>> =
            of_sinks.chain(wired.iter().filter_map(|node| node.from.as_ref())).cloned().collect();
        let before = wired.len();
        wired.retain(|node| !node.stage.is_default || used.contains(&node.stage.name));
        if wired.len() == before {
            return;
        }
    }
}
