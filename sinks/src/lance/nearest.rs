//! Nearest-neighbour search over the vectors of chunks.

use std::collections::HashSet;

use arrow::array::{AsArray as _, Float32Array, RecordBatch};
use arrow::datatypes::{Float32Type, UInt32Type};
use futures::TryStreamExt as _;
use gristmill_pipeline::{RelPath, RowKey, SinkError};
use lance::Dataset;
use lance::dataset::scanner::{RowAddrMask, RowAddrTreeMap};

use super::error::TableError;
use super::load;
use super::metric::VectorMetric;
use super::reader::{ChunkLocator, LanceReader, each_file};
use super::vector_index::VectorIndexKind;
use super::vector_state::VECTOR;
use crate::sink_error::sink_error;
use crate::tables::{Columns, Table};

/// A chunk that a vector search found.
#[derive(Clone, Debug, PartialEq)]
pub struct NearChunk {
    /// Its path.
    pub path: RelPath,
    /// Identifies its row.
    pub row: ChunkLocator,
    /// The row's address, for [`LanceReader::take`].
    pub address: u64,
    /// How near it is, the higher the nearer; see [`Nearness`](super::Nearness).
    pub score: f32,
}

/// The columns that identify a row.
const LOCATOR: [&str; 3] = ["path", "content_hash", "ordinal"];

impl LanceReader {
    /// The metric by which vectors are compared.
    #[must_use]
    pub fn metric(&self) -> VectorMetric {
        self.vectors.metric
    }

    /// Whether the epoch has an approximate index over the vectors.
    #[must_use]
    pub fn has_vector_index(&self) -> bool {
        self.vectors.index.is_some()
    }

    /// Returns the `count` chunks whose vectors are nearest to this one, nearest first; if
    /// `among` is given, only chunks of those rows. If the epoch [has an
    /// index](Self::has_vector_index), it is used: some of the nearest may then be missing, but
    /// scores are exact. Without an index every search reads all vectors; to search often, keep
    /// [`vectors`](Self::vectors) in memory.
    ///
    /// # Errors
    /// If the vector has another dimension than those stored, or the table cannot be read.
    pub fn nearest(
        &self,
        vector: &[f32],
        count: usize,
        among: Option<&HashSet<RowKey>>,
    ) -> Result<Vec<NearChunk>, SinkError> {
        self.nearest_among(vector, count, among.map_or(Among::All, Among::Rows))
    }

    /// Returns the score of every vector, with the row's address, in ascending order of addresses. The
    /// vectors are read in batches and not kept: for a process that searches once. `goes_on` is asked now and
    /// then, and ends the scan with what there is when it says no.
    ///
    /// # Errors
    /// If the vector has another dimension than those stored, or the table cannot be read.
    pub fn score_all(&self, vector: &[f32], goes_on: impl Fn() -> bool + Sync) -> Result<Vec<(u64, f32)>, SinkError> {
        /// Rows whose vectors fit into the cache of a core.
        const ROWS: u32 = 1024;
        let dataset = self.dataset(&Table::Chunks)?;
        let exact = self.metric().to(vector);
        let mut scores = Vec::with_capacity(usize::try_from(self.count_rows(&Table::Chunks)).unwrap_or_default());
        self.wait(&Table::Chunks, async {
            let mut stream = load::read_all(dataset, &[VECTOR], ROWS).await?;
            while goes_on()
                && let Some(batch) = stream.try_next().await?
            {
                let addresses = load::addresses(&batch)?;
                let columns = Columns(&batch);
                let (values, dimension) = columns.vectors(VECTOR)?;
                if dimension != vector.len() {
                    return Err(TableError::from(lance::Error::invalid_input(format!(
                        "the vector has {} components, and those of the table have {dimension}",
                        vector.len()
                    ))));
                }
                let of_rows = values.chunks_exact(dimension.max(1)).map(|stored| exact.of(stored));
                scores.extend(addresses.iter().copied().zip(of_rows));
            }
            Ok(())
        })?;
        Ok(scores)
    }

    /// As [`nearest`](Self::nearest), but only among the chunks at these row addresses.
    ///
    /// # Errors
    /// As for [`nearest`](Self::nearest).
    pub fn nearest_at(
        &self,
        vector: &[f32],
        count: usize,
        addresses: &HashSet<u64>,
    ) -> Result<Vec<NearChunk>, SinkError> {
        self.nearest_among(vector, count, Among::Addresses(addresses))
    }

    fn nearest_among(&self, vector: &[f32], count: usize, among: Among<'_>) -> Result<Vec<NearChunk>, SinkError> {
        let dataset = self.dataset(&Table::Chunks)?;
        let stored = dataset.schema().field(VECTOR).map(lance_core::datatypes::Field::data_type);
        let has_dimension = |data_type: &arrow::datatypes::DataType| match data_type {
            arrow::datatypes::DataType::FixedSizeList(_, stored) => usize::try_from(*stored) == Ok(vector.len()),
            _ => false,
        };
        if !stored.as_ref().is_some_and(has_dimension) {
            let cause =
                format!("the table has no vectors of dimension {}; was the index built with this model?", vector.len());
            return Err(sink_error("lance", "cannot search table chunks", cause));
        }
        if count == 0 || among.is_empty() {
            return Ok(Vec::new());
        }
        let metric = self.metric();
        let mut best = Best { count, found: Vec::new() };
        match self.vectors.index {
            Some(kind) => {
                let among = match among {
                    Among::All => None,
                    Among::Rows(rows) => Some(self.addresses_of(rows)?),
                    Among::Addresses(addresses) => {
                        let mut map = RowAddrTreeMap::new();
                        addresses.iter().for_each(|address| {
                            map.insert(*address);
                        });
                        Some(map)
                    }
                };
                self.wait(&Table::Chunks, by_index(dataset, vector, metric, kind, among, &mut best))?;
            }
            None => {
                let to = metric.to(vector);
                let mut columns = LOCATOR.to_vec();
                columns.push(VECTOR);
                self.wait(
                    &Table::Chunks,
                    load::scan(dataset, &columns, |batch, addresses| {
                        let (values, dimension) = Columns(batch).vectors(VECTOR)?;
                        let scores = values.chunks_exact(dimension.max(1)).map(|vector| to.of(vector));
                        best.add(batch, addresses, &scores.collect::<Vec<_>>(), among)
                    }),
                )?;
            }
        }
        best.cut();
        Ok(best.found)
    }
}

/// The chunks to search.
#[derive(Clone, Copy)]
enum Among<'a> {
    All,
    /// Those of these rows.
    Rows(&'a HashSet<RowKey>),
    /// Those at these row addresses.
    Addresses(&'a HashSet<u64>),
}

impl Among<'_> {
    fn is_empty(self) -> bool {
        match self {
            Self::All => false,
            Self::Rows(rows) => rows.is_empty(),
            Self::Addresses(addresses) => addresses.is_empty(),
        }
    }

    fn has_row(self, key: RowKey) -> bool {
        if let Self::Rows(rows) = self { rows.contains(&key) } else { true }
    }

    fn has_address(self, address: u64) -> bool {
        if let Self::Addresses(addresses) = self { addresses.contains(&address) } else { true }
    }
}

/// The nearest chunks so far.
struct Best {
    count: usize,
    found: Vec<NearChunk>,
}

impl Best {
    fn add(
        &mut self,
        batch: &RecordBatch,
        addresses: &[u64],
        scores: &[f32],
        among: Among<'_>,
    ) -> Result<(), TableError> {
        let columns = Columns(batch);
        let ordinals = columns.numbers::<UInt32Type>("ordinal")?;
        // Once there are enough, only what is at least as near as the last is kept.
        let least = if self.found.len() < self.count { f32::NEG_INFINITY } else { self.least() };
        each_file(&columns, |path, key, rows| {
            if !among.has_row(key) {
                return;
            }
            for row in rows {
                let (Some(&address), Some(&score)) = (addresses.get(row), scores.get(row)) else { continue };
                if score >= least && among.has_address(address) {
                    let row = ChunkLocator { row: key, ordinal: ordinals.value(row) };
                    self.found.push(NearChunk { path: RelPath::from(path), row, address, score });
                }
            }
        })?;
        self.cut();
        Ok(())
    }

    fn least(&self) -> f32 {
        self.found.last().map_or(f32::NEG_INFINITY, |near| near.score)
    }

    /// Keeps the nearest, sorted. Ties are broken by path, so that results are repeatable.
    fn cut(&mut self) {
        self.found.sort_by(|left, right| {
            let by_name = || (&left.path, left.row).cmp(&(&right.path, right.row));
            right.score.total_cmp(&left.score).then_with(by_name)
        });
        self.found.truncate(self.count);
    }
}

async fn by_index(
    dataset: &Dataset,
    vector: &[f32],
    metric: VectorMetric,
    kind: VectorIndexKind,
    among: Option<RowAddrTreeMap>,
    best: &mut Best,
) -> Result<(), TableError> {
    let mut scanner = dataset.scan();
    let wanted = Float32Array::from(vector.to_vec());
    scanner.project(&LOCATOR)?.nearest(VECTOR, &wanted, best.count)?.distance_metric(metric.of_lance());
    scanner.refine(kind.refine_factor(best.count)).with_row_address();
    if let Some(rows) = among {
        scanner.prefilter(true).with_row_id_prefilter(RowAddrMask::from_allowed(rows));
    }
    let mut stream = scanner.try_into_stream().await?;
    while let Some(batch) = stream.try_next().await? {
        let distances = batch.column_by_name("_distance").and_then(|column| column.as_primitive_opt::<Float32Type>());
        let distances =
            distances.ok_or_else(|| lance::Error::internal("a vector search returned no distances".to_owned()))?;
        let scores: Vec<f32> = distances.values().iter().map(|distance| metric.score_of_distance(*distance)).collect();
        best.add(&batch, load::addresses(&batch)?, &scores, Among::All)?;
    }
    Ok(())
}
