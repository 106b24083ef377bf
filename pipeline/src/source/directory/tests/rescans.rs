//! A rescan of what changed gives the tree that a scan of everything gives.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::*;
use crate::index::CommitRecord;
use crate::source::ScanOptions;

/// Something done to the folder.
#[derive(Clone, Debug)]
enum Edit {
    /// A file is written; folders are made as needed, and files in their way removed.
    Write(String, u8),
    /// A file, or a folder with all in it, is removed.
    Remove(String),
    /// A file or folder is moved.
    Move(String, String),
    /// A symbolic link to nowhere is made where nothing is.
    Link(String),
}

const RULES: [&str; 11] = [
    "* linguist-generated\n",
    "c.x linguist-vendored\n[abd]* -linguist-generated\n",
    "a\n",
    "b/\n",
    "/a\n",
    "*.x\n",
    "*.x\n!c.x\n",
    "*\n!*/\n!a\n",
    "!.h\n",
    "a/b\n",
    "**/b/a\n!b\n",
];

fn folder() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "b", ".h", "index"]);
    prop::collection::vec(name, 0..4).prop_map(|names| names.iter().map(|name| format!("{name}/")).collect())
}

fn file() -> impl Strategy<Value = String> {
    let name =
        prop::sample::select(vec!["a", "b", "c.x", "d.x", ".h", "k.pem", ".gitignore", ".ignore", ".gitattributes"]);
    let rules =
        prop::sample::select(vec![".git/info/exclude", ".git/index", ".gitignore", ".ignore", ".gitattributes"]);
    (folder(), prop_oneof![8 => name, 1 => rules]).prop_map(|(folder, name)| folder + name)
}

fn edit() -> impl Strategy<Value = Edit> {
    let path = || prop_oneof![3 => file(), 1 => folder().prop_filter("not the root", |path| !path.is_empty())];
    prop_oneof![
        5 => (file(), 0..RULES.len() as u8).prop_map(|(path, content)| Edit::Write(path, content)),
        2 => path().prop_map(Edit::Remove),
        1 => (path(), path()).prop_map(|(from, to)| Edit::Move(from, to)),
        1 => file().prop_map(Edit::Link),
    ]
}

fn remove(path: &Path) {
    let _ = fs::remove_file(path).or_else(|_| fs::remove_dir_all(path));
}

/// Makes the folder of that path, in the place of whatever else is there; tells which path
/// came into being first.
fn make_way(root: &Path, path: &Path) -> PathBuf {
    let mut first = path.to_owned();
    for above in path.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty()) {
        if !fs::symlink_metadata(root.join(above)).is_ok_and(|found| found.is_dir()) {
            first = above.to_owned();
        }
    }
    for above in path.ancestors().skip(1).collect::<Vec<_>>().into_iter().rev() {
        if !fs::symlink_metadata(root.join(above)).is_ok_and(|found| found.is_dir()) {
            remove(&root.join(above));
            fs::create_dir(root.join(above)).expect("creates");
        }
    }
    first
}

impl Edit {
    /// Does it, and tells what a watcher would: the paths that changed.
    fn apply(&self, root: &Path, changed: &mut BTreeSet<PathBuf>) {
        match self {
            Self::Write(path, content) => {
                let path = Path::new(path);
                changed.extend([make_way(root, path), path.to_owned()]);
                if root.join(path).is_dir() {
                    return;
                }
                remove(&root.join(path));
                let name = path.file_name().expect("has a name").to_string_lossy();
                let is_rule = name.ends_with("ignore") || name == "exclude" || name == ".gitattributes";
                let text = match content {
                    _ if is_rule => RULES[usize::from(*content)].into(),
                    // More than the source takes.
                    9.. => "large ".repeat(usize::from(*content) * 5),
                    _ => format!("content {content}"),
                };
                fs::write(root.join(path), text).expect("writes");
            }
            Self::Remove(path) => {
                let path = Path::new(path.trim_end_matches('/'));
                remove(&root.join(path));
                changed.insert(path.to_owned());
            }
            Self::Move(from, to) => {
                let (from, to) = (Path::new(from.trim_end_matches('/')), Path::new(to.trim_end_matches('/')));
                let from_is_there = fs::symlink_metadata(root.join(from)).is_ok();
                if !from_is_there || to.starts_with(from) || from.starts_with(to) {
                    return;
                }
                let made = make_way(root, to);
                remove(&root.join(to));
                fs::rename(root.join(from), root.join(to)).expect("moves");
                changed.extend([from.to_owned(), made, to.to_owned()]);
            }
            Self::Link(path) => {
                let path = Path::new(path);
                changed.extend([make_way(root, path), path.to_owned()]);
                let _ = std::os::unix::fs::symlink("nowhere", root.join(path));
            }
        }
    }
}

fn check(before: &[Edit], after: &[Edit], hidden: bool, narrow: bool) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().expect("creates");
    let root = folder.path();
    let mut source = source(root);
    source.hidden = hidden;
    if narrow {
        source.include = vec!["*.x".into(), "a/**".into()];
        source.exclude = vec!["b/a/*".into()];
    }
    let mut changed = BTreeSet::new();
    before.iter().for_each(|edit| edit.apply(root, &mut changed));
    let first = source.scan(None, &ScanOptions::threads(1)).expect("scans");
    let record = crate::index::tests::record(1, &first.tree);
    changed.clear();
    after.iter().for_each(|edit| edit.apply(root, &mut changed));
    // Both ways to name a path.
    let changed: Vec<_> =
        changed.iter().enumerate().map(|(n, path)| if n % 2 == 0 { root.join(path) } else { path.clone() }).collect();

    let full = source.scan(None, &ScanOptions::threads(1)).expect("scans");
    for threads in [1, 2] {
        let again = source.scan(Some(&record.last_scan(&first.tree)), &ScanOptions::threads(threads)).expect("scans");
        prop_assert_eq!(paths(&again.tree), paths(&full.tree), "a scan with a known tree");
        prop_assert_eq!(again.tree.root_hash(), full.tree.root_hash());
        let rescan =
            source.rescan(&record.last_scan(&first.tree), &changed, &ScanOptions::threads(threads)).expect("scans");
        prop_assert_eq!(paths(&rescan.tree), paths(&full.tree), "a rescan of {:?}", changed);
        prop_assert_eq!(rescan.tree.root_hash(), full.tree.root_hash());
        prop_assert_eq!(rescan.measures.files, full.tree.len() as u64);
        prop_assert!(rescan.measures.files_read <= full.measures.files_read);
        // What the tree says of each file is what the file system said.
        rescan.tree.for_each(|path, leaf| assert_eq!(Some(leaf), full.tree.get(path), "{path}"));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn equals_a_scan(
        before in prop::collection::vec(edit(), 0..24),
        after in prop::collection::vec(edit(), 0..6),
        hidden in any::<bool>(),
        narrow in any::<bool>(),
    ) {
        check(&before, &after, hidden, narrow)?;
    }
}

/// A folder with files that are old enough for a scan to vouch for them, and its tree.
fn settled(root: &Path) -> (CommitRecord, Tree) {
    for path in ["src/a.rs", "src/deep/b.rs", "docs/c.md", "d.md"] {
        write(root, path, path);
    }
    // A file whose change time is that of the scan is read again.
    std::thread::sleep(Duration::from_millis(30));
    let scan = source(root).scan(None, &ScanOptions::threads(1)).expect("scans");
    (crate::index::tests::record(1, &scan.tree), scan.tree)
}

fn rescan(root: &Path, (record, tree): &(CommitRecord, Tree), changed: &[&str]) -> Scan {
    let changed: Vec<_> = changed.iter().map(PathBuf::from).collect();
    source(root).rescan(&record.last_scan(tree), &changed, &ScanOptions::threads(2)).expect("scans")
}

#[test]
fn looks_at_nothing_else() {
    let folder = tempfile::tempdir().expect("creates");
    let root = folder.path();
    let known = settled(root);
    for path in ["src/a.rs", "src/deep/b.rs", "docs/c.md"] {
        write(root, path, "changed");
    }
    write(root, "new/e.rs", "new");
    let scan = rescan(root, &known, &["src/a.rs", "docs"]);
    assert_eq!((scan.measures.files, scan.measures.files_read), (4, 2));
    let is_same = |path: &str| scan.tree.get(path) == known.1.get(path);
    assert_eq!(["src/a.rs", "src/deep/b.rs", "docs/c.md"].map(is_same), [false, true, false]);
    assert_eq!(scan.tree.scanned_ns, known.1.scanned_ns, "the rest was not looked at since");
    // A file has come in the place of a folder, of which no more was said.
    fs::remove_dir_all(root.join("src")).expect("removes");
    write(root, "src", "a file");
    assert_eq!(paths(&rescan(root, &known, &["src/a.rs"]).tree), ["d.md", "docs/c.md", "src"]);
    fs::remove_file(root.join("src")).expect("removes");
    // A new folder comes in whole, whichever of its files is named; a lost one goes whole.
    write(root, "new/deep/f.rs", "new");
    assert_eq!(
        paths(&rescan(root, &known, &["new/e.rs", "src/deep/b.rs"]).tree),
        ["d.md", "docs/c.md", "new/deep/f.rs", "new/e.rs"]
    );
}

#[test]
fn what_lies_elsewhere_is_no_change() {
    let folder = tempfile::tempdir().expect("creates");
    let root = folder.path();
    let known = settled(root);
    write(root, "d.md", "changed");
    write(root, ".git/index", "");
    write(root, "index/HEAD", "1");
    let scan = rescan(root, &known, &["/elsewhere/d.md", "index/HEAD", ".git/index", "src/.git/HEAD"]);
    assert_eq!((&scan.tree, scan.measures.files_read), (&known.1, 0));
    assert_eq!(rescan(root, &known, &[]).tree, known.1);
}

#[test]
fn what_reaches_everything_is_a_scan() {
    let folder = tempfile::tempdir().expect("creates");
    let root = folder.path();
    let known = settled(root);
    write(root, "docs/c.md", "changed");
    let above = root.parent().expect("has a parent").join(".ignore");
    let above = above.to_str().expect("is text");
    for changed in ["", ".", ".gitignore", ".ignore", ".git/info/exclude", ".git/info", ".git", "src/../d.md", above] {
        let scan = rescan(root, &known, &[changed]);
        assert_ne!(scan.tree.get("docs/c.md"), known.1.get("docs/c.md"), "{changed}");
    }
    let many: Vec<_> = (0..1001).map(|n| format!("{n}.rs")).collect();
    let many: Vec<_> = many.iter().map(|path| &**path).collect();
    assert_ne!(rescan(root, &known, &many).tree, known.1);
    assert_eq!(rescan(root, &known, &many[1..]).tree, known.1);
    // Rules below the root reach as far as their folder.
    write(root, "src/.gitignore", "deep\n");
    let scan = rescan(root, &known, &["src/.gitignore"]);
    assert_eq!(paths(&scan.tree), ["d.md", "docs/c.md", "src/a.rs"]);
    assert_eq!(scan.measures.files_read, 0);
}
