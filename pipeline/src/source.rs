//! Sources: where files come from.

mod attributes;
mod directory;
mod error;
mod git;
mod select;
mod sensitive;

pub use crate::origin::{Object, Origin};
pub use directory::DirectorySource;
pub use error::SourceError;
pub use git::{CommitInfo, GitConfig, GitSource, Revisions, commits_between, matching_refs};
pub use sensitive::is_sensitive;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gristmill_ids::Hash;

use crate::interrupt::Interrupt;
use crate::merkle::Tree;
use crate::sink::RowId;

/// What the last epoch holds, as far as a source can use it to do less.
#[derive(Clone, Copy, Debug)]
pub struct LastScan<'a> {
    /// Its tree, with its stat cache.
    pub tree: &'a Tree,
    /// The root hash that its record names: a tree that was damaged has another.
    pub merkle_root: Hash,
    /// The [place](Source::place) of the source that it was scanned from.
    pub place: &'a Path,
    /// See [`Scan::revision`].
    pub revision: Option<&'a str>,
    /// See [`Scan::refs`].
    pub refs: &'a [RefRevision],
    /// See [`Scan::selection`].
    pub selection: Option<Hash>,
}

/// How a scan is done.
#[derive(Clone, Debug)]
pub struct ScanOptions {
    /// Threads that may be used, at least one. With one all happens on the calling thread.
    pub threads: usize,
    /// Asks the scan to stop. A source looks at it for every folder or file.
    pub interrupt: Interrupt,
}

impl ScanOptions {
    /// A scan on so many threads that nothing stops.
    #[must_use]
    pub fn threads(threads: usize) -> Self {
        Self { threads, interrupt: Interrupt::default() }
    }
}

/// Where files come from.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::path::Path;
/// use std::sync::Arc;
/// use gristmill_pipeline::merkle::{Leaf, Stat, Tree};
/// use gristmill_pipeline::source::{LastScan, Object, Origin, Scan, ScanMeasures, ScanOptions, Source, SourceError};
/// use gristmill_pipeline::{Hash, RelPath, RowId};
///
/// /// Files in memory.
/// struct Texts(BTreeMap<&'static str, &'static str>);
///
/// struct Text(&'static str);
///
/// impl Object for Text {
///     fn read(&self) -> std::io::Result<Vec<u8>> {
///         Ok(self.0.into())
///     }
/// }
///
/// impl Source for Texts {
///     fn scan(&self, _last: Option<&LastScan<'_>>, _options: &ScanOptions) -> Result<Scan, SourceError> {
///         let leaf = |(path, text): (&&str, &&str)| {
///             let stat = Stat { bytes: text.len() as u64, ..Stat::default() };
///             (RelPath::from(*path), Leaf { content_hash: Hash::of(text.as_bytes()), stat, note: None })
///         };
///         let tree = Tree::build(self.0.iter().map(leaf).collect(), 0);
///         let measures = ScanMeasures { files: tree.len() as u64, ..ScanMeasures::default() };
///         Ok(Scan { tree, revision: None, refs: Vec::new(), selection: None, notices: Vec::new(), measures })
///     }
///
///     fn origin(&self, file: &RowId) -> Origin {
///         let text = self.0.get(file.path.as_str()).copied().unwrap_or_default();
///         Origin::Object(Arc::new(Text(text)))
///     }
///
///     fn place(&self) -> &Path {
///         Path::new("/texts")
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let texts = Texts(BTreeMap::from([("a.txt", "one"), ("b/c.txt", "two")]));
/// assert_eq!(texts.scan(None, &ScanOptions::threads(1))?.measures.files, 2);
/// let file = RowId { path: "b/c.txt".into(), content_hash: Hash::of(b"two") };
/// let Origin::Object(object) = texts.origin(&file) else { return Err("is an object".into()) };
/// assert_eq!(object.read()?, b"two");
/// # Ok(())
/// # }
/// ```
pub trait Source: Send + Sync {
    /// The tree as it is now. `last` is what the last epoch holds, if there is one: what it
    /// vouches for is not read.
    ///
    /// # Errors
    /// If the source cannot be read at all, or the scan was asked to stop. What is wrong with one file
    /// is noted in its leaf.
    fn scan(&self, last: Option<&LastScan<'_>>, options: &ScanOptions) -> Result<Scan, SourceError>;

    /// The tree as it is now, if nothing changed since the last epoch but these paths and
    /// what lies below them. They are absolute or relative to the place of the source, and
    /// need not exist any more. Without a cheaper way to tell, this is a scan.
    ///
    /// # Errors
    /// As for [`scan`](Self::scan).
    fn rescan(&self, last: &LastScan<'_>, _changed: &[PathBuf], options: &ScanOptions) -> Result<Scan, SourceError> {
        self.scan(Some(last), options)
    }

    /// Where the bytes of a file come from. It must be one of the last scan.
    fn origin(&self, file: &RowId) -> Origin;

    /// Whether its scans are over refs: several versions of the same files, side by side.
    fn is_over_refs(&self) -> bool {
        false
    }

    /// The folder or repository, for commit records.
    fn place(&self) -> &Path;
}

impl<S: Source + ?Sized> Source for Arc<S> {
    fn scan(&self, last: Option<&LastScan<'_>>, options: &ScanOptions) -> Result<Scan, SourceError> {
        (**self).scan(last, options)
    }

    fn rescan(&self, last: &LastScan<'_>, changed: &[PathBuf], options: &ScanOptions) -> Result<Scan, SourceError> {
        (**self).rescan(last, changed, options)
    }

    fn origin(&self, file: &RowId) -> Origin {
        (**self).origin(file)
    }

    fn is_over_refs(&self) -> bool {
        (**self).is_over_refs()
    }

    fn place(&self) -> &Path {
        (**self).place()
    }
}

/// What a scan found.
#[derive(Debug)]
pub struct Scan {
    /// The tree as it is now.
    pub tree: Tree,
    /// The revision that it is the tree of, where the source has revisions.
    pub revision: Option<Box<str>>,
    /// The refs that the tree is over, in the order of the job; empty if it is over none.
    pub refs: Vec<RefRevision>,
    /// Hash of all that decides which files of a revision belong to the index, where the
    /// source has revisions.
    pub selection: Option<Hash>,
    /// What the user should know of the source that belongs to no file, a sentence each.
    pub notices: Vec<String>,
    /// What the scan did.
    pub measures: ScanMeasures,
}

/// A branch or tag, and where it leads.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct RefRevision {
    /// Its name, such as `main` or `release/2.1`.
    pub name: Box<str>,
    /// The revision.
    pub revision: Box<str>,
}

/// What a scan did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ScanMeasures {
    /// Files that belong to the index, those of each ref counted.
    pub files: u64,
    /// Files whose stat data did not vouch for them, so that their content was read and
    /// hashed.
    pub files_read: u64,
    /// Bytes of those files.
    pub bytes_read: u64,
    /// Files and folders that ignore rules leave out, as far as the scan came by them.
    #[serde(default)]
    pub ignored: u64,
    /// Files and folders that are left out because their name begins with a dot, likewise.
    #[serde(default)]
    pub hidden: u64,
}
