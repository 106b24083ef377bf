//! Which of two variants took less, where the samples show it.

use serde::{Deserialize, Serialize};

use crate::results::{Measured, Metric, Results};
use crate::statistics::{Interval, paired_ratio, unpaired_ratio};

/// What the samples of two variants show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The variant takes less than the baseline: the whole interval lies below 1.
    Less,
    /// The variant takes more: the whole interval lies above 1.
    More,
    /// The interval holds 1, or the samples are too few for an interval.
    NotShown,
}

impl Verdict {
    /// The verdict on a ratio.
    #[must_use]
    pub fn of(ratio: &Interval) -> Self {
        match ratio {
            ratio if !ratio.is_confident() => Self::NotShown,
            ratio if ratio.high < 1.0 => Self::Less,
            ratio if ratio.low > 1.0 => Self::More,
            _ => Self::NotShown,
        }
    }

    /// The verdict in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Less => "less",
            Self::More => "more",
            Self::NotShown => "no difference shown",
        }
    }
}

/// A variant against a baseline, by one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The baseline.
    pub baseline: String,
    /// The variant.
    pub variant: String,
    /// See [`Metric::as_str`].
    pub metric: String,
    /// The variant's figure over the baseline's; `None` where one is unknown or 0.
    pub ratio: Option<Interval>,
    /// What it shows.
    pub verdict: Verdict,
}

impl Comparison {
    fn new(baseline: &Measured, variant: &Measured, metric: Metric, ratio: Option<Interval>) -> Self {
        Self {
            baseline: baseline.name.clone(),
            variant: variant.name.clone(),
            metric: metric.as_str().into(),
            ratio,
            verdict: ratio.as_ref().map_or(Verdict::NotShown, Verdict::of),
        }
    }

    /// Whether the samples show that the ratio is above a bound.
    #[must_use]
    pub fn exceeds(&self, bound: f64) -> bool {
        self.ratio.is_some_and(|ratio| ratio.is_confident() && ratio.low > bound)
    }
}

impl Results {
    /// Compares every variant with the first, by every metric. The n-th trials of two variants are a pair:
    /// they ran one after the other.
    #[must_use]
    pub fn comparisons(&self) -> Vec<Comparison> {
        let Some((baseline, others)) = self.variants.split_first() else { return Vec::new() };
        let compared = |variant: &Measured, metric: Metric| {
            let pairs: Vec<(f64, f64)> = baseline.values(metric).into_iter().zip(variant.values(metric)).collect();
            Comparison::new(baseline, variant, metric, paired_ratio(&pairs))
        };
        others.iter().flat_map(|variant| Metric::ALL.map(|metric| compared(variant, metric))).collect()
    }

    /// Compares the variants with those of the same names in an earlier experiment. The two were not run
    /// in turns, so a difference may be the machine's.
    #[must_use]
    pub fn comparisons_with(&self, earlier: &Self) -> Vec<Comparison> {
        let same = |variant: &Measured| earlier.variants.iter().find(|other| other.name == variant.name);
        let pairs = self.variants.iter().filter_map(|variant| Some((same(variant)?, variant)));
        let compared = |(baseline, variant): (&Measured, &Measured), metric: Metric| {
            let ratio = unpaired_ratio(&baseline.values(metric), &variant.values(metric));
            Comparison::new(baseline, variant, metric, ratio)
        };
        pairs.flat_map(|pair| Metric::ALL.map(|metric| compared(pair, metric))).collect()
    }

    /// What makes a comparison with an earlier experiment doubtful.
    #[must_use]
    pub fn differences(&self, earlier: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let hardware = |results: &Self| (results.machine.cores, results.machine.processor.clone());
        if hardware(self) != hardware(earlier) {
            found.push("the two experiments ran on different machines".into());
        }
        if self.corpus.merkle_root != earlier.corpus.merkle_root {
            found.push("the two experiments indexed different files".into());
        }
        if self.scenario != earlier.scenario {
            let (now, then) = (self.scenario.as_str(), earlier.scenario.as_str());
            found.push(format!("the scenarios differ: {now} now, {then} before"));
        }
        for variant in &self.variants {
            if earlier.variants.iter().all(|other| other.name != variant.name) {
                found.push(format!("the earlier experiment has no variant `{}`", variant.name));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_need_a_confident_interval() {
        let interval = |low, high, coverage| Interval { estimate: 1.0, low, high, coverage };
        assert_eq!(Verdict::of(&interval(0.8, 0.9, 0.96)), Verdict::Less);
        assert_eq!(Verdict::of(&interval(1.1, 1.2, 0.96)), Verdict::More);
        assert_eq!(Verdict::of(&interval(0.9, 1.2, 0.96)), Verdict::NotShown);
        assert_eq!(Verdict::of(&interval(0.8, 0.9, 0.75)), Verdict::NotShown, "too few samples");
        let bound = |ratio| Comparison {
            baseline: String::new(),
            variant: String::new(),
            metric: String::new(),
            ratio,
            verdict: Verdict::NotShown,
        };
        assert!(bound(Some(interval(1.1, 1.2, 0.96))).exceeds(1.05));
        assert!(!bound(Some(interval(1.02, 1.2, 0.96))).exceeds(1.05));
        assert!(!bound(Some(interval(1.1, 1.2, 0.75))).exceeds(1.05));
        assert!(!bound(None).exceeds(1.0));
    }
}
