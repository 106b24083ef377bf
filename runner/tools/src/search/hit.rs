//! What a search finds.

use gristmill_pipeline::RelPath;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::signals::Signals;

/// A chunk that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hit {
    /// Its file.
    #[schemars(with = "String")]
    pub path: RelPath,
    /// Line of its first byte, counted from 1.
    pub start_line: u32,
    /// Line of its last byte.
    pub end_line: u32,
    /// The better, the higher; comparable within one answer.
    pub score: f32,
    /// The language's name.
    pub language: String,
    /// What it holds, such as `function`.
    pub kind: String,
    /// The name of the definition that it holds or belongs to.
    pub symbol: String,
    /// The qualified name of what surrounds it.
    pub scope: String,
    /// The lines of it that say most about the query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snippet: Option<Snippet>,
    /// Its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its score by words, if it was among the best by words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_score: Option<f32>,
    /// How near its vector is to the query's, if it was compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector_score: Option<f32>,
    /// What it owes its score to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signals: Option<Signals>,
}

/// Lines of a text, and what matches in them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Snippet {
    /// The first line's number, counted from 1.
    pub start_line: u32,
    /// The lines.
    pub text: String,
    /// What matches: byte ranges of `text`, ascending and apart.
    pub highlights: Vec<[u32; 2]>,
}
