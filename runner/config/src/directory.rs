//! The sources that a pipeline can be built over.

use std::path::PathBuf;
use std::sync::Arc;

use gristmill_pipeline::source::Source;

use super::SourceConfig;
use super::sections::SourceSection;

/// A folder to index, with the defaults of job files: `.gitignore` is honoured, names that start with a
/// dot and files above 2 MiB are left out. The index folder may be inside.
///
/// ```
/// use gristmill_config::Directory;
///
/// let source = Directory::new("src").exclude("**/generated/**").hidden(true);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Directory(pub(super) SourceConfig);

impl Directory {
    /// Creates the source of a folder; a relative path is relative to the working directory.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(SourceConfig { root: path.into(), ..SourceConfig::default() })
    }

    /// Includes only files that match this glob, or another that is included.
    pub fn include(mut self, glob: impl Into<String>) -> Self {
        self.0.include.push(glob.into());
        self
    }

    /// Excludes files and folders that match this glob. Takes precedence over [`include`](Self::include).
    pub fn exclude(mut self, glob: impl Into<String>) -> Self {
        self.0.exclude.push(glob.into());
        self
    }

    /// Sets whether to include files and folders whose name starts with a dot.
    pub fn hidden(mut self, hidden: bool) -> Self {
        self.0.hidden = hidden;
        self
    }

    /// Sets whether to follow symbolic links.
    pub fn follow_links(mut self, follow: bool) -> Self {
        self.0.follow_links = follow;
        self
    }

    /// Sets whether to include linked worktrees of a repository of which the folder holds another checkout.
    pub fn linked_worktrees(mut self, include: bool) -> Self {
        self.0.linked_worktrees = include;
        self
    }

    /// Sets whether to include files that `.gitattributes` marks `linguist-generated` or `linguist-vendored`.
    pub fn generated(mut self, include: bool) -> Self {
        self.0.generated = include;
        self
    }

    /// Sets the maximum file size; larger files are skipped.
    pub fn max_file_bytes(mut self, bytes: u64) -> Self {
        self.0.max_file_bytes = bytes;
        self
    }
}

impl Default for SourceConfig {
    /// The working directory, with the defaults of job files.
    fn default() -> Self {
        let section = SourceSection::default();
        Self {
            root: section.path.into(),
            revision: None,
            refs: Vec::new(),
            include: Vec::new(),
            exclude: Vec::new(),
            excluded_folders: Vec::new(),
            hidden: section.hidden,
            follow_links: section.follow_links,
            linked_worktrees: section.linked_worktrees,
            generated: section.generated,
            max_file_bytes: section.max_file_bytes.0,
        }
    }
}

/// What a pipeline can be built over: a [`Directory`], or anything that implements [`Source`], such as
/// an open [`GitSource`](gristmill_pipeline::source::GitSource).
#[diagnostic::on_unimplemented(message = "`{Self}` is no source", note = "implement `Source`, or use `Directory`")]
pub trait PipelineSource {
    #[doc(hidden)]
    fn choose(self) -> SourceChoice;
}

/// A folder, which the job describes, or a source that stands by itself.
#[doc(hidden)]
pub enum SourceChoice {
    Folder(Directory),
    Own(Arc<dyn Source>),
}

impl PipelineSource for Directory {
    fn choose(self) -> SourceChoice {
        SourceChoice::Folder(self)
    }
}

impl<S: Source + 'static> PipelineSource for S {
    fn choose(self) -> SourceChoice {
        SourceChoice::Own(Arc::new(self))
    }
}
