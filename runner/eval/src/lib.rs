//! Measures retrieval quality on annotation sets, and the reference graph against compilers.
//!
//! An annotation set is a folder with `repos.json`, which lists repositories at pinned revisions, and
//! `annotations/<name>.json`, which lists queries with their relevant locations, in the format of the
//! [semble] benchmark.
//!
//! [semble]: https://github.com/MinishLab/semble
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod annotations;
mod html;
mod metric;
mod tables;
mod truth;

pub use annotations::{AnnotatedQuery, AnnotationSet, Repository, SetError};
pub use html::html;
pub use metric::{Quality, RankedChunk, Target, judge};
pub use tables::{by_category, by_language, csv, overview};
pub use truth::{Accuracy, FoundDefinition, FoundEdge, Precision, Recall, Site, TrueUse, Truth, TruthError};

use std::collections::BTreeMap;

use gristmill_display::percentile;
use serde::Serialize;

/// The rank cutoff of the metrics.
pub const CUTOFF: usize = 10;

/// Hits to request per query: enough for ten files when only the best chunk of each is counted.
pub const MAX_HITS: usize = 50;

/// The results of one variant of a job in one search mode.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Evaluation {
    /// The name of the variant.
    pub variant: String,
    /// The search mode; `plain` in front if the other signals are off.
    pub mode: String,
    /// The cost of the indexes.
    pub cost: Cost,
    /// The result of each query.
    pub answers: Vec<Answer>,
}

/// The cost of the indexes, summed over all repositories.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Cost {
    /// The number of chunks.
    pub chunks: u64,
    /// Wall time of indexing, in seconds.
    pub seconds: f64,
    /// CPU time of all threads, in seconds.
    pub cpu_seconds: f64,
    /// The size of the index folders, in bytes.
    pub bytes: u64,
}

/// The result of one query.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// The repository.
    pub repository: String,
    /// The language of the repository.
    pub language: String,
    /// The category of the query.
    pub category: String,
    /// The query.
    pub query: String,
    /// The quality over chunks.
    pub chunks: Quality,
    /// The quality over files: only the best chunk of each file counts.
    pub files: Quality,
    /// The latency with the index open, in milliseconds.
    pub latency_ms: f64,
}

impl Evaluation {
    /// Returns the name: variant and mode.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{} {}", self.variant, self.mode)
    }

    /// Computes the means over all queries: over chunks and over files.
    #[must_use]
    pub fn mean(&self) -> (Quality, Quality) {
        means(self.answers.iter())
    }

    /// Computes the number of queries and the mean chunk quality per group; `key` returns the group.
    #[must_use]
    pub fn mean_by(&self, key: impl Fn(&Answer) -> &str) -> BTreeMap<String, (usize, Quality)> {
        let mut groups: BTreeMap<String, Vec<&Answer>> = BTreeMap::new();
        for answer in &self.answers {
            groups.entry(key(answer).to_owned()).or_default().push(answer);
        }
        let mean = |(name, answers): (String, Vec<&Answer>)| (name, (answers.len(), means(answers.into_iter()).0));
        groups.into_iter().map(mean).collect()
    }

    /// Computes a percentile of the latency, in milliseconds.
    #[must_use]
    pub fn latency(&self, percent: usize) -> f64 {
        let mut sorted: Vec<f64> = self.answers.iter().map(|answer| answer.latency_ms).collect();
        sorted.sort_by(f64::total_cmp);
        percentile(&sorted, percent)
    }

    /// Computes the chunks indexed per second of wall time.
    #[must_use]
    pub fn throughput(&self) -> f64 {
        self.cost.chunks as f64 / self.cost.seconds.max(f64::MIN_POSITIVE)
    }
}

fn means<'a>(answers: impl Iterator<Item = &'a Answer> + Clone) -> (Quality, Quality) {
    let chunks = Quality::mean(answers.clone().map(|answer| &answer.chunks));
    (chunks, Quality::mean(answers.map(|answer| &answer.files)))
}
