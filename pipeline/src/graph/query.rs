//! Embedding of queries: the stages of an embed lane, run without an executor.

use std::sync::Arc;

use gristmill_ids::PassageKey;

use super::{EmbedLane, Graph, Stage};
use crate::operator::{Emitter, OperatorError, contained};
use crate::port::{Item, Vector};

/// Embeds a text, and runs the vector maps of the lane on its vector.
pub(super) fn embed(graph: &Graph, lane: &EmbedLane, text: &str) -> Option<Result<Vec<f32>, OperatorError>> {
    let stage = graph.stage(lane.stage);
    let embedded = match contained(|| lane.embedder.embed_query(text)) {
        Ok(None) => return None,
        Ok(Some(embedded)) => embedded,
        Err(panic) => Err(panicked(stage, &panic)),
    };
    let embedded = embedded.and_then(|values| checked(stage, values, lane.embedder.dimension()));
    let maps = lane.maps.iter().map(|&map| graph.stage(map));
    Some(maps.fold(embedded, |values, stage| map(stage, values?)))
}

/// Runs one vector map.
fn map(stage: &Stage, values: Vec<f32>) -> Result<Vec<f32>, OperatorError> {
    let Some(operator) = stage.operator() else { return Ok(values) };
    let dimension = stage.dimension(values.len());
    let query = Vector { key: PassageKey::NONE, values: values.into() };
    let mapped = contained(|| {
        let mut out = Emitter::new(Arc::clone(&stage.name));
        operator.process(vec![Item::Vector(query)], &mut out)?;
        Ok(out.into_parts().0)
    });
    let mut mapped = mapped.map_err(|panic| panicked(stage, &panic))??.into_iter().filter_map(|item| match item {
        Item::Vector(vector) => Some(vector.values.into_vec()),
        _ => None,
    });
    let first = mapped.next().ok_or_else(|| error(stage, "the operator returned no vector for the query".into()))?;
    checked(stage, first, dimension)
}

fn checked(stage: &Stage, values: Vec<f32>, dimension: usize) -> Result<Vec<f32>, OperatorError> {
    if values.len() == dimension {
        return Ok(values);
    }
    let found = values.len();
    Err(error(
        stage,
        format!("the operator returned a vector with {found} components for the query, expected {dimension}"),
    ))
}

fn panicked(stage: &Stage, panic: &str) -> OperatorError {
    error(stage, format!("the operator panicked on the query ({panic}); please report it"))
}

fn error(stage: &Stage, message: String) -> OperatorError {
    OperatorError { stage: stage.name.as_ref().into(), message: message.into() }
}
