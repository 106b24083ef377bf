//! How well a ranking answers a query.

use serde::Serialize;

use super::DEPTH;

/// A place that answers a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The path.
    pub path: String,
    /// First and last line, counted from 1; the whole file if absent.
    pub lines: Option<(u32, u32)>,
}

/// A chunk of a ranking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// The path.
    pub path: &'a str,
    /// Its first line, counted from 1.
    pub start_line: u32,
    /// Its last line.
    pub end_line: u32,
}

/// How well a ranking answers a query, or the mean over several. All from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Quality {
    /// Normalised discounted cumulative gain of the first ten, with gains of 0 and 1
    /// (K. Järvelin and J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques",
    /// TOIS 2002). Two targets at one rank count once.
    pub ndcg: f64,
    /// One over the rank of the first target, if it is among the first ten.
    pub reciprocal_rank: f64,
    /// The part of the targets at the first place, among the first five, and the first ten.
    pub recall: [f64; 3],
}

impl Target {
    /// Whether a chunk is of this place: its path equals the target's, or one of them ends
    /// in the other, and their lines overlap.
    fn is_met_by(&self, found: &Found<'_>) -> bool {
        let ends_in = |whole: &str, end: &str| whole.strip_suffix(end).is_some_and(|rest| rest.ends_with('/'));
        let is_same = self.path == found.path || ends_in(&self.path, found.path) || ends_in(found.path, &self.path);
        is_same && self.lines.is_none_or(|(first, last)| found.start_line <= last && first <= found.end_line)
    }
}

/// Judges the first [`DEPTH`] of a ranking.
#[must_use]
pub fn judge(targets: &[Target], ranking: &[Found<'_>]) -> Quality {
    let first = ranking.get(..DEPTH).unwrap_or(ranking);
    let ranks: Vec<Option<usize>> =
        targets.iter().map(|target| first.iter().position(|found| target.is_met_by(found))).collect();
    let mut hit: Vec<usize> = ranks.iter().copied().flatten().collect();
    hit.sort_unstable();
    hit.dedup();
    let gain = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
    let ideal: f64 = (0..targets.len().min(DEPTH)).map(gain).sum();
    let within = |depth: usize| ranks.iter().flatten().filter(|rank| **rank < depth).count() as f64;
    let share = |count: f64| if targets.is_empty() { 0.0 } else { count / targets.len() as f64 };
    Quality {
        ndcg: if ideal > 0.0 { hit.iter().copied().map(gain).sum::<f64>() / ideal } else { 0.0 },
        reciprocal_rank: hit.first().map_or(0.0, |rank| 1.0 / (*rank as f64 + 1.0)),
        recall: [1, 5, DEPTH].map(|depth| share(within(depth))),
    }
}

impl Quality {
    /// The mean of several; of none, zeros.
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

    fn found(path: &str, start_line: u32, end_line: u32) -> Found<'_> {
        Found { path, start_line, end_line }
    }

    #[test]
    fn gains_are_discounted_by_rank_and_divided_by_the_best_there_could_be() {
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
        assert_eq!(quality.recall, [1.0; 3], "yet both are found");
    }

    #[test]
    fn paths_may_be_longer_on_either_side_and_lines_must_overlap() {
        assert!(target("src/a.rs", None).is_met_by(&found("a.rs", 1, 1)));
        assert!(target("a.rs", None).is_met_by(&found("src/a.rs", 1, 1)));
        assert!(!target("a.rs", None).is_met_by(&found("data.rs", 1, 1)));
        let lines = target("a", Some((5, 7)));
        assert_eq!(
            [(1, 4), (1, 5), (7, 9), (8, 9)].map(|(first, last)| lines.is_met_by(&found("a", first, last))),
            [false, true, true, false]
        );
    }

    #[test]
    fn only_the_first_ten_count() {
        let mut ranking = vec![found("x", 1, 1); DEPTH];
        ranking.push(found("a", 1, 1));
        assert_eq!(judge(&[target("a", None)], &ranking), Quality::default());
        assert_eq!(judge(&[], &ranking), Quality::default());
    }
}
