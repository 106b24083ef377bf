//! The approximate index over the vectors: its configuration, its name, and what Lance is
//! told to build.

use std::fmt;

use lance::index::vector::VectorIndexParams;
use lance_index::vector::hnsw::builder::HnswBuildParams;
use lance_index::vector::ivf::IvfBuildParams;
use lance_index::vector::pq::PQBuildParams;
use lance_index::vector::sq::builder::SQBuildParams;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metric::VectorMetric;

/// When a table of vectors has an approximate index, and which.
///
/// What an index answers is approximate; the rows are not. It is no part of what makes two
/// stores equal, so another kind or metric makes another index with the next epoch that is
/// written, and rebuilds nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VectorIndexConfig {
    /// How the index keeps vectors.
    pub kind: VectorIndexKind,
    /// Rows from which a table has an index, at least 256. Below, a search compares the
    /// query with every vector, which is exact.
    pub rows: u64,
    /// Rows that the index may lack. Searches compare the query with each of them; once
    /// there are more, the epoch that adds them adds them to the index too. `gc` leaves none.
    pub unindexed_rows: u64,
    /// By what vectors are compared, with an index and without.
    pub metric: VectorMetric,
}

impl Default for VectorIndexConfig {
    fn default() -> Self {
        Self {
            kind: VectorIndexKind::default(),
            rows: 200_000,
            unindexed_rows: 10_000,
            metric: VectorMetric::default(),
        }
    }
}

/// How an index keeps vectors. All cut them into lists of vectors that lie near one another
/// (IVF), of which a search reads some; hits are scored by the vectors as they are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VectorIndexKind {
    /// No index: every search is exact.
    None,
    /// One byte for four components (product quantisation): the smallest, and slow to build.
    IvfPq,
    /// One byte for each component (scalar quantisation): quick to build, and precise.
    #[default]
    IvfSq,
    /// As `ivf_sq`, with a graph of neighbours over the vectors of each list: the quickest
    /// to search, the slowest to build and to add to.
    IvfHnswSq,
}

impl VectorIndexKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::IvfPq => "ivf_pq",
            Self::IvfSq => "ivf_sq",
            Self::IvfHnswSq => "ivf_hnsw_sq",
        }
    }

    /// For each of `count` hits, how many are scored by their stored vectors: what the index
    /// knows of a vector is rounded, so the nearest by its account are not quite the nearest.
    pub(super) fn refine_factor(self, count: usize) -> u32 {
        let (factor, least) = match self {
            Self::IvfPq => (4, 200_u32),
            Self::None | Self::IvfSq | Self::IvfHnswSq => (2, 30),
        };
        least.div_ceil(u32::try_from(count.max(1)).unwrap_or(u32::MAX)).max(factor)
    }
}

/// Vectors in a list of the index, about.
const VECTORS_OF_A_LIST: usize = 2048;
/// As many lists of a graph of neighbours would be searched one by one.
const VECTORS_OF_A_GRAPH: usize = 1 << 17;
/// For each list, the vectors that its place is learned from. They are in memory at once.
const LEARNED_FROM: usize = 128;
/// Fewer vectors than this teach no quantiser.
const LEAST_ROWS: u64 = 256;

impl VectorIndexConfig {
    /// Rows from which a table has an index; `None` if it never has.
    pub(super) fn threshold(&self) -> Option<u64> {
        (self.kind != VectorIndexKind::None).then(|| self.rows.max(LEAST_ROWS))
    }

    /// What Lance is to build over vectors of this dimension.
    pub(super) fn parameters(&self, dimension: usize) -> VectorIndexParams {
        let lists = |vectors| IvfBuildParams {
            sample_rate: LEARNED_FROM,
            ..IvfBuildParams::with_target_partition_size(vectors)
        };
        let metric = self.metric.of_lance();
        let sq = SQBuildParams::default();
        match self.kind {
            VectorIndexKind::IvfPq => {
                let components = [4, 2].into_iter().find(|components| dimension.is_multiple_of(*components));
                let pq = PQBuildParams { num_sub_vectors: dimension / components.unwrap_or(1), ..Default::default() };
                VectorIndexParams::with_ivf_pq_params(metric, lists(VECTORS_OF_A_LIST), pq)
            }
            VectorIndexKind::IvfHnswSq => {
                let hnsw = HnswBuildParams::default();
                VectorIndexParams::with_ivf_hnsw_sq_params(metric, lists(VECTORS_OF_A_GRAPH), hnsw, sq)
            }
            VectorIndexKind::None | VectorIndexKind::IvfSq => {
                VectorIndexParams::with_ivf_sq_params(metric, lists(VECTORS_OF_A_LIST), sq)
            }
        }
    }
}

/// The name of an index in its table, such as `vector_ivf_sq_cosine_200000`: how it was
/// built, and over how many rows. A name that differs from the configuration says that the
/// index is another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IndexName {
    pub kind: VectorIndexKind,
    pub metric: VectorMetric,
    pub rows: u64,
}

impl IndexName {
    /// The name of the index that `config` asks for, if this is one's, of whatever rows.
    pub fn parse(name: &str, config: &VectorIndexConfig) -> Option<Self> {
        let (kind, metric) = (config.kind, config.metric);
        let rows = name.strip_prefix(Self::prefix(kind, metric).as_str())?.parse().ok()?;
        Some(Self { kind, metric, rows })
    }

    /// Whether it is the name of such an index, whatever configuration asked for it.
    pub fn is_one(name: &str) -> bool {
        name.starts_with("vector_ivf_")
    }

    fn prefix(kind: VectorIndexKind, metric: VectorMetric) -> String {
        format!("vector_{}_{}_", kind.as_str(), metric.as_str())
    }
}

impl fmt::Display for IndexName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::prefix(self.kind, self.metric), self.rows)
    }
}
