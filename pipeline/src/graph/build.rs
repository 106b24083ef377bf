//! Turns checked stages into a graph: orders them, and finds the lanes.

use std::sync::Arc;

use gristmill_ids::{ChunkLaneId, EmbedLaneId, Fingerprint, Hash, StageId};

use super::check::Input;
use super::{Body, ChunkLane, EmbedLane, Fault, Graph, GraphError, Role, SinkStage, SpaceId, Stage, StageSpec};
use crate::extra::{ExtraColumn, ExtraOwner};
use crate::operator::{AnyOperator, ErasedOperator};
use crate::port::{Header, Port};

/// Orders the stages so that each comes after what it takes from, and finds the lanes.
pub(super) fn build(specs: Vec<StageSpec>, inputs: &[Vec<Input>]) -> Result<Graph, Vec<GraphError>> {
    let order = order(inputs).ok_or_else(|| vec![GraphError { stage: None, fault: Fault::Cycle(Vec::new()) }])?;
    let mut ids = vec![StageId::new(0); specs.len()];
    for (position, &spec) in order.iter().enumerate() {
        ids[spec] = StageId::new(position);
    }
    let mut by_spec: Vec<Option<StageSpec>> = specs.into_iter().map(Some).collect();
    let mut stages: Vec<Stage> = Vec::with_capacity(order.len());
    for &nth in &order {
        let from = inputs[nth].iter().filter_map(|input| match *input {
            Input::Source => None,
            Input::Stage(from) => Some(ids[from]),
        });
        let from = from.collect();
        if let Some(stage) = by_spec[nth].take().and_then(|spec| stage(ids[nth], spec, from, &stages)) {
            stages.push(stage);
        }
    }
    let chunk_lanes = chunk_lanes(&stages);
    let embed_lanes = embed_lanes(&stages, &chunk_lanes);
    let columns: Vec<ExtraColumn> =
        stages.iter().filter_map(Stage::operator).flat_map(ErasedOperator::columns).collect();
    let sinks = sinks(&stages, &chunk_lanes, &embed_lanes);
    Ok(Graph { stages, chunk_lanes, embed_lanes, sinks, columns })
}

/// An order in which each stage comes after those that it takes from.
fn order(inputs: &[Vec<Input>]) -> Option<Vec<usize>> {
    let mut order: Vec<usize> = Vec::with_capacity(inputs.len());
    while order.len() < inputs.len() {
        let is_there = |input: &Input| match input {
            Input::Source => true,
            Input::Stage(from) => order.contains(from),
        };
        let ready = (0..inputs.len()).find(|nth| !order.contains(nth) && inputs[*nth].iter().all(is_there))?;
        order.push(ready);
    }
    Some(order)
}

fn stage(id: StageId, spec: StageSpec, inputs: Vec<StageId>, before: &[Stage]) -> Option<Stage> {
    let (body, fingerprint) = match spec.role {
        Role::Operator(operator) => {
            let fingerprint = operator.operator().fingerprint();
            (Body::Operator(operator), fingerprint)
        }
        Role::Sink(config) => {
            let fingerprint = config.fingerprint();
            (Body::Sink(config), fingerprint)
        }
        Role::Unbuilt { .. } => return None,
    };
    let before = inputs.iter().map(|input| before[input.index()].lineage);
    let lineages: Vec<Hash> = [fingerprint].into_iter().chain(before).collect();
    let lineage = Hash::of_parts(lineages.iter().map(|hash| hash.as_bytes().as_slice()));
    let StageSpec { name, workers, queue_bytes, .. } = spec;
    Some(Stage { id, name: name.into(), inputs, body, workers, queue_bytes, fingerprint, lineage })
}

/// Whether a sink, or an operator that gives this port, takes the output of a stage.
fn is_taken(stages: &[Stage], id: StageId, by: Port) -> bool {
    stages.iter().any(|stage| stage.inputs.contains(&id) && stage.output().is_none_or(|output| output == by))
}

/// The operator of a stage, and what it gives.
fn given(stage: &Stage) -> Option<(&AnyOperator, Port)> {
    match &stage.body {
        Body::Operator(operator) => Some((operator, operator.operator().output())),
        Body::Sink(_) => None,
    }
}

fn chunk_lanes(stages: &[Stage]) -> Vec<ChunkLane> {
    let ends =
        stages.iter().filter(|stage| stage.output() == Some(Port::Chunks) && is_taken(stages, stage.id, Port::Vectors));
    let lane = |(nth, stage): (usize, &Stage)| ChunkLane {
        id: ChunkLaneId::new(nth),
        stage: stage.id,
        header: header(stages, stage),
    };
    ends.enumerate().map(lane).collect()
}

/// A stage and the stages before it, up to the source. Operators have one input, so there is
/// only one path.
pub(super) fn lineage(stages: &[Stage], stage: StageId) -> impl Iterator<Item = StageId> + '_ {
    std::iter::successors(Some(stage), |stage| stages[stage.index()].inputs.first().copied())
}

/// The header of a stage's chunks: that of the chunker which cut them.
fn header(stages: &[Stage], stage: &Stage) -> Header {
    let chunker = lineage(stages, stage.id).find_map(|id| match given(&stages[id.index()]) {
        Some((AnyOperator::Chunker(chunker), _)) => Some(chunker),
        Some(_) | None => None,
    });
    // The check guarantees that chunks begin at a chunker.
    chunker.map_or(Header::None, |chunker| chunker.header())
}

fn embed_lanes(stages: &[Stage], chunk_lanes: &[ChunkLane]) -> Vec<EmbedLane> {
    let mut lanes: Vec<EmbedLane> = Vec::new();
    let is_stored = |id| stages.iter().any(|stage| stage.inputs.contains(&id) && stage.output().is_none());
    for end in stages.iter().filter(|stage| stage.output() == Some(Port::Vectors) && is_stored(stage.id)) {
        let mut maps = Vec::new();
        let mut at = end;
        let embedder = loop {
            match &at.body {
                Body::Operator(AnyOperator::Embedder(embedder)) => break Some(embedder),
                Body::Operator(_) | Body::Sink(_) => {
                    maps.push(at);
                    match at.inputs.first() {
                        Some(input) => at = &stages[input.index()],
                        None => break None,
                    }
                }
            }
        };
        let fed_by = at.inputs.first().and_then(|input| chunk_lanes.iter().find(|lane| lane.stage == *input));
        // The check guarantees that vectors begin at an embedder, and that it takes chunks.
        let (Some(embedder), Some(chunk_lane)) = (embedder, fed_by) else { continue };
        maps.reverse();
        let operators = maps.iter().filter_map(|stage| given(stage));
        let dimension = operators.fold(embedder.dimension(), |dimension, (operator, _)| operator.dimension(dimension));
        let fingerprint = embed_fingerprint(at, chunk_lane.header, &maps);
        let new_space = lanes.iter().map(|lane| lane.space.0 + 1).max().unwrap_or(0);
        let same = lanes.iter().find(|lane| lane.fingerprint == fingerprint).map(|lane| lane.space);
        lanes.push(EmbedLane {
            id: EmbedLaneId::new(lanes.len()),
            stage: at.id,
            chunk_lane: chunk_lane.id,
            dimension,
            fingerprint,
            space: same.unwrap_or(SpaceId(new_space)),
            maps: maps.iter().map(|stage| stage.id).collect(),
            embedder: Arc::clone(embedder),
        });
    }
    lanes
}

fn embed_fingerprint(embed: &Stage, header: Header, maps: &[&Stage]) -> Fingerprint {
    let embedded = Hash::of_parts([embed.fingerprint.as_bytes().as_slice(), format!("{header:?}").as_bytes()]);
    if maps.is_empty() {
        return embedded;
    }
    let maps = maps.iter().map(|stage| stage.fingerprint.as_bytes().as_slice());
    Hash::of_parts([embedded.as_bytes().as_slice()].into_iter().chain(maps))
}

fn sinks(stages: &[Stage], chunk_lanes: &[ChunkLane], embed_lanes: &[EmbedLane]) -> Vec<SinkStage> {
    let of_stage = |stage: &Stage| {
        let Body::Sink(config) = &stage.body else { return None };
        let last = |lane: &EmbedLane| *lane.maps.last().unwrap_or(&lane.stage);
        let embed_lane = embed_lanes.iter().find(|lane| stage.inputs.contains(&last(lane)));
        let fed_by_chunks = chunk_lanes.iter().find(|lane| stage.inputs.contains(&lane.stage)).map(|lane| lane.id);
        let chunk_lane = fed_by_chunks.or(embed_lane.map(|lane| lane.chunk_lane));
        let ports: Vec<Port> = if stage.inputs.is_empty() {
            vec![Port::Files]
        } else {
            stage.inputs.iter().filter_map(|input| stages[input.index()].output()).collect()
        };
        let columns = columns(stages, chunk_lane.map(|lane| chunk_lanes[lane.index()].stage));
        let dimension = embed_lane.map(|lane| lane.dimension);
        Some(SinkStage {
            stage: stage.id,
            name: Arc::clone(&stage.name),
            config: Arc::clone(config),
            shape: shape(stage.fingerprint, &ports, dimension, &columns),
            ports,
            chunk_lane,
            embed_lane: embed_lane.map(|lane| lane.id),
            dimension,
            columns,
        })
    };
    stages.iter().filter_map(of_stage).collect()
}

/// The extra columns of the rows that a sink stores: of files whatever it takes, and of
/// chunks those of the stages that made its chunks.
fn columns(stages: &[Stage], chunks: Option<StageId>) -> Vec<ExtraColumn> {
    let before: Vec<StageId> = chunks.into_iter().flat_map(|chunks| lineage(stages, chunks)).collect();
    let operators = stages.iter().filter_map(|stage| Some((stage.id, stage.operator()?)));
    let declared = operators.flat_map(|(id, operator)| operator.columns().into_iter().map(move |column| (id, column)));
    let kept = declared.filter(|(id, column)| column.owner == ExtraOwner::Files || before.contains(id));
    kept.map(|(_, column)| column).collect()
}

/// Hash of what decides the form of a sink's rows.
fn shape(sink: Fingerprint, ports: &[Port], dimension: Option<usize>, columns: &[ExtraColumn]) -> Fingerprint {
    let ports = ports.iter().map(|port| port.as_str()).collect::<Vec<_>>().join(",");
    let dimension = dimension.unwrap_or_default().to_le_bytes();
    let parts: [&[u8]; 3] = [sink.as_bytes(), ports.as_bytes(), &dimension];
    let shape = Hash::of_parts(parts);
    if columns.is_empty() {
        return shape;
    }
    let columns: Vec<String> =
        columns.iter().map(|column| format!("{:?} {} {:?}", column.owner, column.name, column.kind)).collect();
    Hash::of_parts([shape.as_bytes().as_slice()].into_iter().chain(columns.iter().map(String::as_bytes)))
}
