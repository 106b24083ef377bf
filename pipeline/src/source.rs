//! Sources: where files come from.

mod directory;
mod error;
mod git;
mod select;
mod sensitive;

pub use directory::DirectorySource;
pub use error::SourceError;
pub use git::{CommitInfo, GitConfig, GitSource, commits_between, matching_refs};
pub use sensitive::is_sensitive;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::hash::Hash;
use crate::index::CommitRecord;
use crate::merkle::Tree;
use crate::path::RelPath;

/// Where files come from.
pub trait Source: Send + Sync {
    /// The tree as it is now. `known` is the last epoch's, with its record, if there is
    /// one: what it vouches for is not read. With `threads` of 1 all happens on the
    /// calling thread.
    ///
    /// # Errors
    /// If the source cannot be read at all. What is wrong with one file is noted in its
    /// leaf.
    fn scan(&self, known: Option<(&CommitRecord, &Tree)>, threads: usize) -> Result<Scan, SourceError>;

    /// The tree as it is now, if nothing changed since the last epoch but these paths and
    /// what lies below them. They are absolute or relative to the place of the source, and
    /// need not exist any more. Without a cheaper way to tell, this is a scan.
    ///
    /// # Errors
    /// As for [`scan`](Self::scan).
    fn rescan(&self, known: (&CommitRecord, &Tree), _changed: &[PathBuf], threads: usize) -> Result<Scan, SourceError> {
        self.scan(Some(known), threads)
    }

    /// Where the bytes of a file come from. The path must be one of the last scan.
    fn origin(&self, path: &RelPath) -> Origin;

    /// The folder or repository, for commit records.
    fn place(&self) -> &Path;
}

/// Where the bytes of one file come from.
#[derive(Clone)]
pub enum Origin {
    /// A file on disk.
    File(PathBuf),
    /// Something that gives its bytes when it is asked.
    Object(Arc<dyn Object>),
}

/// Bytes that lie somewhere else than in a file.
pub trait Object: Send + Sync {
    /// Reads them.
    ///
    /// # Errors
    /// If they cannot be read.
    fn read(&self) -> std::io::Result<Vec<u8>>;
}

impl std::fmt::Debug for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Object(_) => f.write_str("Object"),
        }
    }
}

/// What a scan found.
#[derive(Debug)]
pub struct Scan {
    /// The tree as it is now.
    pub tree: Tree,
    /// The revision that it is the tree of, where the source has revisions.
    pub revision: Option<Box<str>>,
    /// Hash of all that decides which files of a revision belong to the index, where the
    /// source has revisions.
    pub selection: Option<Hash>,
    /// What the scan did.
    pub measures: ScanMeasures,
}

/// What a scan did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ScanMeasures {
    /// Files that belong to the index.
    pub files: u64,
    /// Files whose stat data did not vouch for them, so that their content was read and
    /// hashed.
    pub files_read: u64,
    /// Bytes of those files.
    pub bytes_read: u64,
}
