//! Trees over refs: what several branches and tags of a repository hold, side by side.
//!
//! Such a tree has a directory for each ref. What refs share they share in memory too, and
//! a path has a *row* for each content that some ref holds there.

use std::sync::Arc;

use gristmill_ids::ContentHash;

use super::diff::is_same_directory;
use super::{Directory, Leaf, Node, Tree};
use crate::path::RelPath;
use crate::sink::RowId;

/// The name of a ref's directory. A ref may have slashes in its name, a directory not.
fn directory_name(name: &str) -> String {
    name.replace('%', "%25").replace('/', "%2F")
}

/// The ref that a directory is of, and the path below it.
pub(crate) fn split_ref(place: &RelPath) -> Option<(String, &str)> {
    let (directory, path) = place.as_str().split_once('/')?;
    Some((directory.replace("%2F", "/").replace("%25", "%"), path))
}

impl Tree {
    /// A tree over refs, of their names and trees.
    #[must_use]
    pub fn over_refs<'r>(refs: impl IntoIterator<Item = (&'r str, Tree)>) -> Self {
        let named = refs.into_iter().filter(|(_, tree)| !tree.is_empty());
        let mut entries: Vec<_> =
            named.map(|(name, tree)| (directory_name(name).into(), Node::Directory(tree.root))).collect();
        entries.sort_by(|(left, _): &(Box<str>, _), (right, _)| left.cmp(right));
        Self { root: Arc::new(Directory::new(entries.into(), &mut Vec::new())), scanned_ns: 0, is_over_refs: true }
    }

    /// What one ref holds; nothing if this is no tree over refs, or has no such ref.
    #[must_use]
    pub fn of_ref(&self, name: &str) -> Self {
        let found = self.root.find(&directory_name(name)).filter(|_| self.is_over_refs);
        let root = found.and_then(|(_, node)| node.directory());
        root.map_or_else(Self::empty, |root| Self { root: Arc::clone(root), ..Self::empty() })
    }

    /// The directories that hold what the source holds: one, or one of each ref.
    pub(super) fn roots(&self) -> impl Iterator<Item = &Arc<Directory>> {
        let of_refs = self.root.entries().iter().filter_map(|(_, node)| node.directory());
        let (one, refs) = if self.is_over_refs { (None, Some(of_refs)) } else { (Some(&self.root), None) };
        one.into_iter().chain(refs.into_iter().flatten())
    }

    /// Calls `visit` with every row: with every file, or with every path and each content
    /// that some ref holds there.
    pub fn for_each_row<'t>(&'t self, mut visit: impl FnMut(&str, &'t Leaf)) {
        let mut earlier: Vec<&Arc<Directory>> = Vec::new();
        for root in self.roots() {
            visit_new(root, &earlier, &mut String::new(), &mut visit);
            earlier.push(root);
        }
    }

    /// Whether there is such a row.
    #[must_use]
    pub fn has_row(&self, path: &str, content_hash: &ContentHash) -> bool {
        self.roots().any(|root| root.file(path).is_some_and(|leaf| leaf.content_hash == *content_hash))
    }

    /// The tree in which these rows hold what is said here, in every ref that has them.
    #[must_use]
    pub(crate) fn with_rows(&self, changes: &[(RowId, Option<Leaf>)]) -> Self {
        let mut places: Vec<(RelPath, Option<Leaf>)> = Vec::new();
        for (row, leaf) in changes {
            if !self.is_over_refs {
                places.push((row.path.clone(), leaf.clone()));
                continue;
            }
            let holding = self.root.entries().iter().filter(|(_, node)| {
                let held = node.directory().and_then(|root| root.file(row.path.as_str()));
                held.is_some_and(|held| held.content_hash == row.content_hash)
            });
            places.extend(holding.map(|(name, _)| (RelPath::from(&*format!("{name}/{}", row.path)), leaf.clone())));
        }
        self.patched(places)
    }
}

/// Visits what is in a directory and in none of the earlier versions of it.
fn visit_new<'t>(
    directory: &'t Arc<Directory>,
    earlier: &[&'t Arc<Directory>],
    path: &mut String,
    visit: &mut impl FnMut(&str, &'t Leaf),
) {
    if earlier.iter().any(|other| is_same_directory(other, directory)) {
        return;
    }
    let length = path.len();
    for (name, node) in directory.entries() {
        let versions = earlier.iter().filter_map(|other| other.find(name).map(|(_, node)| node));
        if length > 0 {
            path.push('/');
        }
        path.push_str(name);
        match node {
            Node::File(leaf) => {
                let mut versions = versions.filter_map(Node::file);
                if !versions.any(|version| version.content_hash == leaf.content_hash) {
                    visit(path, leaf);
                }
            }
            Node::Directory(inner) => {
                let versions: Vec<&Arc<Directory>> = versions.filter_map(Node::directory).collect();
                visit_new(inner, &versions, path, visit);
            }
        }
        path.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::super::{Stat, diff};
    use super::*;
    use gristmill_ids::Hash;

    type Files = BTreeMap<String, u8>;

    fn leaf(content: u8) -> Leaf {
        Leaf { content_hash: Hash::of(&[content]), stat: Stat::default(), note: None }
    }

    fn tree(refs: &BTreeMap<String, Files>) -> Tree {
        Tree::over_refs(refs.iter().map(|(name, files)| {
            let files = files.iter().map(|(path, content)| (RelPath::from(path.as_str()), leaf(*content)));
            (name.as_str(), Tree::build(files.collect(), 0))
        }))
    }

    fn rows(refs: &BTreeMap<String, Files>) -> BTreeSet<(String, Hash)> {
        let files = refs.values().flatten();
        files.map(|(path, content)| (path.clone(), Hash::of(&[*content]))).collect()
    }

    fn refs() -> impl Strategy<Value = BTreeMap<String, Files>> {
        let files = prop::collection::btree_map("([a-b]/){0,2}[x-z]", 0_u8..3, 0..8);
        prop::collection::btree_map("(main|v/1|v%2F1|dev)", files, 0..4)
    }

    proptest! {
        #[test]
        fn a_diff_is_the_difference_of_the_rows(before in refs(), after in refs()) {
            let (old, new) = (rows(&before), rows(&after));
            let diff = diff(&tree(&before), &tree(&after));
            let side = |leaf: fn(&super::super::Change) -> &Option<Leaf>| -> Vec<(String, Hash)> {
                let held = |change| leaf(change).as_ref().map(|leaf| (change.path.to_string(), leaf.content_hash));
                let mut held: Vec<_> = diff.changes.iter().filter_map(held).collect();
                held.sort();
                held
            };
            prop_assert_eq!(side(|change| &change.before), old.difference(&new).cloned().collect::<Vec<_>>());
            prop_assert_eq!(side(|change| &change.after), new.difference(&old).cloned().collect::<Vec<_>>());
            prop_assert!(diff.changes.is_sorted_by(|left, right| super::super::path_order(&left.path, &right.path).is_le()));
        }

        #[test]
        fn every_row_is_visited_once_and_every_ref_gives_its_files_back(refs in refs()) {
            let tree = tree(&refs);
            let mut seen = Vec::new();
            tree.for_each_row(|path, leaf| seen.push((path.to_owned(), leaf.content_hash)));
            seen.sort();
            prop_assert_eq!(seen, rows(&refs).into_iter().collect::<Vec<_>>());
            for (name, files) in &refs {
                let mut found = Files::new();
                tree.of_ref(name).for_each(|path, leaf| {
                    let content = (0..3).find(|content| Hash::of(&[*content]) == leaf.content_hash);
                    found.insert(path.to_owned(), content.expect("is one of them"));
                });
                prop_assert_eq!(&found, files);
            }
        }
    }

    #[test]
    fn a_ref_that_is_new_costs_what_it_changes() {
        let files: Files = (0..100).map(|n| (format!("d{n}/e/x"), 0)).collect();
        let mut refs = BTreeMap::from([("main".to_owned(), files.clone())]);
        let before = tree(&refs);
        refs.insert("copy".into(), files.clone());
        assert_eq!(diff(&before, &tree(&refs)), diff::Diff::default(), "the same files");
        let mut changed = files;
        changed.insert("d7/e/x".into(), 1);
        refs.insert("dev".into(), changed);
        let diff = diff(&before, &tree(&refs));
        assert_eq!((diff.changes.len(), diff.entered), (1, 3), "the root, d7 and d7/e");
        let change = diff.changes.first().expect("is one");
        assert_eq!((&change.before, &change.after), (&None, &Some(leaf(1))), "main has what it had");
    }

    #[test]
    fn a_correction_reaches_every_ref_that_has_the_row() {
        let of = |content| Files::from([("a/x".to_owned(), content), ("y".to_owned(), 0)]);
        let refs = [("dev/1", of(1)), ("main", of(0)), ("v1", of(0))].map(|(name, files)| (name.to_owned(), files));
        let row = RowId { path: "a/x".into(), content_hash: Hash::of(&[0]) };
        let corrected = tree(&BTreeMap::from(refs)).with_rows(&[(row, Some(leaf(2)))]);
        let at = |place: &str| corrected.get(place).map(|leaf| leaf.content_hash);
        let expected = [1, 2, 2].map(|content| Some(Hash::of(&[content])));
        assert_eq!(["dev%2F1/a/x", "main/a/x", "v1/a/x"].map(at), expected);
    }
}
