//! The Merkle tree of a source: what every path held at an epoch.
//!
//! A directory's hash covers its sorted `(name, kind, child hash)`, so two trees with
//! equal root hashes hold the same contents, and a diff need only descend where hashes
//! differ (R. Merkle, "A Digital Signature Based on a Conventional Encryption Function",
//! CRYPTO '87). Stat data rides along as a cache and is no part of any hash.

mod build;
mod diff;
mod file;
mod patch;
mod refs;

pub use build::path_order;
pub use diff::{Change, Diff, diff};
pub use file::MerkleFileError;

pub(crate) use diff::diff_places;
pub(crate) use refs::split_ref;

use std::sync::Arc;

use gristmill_ids::{ContentHash, Hash};
use serde::{Deserialize, Serialize};

use crate::diagnostic::Severity;

/// What the file system says about a file, to tell whether it may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Stat {
    /// Size in bytes.
    pub bytes: u64,
    /// Time of the last change of content, in nanoseconds since 1970.
    pub modified_ns: i64,
    /// Time of the last change of content or metadata, likewise; 0 where unknown.
    pub changed_ns: i64,
    /// The inode's number; 0 where unknown.
    pub inode: u64,
}

impl Stat {
    /// Reads the relevant fields of `metadata`.
    #[must_use]
    pub fn of(metadata: &std::fs::Metadata) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
            Self {
                bytes: metadata.size(),
                modified_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
                changed_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
                inode: metadata.ino(),
            }
        }
        #[cfg(not(unix))]
        {
            let since_epoch = |time: std::time::SystemTime| time.duration_since(std::time::UNIX_EPOCH).ok();
            let modified = metadata.modified().ok().and_then(since_epoch);
            let modified_ns = modified.and_then(|d| i64::try_from(d.as_nanos()).ok()).unwrap_or_default();
            Self { bytes: metadata.len(), modified_ns, changed_ns: 0, inode: 0 }
        }
    }
}

/// Why a path is in the tree without its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// How much it matters.
    pub severity: Severity,
    /// A stable word, such as `sensitive`.
    pub code: Box<str>,
    /// What, where, and what to do.
    pub message: Box<str>,
}

/// One file of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The hash of its content; for a file whose content was not taken, a hash of why.
    pub content_hash: ContentHash,
    /// What the file system said when it was hashed. All zero if it is to be looked at
    /// again in any case.
    pub stat: Stat,
    /// Why its content was not taken. Few leaves have one: it lies apart to keep them small.
    pub note: Option<Box<Note>>,
}

impl Leaf {
    /// A file whose content was not taken.
    #[must_use]
    pub fn noted(stat: Stat, severity: Severity, code: &str, message: String) -> Self {
        let size = stat.bytes.to_le_bytes();
        let parts: [&[u8]; 4] = [b"gristmill note", code.as_bytes(), message.as_bytes(), &size];
        let content_hash = Hash::of_parts(parts);
        let note = Note { severity, code: code.into(), message: message.into() };
        Self { content_hash, stat, note: Some(Box::new(note)) }
    }
}

/// A node of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A directory, shared by all trees in which nothing below it differs.
    Directory(Arc<Directory>),
    /// A file.
    File(Leaf),
}

impl Node {
    /// The file, if it is one.
    pub(crate) fn file(&self) -> Option<&Leaf> {
        match self {
            Self::File(leaf) => Some(leaf),
            Self::Directory(_) => None,
        }
    }

    /// The directory, if it is one.
    pub(crate) fn directory(&self) -> Option<&Arc<Directory>> {
        match self {
            Self::Directory(directory) => Some(directory),
            Self::File(_) => None,
        }
    }

    fn hash(&self) -> &Hash {
        match self {
            Self::Directory(directory) => &directory.hash,
            Self::File(leaf) => &leaf.content_hash,
        }
    }
}

/// A name with what bears it.
pub(crate) type Entry = (Box<str>, Node);

/// A directory of a tree: its entries by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    hash: Hash,
    /// The number of files in it and below it.
    files: usize,
    entries: Box<[Entry]>,
}

impl Directory {
    /// Takes sorted entries. `scratch` is room for what is hashed, reused by many calls.
    fn new(entries: Box<[Entry]>, scratch: &mut Vec<u8>) -> Self {
        scratch.clear();
        let mut files = 0;
        for (name, node) in &entries {
            let kind = match node {
                Node::Directory(directory) => {
                    files += directory.files;
                    b'd'
                }
                Node::File(_) => {
                    files += 1;
                    b'f'
                }
            };
            scratch.extend_from_slice(&(name.len() as u64).to_le_bytes());
            scratch.extend_from_slice(name.as_bytes());
            scratch.push(kind);
            scratch.extend_from_slice(node.hash().as_bytes());
        }
        Self { hash: Hash::of(scratch), files, entries }
    }

    /// What bears that name, and its place among the entries.
    pub(crate) fn find(&self, name: &str) -> Option<(usize, &Node)> {
        let place = self.entries.binary_search_by(|(standing, _)| (**standing).cmp(name)).ok()?;
        self.entries.get(place).map(|(_, node)| (place, node))
    }

    /// The directory at a path below it; itself where the path is empty.
    fn directory(&self, path: &str) -> Option<&Self> {
        let mut directory = self;
        for name in path.split('/').filter(|_| !path.is_empty()) {
            directory = directory.find(name)?.1.directory()?;
        }
        Some(directory)
    }

    /// The file at a path below it.
    fn file(&self, path: &str) -> Option<&Leaf> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.directory(folder)?.find(name)?.1.file()
    }

    /// Whether there is a file at a path below it.
    pub(crate) fn has_file(&self, path: &str) -> bool {
        self.file(path).is_some()
    }

    /// Calls `visit` with the path of every file below it.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&str)) {
        walk(self, &mut String::new(), &mut |path, _| visit(path));
    }

    /// What it holds, by name.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// What every path of a source held at an epoch. A clone shares all directories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    root: Arc<Directory>,
    /// When the scan that made the tree began, in nanoseconds since 1970. A file whose
    /// times are not older may have changed after it was read, within the clock's
    /// resolution, and is read again (git's racy rule).
    pub scanned_ns: i64,
    /// Whether the directories in the root are refs, each with a tree of its own.
    pub(crate) is_over_refs: bool,
}

impl Tree {
    /// The tree of nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self { root: Arc::new(Directory::new(Box::default(), &mut Vec::new())), scanned_ns: 0, is_over_refs: false }
    }

    /// The hash over all paths and contents.
    #[must_use]
    pub fn root_hash(&self) -> Hash {
        self.root.hash
    }

    /// The number of files.
    #[must_use]
    pub fn len(&self) -> usize {
        self.root.files
    }

    /// Whether it holds no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.root.files == 0
    }

    /// The file at `path`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Leaf> {
        self.root.file(path)
    }

    /// The directory at `path`; the root where it is empty.
    pub(crate) fn directory(&self, path: &str) -> Option<&Directory> {
        self.root.directory(path)
    }

    /// Calls `visit` with every file, in [`path_order`].
    pub fn for_each<'a>(&'a self, mut visit: impl FnMut(&str, &'a Leaf)) {
        walk(&self.root, &mut String::new(), &mut visit);
    }
}

fn walk<'a>(directory: &'a Directory, path: &mut String, visit: &mut impl FnMut(&str, &'a Leaf)) {
    let length = path.len();
    for (name, node) in &directory.entries {
        if length > 0 {
            path.push('/');
        }
        path.push_str(name);
        match node {
            Node::Directory(inner) => walk(inner, path, visit),
            Node::File(leaf) => visit(path, leaf),
        }
        path.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::RelPath;

    fn leaf(content: &str) -> Leaf {
        Leaf { content_hash: Hash::of(content.as_bytes()), stat: Stat::default(), note: None }
    }

    #[test]
    fn finds_files_and_orders_by_parts() {
        let paths = ["a.c", "a/b", "a/c/d", "z"];
        let tree = Tree::build(paths.iter().rev().map(|path| (RelPath::from(*path), leaf(path))).collect(), 0);
        let mut seen = Vec::new();
        tree.for_each(|path, _| seen.push(path.to_owned()));
        assert_eq!(seen, ["a/b", "a/c/d", "a.c", "z"]);
        assert_eq!(tree.len(), 4);
        assert_eq!(tree.get("a/c/d"), Some(&leaf("a/c/d")));
        assert_eq!(tree.get("a/c"), None);
        assert_eq!(tree.get("z/y"), None);
    }

    #[test]
    fn the_root_hash_covers_names_and_contents_but_not_times() {
        let one = Tree::build(vec![("a/b".into(), leaf("1"))], 5);
        let mut touched = leaf("1");
        touched.stat.modified_ns = 9;
        assert_eq!(one.root_hash(), Tree::build(vec![("a/b".into(), touched)], 7).root_hash());
        assert_ne!(one.root_hash(), Tree::build(vec![("a/b".into(), leaf("2"))], 5).root_hash());
        assert_ne!(one.root_hash(), Tree::build(vec![("b/a".into(), leaf("1"))], 5).root_hash());
        assert_ne!(one.root_hash(), Tree::empty().root_hash());
    }

    #[test]
    fn a_directory_is_hashed_as_stored_trees_were() {
        let hash_of = |entries: &[(&str, u8, Hash)]| {
            let mut bytes = Vec::new();
            for (name, kind, hash) in entries {
                bytes.extend_from_slice(&(name.len() as u64).to_le_bytes());
                bytes.extend_from_slice(name.as_bytes());
                bytes.push(*kind);
                bytes.extend_from_slice(hash.as_bytes());
            }
            Hash::of(&bytes)
        };
        let tree = Tree::build(vec![("é".into(), leaf("2")), ("a/b".into(), leaf("1"))], 0);
        let inner = hash_of(&[("b", b'f', Hash::of(b"1"))]);
        assert_eq!(tree.root_hash(), hash_of(&[("a", b'd', inner), ("é", b'f', Hash::of(b"2"))]));
    }

    #[test]
    fn a_directory_wins_over_a_file_of_its_name() {
        let tree = Tree::build(vec![("a".into(), leaf("1")), ("a/b".into(), leaf("2"))], 0);
        assert_eq!((tree.len(), tree.get("a"), tree.get("a/b")), (1, None, Some(&leaf("2"))));
    }
}
