//! Filters of a search.

use std::collections::HashSet;
use std::sync::Arc;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use gristmill_pipeline::RowKey;
use gristmill_query::{ErrorCode, ToolContext, ToolError, Visible};

use super::conditions::{Matches, matches};
use super::query::SearchQuery;

/// Selects chunks by path, language, kind, ref and extra columns.
pub(crate) struct Filter<'a> {
    paths: Option<GlobSet>,
    languages: &'a [String],
    kinds: &'a [String],
    visible: &'a Visible,
    matches: Option<Matches>,
}

impl<'a> Filter<'a> {
    /// Creates the filter of a query.
    pub(super) fn new(context: &'a ToolContext<'_>, query: &SearchQuery<'a>) -> Result<Self, ToolError> {
        let of_files = Self::of_files(query.paths, query.languages, &context.visible)?;
        Ok(Self { kinds: query.kinds, matches: matches(context, query.conditions)?, ..of_files })
    }

    /// Creates a filter of files by path, language and ref.
    pub(crate) fn of_files(paths: &[String], languages: &'a [String], visible: &'a Visible) -> Result<Self, ToolError> {
        Ok(Self { paths: path_globs(paths)?, languages, kinds: &[], visible, matches: None })
    }

    /// Returns whether a file passes the filter.
    pub(crate) fn allows_file(&self, path: &str, key: RowKey, language: &str) -> bool {
        self.visible.shows(key)
            && self.matches.as_ref().is_none_or(|matches| matches.files.contains(&key))
            && self.paths.as_ref().is_none_or(|paths| paths.is_match(path))
            && (self.languages.is_empty() || self.languages.iter().any(|wanted| wanted == language))
    }

    /// Returns whether a chunk of an allowed file passes the filter, by its kind and its row address.
    pub(super) fn allows_chunk(&self, kind: &str, address: Option<u64>) -> bool {
        (self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind)) && self.allows_address(address)
    }

    /// Returns whether the chunk at a row address satisfies the conditions on extra columns of chunks.
    pub(super) fn allows_address(&self, address: Option<u64>) -> bool {
        let chunks = self.matches.as_ref().and_then(|matches| matches.chunks.as_ref());
        chunks.is_none_or(|chunks| address.is_some_and(|address| chunks.contains(&address)))
    }

    /// Returns whether the filter has conditions on extra columns of chunks.
    pub(super) fn has_chunk_conditions(&self) -> bool {
        self.matches.as_ref().is_some_and(|matches| matches.chunks.is_some())
    }

    /// Returns the keys of the files that are visible and satisfy the conditions on extra columns;
    /// `None` for all.
    pub(super) fn keys(&self) -> Option<&Arc<HashSet<RowKey>>> {
        self.matches.as_ref().map(|matches| &matches.files).or_else(|| self.visible.keys())
    }

    /// Returns whether the filter has kinds.
    pub(super) fn has_kinds(&self) -> bool {
        !self.kinds.is_empty()
    }

    /// Returns whether the filter has paths, languages, refs or conditions.
    pub(super) fn narrows_files(&self) -> bool {
        self.paths.is_some() || !self.languages.is_empty() || self.keys().is_some()
    }
}

/// Compiles globs like the full-text search does: one without `/` matches the file name, one that
/// ends in `/` everything below. `None` if there are none.
pub(crate) fn path_globs(patterns: &[String]) -> Result<Option<GlobSet>, ToolError> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut globs = GlobSetBuilder::new();
    for pattern in patterns {
        let in_any_folder = if pattern.trim_end_matches('/').contains('/') { "" } else { "**/" };
        let below = if pattern.ends_with('/') { "**" } else { "" };
        let glob = format!("{in_any_folder}{pattern}{below}");
        globs.add(GlobBuilder::new(&glob).literal_separator(true).build().map_err(|error| bad_glob(&error))?);
    }
    globs.build().map(Some).map_err(|error| bad_glob(&error))
}

fn bad_glob(error: &globset::Error) -> ToolError {
    ToolError::new(ErrorCode::BadInput, format!("invalid glob: {error}"))
}
