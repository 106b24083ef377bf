//! The resident vectors of the table `chunks`, and the exact nearest-neighbour search.
//!
//! Each vector is kept twice: in full precision, and quantised to one byte per component, with the
//! norm of the quantisation error. A search first scans the bytes, a quarter of the memory. By the
//! Cauchy–Schwarz inequality, the dot product of two vectors differs from that of their quantised
//! forms by at most the products of norms. These bounds select the rows that can be among the
//! nearest, and only those are compared exactly: the result equals that of a full scan.

use std::ops::Range;

use arrow::array::{Array as _, AsArray as _, RecordBatch, StringArray, UInt32Array};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{Float16Type, Float32Type};
use gristmill_pipeline::{RelPath, RowKey, SinkError};
use gristmill_sinks::lance::{ChunkLocator, Resident, RowFiles, Segment, VectorMetric, product_of_bytes};
use gristmill_sinks::tables::Table;
use rayon::prelude::*;

use super::{Columns, OfFile, Row, TableRows, missing_column};
use crate::call::CallContext;
use crate::error::ToolError;

/// The vectors of a fragment.
pub struct VectorRows {
    files: RowFiles,
    ordinal: UInt32Array,
    language: StringArray,
    vectors: Vectors,
}

struct Vectors {
    dimension: usize,
    /// `rows × dimension`, as they were read.
    values: ScalarBuffer<f32>,
    /// `rows × dimension`: a component is approximately `(code - ZERO) * scale`.
    codes: Vec<u8>,
    quantised: Vec<Quantised>,
}

/// The scale and the norms of a quantised vector.
#[derive(Clone, Copy)]
struct Quantised {
    scale: f32,
    /// The sum of the codes.
    sum: u32,
    /// The norm of the vector.
    norm: f32,
    /// The norm of the quantised vector.
    quantised_norm: f32,
    /// The norm of the difference.
    error_norm: f32,
}

/// The code of 0. Codes are unsigned because the SIMD instructions multiply unsigned bytes.
const ZERO: i16 = 128;

/// Rows between two checks for cancellation.
const BLOCK_ROWS: usize = 4096;

/// Up to this many rows are scanned on the calling thread: they take about a millisecond, and other
/// queries use the other cores.
const MAX_SEQUENTIAL_ROWS: usize = 16 * BLOCK_ROWS;

impl TableRows for VectorRows {
    const COLUMNS: &'static [&'static str] = &["path", "content_hash", "ordinal", "language", "vector"];

    fn table() -> Table {
        Table::Chunks
    }

    fn of(batch: RecordBatch) -> Result<Self, SinkError> {
        let list = batch.column_by_name("vector").and_then(|column| column.as_fixed_size_list_opt());
        let list = list.ok_or_else(|| missing_column("vector"))?;
        let dimension = usize::try_from(list.value_length()).unwrap_or_default();
        let range = list.offset() * dimension..(list.offset() + list.len()) * dimension;
        let values = list.values();
        let values: Option<ScalarBuffer<f32>> = if let Some(values) = values.as_primitive_opt::<Float32Type>() {
            Some(values.values().slice(range.start, range.len()))
        } else {
            let values = values.as_primitive_opt::<Float16Type>().and_then(|values| values.values().get(range));
            values.map(|values| values.iter().map(|value| value.to_f32()).collect())
        };
        let vectors = Vectors::new(dimension, values.ok_or_else(|| missing_column("vector"))?);
        let columns = Columns(&batch);
        let (ordinal, language) = (columns.number("ordinal")?, columns.text("language")?);
        Ok(Self { files: RowFiles::of(&batch)?, ordinal, language, vectors })
    }
}

impl OfFile for VectorRows {
    fn files(&self) -> &RowFiles {
        &self.files
    }
}

impl VectorRows {
    /// Returns the key of the chunk of a row.
    #[must_use]
    pub fn row_key(&self, row: usize) -> ChunkLocator {
        ChunkLocator { row: self.files.get(row).map_or(RowKey::NONE, |file| file.1), ordinal: self.ordinal.value(row) }
    }

    /// Returns for each [run](RowFiles::runs) of rows whether its file is allowed, by path, key and
    /// language.
    fn allowed(&self, is_allowed: impl Fn(&str, RowKey, &str) -> bool) -> Vec<bool> {
        let is_allowed = |(path, key, rows): (&RelPath, RowKey, Range<usize>)| {
            is_allowed(path.as_str(), key, self.language.value(rows.start))
        };
        self.files.runs().map(is_allowed).collect()
    }
}

impl Vectors {
    fn new(dimension: usize, values: ScalarBuffer<f32>) -> Self {
        let mut codes = Vec::with_capacity(values.len());
        let quantised = values.chunks_exact(dimension.max(1)).map(|vector| quantise(vector, &mut codes)).collect();
        Self { dimension, values, codes, quantised }
    }

    fn value(&self, row: usize) -> &[f32] {
        self.values.get(row * self.dimension..(row + 1) * self.dimension).unwrap_or_default()
    }

    /// Computes the lower and the upper bound of the dot product with each of the rows.
    fn bounds(&self, rows: Range<usize>, query: &QuantisedQuery, out: &mut Vec<(f32, f32)>) {
        let codes = self.codes.get(rows.start * self.dimension..rows.end * self.dimension).unwrap_or_default();
        let quantised = self.quantised.get(rows).unwrap_or_default();
        out.clear();
        out.extend(codes.chunks_exact(self.dimension.max(1)).zip(quantised).map(|(codes, quantised)| {
            let about = query.scale * quantised.scale * query.product(codes, quantised.sum) as f32;
            // A thousandth of the norms is far above the rounding errors of the 32-bit sums.
            let error = query.norm * quantised.error_norm
                + query.error_norm * quantised.quantised_norm
                + 1e-3 * query.norm * quantised.norm;
            (about - error, about + error)
        }));
    }
}

fn quantise(vector: &[f32], codes: &mut Vec<u8>) -> Quantised {
    let max = vector.iter().fold(0.0_f32, |max, value| max.max(value.abs()));
    // The quotient of subnormal numbers may be 0.
    let scale = Some(max / 127.0).filter(|scale| *scale > 0.0).unwrap_or(1.0);
    let (mut sum, mut norm, mut quantised_norm, mut error_norm) = (0_u32, 0.0_f32, 0.0_f32, 0.0_f32);
    for value in vector {
        let code = (value / scale).round();
        // The code is between -127 and 127, or NaN, which becomes 0.
        let unsigned = (code as i16 + ZERO) as u8;
        codes.push(unsigned);
        sum += u32::from(unsigned);
        let quantised = code * scale;
        norm += value * value;
        quantised_norm += quantised * quantised;
        error_norm += (value - quantised) * (value - quantised);
    }
    Quantised { scale, sum, norm: norm.sqrt(), quantised_norm: quantised_norm.sqrt(), error_norm: error_norm.sqrt() }
}

struct QuantisedQuery {
    codes: Vec<u8>,
    scale: f32,
    sum: u32,
    norm: f32,
    error_norm: f32,
}

impl QuantisedQuery {
    fn of(vector: &[f32]) -> Self {
        let mut codes = Vec::with_capacity(vector.len());
        let Quantised { scale, sum, norm, error_norm, .. } = quantise(vector, &mut codes);
        Self { codes, scale, sum, norm, error_norm }
    }

    /// Computes the dot product with a row, in units of the two scales: that of the codes, less the
    /// contribution of their zero points.
    fn product(&self, codes: &[u8], sum: u32) -> i64 {
        let zero = i64::from(ZERO);
        let zeros = zero * (i64::from(self.sum) + i64::from(sum)) - zero * zero * codes.len() as i64;
        product_of_bytes(&self.codes, codes) as i64 - zeros
    }
}

/// A block of rows: the fragment, its allowed runs, and the first row.
type Block<'a, 'b> = (&'a Segment<VectorRows>, &'b [bool], usize);

/// A row with the lower and the upper bound of its score.
type Bounded<R> = (R, f32, f32);

/// A row with the score of its vector.
pub type NearestRow<'a> = (Row<'a, VectorRows>, f32);

/// Finds the `count` rows with the highest scores, best first, in the files that `is_allowed` accepts
/// by path, key and language, among those that `is_row_allowed` accepts. Exact; O(rows · dimension).
///
/// # Errors
/// If the call was cancelled.
pub fn nearest<'a>(
    table: &'a Resident<VectorRows>,
    metric: VectorMetric,
    vector: &[f32],
    count: usize,
    is_allowed: impl Fn(&str, RowKey, &str) -> bool,
    is_row_allowed: impl Fn(Row<'a, VectorRows>) -> bool + Sync,
    call: &CallContext,
) -> Result<Vec<NearestRow<'a>>, ToolError> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let query = QuantisedQuery::of(vector);
    let segments: Vec<_> = table
        .segments()
        .iter()
        .filter(|segment| segment.value().vectors.dimension == vector.len())
        .map(|segment| (segment, segment.value().allowed(&is_allowed)))
        .collect();
    let blocks: Vec<_> = segments
        .iter()
        .flat_map(|(segment, allowed)| {
            (0..segment.len()).step_by(BLOCK_ROWS).map(move |start| (*segment, &**allowed, start))
        })
        .collect();
    // Returns the rows of a block that can be among the nearest, with their bounds. Rows below the
    // floor cannot: at least `count` others are above it.
    let scan = |(bounds, floor): &mut (Vec<(f32, f32)>, f32), (segment, allowed, start): Block<'a, '_>| {
        call.check()?;
        let end = (start + BLOCK_ROWS).min(segment.len());
        let VectorRows { files, vectors, .. } = segment.value();
        vectors.bounds(start..end, &query, bounds);
        let mut near = Vec::new();
        for (row, (lower, upper)) in (start..end).zip(&*bounds) {
            let norm = vectors.quantised.get(row).map_or(0.0, |quantised| quantised.norm);
            let score = |product: f32| score_of(metric, product, query.norm, norm);
            let upper = score(*upper);
            if upper < *floor || !segment.is_live(row) {
                continue;
            }
            let is_file_allowed = files.run_of(row).and_then(|run| allowed.get(run)) == Some(&true);
            let row = Row { segment, row };
            if is_file_allowed && is_row_allowed(row) {
                near.push((row, score(*lower), upper));
            }
        }
        if let Some(threshold) = keep_possible(&mut near, count) {
            *floor = floor.max(threshold);
        }
        Ok(near)
    };
    let begin = || (Vec::new(), f32::NEG_INFINITY);
    let rows: usize = segments.iter().map(|(segment, _)| segment.len()).sum();
    let found: Result<Vec<Vec<Bounded<Row<'a, VectorRows>>>>, ToolError> = if rows > MAX_SEQUENTIAL_ROWS {
        blocks.into_par_iter().map_init(begin, scan).collect()
    } else {
        let mut state = begin();
        blocks.into_iter().map(|block| scan(&mut state, block)).collect()
    };
    let mut possible: Vec<_> = found?.into_iter().flatten().collect();
    keep_possible(&mut possible, count);
    let exact = metric.to(vector);
    let mut near = compare(possible, count, |row: Row<'a, VectorRows>| exact.of(row.table().vectors.value(row.row)));
    near.sort_by(|left, right| right.1.total_cmp(&left.1).then_with(|| left.0.address().cmp(&right.0.address())));
    near.truncate(count);
    Ok(near)
}

/// Returns a function that computes the score of a row.
pub fn scorer(metric: VectorMetric, vector: &[f32]) -> impl Fn(Row<'_, VectorRows>) -> f32 {
    let exact = metric.to(vector);
    move |row| exact.of(row.table().vectors.value(row.row))
}

/// Computes the score of a dot product, like [`Metric::to`]. It is monotonic in the product.
fn score_of(metric: VectorMetric, product: f32, query_norm: f32, norm: f32) -> f32 {
    match metric {
        VectorMetric::Dot => product,
        VectorMetric::Cosine => {
            let norms = query_norm * norm;
            if norms > 0.0 { product / norms } else { 0.0 }
        }
        VectorMetric::L2 => 1.0 / (1.0 + (query_norm * query_norm + norm * norm - 2.0 * product).max(0.0)),
    }
}

/// Computes exact scores, at least of all rows among the `count` nearest. The rows with the highest
/// lower bounds come first: the worst of their scores rules most other rows out.
fn compare<R: Copy>(mut rows: Vec<Bounded<R>>, count: usize, exact: impl Fn(R) -> f32) -> Vec<(R, f32)> {
    if count < rows.len() {
        rows.select_nth_unstable_by(count, |left, right| right.1.total_cmp(&left.1));
    }
    let others = rows.split_off(count.min(rows.len()));
    let compare = |(row, ..): Bounded<R>| (row, exact(row));
    let mut near: Vec<(R, f32)> = rows.into_iter().map(compare).collect();
    let last = near.iter().map(|near| near.1).fold(f32::INFINITY, f32::min);
    near.extend(others.into_iter().filter(|(.., upper)| *upper >= last).map(compare));
    near
}

/// Drops the rows that cannot be among the `count` nearest: those whose upper bound is below the
/// `count`-th lower bound. Returns that lower bound, if there are enough rows.
fn keep_possible<R>(rows: &mut Vec<Bounded<R>>, count: usize) -> Option<f32> {
    if rows.len() < count {
        return None;
    }
    let mut lower: Vec<f32> = rows.iter().map(|row| row.1).collect();
    let (_, threshold, _) = lower.select_nth_unstable_by(count - 1, |left, right| right.total_cmp(left));
    let threshold = *threshold;
    rows.retain(|row| row.2 >= threshold);
    Some(threshold)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bounds_hold_for_any_vectors(
            rows in prop::collection::vec(prop::collection::vec(-3.0_f32..3.0, 19), 1..40),
            query in prop::collection::vec(-3.0_f32..3.0, 19),
        ) {
            let table = Vectors::new(19, rows.concat().into());
            let mut bounds = Vec::new();
            table.bounds(0..rows.len(), &QuantisedQuery::of(&query), &mut bounds);
            for (row, (lower, upper)) in rows.iter().zip(bounds) {
                let product: f64 = row.iter().zip(&query).map(|(left, right)| f64::from(*left) * f64::from(*right)).sum();
                prop_assert!(f64::from(lower) <= product && product <= f64::from(upper), "{lower} {product} {upper}");
            }
        }

        #[test]
        fn the_nearest_rows_are_kept(bounds in prop::collection::vec((0.0_f32..1.0, 0.0_f32..0.3, 0.0_f32..1.0), 1..60), count in 1_usize..10) {
            let mut rows: Vec<(usize, f32, f32)> =
                bounds.iter().enumerate().map(|(row, (least, width, _))| (row, *least, least + width)).collect();
            // The true value lies anywhere between the bounds.
            let mut best: Vec<(usize, f32)> =
                bounds.iter().enumerate().map(|(row, (least, width, at))| (row, least + width * at)).collect();
            let values: Vec<f32> = best.iter().map(|(_, value)| *value).collect();
            keep_possible(&mut rows, count);
            let compared = compare(rows.clone(), count, |row| values[row]);
            best.sort_by(|left, right| right.1.total_cmp(&left.1));
            let (_, worst) = best[count.min(best.len()) - 1];
            for (row, value) in best {
                prop_assert!(value < worst || rows.iter().any(|kept| kept.0 == row));
                prop_assert!(value < worst || compared.contains(&(row, value)));
            }
        }
    }
}
