//! The vectors of the table `chunks` in memory, and the exact search for the nearest.
//!
//! Every vector is kept twice: as it is, and rounded to one byte per component, with the
//! length of what rounding took away. A search first goes through the bytes, a quarter of
//! the memory. By Cauchy and Schwarz the product of two vectors differs from that of their
//! rounded forms by no more than the products of lengths, so whatever can be among the
//! nearest is known, and only that is compared exactly: the answer is that of comparing all.

use std::ops::Range;

use arrow::array::{Array as _, AsArray as _, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{Float16Type, Float32Type};
use gristmill_pipeline::{Key, RelPath, SinkError};
use gristmill_sinks::lance::{Metric, Resident, RowFiles, RowKey, Segment, product_of_bytes};
use gristmill_sinks::tables::Table;
use rayon::prelude::*;

use super::{Columns, OfFile, Row, TableRows, lacks};
use crate::call::Call;
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
    /// `rows × dimension`.
    values: Vec<f32>,
    /// `rows × dimension`: a component is about its code, less [`ZERO`], times the row's
    /// scale.
    codes: Vec<u8>,
    rounded: Vec<Rounded>,
}

/// What is known of a vector and its rounded form.
#[derive(Clone, Copy)]
struct Rounded {
    scale: f32,
    /// The sum of the codes.
    sum: u32,
    /// The length of the vector.
    length: f32,
    /// The length of the rounded form.
    rounded_length: f32,
    /// The length of the difference between the two.
    lost: f32,
}

/// The code of 0. Codes have no sign because it is bytes without one that are multiplied by
/// what the processor has for it.
const ZERO: i16 = 128;

/// Rows that are looked at between two looks at the clock.
const BLOCK: usize = 4096;

/// So many rows are looked at on the calling thread: they take about a millisecond, and where
/// many ask at once others have the cores.
const ROWS_ALONE: usize = 16 * BLOCK;

impl TableRows for VectorRows {
    const COLUMNS: &'static [&'static str] = &["path", "content_hash", "ordinal", "language", "vector"];

    fn table() -> Table {
        Table::Chunks
    }

    fn of(batch: RecordBatch) -> Result<Self, SinkError> {
        let list = batch.column_by_name("vector").and_then(|column| column.as_fixed_size_list_opt());
        let list = list.ok_or_else(|| lacks("vector"))?;
        let dimension = usize::try_from(list.value_length()).unwrap_or_default();
        let range = list.offset() * dimension..(list.offset() + list.len()) * dimension;
        let values = list.values();
        let values: Option<Vec<f32>> = if let Some(values) = values.as_primitive_opt::<Float32Type>() {
            values.values().get(range).map(<[f32]>::to_vec)
        } else {
            let values = values.as_primitive_opt::<Float16Type>().and_then(|values| values.values().get(range));
            values.map(|values| values.iter().map(|value| value.to_f32()).collect())
        };
        let vectors = Vectors::new(dimension, values.ok_or_else(|| lacks("vector"))?);
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
    /// What names the chunk of a row.
    #[must_use]
    pub fn name(&self, row: usize) -> RowKey {
        RowKey { row: self.files.get(row).map_or(0, |file| file.1), ordinal: self.ordinal.value(row) }
    }

    /// For each [run](RowFiles::runs) of rows whether its file is let through, by path, key
    /// and language.
    fn allowed(&self, is_allowed: impl Fn(&str, Key, &str) -> bool) -> Vec<bool> {
        let is_allowed = |(path, key, rows): (&RelPath, Key, Range<usize>)| {
            is_allowed(path.as_str(), key, self.language.value(rows.start))
        };
        self.files.runs().map(is_allowed).collect()
    }
}

impl Vectors {
    fn new(dimension: usize, values: Vec<f32>) -> Self {
        let mut codes = Vec::with_capacity(values.len());
        let rounded = values.chunks_exact(dimension.max(1)).map(|vector| round(vector, &mut codes)).collect();
        Self { dimension, values, codes, rounded }
    }

    fn value(&self, row: usize) -> &[f32] {
        self.values.get(row * self.dimension..(row + 1) * self.dimension).unwrap_or_default()
    }

    /// The least and the most that the products with some rows can be, in their order.
    fn bounds(&self, rows: Range<usize>, query: &RoundedQuery, out: &mut Vec<(f32, f32)>) {
        let codes = self.codes.get(rows.start * self.dimension..rows.end * self.dimension).unwrap_or_default();
        let rounded = self.rounded.get(rows).unwrap_or_default();
        out.clear();
        out.extend(codes.chunks_exact(self.dimension.max(1)).zip(rounded).map(|(codes, rounded)| {
            let about = query.scale * rounded.scale * query.product(codes, rounded.sum) as f32;
            // Nothing of this is exact either: a thousandth of the lengths is far above what
            // sums in 32 bits lose.
            let error = query.length * rounded.lost
                + query.lost * rounded.rounded_length
                + 1e-3 * query.length * rounded.length;
            (about - error, about + error)
        }));
    }
}

fn round(vector: &[f32], codes: &mut Vec<u8>) -> Rounded {
    let most = vector.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    // Of the least numbers there are the quotient is 0 too.
    let scale = Some(most / 127.0).filter(|scale| *scale > 0.0).unwrap_or(1.0);
    let (mut sum, mut length, mut rounded_length, mut lost) = (0_u32, 0.0_f32, 0.0_f32, 0.0_f32);
    for value in vector {
        let code = (value / scale).round();
        // The code is from -127 to 127, or not a number, which becomes 0.
        let unsigned = (code as i16 + ZERO) as u8;
        codes.push(unsigned);
        sum += u32::from(unsigned);
        let rounded = code * scale;
        length += value * value;
        rounded_length += rounded * rounded;
        lost += (value - rounded) * (value - rounded);
    }
    Rounded { scale, sum, length: length.sqrt(), rounded_length: rounded_length.sqrt(), lost: lost.sqrt() }
}

struct RoundedQuery {
    codes: Vec<u8>,
    scale: f32,
    sum: u32,
    length: f32,
    lost: f32,
}

impl RoundedQuery {
    fn of(vector: &[f32]) -> Self {
        let mut codes = Vec::with_capacity(vector.len());
        let Rounded { scale, sum, length, lost, .. } = round(vector, &mut codes);
        Self { codes, scale, sum, length, lost }
    }

    /// The product with a row, in units of the two scales: that of the codes, less what their
    /// zeros add.
    fn product(&self, codes: &[u8], sum: u32) -> i64 {
        let zero = i64::from(ZERO);
        let zeros = zero * (i64::from(self.sum) + i64::from(sum)) - zero * zero * codes.len() as i64;
        product_of_bytes(&self.codes, codes) as i64 - zeros
    }
}

/// Rows of a fragment from one on, and which of its runs are let through.
type Block<'a, 'b> = (&'a Segment<VectorRows>, &'b [bool], usize);

/// A row, with the least and the most that its nearness can be.
type Bounded<R> = (R, f32, f32);

/// A row whose vector is near, and how near.
pub type Near<'a> = (Row<'a, VectorRows>, f32);

/// The `count` rows whose vectors are nearest to this one, nearest first, of the files that
/// `is_allowed` lets through by path, key and language.
///
/// # Errors
/// If the call ended.
pub fn nearest<'a>(
    table: &'a Resident<VectorRows>,
    metric: Metric,
    vector: &[f32],
    count: usize,
    is_allowed: impl Fn(&str, Key, &str) -> bool,
    call: &Call,
) -> Result<Vec<Near<'a>>, ToolError> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let query = RoundedQuery::of(vector);
    let segments: Vec<_> = table
        .segments()
        .iter()
        .filter(|segment| segment.value().vectors.dimension == vector.len())
        .map(|segment| (segment, segment.value().allowed(&is_allowed)))
        .collect();
    let blocks: Vec<_> = segments
        .iter()
        .flat_map(|(segment, allowed)| {
            (0..segment.len()).step_by(BLOCK).map(move |start| (*segment, &**allowed, start))
        })
        .collect();
    // For each block what can be among the nearest of it, with the least and the most that
    // it can be. What is below the floor cannot: so many others are above it.
    let scan = |(bounds, floor): &mut (Vec<(f32, f32)>, f32), (segment, allowed, start): Block<'a, '_>| {
        call.check()?;
        let end = (start + BLOCK).min(segment.len());
        let VectorRows { files, vectors, .. } = segment.value();
        vectors.bounds(start..end, &query, bounds);
        let mut near = Vec::new();
        for (row, (least, most)) in (start..end).zip(&*bounds) {
            let length = vectors.rounded.get(row).map_or(0.0, |rounded| rounded.length);
            let score = |product: f32| score_of(metric, product, query.length, length);
            let most = score(*most);
            if most < *floor || !segment.is_live(row) {
                continue;
            }
            if files.run_of(row).and_then(|run| allowed.get(run)) == Some(&true) {
                near.push((Row { segment, row }, score(*least), most));
            }
        }
        if let Some(threshold) = keep_possible(&mut near, count) {
            *floor = floor.max(threshold);
        }
        Ok(near)
    };
    let begin = || (Vec::new(), f32::NEG_INFINITY);
    let rows: usize = segments.iter().map(|(segment, _)| segment.len()).sum();
    let found: Result<Vec<Vec<Bounded<Row<'a, VectorRows>>>>, ToolError> = if rows > ROWS_ALONE {
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

/// Tells of rows how near their vectors are.
pub fn nearness(metric: Metric, vector: &[f32]) -> impl Fn(Row<'_, VectorRows>) -> f32 {
    let exact = metric.to(vector);
    move |row| exact.of(row.table().vectors.value(row.row))
}

/// What a product says of nearness, as [`Metric::to`] tells it. All of these grow with the
/// product.
fn score_of(metric: Metric, product: f32, query_length: f32, length: f32) -> f32 {
    match metric {
        Metric::Dot => product,
        Metric::Cosine => {
            let lengths = query_length * length;
            if lengths > 0.0 { product / lengths } else { 0.0 }
        }
        Metric::L2 => 1.0 / (1.0 + (query_length * query_length + length * length - 2.0 * product).max(0.0)),
    }
}

/// Compares rows exactly, all those at least that are among the `count` nearest. The likeliest
/// are looked at first: how near the last of them is keeps most others from being looked at.
fn compare<R: Copy>(mut rows: Vec<Bounded<R>>, count: usize, exact: impl Fn(R) -> f32) -> Vec<(R, f32)> {
    if count < rows.len() {
        rows.select_nth_unstable_by(count, |left, right| right.1.total_cmp(&left.1));
    }
    let others = rows.split_off(count.min(rows.len()));
    let compare = |(row, ..): Bounded<R>| (row, exact(row));
    let mut near: Vec<(R, f32)> = rows.into_iter().map(compare).collect();
    let last = near.iter().map(|near| near.1).fold(f32::INFINITY, f32::min);
    near.extend(others.into_iter().filter(|(.., most)| *most >= last).map(compare));
    near
}

/// Drops what cannot be among the `count` nearest: whose most is below the least of so many,
/// which is given back if there are so many.
fn keep_possible<R>(rows: &mut Vec<Bounded<R>>, count: usize) -> Option<f32> {
    if rows.len() < count {
        return None;
    }
    let mut least: Vec<f32> = rows.iter().map(|row| row.1).collect();
    let (_, threshold, _) = least.select_nth_unstable_by(count - 1, |left, right| right.total_cmp(left));
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
            let table = Vectors::new(19, rows.concat());
            let mut bounds = Vec::new();
            table.bounds(0..rows.len(), &RoundedQuery::of(&query), &mut bounds);
            for (row, (least, most)) in rows.iter().zip(bounds) {
                let product: f64 = row.iter().zip(&query).map(|(left, right)| f64::from(*left) * f64::from(*right)).sum();
                prop_assert!(f64::from(least) <= product && product <= f64::from(most), "{least} {product} {most}");
            }
        }

        #[test]
        fn what_is_kept_has_the_best(bounds in prop::collection::vec((0.0_f32..1.0, 0.0_f32..0.3, 0.0_f32..1.0), 1..60), count in 1_usize..10) {
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
