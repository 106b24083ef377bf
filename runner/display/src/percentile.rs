//! Percentiles.

/// Returns the nearest-rank percentile of ascending values; 0 if there are none.
#[must_use]
pub fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values = [1.0, 2.0, 3.0, 4.0];
        assert_eq!([0, 25, 50, 51, 100].map(|percent| percentile(&values, percent)), [1.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(percentile(&[], 50), 0.0);
    }
}
