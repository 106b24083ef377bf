//! Filters of a search.

use std::collections::HashSet;
use std::sync::Arc;

use gristmill_pipeline::RowKey;
use gristmill_query::{ToolContext, ToolError, Visible, all};
use gristmill_sinks::tables::Table;

use super::conditions::{Matches, matches};
use super::query::SearchQuery;
use crate::filters::{Kinds, Languages, Paths};

/// Selects chunks by path, language, kind, ref and extra columns.
pub(crate) struct Filter<'a> {
    paths: Paths,
    languages: Languages,
    kinds: Kinds,
    visible: &'a Visible,
    matches: Option<Matches>,
}

impl<'a> Filter<'a> {
    /// Creates the filter of a query.
    pub(super) fn new(context: &'a ToolContext<'_>, query: &SearchQuery<'_>) -> Result<Self, ToolError> {
        let of_files = Self::of_files(context, query.paths, query.languages)?;
        let kinds = Kinds::of_chunks(context, query.kinds)?;
        Ok(Self { kinds, matches: matches(context, query.conditions)?, ..of_files })
    }

    /// Creates a filter of files by path, language and ref. If no file passes it, a note says so.
    pub(crate) fn of_files(
        context: &'a ToolContext<'_>,
        paths: &[String],
        languages: &[String],
    ) -> Result<Self, ToolError> {
        let paths = Paths::new(context, paths)?;
        let languages = Languages::new(context, languages)?;
        let filter = Self { paths, languages, kinds: Kinds::default(), visible: &context.visible, matches: None };
        if !filter.paths.allow_all() && !filter.languages.allow_all() {
            filter.note_if_empty(context)?;
        }
        Ok(filter)
    }

    /// Adds a note if no file passes the filter. O(files) if none does.
    fn note_if_empty(&self, context: &ToolContext<'_>) -> Result<(), ToolError> {
        let Some(tables) = context.epoch.tables().ok().filter(|tables| tables.has(&Table::Files)) else {
            return Ok(());
        };
        for (nth, file) in all(tables.files()?).enumerate() {
            context.check_row(nth)?;
            if self.allows_file(file.path().as_str(), file.key(), file.table().language.value(file.row)) {
                return Ok(());
            }
        }
        context.note("no_files", "no file matches both the paths and the languages");
        Ok(())
    }

    /// Returns whether a file passes the filter.
    pub(crate) fn allows_file(&self, path: &str, key: RowKey, language: &str) -> bool {
        self.visible.shows(key)
            && self.matches.as_ref().is_none_or(|matches| matches.files.contains(&key))
            && self.paths.allow(path)
            && self.languages.allow(language)
    }

    /// Returns whether a chunk of an allowed file passes the filter, by its kind and its row address.
    pub(super) fn allows_chunk(&self, kind: &str, address: Option<u64>) -> bool {
        self.kinds.allow(kind) && self.allows_address(address)
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

    /// Returns the filter of paths.
    pub(super) fn paths(&self) -> &Paths {
        &self.paths
    }

    /// Returns the filter of languages.
    pub(super) fn languages(&self) -> &Languages {
        &self.languages
    }

    /// Returns the filter of kinds.
    pub(super) fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// Returns whether the filter has kinds.
    pub(super) fn has_kinds(&self) -> bool {
        !self.kinds.allow_all()
    }

    /// Returns whether the filter has paths, languages, refs or conditions.
    pub(super) fn narrows_files(&self) -> bool {
        !self.paths.allow_all() || !self.languages.allow_all() || self.keys().is_some()
    }
}
