//! What changed between two trees.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Directory, Entry, Leaf, Node, Tree};
use crate::path::RelPath;

/// One path that holds something else, or something, or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The path.
    pub path: RelPath,
    /// What it held before.
    pub before: Option<Leaf>,
    /// What it holds now.
    pub after: Option<Leaf>,
}

/// All that changed between two trees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// The changed paths, in path order.
    pub changes: Vec<Change>,
    /// Directories that were entered because their hashes differ.
    pub entered: usize,
}

/// Compares two trees, entering only directories whose hashes differ.
#[must_use]
pub fn diff(before: &Tree, after: &Tree) -> Diff {
    let mut diff = Diff::default();
    if !is_same_directory(&before.root, &after.root) {
        diff.directories(Some(&before.root), Some(&after.root), &mut String::new());
    }
    diff
}

impl Diff {
    fn directories(&mut self, before: Option<&Directory>, after: Option<&Directory>, path: &mut String) {
        self.entered += 1;
        fn entries(directory: Option<&Directory>) -> std::slice::Iter<'_, Entry> {
            directory.map_or(&[][..], Directory::entries).iter()
        }
        let (mut left, mut right) = (entries(before).peekable(), entries(after).peekable());
        loop {
            let order = match (left.peek(), right.peek()) {
                (None, None) => return,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((left, _)), Some((right, _))) => left.cmp(right),
            };
            let old = if order == Ordering::Greater { None } else { left.next() };
            let new = if order == Ordering::Less { None } else { right.next() };
            let Some((name, _)) = old.or(new) else { return };
            if let (Some((_, old)), Some((_, new))) = (old, new)
                && is_same(old, new)
            {
                continue;
            }
            let length = path.len();
            if length > 0 {
                path.push('/');
            }
            path.push_str(name);
            self.nodes(old.map(|(_, node)| node), new.map(|(_, node)| node), path);
            path.truncate(length);
        }
    }

    fn nodes(&mut self, before: Option<&Node>, after: Option<&Node>, path: &mut String) {
        let leaf = |node: Option<&Node>| match node {
            Some(Node::File(leaf)) => Some(leaf.clone()),
            _ => None,
        };
        let hash = |node: Option<&Node>| match node {
            Some(Node::File(leaf)) => Some(leaf.content_hash),
            _ => None,
        };
        if hash(before) != hash(after) {
            self.changes.push(Change { path: RelPath::from(&**path), before: leaf(before), after: leaf(after) });
        }
        fn directory(node: Option<&Node>) -> Option<&Directory> {
            match node {
                Some(Node::Directory(directory)) => Some(directory),
                _ => None,
            }
        }
        let (before, after) = (directory(before), directory(after));
        if before.is_some() || after.is_some() {
            self.directories(before, after, path);
        }
    }
}

fn is_same(before: &Node, after: &Node) -> bool {
    match (before, after) {
        (Node::Directory(before), Node::Directory(after)) => is_same_directory(before, after),
        (Node::File(before), Node::File(after)) => before.content_hash == after.content_hash,
        _ => false,
    }
}

/// Whether both hold the same. Trees share most of what did not change, which shows
/// without a look at the hashes.
fn is_same_directory(before: &Arc<Directory>, after: &Arc<Directory>) -> bool {
    Arc::ptr_eq(before, after) || before.hash == after.hash
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::Stat;
    use super::*;
    use crate::hash::Hash;

    fn tree(files: &BTreeMap<String, u8>) -> Tree {
        let leaf = |content: &u8| Leaf { content_hash: Hash::of(&[*content]), stat: Stat::default(), note: None };
        Tree::build(files.iter().map(|(path, content)| (RelPath::from(path.as_str()), leaf(content))).collect(), 0)
    }

    fn files() -> impl Strategy<Value = BTreeMap<String, u8>> {
        // File names and directory names differ, so no file stands where a directory is.
        prop::collection::btree_map("([a-c]/){0,3}[x-z]\\.[a-b]", 0_u8..3, 0..24)
    }

    proptest! {
        #[test]
        fn equals_the_comparison_of_all_paths(before in files(), after in files()) {
            let diff = diff(&tree(&before), &tree(&after));
            let mut expected: Vec<(RelPath, Option<u8>, Option<u8>)> = Vec::new();
            for path in before.keys().chain(after.keys().filter(|path| !before.contains_key(*path))) {
                if before.get(path) != after.get(path) {
                    expected.push((path.as_str().into(), before.get(path).copied(), after.get(path).copied()));
                }
            }
            expected.sort_by(|left, right| super::super::path_order(&left.0, &right.0));
            let found: Vec<_> = diff.changes.iter().map(|change| change.path.clone()).collect();
            prop_assert_eq!(found, expected.iter().map(|(path, ..)| path.clone()).collect::<Vec<_>>());
            for (change, (_, old, new)) in diff.changes.iter().zip(&expected) {
                prop_assert_eq!(change.before.as_ref().map(|leaf| leaf.content_hash), old.map(|content| Hash::of(&[content])));
                prop_assert_eq!(change.after.as_ref().map(|leaf| leaf.content_hash), new.map(|content| Hash::of(&[content])));
            }
        }
    }

    #[test]
    fn enters_only_what_differs() {
        let before: BTreeMap<String, u8> = (0..100).map(|n| (format!("d{n}/e/x"), 0)).collect();
        let mut after = before.clone();
        after.insert("d7/e/x".into(), 1);
        let diff = diff(&tree(&before), &tree(&after));
        assert_eq!((diff.changes.len(), diff.entered), (1, 3), "the root, d7 and d7/e");
    }
}
