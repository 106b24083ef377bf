//! The `git` source: a revision of a repository, read from its object store.
//!
//! Git's trees already are Merkle trees: between two commits only trees whose ids differ
//! are entered, and only blobs whose ids differ are read. Contents are known by their
//! BLAKE3 hash all the same, so that a revision and a checkout of it are equal.

mod history;
mod objects;
mod refs;
mod walk;

pub use history::{CommitInfo, commits_between};
pub use refs::matching_refs;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gix::ObjectId;
use rayon::prelude::*;

use self::objects::{Handle, Objects, Unreadable};
use self::walk::{Change, Held, Selection};
use super::{Object, Origin, Scan, ScanMeasures, Source, SourceError, select};
use crate::diagnostic::Severity;
use crate::hash::Hash;
use crate::index::CommitRecord;
use crate::merkle::{Leaf, Stat, Tree};
use crate::path::RelPath;

/// The code of a submodule, which is not entered.
const SUBMODULE: &str = "submodule";

/// The code of a file whose blob the repository lacks.
const MISSING_OBJECT: &str = "missing_object";

/// Which revision of which repository, and which of its files belong to the index.
#[derive(Clone, Debug)]
pub struct GitConfig {
    /// A folder in the repository's work tree, or the repository itself.
    pub path: PathBuf,
    /// A branch, a tag, a commit, or anything else that leads to a commit, such as
    /// `HEAD~3`.
    pub revision: String,
    /// Globs of files to take; all if empty.
    pub include: Vec<String>,
    /// Globs of files and folders to leave out.
    pub exclude: Vec<String>,
    /// Whether to take files and folders whose name begins with a dot.
    pub hidden: bool,
    /// The largest file to take, in bytes.
    pub max_file_bytes: u64,
}

impl GitConfig {
    /// Hash of all that decides which files of a commit are taken, and what is noted of
    /// the others. The version of this code is part of it, as its lists are.
    fn selection(&self) -> Hash {
        let cap = self.max_file_bytes.to_le_bytes();
        let rules: [&[u8]; 4] =
            [b"gristmill git selection", env!("CARGO_PKG_VERSION").as_bytes(), &[u8::from(self.hidden)], &cap];
        let include = self.include.iter().flat_map(|glob| [b"+", glob.as_bytes()]);
        let exclude = self.exclude.iter().flat_map(|glob| [b"-", glob.as_bytes()]);
        Hash::of_parts(rules.into_iter().chain(include).chain(exclude))
    }
}

/// A revision of a git repository, read from its object store; nothing is checked out.
///
/// Files that git tracks are taken whatever `.gitignore` and `.ignore` say. Symbolic links
/// are left out, submodules are noted, and a file whose blob is missing is quarantined.
pub struct GitSource {
    objects: Arc<Objects>,
    commit: String,
    tree: ObjectId,
    selection: Selection,
    selection_hash: Hash,
    max_file_bytes: u64,
}

impl GitSource {
    /// Opens the repository at or above `config.path`, bare or with a work tree, and
    /// resolves the revision.
    ///
    /// # Errors
    /// If there is no repository, no such commit in it, or a glob is malformed.
    pub fn open(config: GitConfig) -> Result<Self, SourceError> {
        let overrides = select::overrides(Path::new("."), &config.include, &config.exclude)?;
        let opened = refs::Opened::at(&config.path)?;
        let commit = opened.commit(&config.revision)?;
        let objects = opened.into_objects();
        let tree = objects.tree_of(commit)?;
        Ok(Self {
            objects: Arc::new(objects),
            commit: commit.to_string(),
            tree,
            selection: Selection { overrides, hidden: config.hidden },
            selection_hash: config.selection(),
            max_file_bytes: config.max_file_bytes,
        })
    }

    /// The commit that was resolved, in hex digits.
    #[must_use]
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// The git tree that a known tree was made of, if all else that made it still holds.
    fn base(&self, record: &CommitRecord, known: &Tree) -> Option<ObjectId> {
        // A stored tree that could not be read comes as an empty one.
        let holds = record.source == self.objects.place()
            && record.selection == Some(self.selection_hash)
            && record.merkle_root == known.root_hash();
        let commit = record.revision.as_deref().filter(|_| holds)?;
        self.objects.tree_of(ObjectId::from_hex(commit.as_bytes()).ok()?).ok()
    }

    /// What must be done to the known tree, or to an empty one, to make the new one of it.
    fn changes<'a>(
        &self,
        known: Option<(&CommitRecord, &'a Tree)>,
    ) -> Result<(Option<&'a Tree>, Vec<Change>), SourceError> {
        let base = known.and_then(|(record, known)| Some((self.base(record, known)?, known)));
        if let Some((base, known)) = base
            // Trees of the old commit may be gone by now; then nothing can be compared.
            && let Ok(mut changes) = walk::changes(&self.objects, &self.selection, Some(base), self.tree)
        {
            changes.extend(self.to_read_again(known));
            return Ok((Some(known), changes));
        }
        Ok((None, walk::changes(&self.objects, &self.selection, None, self.tree)?))
    }

    /// Files that could not be read, and may be readable by now.
    fn to_read_again(&self, known: &Tree) -> Vec<Change> {
        let mut found = Vec::new();
        known.for_each(|path, leaf| {
            let code = leaf.note.as_ref().map(|note| &*note.code);
            if !matches!(code, None | Some(select::SENSITIVE | select::TOO_LARGE | SUBMODULE))
                && let Ok(Some((mode, id))) = self.objects.with(|handle| handle.entry(self.tree, path))
                && mode.is_blob()
            {
                found.push((RelPath::from(path), Some(Held::Blob(id))));
            }
        });
        found
    }

    /// The leaf of what a path holds, and the bytes that were read for it.
    fn leaf(&self, handle: &mut Handle, path: &RelPath, held: Held) -> (Leaf, Option<u64>) {
        let blob = match held {
            Held::Blob(blob) => blob,
            Held::Submodule => {
                let message = "not entered: this submodule is a repository of its own; index that one by itself";
                let leaf = Leaf::noted(Stat::default(), Severity::Note, SUBMODULE, message.to_owned());
                return (leaf, None);
            }
        };
        let bytes = match handle.size(blob) {
            Ok(bytes) => bytes,
            Err(unreadable) => return (missing(blob, &unreadable), None),
        };
        let stat = Stat { bytes, ..Stat::default() };
        if let Some(noted) = select::refused(path.as_str(), stat, self.max_file_bytes) {
            return (noted, None);
        }
        match handle.blob(blob) {
            Ok(content) => (Leaf { content_hash: Hash::of(content), stat, note: None }, Some(bytes)),
            Err(unreadable) => (missing(blob, &unreadable), None),
        }
    }
}

fn missing(blob: ObjectId, Unreadable(reason): &Unreadable) -> Leaf {
    let message = format!(
        "the blob {blob} cannot be read from the repository: {reason}; \
         fetch it with `git fetch --refetch`, or clone the repository again without `--filter`"
    );
    Leaf::noted(Stat::default(), Severity::Error, MISSING_OBJECT, message)
}

impl Source for GitSource {
    /// Walks the commit's tree, or what differs from the known commit's, and reads and
    /// hashes each blob that it met.
    fn scan(&self, known: Option<(&CommitRecord, &Tree)>, threads: usize) -> Result<Scan, SourceError> {
        let (known, changes) = self.changes(known)?;
        let (files_read, bytes_read) = (AtomicU64::new(0), AtomicU64::new(0));
        let leaf_of = |(path, held): Change| {
            let leaf = held.map(|held| {
                let (leaf, read) = self.objects.with(|handle| self.leaf(handle, &path, held));
                if let Some(read) = read {
                    files_read.fetch_add(1, Ordering::Relaxed);
                    bytes_read.fetch_add(read, Ordering::Relaxed);
                }
                leaf
            });
            (path, leaf)
        };
        let changes: Vec<(RelPath, Option<Leaf>)> = if threads == 1 {
            changes.into_iter().map(leaf_of).collect()
        } else {
            changes.into_par_iter().with_min_len(8).map(leaf_of).collect()
        };
        let tree = known.unwrap_or(&Tree::empty()).patched(changes);
        let measures = ScanMeasures {
            files: tree.len() as u64,
            files_read: files_read.into_inner(),
            bytes_read: bytes_read.into_inner(),
        };
        let revision = Some(self.commit.as_str().into());
        Ok(Scan { tree, revision, selection: Some(self.selection_hash), measures })
    }

    fn origin(&self, path: &RelPath) -> Origin {
        Origin::Object(Arc::new(Blob { objects: Arc::clone(&self.objects), tree: self.tree, path: path.clone() }))
    }

    fn place(&self) -> &Path {
        self.objects.place()
    }
}

/// A file of a revision.
struct Blob {
    objects: Arc<Objects>,
    tree: ObjectId,
    path: RelPath,
}

impl Object for Blob {
    fn read(&self) -> io::Result<Vec<u8>> {
        let read = self.objects.with(|handle| match handle.entry(self.tree, self.path.as_str())? {
            Some((mode, id)) if mode.is_blob() => handle.take_blob(id),
            _ => Err(Unreadable(format!("it is no file of the tree {}", self.tree))),
        });
        // Never `NotFound`: a commit does not lose a file, but a repository may lose its blob.
        read.map_err(|Unreadable(reason)| io::Error::other(format!("the repository does not give it: {reason}")))
    }
}

#[cfg(test)]
mod tests;
