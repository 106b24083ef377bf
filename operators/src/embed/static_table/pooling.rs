//! Pooling token rows into one vector.

use super::table::Table;

/// How the rows of a text's tokens are pooled into its vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pooling {
    /// Whether a token that occurs n times has weight 1 + ln n rather than n.
    pub(super) log_counts: bool,
    /// Whether the sum is divided by its norm rather than by the number of tokens.
    pub(super) normalise: bool,
}

/// Sums the rows of `ids` into `out`, which must be zero, and scales the sum.
///
/// Adds rows in ascending order of id, each once with its weight, so that the result depends only
/// on the multiset of ids.
pub(super) fn pool(table: &Table, pooling: Pooling, ids: &mut [u32], out: &mut [f32]) {
    ids.sort_unstable();
    for run in ids.chunk_by(|a, b| a == b) {
        let Some(&id) = run.first() else { continue };
        let count = run.len() as f64;
        let factor = match run.len() {
            1 => 1.0,
            _ if pooling.log_counts => 1.0 + count.ln(),
            _ => count,
        };
        table.add_row(id, factor as f32, out);
    }
    let divisor = if pooling.normalise { norm(out) } else { ids.len() as f32 };
    if divisor > 0.0 {
        for value in out {
            *value /= divisor;
        }
    }
}

/// Number of partial sums. It is fixed, so that the order of additions is the same on every
/// machine.
const LANES: usize = 16;

/// Returns the Euclidean norm.
fn norm(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value * value;
        }
    }
    let tail: f32 = rest.iter().map(|value| value * value).sum();
    (sums.iter().sum::<f32>() + tail).sqrt()
}
