//! Embedding of queries: the stages of an embed lane, run without an executor.

use std::sync::Arc;

use gristmill_ids::{EmbedLaneId, PassageKey};

use super::{Body, Graph};
use crate::operator::{AnyOperator, Emitter, ErasedEmbedder, OperatorError, contained};
use crate::port::{Item, Vector};

/// Makes vectors of queries that can be compared with the vectors of an embed lane: they go
/// through the same stages.
#[derive(Clone)]
pub struct QueryEmbedder {
    stage: Arc<str>,
    embedder: Arc<dyn ErasedEmbedder>,
    maps: Vec<Map>,
}

/// A stage on vectors.
#[derive(Clone)]
struct Map {
    stage: Arc<str>,
    operator: AnyOperator,
    /// The number of components that it gives.
    dimension: usize,
}

impl Graph {
    /// The embedder of queries for an embed lane. The id must be one of this graph's.
    #[must_use]
    pub fn query_embedder(&self, lane: EmbedLaneId) -> QueryEmbedder {
        let lane = self.embed_lane(lane);
        let mut maps = Vec::with_capacity(lane.maps.len());
        let mut dimension = lane.embedder.dimension();
        for stage in lane.maps.iter().map(|&map| self.stage(map)) {
            dimension = stage.dimension(dimension);
            if let Body::Operator(operator) = &stage.body {
                maps.push(Map { stage: Arc::clone(&stage.name), operator: operator.clone(), dimension });
            }
        }
        let stage = Arc::clone(&self.stage(lane.stage).name);
        QueryEmbedder { stage, embedder: Arc::clone(&lane.embedder), maps }
    }

    /// The vector of a query; see [`QueryEmbedder::embed`].
    ///
    /// # Errors
    /// As for [`QueryEmbedder::embed`].
    pub fn embed_query(&self, lane: EmbedLaneId, text: &str) -> Option<Result<Vec<f32>, OperatorError>> {
        self.query_embedder(lane).embed(text)
    }
}

impl QueryEmbedder {
    /// The name of the embedder, such as `embed`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.embedder.name()
    }

    /// The number of components of its vectors.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.maps.last().map_or_else(|| self.embedder.dimension(), |map| map.dimension)
    }

    /// The vector of a query, to be compared with those of the lane. `None` if the embedder
    /// embeds no queries.
    ///
    /// # Errors
    /// If an operator can no longer work, panics, or gives something else than one vector of
    /// its dimension.
    pub fn embed(&self, text: &str) -> Option<Result<Vec<f32>, OperatorError>> {
        let embedded = match contained(|| self.embedder.embed_query(text)) {
            Ok(None) => return None,
            Ok(Some(embedded)) => embedded,
            Err(panic) => Err(panicked(&self.stage, &panic)),
        };
        let embedded = embedded.and_then(|values| checked(&self.stage, values, self.embedder.dimension()));
        Some(self.maps.iter().fold(embedded, |values, map| map.apply(values?)))
    }
}

impl Map {
    /// Takes the vector of a query through the stage.
    fn apply(&self, values: Vec<f32>) -> Result<Vec<f32>, OperatorError> {
        let query = Vector { key: PassageKey::NONE, values: values.into() };
        let mapped = contained(|| {
            let mut out = Emitter::new(Arc::clone(&self.stage));
            self.operator.operator().process(vec![Item::Vector(query)], &mut out)?;
            Ok(out.into_parts().0)
        });
        let mapped = mapped.map_err(|panic| panicked(&self.stage, &panic))??;
        let vector = mapped.into_iter().find_map(|item| match item {
            Item::Vector(vector) => Some(vector.values.into_vec()),
            _ => None,
        });
        let vector =
            vector.ok_or_else(|| error(&self.stage, "the operator returned no vector for the query".into()))?;
        checked(&self.stage, vector, self.dimension)
    }
}

fn checked(stage: &str, values: Vec<f32>, dimension: usize) -> Result<Vec<f32>, OperatorError> {
    if values.len() == dimension {
        return Ok(values);
    }
    let found = values.len();
    Err(error(
        stage,
        format!("the operator returned a vector with {found} components for the query, expected {dimension}"),
    ))
}

fn panicked(stage: &str, panic: &str) -> OperatorError {
    error(stage, format!("the operator panicked on the query ({panic}); please report it"))
}

fn error(stage: &str, message: String) -> OperatorError {
    OperatorError { stage: stage.into(), message: message.into() }
}
