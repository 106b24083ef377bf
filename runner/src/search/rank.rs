//! From scores to a ranking.
//!
//! Scores of both kinds are divided by their best and added, 3 parts text and 7 parts
//! meaning: fusing normalised scores found the wanted chunk earlier than fusing ranks
//! did on every set that was measured.

use std::collections::HashMap;

use gristmill_pipeline::RelPath;
use gristmill_sinks::lance::RowKey;

use super::{Hit, SearchMode};

/// Of each kind, how many of the best are fused, at least.
pub(super) const CANDIDATES: usize = 100;
/// What the best match by words counts in a fused score.
const TEXT_WEIGHT: f32 = 0.3;
/// What the best match by meaning counts in a fused score.
const VECTOR_WEIGHT: f32 = 0.7;

/// A chunk. Of equal scores the path decides which comes first, so that answers are
/// repeatable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ChunkKey {
    pub(super) path: RelPath,
    pub(super) row: RowKey,
}

/// What is known of a chunk that may be an answer.
#[derive(Default)]
pub(super) struct Scores {
    pub(super) text: Option<f32>,
    pub(super) vector: Option<f32>,
    pub(super) hit: Option<Hit>,
}

/// Best first.
pub(super) fn rank(found: HashMap<ChunkKey, Scores>, mode: SearchMode) -> Vec<(ChunkKey, f32, Scores)> {
    let best = |of: fn(&Scores) -> Option<f32>| found.values().filter_map(of).fold(f32::MIN_POSITIVE, f32::max);
    let (best_text, best_vector) = (best(|scores| scores.text), best(|scores| scores.vector));
    let score = |scores: &Scores| match mode {
        SearchMode::Text => scores.text.unwrap_or(0.0),
        SearchMode::Vector => scores.vector.unwrap_or(0.0),
        SearchMode::Hybrid => {
            let text = scores.text.map_or(0.0, |score| score / best_text);
            let vector = scores.vector.map_or(0.0, |score| score / best_vector);
            TEXT_WEIGHT * text + VECTOR_WEIGHT * vector
        }
    };
    let mut ranked: Vec<_> = found.into_iter().map(|(key, scores)| (key, score(&scores), scores)).collect();
    ranked.sort_by(|left, right| right.1.total_cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
    ranked
}
