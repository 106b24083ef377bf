//! What a search asks for beside its text.

use serde::{Deserialize, Serialize};

/// Filters and weights of a search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SearchOptions {
    /// Maximum number of hits.
    pub limit: usize,
    /// Globs, one of which the path must match; empty for any path. A glob without `/` is
    /// matched against the file's name.
    pub paths: Vec<String>,
    /// Languages, in lower case; empty for any.
    pub languages: Vec<String>,
    /// Kinds of chunks; empty for any.
    pub kinds: Vec<String>,
    /// Weight of a word in the chunk's text.
    pub body_boost: f32,
    /// Weight of a word in the name of its definition.
    pub symbol_boost: f32,
    /// Weight of a word in the names of the definitions around it.
    pub scope_boost: f32,
    /// Weight of a word in the path.
    pub path_boost: f32,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self {
            limit: 20,
            paths: Vec::new(),
            languages: Vec::new(),
            kinds: Vec::new(),
            body_boost: 1.0,
            symbol_boost: 2.0,
            scope_boost: 0.5,
            path_boost: 1.0,
        }
    }
}
