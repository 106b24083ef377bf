//! A tree from its files.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Directory, Entry, Leaf, Node, Tree};
use crate::path::RelPath;

/// Orders paths as a walk of the tree meets them: part by part, not byte by byte, so
/// that `a/b` comes before `a.c`.
#[must_use]
pub fn path_order(left: &RelPath, right: &RelPath) -> Ordering {
    let (left, right) = (left.as_str().as_bytes(), right.as_str().as_bytes());
    let shared = common_prefix(left, right);
    // The end of a path comes before all, the end of a name before all that a name holds.
    let rank = |path: &[u8]| path.get(shared).map(|byte| if *byte == b'/' { 0 } else { u16::from(*byte) + 1 });
    rank(left).cmp(&rank(right))
}

/// The number of bytes with which both begin.
pub(super) fn common_prefix(left: &[u8], right: &[u8]) -> usize {
    let (words_left, _) = left.as_chunks::<8>();
    let (words_right, _) = right.as_chunks::<8>();
    let words = words_left.iter().zip(words_right).take_while(|(left, right)| left == right).count() * 8;
    let rest = left.iter().zip(right).skip(words).take_while(|(left, right)| left == right).count();
    words + rest
}

impl Tree {
    /// Builds the tree of these files. Of files with one path, the first stays; a file
    /// where a directory of that name is needed gives way to it.
    #[must_use]
    pub fn build(mut files: Vec<(RelPath, Leaf)>, scanned_ns: i64) -> Self {
        files.sort_by(|left, right| path_order(&left.0, &right.0));
        let mut builder = Builder::default();
        let mut previous: Option<RelPath> = None;
        for (path, leaf) in files {
            let shared = previous.map_or(0, |it| common_prefix(it.as_str().as_bytes(), path.as_str().as_bytes()));
            builder.push(path.as_str(), shared, leaf);
            previous = Some(path);
        }
        builder.finish(scanned_ns)
    }
}

/// Builds a tree from files that come in [`path_order`]: each directory is made once, when
/// the last of its files has come.
#[derive(Default)]
pub(super) struct Builder {
    /// The entries of all open directories, those of the root first.
    entries: Vec<Entry>,
    /// The directories that lead to the file that came last.
    open: Vec<Open>,
    scratch: Vec<u8>,
}

/// A directory of which more files may come.
struct Open {
    name: Box<str>,
    /// Where its entries begin among those of all open directories.
    first: usize,
    /// The length of its path with the `/` that follows.
    length: usize,
}

impl Builder {
    /// Takes the next file, whose path begins with the same `shared` bytes as that of the
    /// one before. A file of a path that is taken, or that should have come earlier, is
    /// left out, and the answer is no.
    pub(super) fn push(&mut self, path: &str, shared: usize, leaf: Leaf) -> bool {
        while self.open.last().is_some_and(|open| open.length > shared) {
            self.close();
        }
        let mut start = self.open.last().map_or(0, |open| open.length);
        let Some(mut rest) = path.get(start..) else { return false };
        while let Some((name, below)) = rest.split_once('/') {
            match self.sibling() {
                Some((standing, Node::File(_))) if **standing == *name => drop(self.entries.pop()),
                Some((standing, _)) if **standing >= *name => return false,
                _ => {}
            }
            start += name.len() + 1;
            self.open.push(Open { name: name.into(), first: self.entries.len(), length: start });
            rest = below;
        }
        if self.sibling().is_some_and(|(standing, _)| **standing >= *rest) {
            return false;
        }
        self.entries.push((rest.into(), Node::File(leaf)));
        true
    }

    /// The tree of the files that came.
    pub(super) fn finish(mut self, scanned_ns: i64) -> Tree {
        while !self.open.is_empty() {
            self.close();
        }
        let root = Directory::new(self.entries.into(), &mut self.scratch);
        Tree { root: Arc::new(root), scanned_ns, is_over_refs: false }
    }

    /// The last entry of the innermost open directory.
    fn sibling(&self) -> Option<&Entry> {
        let first = self.open.last().map_or(0, |open| open.first);
        self.entries.get(first..).and_then(<[Entry]>::last)
    }

    fn close(&mut self) {
        let Some(Open { name, first, .. }) = self.open.pop() else { return };
        let entries = self.entries.drain(first..).collect();
        let directory = Directory::new(entries, &mut self.scratch);
        self.entries.push((name, Node::Directory(Arc::new(directory))));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::merkle::Stat;
    use gristmill_ids::Hash;

    fn leaf(content: u8) -> Leaf {
        Leaf { content_hash: Hash::of(&[content]), stat: Stat::default(), note: None }
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_the_names(left in "([a/.-]|é){0,20}", right in "([a/.-]|é){0,20}") {
            let by_names = left.split('/').cmp(right.split('/'));
            let found = path_order(&RelPath::from(&*left), &RelPath::from(&*right));
            // A path has no empty names but is never empty itself: only there they differ.
            if !left.is_empty() && !right.is_empty() {
                prop_assert_eq!(found, by_names);
            }
        }
    }

    #[test]
    fn what_comes_twice_or_too_late_is_left_out() {
        let mut builder = Builder::default();
        let taken: Vec<bool> = [("a/b", 0), ("a/b", 3), ("a/c", 2), ("a", 1), ("a.c", 1), ("a/d", 1)]
            .into_iter()
            .map(|(path, shared)| builder.push(path, shared, leaf(1)))
            .collect();
        assert_eq!(taken, [true, false, true, false, true, false]);
        let expected = ["a/b", "a/c", "a.c"].map(|path| (RelPath::from(path), leaf(1)));
        assert_eq!(builder.finish(0), Tree::build(expected.into(), 0));
    }
}
