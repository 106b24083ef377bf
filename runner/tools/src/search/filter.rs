//! What narrows a search.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use gristmill_pipeline::Key;
use gristmill_query::{ErrorCode, ToolError, Visible};

use super::query::Query;

/// Lets chunks through by path, language, kind and ref.
pub(crate) struct Filter<'a> {
    paths: Option<GlobSet>,
    languages: &'a [String],
    kinds: &'a [String],
    visible: &'a Visible,
}

impl<'a> Filter<'a> {
    /// That of a query.
    pub(super) fn new(query: &Query<'a>, visible: &'a Visible) -> Result<Self, ToolError> {
        Ok(Self { kinds: query.kinds, ..Self::of_files(query.paths, query.languages, visible)? })
    }

    /// One that lets files through by path, language and ref.
    pub(crate) fn of_files(paths: &[String], languages: &'a [String], visible: &'a Visible) -> Result<Self, ToolError> {
        Ok(Self { paths: path_globs(paths)?, languages, kinds: &[], visible })
    }

    /// Whether a file and its chunks may be found.
    pub(crate) fn allows_file(&self, path: &str, key: Key, language: &str) -> bool {
        self.visible.shows(key)
            && self.paths.as_ref().is_none_or(|paths| paths.is_match(path))
            && (self.languages.is_empty() || self.languages.iter().any(|wanted| wanted == language))
    }

    /// Whether chunks of that kind may be found.
    pub(super) fn allows_kind(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind)
    }

    /// Whether kinds narrow the search.
    pub(super) fn has_kinds(&self) -> bool {
        !self.kinds.is_empty()
    }

    /// Whether paths, languages or refs narrow the search.
    pub(super) fn narrows_files(&self) -> bool {
        self.paths.is_some() || !self.languages.is_empty() || self.visible.keys().is_some()
    }
}

/// Globs with the meaning that they have in a text search: one without `/` matches the
/// file's name, one that ends in `/` all that lies below. `None` if there are none.
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

/// The globs of a filter are malformed.
fn bad_glob(error: &globset::Error) -> ToolError {
    ToolError::new(ErrorCode::BadInput, format!("the glob is malformed: {error}"))
}
