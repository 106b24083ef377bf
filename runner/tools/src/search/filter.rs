//! Filters of a search.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use gristmill_pipeline::RowKey;
use gristmill_query::{ErrorCode, ToolError, Visible};

use super::query::SearchQuery;

/// Selects chunks by path, language, kind and ref.
pub(crate) struct Filter<'a> {
    paths: Option<GlobSet>,
    languages: &'a [String],
    kinds: &'a [String],
    visible: &'a Visible,
}

impl<'a> Filter<'a> {
    /// Creates the filter of a query.
    pub(super) fn new(query: &SearchQuery<'a>, visible: &'a Visible) -> Result<Self, ToolError> {
        Ok(Self { kinds: query.kinds, ..Self::of_files(query.paths, query.languages, visible)? })
    }

    /// Creates a filter of files by path, language and ref.
    pub(crate) fn of_files(paths: &[String], languages: &'a [String], visible: &'a Visible) -> Result<Self, ToolError> {
        Ok(Self { paths: path_globs(paths)?, languages, kinds: &[], visible })
    }

    /// Returns whether a file passes the filter.
    pub(crate) fn allows_file(&self, path: &str, key: RowKey, language: &str) -> bool {
        self.visible.shows(key)
            && self.paths.as_ref().is_none_or(|paths| paths.is_match(path))
            && (self.languages.is_empty() || self.languages.iter().any(|wanted| wanted == language))
    }

    /// Returns whether a kind of chunk passes the filter.
    pub(super) fn allows_kind(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind)
    }

    /// Returns whether the filter has kinds.
    pub(super) fn has_kinds(&self) -> bool {
        !self.kinds.is_empty()
    }

    /// Returns whether the filter has paths, languages or refs.
    pub(super) fn narrows_files(&self) -> bool {
        self.paths.is_some() || !self.languages.is_empty() || self.visible.keys().is_some()
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
