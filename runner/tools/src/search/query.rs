//! Search queries and modes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How to search and rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchMode {
    /// Rank by lexical scores (BM25).
    Text,
    /// Rank by vector scores.
    Vector,
    /// Fuse lexical and vector scores.
    #[default]
    Hybrid,
    /// Find matches of a regular expression in whole files.
    Regex,
    /// Find the query verbatim in whole files.
    Literal,
}

/// A search query.
#[derive(Clone, Copy, Debug)]
pub struct SearchQuery<'a> {
    /// The query.
    pub text: &'a str,
    /// How to search and rank.
    pub mode: SearchMode,
    /// The maximum number of hits.
    pub limit: usize,
    /// Only files that match one of these globs; empty: all.
    pub paths: &'a [String],
    /// Only these languages; empty: all.
    pub languages: &'a [String],
    /// Only chunks of these kinds; empty: all.
    pub kinds: &'a [String],
    /// Only rows that satisfy all of these conditions on extra columns; empty: all. See
    /// [`Search::conditions`](super::Search::conditions).
    pub conditions: &'a [String],
    /// Whether to rank by the fused scores alone, without the other signals.
    pub plain: bool,
    /// The order of the hits of the modes `regex` and `literal`.
    pub order: SearchOrder,
    /// Whether each match is a hit, and all are returned: in the modes `regex` and `literal`.
    pub all: bool,
}

/// The order of the hits of the modes `regex` and `literal`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchOrder {
    /// By path and line.
    #[default]
    Path,
    /// By number of matches and the signals of names and files, best first.
    Rank,
}

impl SearchMode {
    /// Returns the name, as in queries and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Vector => "vector",
            Self::Hybrid => "hybrid",
            Self::Regex => "regex",
            Self::Literal => "literal",
        }
    }
}
