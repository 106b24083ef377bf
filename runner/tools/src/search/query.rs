//! What is searched for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// By what to rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchMode {
    /// By the words of the query (BM25).
    Text,
    /// By meaning (vectors).
    Vector,
    /// By both, fused.
    #[default]
    Hybrid,
    /// Lines that a regular expression matches, in the order of paths.
    Regex,
    /// Lines that have the query as it is, in the order of paths.
    Literal,
}

/// A search.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// What to look for.
    pub text: &'a str,
    /// By what to rank.
    pub mode: SearchMode,
    /// Hits at most.
    pub limit: usize,
    /// Globs one of which the path matches; empty for any.
    pub paths: &'a [String],
    /// The languages; empty for any.
    pub languages: &'a [String],
    /// The kinds of chunks; empty for any.
    pub kinds: &'a [String],
    /// Whether to rank by the scores alone, whatever else is known of a chunk.
    pub plain: bool,
}

impl SearchMode {
    /// The name used in questions and output.
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
