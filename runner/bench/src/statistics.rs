//! What repeated measurements say: medians with exact, distribution-free confidence intervals.
//!
//! Times of runs are skewed and few, so nothing here assumes a normal distribution.

use serde::{Deserialize, Serialize};

/// The confidence that intervals are made for. Fewer than six samples do not reach it; see
/// [`Interval::coverage`].
pub const CONFIDENCE: f64 = 0.95;

/// The most samples of a variant: the exact distributions are computed by counting.
pub const MAX_SAMPLES: usize = 60;

/// An estimate with its confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The estimate.
    pub estimate: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The probability that such an interval holds the true value; below [`CONFIDENCE`] where the
    /// samples are too few for more.
    pub coverage: f64,
}

impl Interval {
    /// Whether the samples were enough for an interval of [`CONFIDENCE`].
    #[must_use]
    pub fn is_confident(&self) -> bool {
        self.coverage >= CONFIDENCE
    }
}

/// Returns the median with the interval between two order statistics (the sign test's). `None` without
/// samples.
///
/// ```
/// use gristmill_bench::median;
///
/// let median = median(&[3.0, 1.0, 2.0, 5.0, 4.0, 6.0]).expect("has samples");
/// assert_eq!((median.estimate, median.low, median.high), (3.5, 1.0, 6.0));
/// assert_eq!(median.coverage, 1.0 - 2.0 / 64.0);
/// ```
#[must_use]
pub fn median(samples: &[f64]) -> Option<Interval> {
    let sorted = sorted(samples)?;
    let n = sorted.len();
    // Heads of n fair coins: how many samples lie below the true median.
    let mut binomial = vec![0.5_f64.powi(n as i32); n + 1];
    for heads in 1..=n {
        binomial[heads] = binomial[heads - 1] * (n + 1 - heads) as f64 / heads as f64;
    }
    let (rank, coverage) = narrowest(&binomial, n.div_ceil(2));
    Some(Interval { estimate: middle(&sorted), low: sorted[rank - 1], high: sorted[n - rank], coverage })
}

/// Returns the ratio of the second to the first sample of each pair: the Hodges–Lehmann estimate with the
/// interval of Wilcoxon's signed-rank test, over logarithms (Hollander and Wolfe, *Nonparametric
/// Statistical Methods*, 3.2 and 3.3). `None` without pairs, and where a sample is not positive.
///
/// ```
/// use gristmill_bench::paired_ratio;
///
/// let ratio = paired_ratio(&[(10.0, 5.0), (12.0, 6.0)]).expect("has pairs");
/// assert!((ratio.estimate - 0.5).abs() < 1e-9 && ratio.coverage == 0.5);
/// ```
#[must_use]
pub fn paired_ratio(pairs: &[(f64, f64)]) -> Option<Interval> {
    if pairs.iter().any(|(first, second)| *first <= 0.0 || *second <= 0.0) {
        return None;
    }
    let logs: Vec<f64> = pairs.iter().map(|(first, second)| (second / first).ln()).collect();
    let n = logs.len();
    let means = (0..n).flat_map(|left| (left..n).map(move |right| (left, right)));
    let means: Vec<f64> = means.map(|(left, right)| f64::midpoint(logs[left], logs[right])).collect();
    let means = sorted(&means)?;
    let (rank, coverage) = narrowest(&signed_ranks(n), means.len().div_ceil(2));
    let (estimate, low, high) = (middle(&means), means[rank - 1], means[means.len() - rank]);
    Some(Interval { estimate: estimate.exp(), low: low.exp(), high: high.exp(), coverage })
}

/// Returns the ratio of the samples of the second group to those of the first, which are no pairs: the
/// Hodges–Lehmann estimate with the interval of the Mann–Whitney test, over logarithms (Hollander and
/// Wolfe, 4.2 and 4.3). `None` if a group is empty or a sample is not positive.
#[must_use]
pub fn unpaired_ratio(first: &[f64], second: &[f64]) -> Option<Interval> {
    if first.iter().chain(second).any(|sample| *sample <= 0.0) {
        return None;
    }
    let differences = first.iter().flat_map(|first| second.iter().map(move |second| (second / first).ln()));
    let differences = sorted(&differences.collect::<Vec<_>>())?;
    let (rank, coverage) = narrowest(&rank_sums(first.len(), second.len()), differences.len().div_ceil(2));
    let (low, high) = (differences[rank - 1], differences[differences.len() - rank]);
    Some(Interval { estimate: middle(&differences).exp(), low: low.exp(), high: high.exp(), coverage })
}

/// Returns the indices of samples far from the rest: more than five robust standard deviations (of the
/// median absolute deviation) and a tenth of the median away from it. They are reported, never left out.
#[must_use]
pub fn outliers(samples: &[f64]) -> Vec<usize> {
    /// A median absolute deviation in standard deviations of a normal distribution.
    const PER_DEVIATION: f64 = 1.4826;
    let Some(ordered) = sorted(samples) else { return Vec::new() };
    let median = middle(&ordered);
    let deviations: Vec<f64> = samples.iter().map(|sample| (sample - median).abs()).collect();
    let Some(spread) = sorted(&deviations) else { return Vec::new() };
    let allowed = (5.0 * PER_DEVIATION * middle(&spread)).max(median.abs() / 10.0);
    let is_far = |(index, deviation): (usize, &f64)| (*deviation > allowed).then_some(index);
    deviations.iter().enumerate().filter_map(is_far).collect()
}

/// The distribution of the sum of the ranks of positive differences, if each sign is as likely:
/// `[sum] = probability`.
fn signed_ranks(n: usize) -> Vec<f64> {
    let mut distribution = vec![0.0; n * (n + 1) / 2 + 1];
    distribution[0] = 1.0;
    for rank in 1..=n {
        for sum in (0..distribution.len()).rev() {
            let with = sum.checked_sub(rank).map_or(0.0, |without| distribution[without]);
            distribution[sum] = f64::midpoint(distribution[sum], with);
        }
    }
    distribution
}

/// The distribution of the number of pairs in which a sample of the second group is the larger, if both
/// groups are alike: `[pairs] = probability`.
fn rank_sums(first: usize, second: usize) -> Vec<f64> {
    let size = first * second + 1;
    // By the number of samples of the first group; the largest of all is of either group.
    let mut by_first = vec![vec![0.0; size]; first + 1];
    by_first.iter_mut().for_each(|distribution| distribution[0] = 1.0);
    for of_second in 1..=second {
        for of_first in 1..=first {
            let chance = of_first as f64 / (of_first + of_second) as f64;
            let distribution: Vec<f64> = (0..size)
                .map(|pairs| {
                    let largest_is_second = pairs.checked_sub(of_first).map_or(0.0, |rest| by_first[of_first][rest]);
                    chance * by_first[of_first - 1][pairs] + (1.0 - chance) * largest_is_second
                })
                .collect();
            by_first[of_first] = distribution;
        }
    }
    by_first.pop().unwrap_or_default()
}

/// The highest rank, of an order statistic from either end, between which an interval still has the
/// confidence, with its coverage; the lowest where none has.
fn narrowest(distribution: &[f64], max_rank: usize) -> (usize, f64) {
    let coverage = |rank: usize| 1.0 - 2.0 * distribution.iter().take(rank).sum::<f64>();
    let rank = (1..=max_rank.max(1)).take_while(|&rank| coverage(rank) >= CONFIDENCE).last().unwrap_or(1);
    (rank, coverage(rank).max(0.0))
}

fn sorted(samples: &[f64]) -> Option<Vec<f64>> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    (!sorted.is_empty()).then_some(sorted)
}

fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { f64::midpoint(sorted[half - 1], sorted[half]) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn intervals_agree_with_published_tables() {
        let ramp = |n: usize| (1..=n).map(|value| value as f64).collect::<Vec<_>>();
        // Sign test, two-sided 95 %: ranks 1, 2, 2, 6 of 6, 9, 10, 20.
        for (n, low) in [(6, 1.0), (9, 2.0), (10, 2.0), (20, 6.0)] {
            let found = median(&ramp(n)).expect("has samples");
            assert_eq!((found.low, found.high, found.is_confident()), (low, n as f64 + 1.0 - low, true), "{n}");
        }
        assert!(!median(&ramp(5)).expect("has samples").is_confident(), "five are too few");
        // Signed ranks: P(T <= 2) of 7 is 3/128, P(T <= 8) of 10 is 25/1024.
        let sum = |n: usize, most: usize| signed_ranks(n).iter().take(most + 1).sum::<f64>();
        assert_eq!((sum(7, 2), sum(10, 8)), (3.0 / 128.0, 25.0 / 1024.0));
    }

    #[test]
    fn a_ratio_is_that_of_pairs_and_not_of_medians() {
        // The machine became twice as slow half way; the second takes 9 tenths throughout.
        let pairs: Vec<(f64, f64)> = [10.0, 10.0, 10.0, 20.0, 20.0, 20.0].map(|time| (time, time * 0.9)).into();
        let ratio = paired_ratio(&pairs).expect("has pairs");
        assert!((ratio.low - 0.9).abs() < 1e-9 && (ratio.high - 0.9).abs() < 1e-9 && ratio.is_confident());
        assert_eq!(paired_ratio(&[(0.0, 1.0)]), None);
    }

    #[test]
    fn groups_that_are_no_pairs_are_compared() {
        // P(U <= 2) of groups of 5 is 4 of 252, P(U <= 1) of groups of 4 is 2 of 70.
        let sum = |n: usize, most: usize| rank_sums(n, n).iter().take(most + 1).sum::<f64>();
        assert!((sum(5, 2) - 4.0 / 252.0).abs() < 1e-12 && (sum(4, 1) - 2.0 / 70.0).abs() < 1e-12);
        assert!((rank_sums(7, 3).iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let ratio = unpaired_ratio(&[1.0, 1.1, 0.9, 1.0, 1.05], &[2.0, 2.1, 1.9, 2.0, 2.05]).expect("has samples");
        assert!(ratio.is_confident() && ratio.low > 1.7 && ratio.high < 2.3);
        assert_eq!(unpaired_ratio(&[], &[1.0]), None);
    }

    #[test]
    fn far_samples_are_found() {
        assert_eq!(outliers(&[10.0, 10.1, 9.9, 10.0, 25.0]), [4]);
        assert_eq!(outliers(&[10.0, 10.0, 10.0, 10.5]), [0_usize; 0], "less than a tenth");
        assert_eq!(outliers(&[]), [0_usize; 0]);
    }

    proptest! {
        #[test]
        fn intervals_hold_their_estimates(samples in prop::collection::vec(0.1_f64..1e6, 1..=MAX_SAMPLES)) {
            let found = median(&samples).expect("has samples");
            prop_assert!(found.low <= found.estimate && found.estimate <= found.high);
            let pairs: Vec<(f64, f64)> = samples.iter().zip(samples.iter().rev()).map(|(a, b)| (*a, *b)).collect();
            let ratio = paired_ratio(&pairs).expect("has pairs");
            prop_assert!(ratio.low <= ratio.estimate && ratio.estimate <= ratio.high);
            // Every pair has its mirror image.
            prop_assert!((ratio.estimate - 1.0).abs() < 1e-6);
        }
    }
}
