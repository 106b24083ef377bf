//! Retrieval quality, measured: an annotation set is indexed and asked, and answers are
//! judged.
//!
//! An annotation set is a folder of `repos.json`, which lists repositories at pinned
//! revisions, and `annotations/<name>.json`, which lists queries with the places that
//! answer them, in the form of the [semble] benchmark.
//!
//! [semble]: https://github.com/MinishLab/semble
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod annotations;
mod html;
mod metric;
mod tables;

pub use annotations::{AnnotatedQuery, AnnotationSet, Repository, SetError};
pub use html::html;
pub use metric::{Found, Quality, Target, judge};
pub use tables::{by_category, by_language, csv, overview};

use std::collections::BTreeMap;

use gristmill_display::percentile;
use serde::Serialize;

/// How many answers count.
pub const DEPTH: usize = 10;

/// How many chunks are asked for, so that ten files remain when only each file's best
/// chunk is kept.
pub const ASKED: usize = 50;

/// The measures of one way to index and ask.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Evaluation {
    /// The variant's name.
    pub variant: String,
    /// How it asked.
    pub mode: String,
    /// What its indexes cost.
    pub cost: Cost,
    /// The queries, each with how well it was answered.
    pub answers: Vec<Answer>,
}

/// What indexes cost, over all repositories.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Cost {
    /// Chunks.
    pub chunks: u64,
    /// Wall time of indexing, in seconds.
    pub seconds: f64,
    /// CPU time of all threads, in seconds.
    pub cpu_seconds: f64,
    /// Bytes of the index folders.
    pub bytes: u64,
}

/// How well one query was answered.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// The repository.
    pub repository: String,
    /// Its language.
    pub language: String,
    /// What kind of query it is.
    pub category: String,
    /// The query.
    pub query: String,
    /// By chunks, in the order in which they came.
    pub chunks: Quality,
    /// By files: of each file only its best chunk counts.
    pub files: Quality,
    /// Time that the answer took, in milliseconds, with the index open.
    pub latency_ms: f64,
}

impl Evaluation {
    /// Names it among others.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{} {}", self.variant, self.mode)
    }

    /// Means over all queries: by chunks and by files.
    #[must_use]
    pub fn mean(&self) -> (Quality, Quality) {
        means(self.answers.iter())
    }

    /// Means of the chunk-level quality over the queries that `key` puts together.
    #[must_use]
    pub fn mean_by(&self, key: impl Fn(&Answer) -> &str) -> BTreeMap<String, (usize, Quality)> {
        let mut groups: BTreeMap<String, Vec<&Answer>> = BTreeMap::new();
        for answer in &self.answers {
            groups.entry(key(answer).to_owned()).or_default().push(answer);
        }
        let mean = |(name, answers): (String, Vec<&Answer>)| (name, (answers.len(), means(answers.into_iter()).0));
        groups.into_iter().map(mean).collect()
    }

    /// A percentile of the latency, in milliseconds.
    #[must_use]
    pub fn latency(&self, percent: usize) -> f64 {
        let mut sorted: Vec<f64> = self.answers.iter().map(|answer| answer.latency_ms).collect();
        sorted.sort_by(f64::total_cmp);
        percentile(&sorted, percent)
    }

    /// Chunks indexed per second of wall time.
    #[must_use]
    pub fn throughput(&self) -> f64 {
        self.cost.chunks as f64 / self.cost.seconds.max(f64::MIN_POSITIVE)
    }
}

fn means<'a>(answers: impl Iterator<Item = &'a Answer> + Clone) -> (Quality, Quality) {
    let chunks = Quality::mean(answers.clone().map(|answer| &answer.chunks));
    (chunks, Quality::mean(answers.map(|answer| &answer.files)))
}
