//! The vectors of the table `chunks` in memory, and the exact search for the nearest.
//!
//! Every vector is kept twice: as it is, and rounded to one byte per component, with the
//! length of what rounding took away. A search first goes through the bytes, a quarter of
//! the memory. By Cauchy and Schwarz the product of two vectors differs from that of their
//! rounded forms by no more than the products of lengths, so whatever can be among the
//! nearest is known, and only that is compared exactly: the answer is that of comparing all.

use arrow::array::{Array as _, AsArray as _, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{Float16Type, Float32Type};
use gristmill_pipeline::{Key, SinkError};
use gristmill_sinks::lance::{Metric, Resident, RowFiles, RowKey};
use gristmill_sinks::tables::Table;
use rayon::prelude::*;

use super::{Columns, OfFile, Row, TableRows, lacks};
use crate::query::call::Call;
use crate::query::error::ToolError;

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
    /// `rows × dimension`: a component is about its code times the row's scale.
    codes: Vec<i8>,
    rounded: Vec<Rounded>,
}

/// What is known of a vector and its rounded form.
#[derive(Clone, Copy)]
struct Rounded {
    scale: f32,
    /// The length of the vector.
    length: f32,
    /// The length of the rounded form.
    rounded_length: f32,
    /// The length of the difference between the two.
    lost: f32,
}

/// Rows that are looked at between two looks at the clock.
const BLOCK: usize = 4096;

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

    /// For each of the [files](RowFiles::files) whether it is let through, by path, key and
    /// language.
    fn allowed(&self, is_allowed: impl Fn(&str, Key, &str) -> bool) -> Vec<bool> {
        let mut allowed = vec![None; self.files.files.len()];
        for (row, file) in self.files.file.iter().enumerate() {
            if let Some(allowed @ None) = allowed.get_mut(*file as usize)
                && let Some((path, key)) = self.files.get(row)
            {
                *allowed = Some(is_allowed(path.as_str(), *key, self.language.value(row)));
            }
        }
        allowed.into_iter().map(|allowed| allowed == Some(true)).collect()
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
    fn bounds(&self, rows: std::ops::Range<usize>, query: &RoundedQuery, out: &mut Vec<(f32, f32)>) {
        let codes = self.codes.get(rows.start * self.dimension..rows.end * self.dimension).unwrap_or_default();
        let rounded = self.rounded.get(rows).unwrap_or_default();
        out.clear();
        out.extend(codes.chunks_exact(self.dimension.max(1)).zip(rounded).map(|(codes, rounded)| {
            let about = query.scale * rounded.scale * dot(codes, &query.codes) as f32;
            // Nothing of this is exact either: a thousandth of the lengths is far above what
            // sums in 32 bits lose.
            let error = query.length * rounded.lost
                + query.lost * rounded.rounded_length
                + 1e-3 * query.length * rounded.length;
            (about - error, about + error)
        }));
    }
}

fn round(vector: &[f32], codes: &mut Vec<i8>) -> Rounded {
    let most = vector.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    let scale = if most > 0.0 { most / 127.0 } else { 1.0 };
    let (mut length, mut rounded_length, mut lost) = (0.0_f32, 0.0_f32, 0.0_f32);
    for value in vector {
        let code = (value / scale).round();
        codes.push(code as i8);
        let rounded = code * scale;
        length += value * value;
        rounded_length += rounded * rounded;
        lost += (value - rounded) * (value - rounded);
    }
    Rounded { scale, length: length.sqrt(), rounded_length: rounded_length.sqrt(), lost: lost.sqrt() }
}

struct RoundedQuery {
    codes: Vec<i8>,
    scale: f32,
    length: f32,
    lost: f32,
}

/// The product of two rounded vectors. Sums of 16 products of bytes fit into what the
/// processor multiplies and adds in one step.
fn dot(left: &[i8], right: &[i8]) -> i32 {
    let (lefts, rights) = (left.as_chunks::<16>(), right.as_chunks::<16>());
    let mut sums = [0_i32; 16];
    for (left, right) in lefts.0.iter().zip(rights.0) {
        for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
            *sum += i32::from(*left) * i32::from(*right);
        }
    }
    let rest = lefts.1.iter().zip(rights.1).map(|(left, right)| i32::from(*left) * i32::from(*right));
    sums.into_iter().chain(rest).sum()
}

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
    let mut codes = Vec::with_capacity(vector.len());
    let Rounded { scale, length, lost, .. } = round(vector, &mut codes);
    let query = RoundedQuery { codes, scale, length, lost };
    let segments: Vec<_> = table
        .segments()
        .iter()
        .filter(|segment| segment.value().vectors.dimension == vector.len())
        .map(|segment| (segment, segment.value().allowed(&is_allowed)))
        .collect();
    let blocks: Vec<_> = segments
        .iter()
        .flat_map(|(segment, allowed)| (0..segment.len()).step_by(BLOCK).map(move |start| (*segment, allowed, start)))
        .collect();
    // For each block what can be among the nearest of it, with the least and the most that
    // it can be.
    let found: Result<Vec<Vec<Bounded<Row<'a, VectorRows>>>>, ToolError> = blocks
        .into_par_iter()
        .map_init(Vec::new, |bounds, (segment, allowed, start)| {
            call.check()?;
            let end = (start + BLOCK).min(segment.len());
            let VectorRows { files, vectors, .. } = segment.value();
            vectors.bounds(start..end, &query, bounds);
            let mut near = Vec::new();
            for (row, (least, most)) in (start..end).zip(&*bounds) {
                let is_allowed = files.file.get(row).and_then(|file| allowed.get(*file as usize)) == Some(&true);
                if is_allowed && segment.is_live(row) {
                    let length = vectors.rounded.get(row).map_or(0.0, |rounded| rounded.length);
                    let score = |product: f32| score_of(metric, product, query.length, length);
                    near.push((Row { segment, row }, score(*least), score(*most)));
                }
            }
            keep_possible(&mut near, count);
            Ok(near)
        })
        .collect();
    let mut possible: Vec<_> = found?.into_iter().flatten().collect();
    keep_possible(&mut possible, count);
    let exact = metric.to(vector);
    let mut near: Vec<Near<'a>> =
        possible.into_iter().map(|(row, ..)| (row, exact.of(row.table().vectors.value(row.row)))).collect();
    near.sort_by(|left, right| right.1.total_cmp(&left.1).then_with(|| left.0.address().cmp(&right.0.address())));
    near.truncate(count);
    Ok(near)
}

/// How near the vector of a row is.
#[must_use]
pub fn nearness(row: Row<'_, VectorRows>, metric: Metric, vector: &[f32]) -> f32 {
    metric.to(vector).of(row.table().vectors.value(row.row))
}

/// What a product says of nearness. All of these grow with the product.
fn score_of(metric: Metric, product: f32, query_length: f32, length: f32) -> f32 {
    match metric {
        Metric::Dot => product,
        Metric::Cosine => {
            let lengths = query_length * length;
            if lengths > 0.0 { product / lengths } else { 0.0 }
        }
        Metric::L2 => -(query_length * query_length + length * length - 2.0 * product),
    }
}

/// Drops what cannot be among the `count` nearest: whose most is below the least of so many.
fn keep_possible<R>(rows: &mut Vec<Bounded<R>>, count: usize) {
    if rows.len() <= count {
        return;
    }
    let mut least: Vec<f32> = rows.iter().map(|row| row.1).collect();
    let (_, threshold, _) = least.select_nth_unstable_by(count - 1, |left, right| right.total_cmp(left));
    let threshold = *threshold;
    rows.retain(|row| row.2 >= threshold);
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
            let mut codes = Vec::new();
            let Rounded { scale, length, lost, .. } = round(&query, &mut codes);
            let mut bounds = Vec::new();
            table.bounds(0..rows.len(), &RoundedQuery { codes, scale, length, lost }, &mut bounds);
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
            best.sort_by(|left, right| right.1.total_cmp(&left.1));
            keep_possible(&mut rows, count);
            let (_, worst) = best[count.min(best.len()) - 1];
            for (row, value) in best {
                prop_assert!(value <= worst || rows.iter().any(|kept| kept.0 == row));
            }
        }
    }
}
