//! The Merkle tree of a source: what every path held at an epoch.
//!
//! A directory's hash covers its sorted `(name, kind, child hash)`, so two trees with
//! equal root hashes hold the same contents, and a diff need only descend where hashes
//! differ (R. Merkle, "A Digital Signature Based on a Conventional Encryption Function",
//! CRYPTO '87). Stat data rides along as a cache and is no part of any hash.

mod diff;
mod file;
mod patch;

pub use diff::{Change, Diff, diff};
pub use file::MerkleFileError;

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Severity;
use crate::hash::{ContentHash, Hash};
use crate::path::RelPath;

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
    /// Why its content was not taken.
    pub note: Option<Note>,
}

impl Leaf {
    /// A file whose content was not taken.
    #[must_use]
    pub fn noted(stat: Stat, severity: Severity, code: &str, message: String) -> Self {
        let size = stat.bytes.to_le_bytes();
        let parts: [&[u8]; 4] = [b"gristmill note", code.as_bytes(), message.as_bytes(), &size];
        let content_hash = Hash::of_parts(parts);
        Self { content_hash, stat, note: Some(Note { severity, code: code.into(), message: message.into() }) }
    }
}

/// A node of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A directory.
    Directory(Directory),
    /// A file.
    File(Leaf),
}

impl Node {
    fn hash(&self) -> &Hash {
        match self {
            Self::Directory(directory) => &directory.hash,
            Self::File(leaf) => &leaf.content_hash,
        }
    }
}

/// A name with what bears it.
type Entry = (Box<str>, Node);

/// A directory of a tree: its entries by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    hash: Hash,
    entries: Vec<Entry>,
}

impl Directory {
    fn new(entries: Vec<Entry>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for (name, node) in &entries {
            let kind = match node {
                Node::Directory(_) => b'd',
                Node::File(_) => b'f',
            };
            hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes()).update(&[kind]);
            hasher.update(node.hash().as_bytes());
        }
        Self { hash: hasher.finalize().into(), entries }
    }
}

/// What every path of a source held at an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    root: Directory,
    files: usize,
    /// When the scan that made the tree began, in nanoseconds since 1970. A file whose
    /// times are not older may have changed after it was read, within the clock's
    /// resolution, and is read again (git's racy rule).
    pub scanned_ns: i64,
}

/// Orders paths as a walk of the tree meets them: part by part, not byte by byte, so
/// that `a/b` comes before `a.c`.
#[must_use]
pub fn path_order(left: &RelPath, right: &RelPath) -> Ordering {
    left.as_str().split('/').cmp(right.as_str().split('/'))
}

impl Tree {
    /// The tree of nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self { root: Directory::new(Vec::new()), files: 0, scanned_ns: 0 }
    }

    /// Builds the tree of these files. Of files with one path, the first stays; a file
    /// where a directory of that name is needed gives way to it.
    #[must_use]
    pub fn build(mut files: Vec<(RelPath, Leaf)>, scanned_ns: i64) -> Self {
        files.sort_by(|left, right| path_order(&left.0, &right.0));
        files.dedup_by(|later, earlier| later.0 == earlier.0);
        let mut count = 0;
        // The directories that are open, from the root down, each with its name.
        let mut open: Vec<(Box<str>, Vec<Entry>)> = vec![("".into(), Vec::new())];
        for (path, leaf) in files {
            let mut parts: Vec<&str> = path.as_str().split('/').collect();
            let name = parts.pop().unwrap_or_default();
            let shared = open.iter().skip(1).zip(&parts).take_while(|((open, _), part)| **open == ***part).count();
            close_down_to(&mut open, shared + 1);
            for part in parts.into_iter().skip(shared) {
                if let Some((_, siblings)) = open.last_mut()
                    && siblings
                        .last()
                        .is_some_and(|(sibling, node)| **sibling == *part && matches!(node, Node::File(_)))
                {
                    siblings.pop();
                    count -= 1;
                }
                open.push((part.into(), Vec::new()));
            }
            if let Some((_, entries)) = open.last_mut() {
                entries.push((name.into(), Node::File(leaf)));
                count += 1;
            }
        }
        close_down_to(&mut open, 1);
        let entries = open.pop().map(|(_, entries)| entries).unwrap_or_default();
        Self { root: Directory::new(entries), files: count, scanned_ns }
    }

    /// The hash over all paths and contents.
    #[must_use]
    pub fn root_hash(&self) -> Hash {
        self.root.hash
    }

    /// The number of files.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files
    }

    /// Whether it holds no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files == 0
    }

    /// The file at `path`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Leaf> {
        let mut directory = &self.root;
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let found = directory.entries.binary_search_by(|(name, _)| (**name).cmp(part)).ok()?;
            match &directory.entries.get(found)?.1 {
                Node::Directory(inner) => directory = inner,
                Node::File(leaf) => return parts.peek().is_none().then_some(leaf),
            }
        }
        None
    }

    /// Calls `visit` with every file, in [`path_order`].
    pub fn for_each<'a>(&'a self, mut visit: impl FnMut(&str, &'a Leaf)) {
        walk(&self.root, &mut String::new(), &mut visit);
    }

    /// Takes the tree apart into its files.
    #[must_use]
    pub fn into_files(self) -> Vec<(RelPath, Leaf)> {
        let mut files = Vec::with_capacity(self.files);
        self.for_each(|path, leaf| files.push((RelPath::from(path), leaf.clone())));
        files
    }
}

fn close_down_to(open: &mut Vec<(Box<str>, Vec<Entry>)>, depth: usize) {
    while open.len() > depth {
        let Some((name, entries)) = open.pop() else { return };
        if let Some((_, siblings)) = open.last_mut() {
            siblings.push((name, Node::Directory(Directory::new(entries))));
        }
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
    fn a_directory_wins_over_a_file_of_its_name() {
        let tree = Tree::build(vec![("a".into(), leaf("1")), ("a/b".into(), leaf("2"))], 0);
        assert_eq!((tree.len(), tree.get("a"), tree.get("a/b")), (1, None, Some(&leaf("2"))));
    }
}
