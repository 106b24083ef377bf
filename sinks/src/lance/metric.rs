//! How vectors are compared.

use lance_linalg::distance::DistanceType;
use lance_linalg::distance::dot_u8::dot_u8_u64;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The metric by which vectors are compared. For vectors of length 1, such as those of most
/// models, all metrics give the same order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VectorMetric {
    /// The angle between two vectors; their lengths do not matter.
    #[default]
    Cosine,
    /// The inner product: longer vectors are nearer.
    Dot,
    /// The distance between the points.
    L2,
}

/// Scores how near vectors are to one vector.
#[derive(Clone, Copy, Debug)]
pub struct Nearness<'a> {
    metric: VectorMetric,
    vector: &'a [f32],
    /// The length of the vector, if the metric needs it.
    length: f32,
}

impl Nearness<'_> {
    /// The score of a vector, the higher the nearer: the cosine or the inner product of the
    /// two; for L2 distance *d*, 1 / (1 + *d*²).
    #[must_use]
    #[inline]
    pub fn of(&self, other: &[f32]) -> f32 {
        match self.metric {
            VectorMetric::Dot => sums(self.vector, other, |left, right| [left * right])[0],
            VectorMetric::L2 => near(sums(self.vector, other, |left, right| [(left - right) * (left - right)])[0]),
            VectorMetric::Cosine => {
                let [product, squares] = sums(self.vector, other, |left, right| [left * right, right * right]);
                let lengths = self.length * squares.sqrt();
                // A vector of length 0 has no direction.
                if lengths > 0.0 { product / lengths } else { 0.0 }
            }
        }
    }
}

impl VectorMetric {
    /// Scores vectors by how near they are to this one.
    #[must_use]
    pub fn to(self, vector: &[f32]) -> Nearness<'_> {
        let length = match self {
            Self::Cosine => sums(vector, vector, |left, right| [left * right])[0].sqrt(),
            Self::Dot | Self::L2 => 1.0,
        };
        Nearness { metric: self, vector, length }
    }

    /// Converts Lance's distance into the score of [`Nearness::of`].
    pub(super) fn score_of_distance(self, distance: f32) -> f32 {
        match self {
            Self::Cosine | Self::Dot => 1.0 - distance,
            // Lance's L2 distance is squared.
            Self::L2 => near(distance),
        }
    }

    pub(super) fn of_lance(self) -> DistanceType {
        match self {
            Self::Cosine => DistanceType::Cosine,
            Self::Dot => DistanceType::Dot,
            Self::L2 => DistanceType::L2,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Dot => "dot",
            Self::L2 => "l2",
        }
    }
}

/// The inner product of two vectors of bytes of the same length, computed with the widest SIMD
/// instructions of the processor.
#[must_use]
#[inline]
pub fn product_of_bytes(left: &[u8], right: &[u8]) -> u64 {
    dot_u8_u64(left, right)
}

#[inline]
fn near(squared_distance: f32) -> f32 {
    1.0 / (1.0 + squared_distance)
}

/// Sums of what `terms` gives for each pair of components.
#[inline]
fn sums<const N: usize>(left: &[f32], right: &[f32], terms: impl Fn(f32, f32) -> [f32; N]) -> [f32; N] {
    // Eight sums side by side, so that the compiler can use vector registers.
    let mut sums = [[0.0_f32; 8]; N];
    let (left_chunks, right_chunks) = (left.as_chunks::<8>(), right.as_chunks::<8>());
    for (left, right) in left_chunks.0.iter().zip(right_chunks.0) {
        for (at, (left, right)) in left.iter().zip(right).enumerate() {
            for (sums, term) in sums.iter_mut().zip(terms(*left, *right)) {
                sums[at] += term;
            }
        }
    }
    for (left, right) in left_chunks.1.iter().zip(right_chunks.1) {
        for (sums, term) in sums.iter_mut().zip(terms(*left, *right)) {
            sums[0] += term;
        }
    }
    sums.map(|sums| sums.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::VectorMetric;

    #[test]
    fn scores_follow_their_definitions() {
        let (left, right) = ([3.0; 11], [1.0; 11]);
        assert_eq!(VectorMetric::Dot.to(&left).of(&right), 33.0);
        assert!((VectorMetric::Cosine.to(&left).of(&right) - 1.0).abs() < 1e-6);
        assert!((VectorMetric::L2.to(&left).of(&right) - 1.0 / 45.0).abs() < 1e-6);
        assert_eq!(VectorMetric::Cosine.to(&left).of(&[0.0; 11]), 0.0);
        assert_eq!(VectorMetric::Cosine.to(&[0.0; 11]).of(&left), 0.0);
    }
}
