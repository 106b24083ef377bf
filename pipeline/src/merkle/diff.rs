//! What changed between two trees.

use std::iter::Peekable;
use std::slice::Iter;
use std::sync::Arc;

use super::{Directory, Entry, Leaf, Node, Tree};
use crate::path::RelPath;

/// One path that holds something else, or something, or nothing. Where refs hold different
/// contents at one path, it may come several times.
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

/// Compares the rows of two trees, entering only directories whose hashes differ. Where a
/// tree is over refs, a path has a row for each content that some ref holds there: a
/// directory is entered only if some ref of one tree has a version of it that no ref of
/// the other has.
#[must_use]
pub fn diff(before: &Tree, after: &Tree) -> Diff {
    let mut diff = Diff::default();
    diff.directories(before.roots().collect(), after.roots().collect(), &mut String::new());
    diff
}

/// Compares two trees path by path, those of refs by the ref's directory and the path.
pub(crate) fn diff_places(before: &Tree, after: &Tree) -> Diff {
    let mut diff = Diff::default();
    diff.directories(vec![&before.root], vec![&after.root], &mut String::new());
    diff
}

impl Diff {
    /// Compares what is in the directories of one path, each of them a version of it.
    fn directories(&mut self, mut before: Vec<&Arc<Directory>>, mut after: Vec<&Arc<Directory>>, path: &mut String) {
        retain_distinct(&mut before, is_same_directory);
        retain_distinct(&mut after, is_same_directory);
        let has = |all: &[&Arc<Directory>], one: &Arc<Directory>| all.iter().any(|it| is_same_directory(it, one));
        if before.len() == after.len() && before.iter().all(|one| has(&after, one)) {
            return;
        }
        self.entered += 1;
        let (mut before, mut after) = (entries(&before), entries(&after));
        let (mut old, mut new) = (Vec::new(), Vec::new());
        while let Some(name) = least_name(before.iter_mut().chain(&mut after)) {
            take(&mut before, name, &mut old);
            take(&mut after, name, &mut new);
            if let ([old], [new]) = (&old[..], &new[..])
                && is_same(old, new)
            {
                continue;
            }
            let length = path.len();
            if length > 0 {
                path.push('/');
            }
            path.push_str(name);
            self.nodes(&old, &new, path);
            path.truncate(length);
        }
    }

    /// Compares what bears one name.
    fn nodes(&mut self, before: &[&Node], after: &[&Node], path: &mut String) {
        let (old, new) = (leaves(before), leaves(after));
        let lacks = |all: &[&Leaf], one: &Leaf| all.iter().all(|it| it.content_hash != one.content_hash);
        let mut gone = old.iter().filter(|leaf| lacks(&new, leaf));
        let mut come = new.iter().filter(|leaf| lacks(&old, leaf));
        loop {
            let (before, after) = (gone.next(), come.next());
            if before.is_none() && after.is_none() {
                break;
            }
            let leaf = |leaf: Option<&&Leaf>| leaf.map(|leaf| Leaf::clone(leaf));
            self.changes.push(Change { path: RelPath::from(&**path), before: leaf(before), after: leaf(after) });
        }
        let (before, after) = (directories(before), directories(after));
        if !before.is_empty() || !after.is_empty() {
            self.directories(before, after, path);
        }
    }
}

type Entries<'t> = Peekable<Iter<'t, Entry>>;

fn entries<'t>(directories: &[&'t Arc<Directory>]) -> Vec<Entries<'t>> {
    directories.iter().map(|directory| directory.entries().iter().peekable()).collect()
}

/// Takes what bears a name in each directory, if it comes next there.
fn take<'t>(directories: &mut [Entries<'t>], name: &str, taken: &mut Vec<&'t Node>) {
    taken.clear();
    for entries in directories {
        taken.extend(entries.next_if(|(standing, _)| **standing == *name).map(|(_, node)| node));
    }
}

fn least_name<'e, 't: 'e>(entries: impl Iterator<Item = &'e mut Entries<'t>>) -> Option<&'t str> {
    entries.filter_map(|entries| entries.peek().map(|(name, _)| &**name)).min()
}

/// The files among these, each content once.
fn leaves<'t>(nodes: &[&'t Node]) -> Vec<&'t Leaf> {
    let mut leaves: Vec<&Leaf> = nodes.iter().filter_map(|node| node.file()).collect();
    retain_distinct(&mut leaves, |left, right| left.content_hash == right.content_hash);
    leaves
}

fn directories<'t>(nodes: &[&'t Node]) -> Vec<&'t Arc<Directory>> {
    nodes.iter().filter_map(|node| node.directory()).collect()
}

/// Keeps the first of those that are the same.
fn retain_distinct<T: Copy>(items: &mut Vec<T>, is_same: impl Fn(T, T) -> bool) {
    let mut kept = 0;
    for nth in 0..items.len() {
        let (standing, rest) = items.split_at_mut(nth);
        let Some(item) = rest.first() else { break };
        if standing.iter().take(kept).all(|other| !is_same(*other, *item)) {
            items.swap(kept, nth);
            kept += 1;
        }
    }
    items.truncate(kept);
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
pub(super) fn is_same_directory(before: &Arc<Directory>, after: &Arc<Directory>) -> bool {
    Arc::ptr_eq(before, after) || before.hash == after.hash
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::Stat;
    use super::*;
    use gristmill_ids::Hash;

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
