//! The hits of a search.

use gristmill_pipeline::RelPath;
use gristmill_sinks::lance::ChunkLocator;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::signals::Signals;

/// A chunk that matches the query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchHit {
    /// The id of the chunk, for `get_chunks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk_id: Option<String>,
    /// The file.
    #[schemars(with = "String")]
    pub path: RelPath,
    /// The first line, counted from 1.
    pub start_line: u32,
    /// The last line.
    pub end_line: u32,
    /// The score; higher is better. Comparable within one answer only.
    pub score: f32,
    /// The language.
    pub language: String,
    /// The kind of the chunk, such as `function`.
    pub kind: String,
    /// The name of the definition that the chunk contains or belongs to.
    pub symbol: String,
    /// The qualified name of the enclosing definition.
    pub scope: String,
    /// The best matching lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snippet: Option<Snippet>,
    /// The text of the chunk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The lexical score (BM25), if the chunk is among the best lexical matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lexical_score: Option<f32>,
    /// The vector score: the similarity to the query's vector, if it was computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector_score: Option<f32>,
    /// The signals of the score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signals: Option<Signals>,
    /// The address of the chunk's row.
    #[serde(skip)]
    pub(super) address: Option<u64>,
    /// What finds that address.
    #[serde(skip)]
    pub(super) locator: Option<ChunkLocator>,
}

/// Lines of a text, with the matches in them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Snippet {
    /// The number of the first line, counted from 1.
    pub start_line: u32,
    /// The lines.
    pub text: String,
    /// The matches: ascending, disjoint byte ranges of `text`.
    pub highlights: Vec<[u32; 2]>,
}
