//! The approximate index over the vectors: its configuration, its name, and its parameters for
//! Lance.

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
/// The index is approximate and not part of the stored rows: with another kind or metric, the
/// next epoch replaces the index and rebuilds nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VectorIndexConfig {
    /// How the index keeps vectors.
    pub kind: VectorIndexKind,
    /// Rows from which a table has an index, at least 256. A smaller table is searched exactly:
    /// the query is compared with every vector.
    pub rows: u64,
    /// Rows that the index may lack at most. Searches compare the query with each of them; an
    /// epoch that exceeds the limit adds them to the index, and so does `gc`.
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

/// How an index encodes vectors. All kinds partition them into lists of vectors that are near
/// one another (IVF), of which a search reads some; hits are scored by the stored vectors.
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
    /// As `ivf_sq`, with a graph of neighbours (HNSW) over the vectors of each list: the fastest
    /// to search, the slowest to build and to extend.
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

    /// How many candidates are scored by their stored vectors for each of `count` hits: the index
    /// rounds vectors, so its nearest are not exactly the nearest.
    pub(super) fn refine_factor(self, count: usize) -> u32 {
        let (factor, least) = match self {
            Self::IvfPq => (4, 200_u32),
            Self::None | Self::IvfSq | Self::IvfHnswSq => (2, 30),
        };
        least.div_ceil(u32::try_from(count.max(1)).unwrap_or(u32::MAX)).max(factor)
    }
}

/// Target number of vectors in a list of the index.
const LIST_VECTORS: usize = 2048;
/// Target number of vectors in a list with a graph of neighbours, which needs fewer lists.
const GRAPH_VECTORS: usize = 1 << 17;
/// Vectors per list that the index is trained on. They are in memory at once.
const TRAINING_VECTORS: usize = 128;
/// The fewest vectors that a quantiser can be trained on.
const MIN_ROWS: u64 = 256;

impl VectorIndexConfig {
    /// Rows from which a table has an index; `None` if it never has.
    pub(super) fn threshold(&self) -> Option<u64> {
        (self.kind != VectorIndexKind::None).then(|| self.rows.max(MIN_ROWS))
    }

    /// The parameters with which Lance builds an index over vectors of this dimension.
    pub(super) fn parameters(&self, dimension: usize) -> VectorIndexParams {
        let lists = |vectors| IvfBuildParams {
            sample_rate: TRAINING_VECTORS,
            ..IvfBuildParams::with_target_partition_size(vectors)
        };
        let metric = self.metric.of_lance();
        let sq = SQBuildParams::default();
        match self.kind {
            VectorIndexKind::IvfPq => {
                let components = [4, 2].into_iter().find(|components| dimension.is_multiple_of(*components));
                let pq = PQBuildParams { num_sub_vectors: dimension / components.unwrap_or(1), ..Default::default() };
                VectorIndexParams::with_ivf_pq_params(metric, lists(LIST_VECTORS), pq)
            }
            VectorIndexKind::IvfHnswSq => {
                let hnsw = HnswBuildParams::default();
                VectorIndexParams::with_ivf_hnsw_sq_params(metric, lists(GRAPH_VECTORS), hnsw, sq)
            }
            VectorIndexKind::None | VectorIndexKind::IvfSq => {
                VectorIndexParams::with_ivf_sq_params(metric, lists(LIST_VECTORS), sq)
            }
        }
    }
}

/// The name of an index in its table, such as `vector_ivf_sq_cosine_200000`: kind, metric, and
/// the number of rows that it was trained on. A name that does not match the configuration
/// means that the index must be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IndexName {
    pub kind: VectorIndexKind,
    pub metric: VectorMetric,
    pub rows: u64,
}

impl IndexName {
    /// Parses the name if it is of an index that `config` asks for, of any number of rows.
    pub fn parse(name: &str, config: &VectorIndexConfig) -> Option<Self> {
        let (kind, metric) = (config.kind, config.metric);
        let rows = name.strip_prefix(Self::prefix(kind, metric).as_str())?.parse().ok()?;
        Some(Self { kind, metric, rows })
    }

    /// Whether it is the name of a vector index of any configuration.
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
