//! Ranking metrics: NDCG, reciprocal rank and recall.

use serde::Serialize;

use super::CUTOFF;

/// A relevant location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The path.
    pub path: String,
    /// First and last line, counted from 1; `None` for the whole file.
    pub lines: Option<(u32, u32)>,
}

/// A chunk in a ranking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RankedChunk<'a> {
    /// The path.
    pub path: &'a str,
    /// The first line, counted from 1.
    pub start_line: u32,
    /// The last line.
    pub end_line: u32,
}

/// The quality of a ranking, or a mean over several. All values are between 0 and 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Quality {
    /// Normalised discounted cumulative gain of the first ten, with gains of 0 and 1
    /// (K. Järvelin and J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques",
    /// TOIS 2002). Two targets at one rank count once.
    pub ndcg: f64,
    /// The reciprocal rank of the first target within the cutoff, else 0.
    pub reciprocal_rank: f64,
    /// Recall at 1, 5 and 10.
    pub recall: [f64; 3],
}

impl Target {
    /// Returns whether a chunk matches: the paths are equal, or one is a suffix of the other, and the
    /// lines overlap.
    fn matches(&self, found: &RankedChunk<'_>) -> bool {
        let ends_in = |whole: &str, end: &str| whole.strip_suffix(end).is_some_and(|rest| rest.ends_with('/'));
        let is_same = self.path == found.path || ends_in(&self.path, found.path) || ends_in(found.path, &self.path);
        is_same && self.lines.is_none_or(|(first, last)| found.start_line <= last && first <= found.end_line)
    }
}

/// Computes the quality of the first [`CUTOFF`] chunks of a ranking.
#[must_use]
pub fn judge(targets: &[Target], ranking: &[RankedChunk<'_>]) -> Quality {
    let first = ranking.get(..CUTOFF).unwrap_or(ranking);
    let ranks: Vec<Option<usize>> =
        targets.iter().map(|target| first.iter().position(|found| target.matches(found))).collect();
    let mut hit: Vec<usize> = ranks.iter().copied().flatten().collect();
    hit.sort_unstable();
    hit.dedup();
    let gain = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
    let ideal: f64 = (0..targets.len().min(CUTOFF)).map(gain).sum();
    let within = |depth: usize| ranks.iter().flatten().filter(|rank| **rank < depth).count() as f64;
    let share = |count: f64| if targets.is_empty() { 0.0 } else { count / targets.len() as f64 };
    Quality {
        ndcg: if ideal > 0.0 { hit.iter().copied().map(gain).sum::<f64>() / ideal } else { 0.0 },
        reciprocal_rank: hit.first().map_or(0.0, |rank| 1.0 / (*rank as f64 + 1.0)),
        recall: [1, 5, CUTOFF].map(|depth| share(within(depth))),
    }
}

impl Quality {
    /// Computes the mean; zeros for none.
    #[must_use]
    pub fn mean<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        let (mut sum, mut count) = (Self::default(), 0_u32);
        for one in all {
            sum.ndcg += one.ndcg;
            sum.reciprocal_rank += one.reciprocal_rank;
            sum.recall.iter_mut().zip(one.recall).for_each(|(sum, recall)| *sum += recall);
            count += 1;
        }
        let count = f64::from(count.max(1));
        Self {
            ndcg: sum.ndcg / count,
            reciprocal_rank: sum.reciprocal_rank / count,
            recall: sum.recall.map(|sum| sum / count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(path: &str, lines: Option<(u32, u32)>) -> Target {
        Target { path: path.into(), lines }
    }

    fn found(path: &str, start_line: u32, end_line: u32) -> RankedChunk<'_> {
        RankedChunk { path, start_line, end_line }
    }

    #[test]
    fn gains_are_discounted_by_rank_and_normalised() {
        let targets = [target("a", None), target("b", None)];
        let quality = judge(&targets, &[found("x", 1, 2), found("a", 1, 2), found("b", 1, 2)]);
        let expected = (1.0 / 3_f64.log2() + 0.5) / (1.0 + 1.0 / 3_f64.log2());
        assert!((quality.ndcg - expected).abs() < 1e-12);
        assert_eq!((quality.reciprocal_rank, quality.recall), (0.5, [0.0, 1.0, 1.0]));
        assert_eq!(judge(&targets, &[found("b", 1, 1), found("a", 1, 1)]).ndcg, 1.0);
    }

    #[test]
    fn two_targets_at_one_rank_count_once() {
        let targets = [target("a", Some((1, 5))), target("a", Some((4, 9)))];
        let quality = judge(&targets, &[found("a", 4, 5)]);
        assert!((quality.ndcg - 1.0 / (1.0 + 1.0 / 3_f64.log2())).abs() < 1e-12);
        assert_eq!(quality.recall, [1.0; 3], "both are found");
    }

    #[test]
    fn paths_match_by_suffix_and_lines_must_overlap() {
        assert!(target("src/a.rs", None).matches(&found("a.rs", 1, 1)));
        assert!(target("a.rs", None).matches(&found("src/a.rs", 1, 1)));
        assert!(!target("a.rs", None).matches(&found("data.rs", 1, 1)));
        let lines = target("a", Some((5, 7)));
        assert_eq!(
            [(1, 4), (1, 5), (7, 9), (8, 9)].map(|(first, last)| lines.matches(&found("a", first, last))),
            [false, true, true, false]
        );
    }

    #[test]
    fn only_the_first_ten_count() {
        let mut ranking = vec![found("x", 1, 1); CUTOFF];
        ranking.push(found("a", 1, 1));
        assert_eq!(judge(&[target("a", None)], &ranking), Quality::default());
        assert_eq!(judge(&[], &ranking), Quality::default());
    }
}
