//! Embedding queries the way that passages are embedded.

use std::sync::Arc;

use gristmill_ids::{EmbedLaneId, PassageKey};

use super::{Body, Graph};
use crate::operator::{AnyOperator, Emitter, ErasedEmbedder, OperatorError};
use crate::port::{Item, Vector};

/// Makes vectors of queries that can be compared with the vectors of an embed lane: they go
/// through the same stages.
#[derive(Clone)]
pub struct QueryEmbedder {
    embedder: Arc<dyn ErasedEmbedder>,
    maps: Vec<(Arc<str>, AnyOperator)>,
    dimension: usize,
}

impl Graph {
    /// The embedder of queries for an embed lane. The id must be one of this graph's.
    #[must_use]
    pub fn query_embedder(&self, lane: EmbedLaneId) -> QueryEmbedder {
        let lane = self.embed_lane(lane);
        let maps = lane.maps.iter().filter_map(|&map| {
            let stage = self.stage(map);
            match &stage.body {
                Body::Operator(operator) => Some((Arc::clone(&stage.name), operator.clone())),
                Body::Sink(_) => None,
            }
        });
        QueryEmbedder { embedder: Arc::clone(&lane.embedder), maps: maps.collect(), dimension: lane.dimension }
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
        self.dimension
    }

    /// The vector of a query. `None` if the embedder embeds no queries.
    ///
    /// # Errors
    /// If an operator can no longer work, or gives no vector.
    pub fn embed(&self, text: &str) -> Option<Result<Vec<f32>, OperatorError>> {
        let embedded = self.embedder.embed_query(text)?;
        Some(
            embedded.and_then(|values| {
                self.maps.iter().try_fold(values, |values, (stage, map)| mapped(stage, map, values))
            }),
        )
    }
}

/// Takes the vector of a query through one stage.
fn mapped(stage: &Arc<str>, map: &AnyOperator, values: Vec<f32>) -> Result<Vec<f32>, OperatorError> {
    let mut out = Emitter::new(Arc::clone(stage));
    let query = Vector { key: PassageKey::NONE, values: values.into() };
    map.operator().process(vec![Item::Vector(query)], &mut out)?;
    let vector = out.into_parts().0.into_iter().find_map(|item| match item {
        Item::Vector(vector) => Some(vector.values.into_vec()),
        _ => None,
    });
    vector.ok_or_else(|| OperatorError {
        stage: stage.as_ref().into(),
        message: "the operator returned no vector for the query".into(),
    })
}
