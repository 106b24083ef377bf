//! A tree with some of its files replaced.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::slice::Iter;
use std::sync::Arc;

use super::{Directory, Entry, Leaf, Node, Tree, path_order};
use crate::path::RelPath;

/// What a path holds from now on; nothing if it goes.
type Change = (RelPath, Option<Leaf>);

impl Tree {
    /// The tree in which these paths hold what is said here, and all others what they hold
    /// in this one. Only directories above a changed path are copied and hashed; all others
    /// are shared. Of changes to one path, the last counts; a file where a directory of that
    /// name is needed gives way to it.
    #[must_use]
    pub fn patched(&self, mut changes: Vec<Change>) -> Self {
        changes.sort_by(|left, right| path_order(&left.0, &right.0));
        changes.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                std::mem::swap(later, earlier);
            }
            same
        });
        let root = if changes.is_empty() {
            self.root.clone()
        } else {
            Arc::new(patched(Some(&self.root), &changes, 0, &mut Vec::new()))
        };
        Self { root, ..*self }
    }
}

/// The directory after its changes, whose paths share their first `prefix` bytes.
fn patched(before: Option<&Directory>, changes: &[Change], prefix: usize, scratch: &mut Vec<u8>) -> Directory {
    let old = before.map_or(&[][..], Directory::entries);
    let mut entries = Vec::with_capacity(old.len());
    let mut old = old.iter().peekable();
    for changes in changes.chunk_by(|left, right| name_at(left, prefix) == name_at(right, prefix)) {
        let Some(name) = changes.first().map(|change| name_at(change, prefix)) else { continue };
        copy_before(&mut old, name, &mut entries);
        let standing = old.next_if(|(standing, _)| **standing == *name).map(|(_, node)| node);
        if let Some(node) = changed(standing, changes, prefix + name.len(), scratch) {
            entries.push((name.into(), node));
        }
    }
    entries.extend(old.cloned());
    Directory::new(entries.into(), scratch)
}

/// The name of the entry that the change is made to, or made below, in the directory
/// whose path ends at `prefix`.
fn name_at(change: &Change, prefix: usize) -> &str {
    let rest = change.0.as_str().get(prefix..).unwrap_or_default();
    rest.split('/').next().unwrap_or(rest)
}

fn copy_before(old: &mut Peekable<Iter<'_, Entry>>, name: &str, entries: &mut Vec<Entry>) {
    while let Some(entry) = old.next_if(|(standing, _)| (**standing).cmp(name) == Ordering::Less) {
        entries.push(entry.clone());
    }
}

/// What stands at the path of `end` bytes after changes to it and below it.
fn changed(standing: Option<&Node>, changes: &[Change], end: usize, scratch: &mut Vec<u8>) -> Option<Node> {
    // In path order, a change to the path itself comes before those below it.
    let (own, below) = match changes.split_first() {
        Some(((path, leaf), below)) if path.as_str().len() == end => (Some(leaf), below),
        _ => (None, changes),
    };
    let directory = match standing {
        Some(Node::Directory(directory)) if below.is_empty() => Some(directory.clone()),
        Some(Node::Directory(directory)) => Some(Arc::new(patched(Some(directory), below, end + 1, scratch))),
        _ if below.is_empty() => None,
        _ => Some(Arc::new(patched(None, below, end + 1, scratch))),
    };
    if let Some(directory) = directory.filter(|directory| !directory.entries.is_empty()) {
        return Some(Node::Directory(directory));
    }
    match (own, standing) {
        (Some(leaf), _) => leaf.clone().map(Node::File),
        (None, Some(Node::File(leaf))) => Some(Node::File(leaf.clone())),
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::merkle::Stat;
    use gristmill_ids::Hash;

    fn leaf(content: u8) -> Leaf {
        Leaf { content_hash: Hash::of(&[content]), stat: Stat::default(), note: None }
    }

    fn path() -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(vec!["a", "b", "a.c", "d"]), 1..4).prop_map(|names| names.join("/"))
    }

    /// Whether no file stands where another one needs a directory.
    fn is_sound(files: &BTreeMap<String, u8>) -> bool {
        files.keys().all(|path| !files.keys().any(|other| other.starts_with(&format!("{path}/"))))
    }

    fn build(files: &BTreeMap<String, u8>) -> Tree {
        Tree::build(files.iter().map(|(path, content)| (RelPath::from(&**path), leaf(*content))).collect(), 7)
    }

    proptest! {
        #[test]
        fn a_patched_tree_is_the_tree_of_the_patched_files(
            before in prop::collection::btree_map(path(), 0_u8..3, 0..12).prop_filter("sound", is_sound),
            after in prop::collection::btree_map(path(), 0_u8..3, 0..12).prop_filter("sound", is_sound),
        ) {
            let gone = before.keys().filter(|path| !after.contains_key(*path));
            let mut changes: Vec<Change> = gone.map(|path| (RelPath::from(&**path), None)).collect();
            changes.extend(after.iter().map(|(path, content)| (RelPath::from(&**path), Some(leaf(*content)))));
            let patched = build(&before).patched(changes);
            prop_assert_eq!(&patched, &build(&after));
            prop_assert_eq!(patched.patched(Vec::new()), build(&after));
        }
    }

    #[test]
    fn what_no_change_touches_is_shared() {
        let paths = ["a/b/c", "a/d/e", "f/g"];
        let tree = Tree::build(paths.map(|path| (path.into(), leaf(1))).into(), 0);
        let patched = tree.patched(vec![("a/b/c".into(), Some(leaf(2))), ("f/h".into(), None)]);
        let is_shared = |path: &str| {
            let directories = (tree.directory(path), patched.directory(path));
            matches!(directories, (Some(before), Some(after)) if std::ptr::eq(before, after))
        };
        assert_eq!(["", "a", "a/b", "a/d"].map(is_shared), [false, false, false, true]);
        assert!(std::ptr::eq(&*tree.root, &*tree.clone().root));
        assert!(std::ptr::eq(&*tree.root, &*tree.patched(Vec::new()).root));
    }

    #[test]
    fn a_change_touches_its_path_alone() {
        let tree = Tree::build(vec![("a/b".into(), leaf(1)), ("a/c".into(), leaf(2)), ("d".into(), leaf(3))], 0);
        let patched = tree.patched(vec![("a/c".into(), None), ("a/x/y".into(), None), ("e".into(), Some(leaf(4)))]);
        let expected = Tree::build(vec![("a/b".into(), leaf(1)), ("d".into(), leaf(3)), ("e".into(), leaf(4))], 0);
        assert_eq!(patched, expected);
        assert_eq!(patched.patched(vec![("a".into(), None)]), expected, "`a` is a directory, and no file");
    }
}
