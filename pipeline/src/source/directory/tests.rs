use std::fs::{self, File};
use std::time::Duration;

use super::*;
use crate::source::ScanOptions;

#[cfg(unix)]
mod git_agrees;
#[cfg(unix)]
mod rescans;

fn source(root: &Path) -> DirectorySource {
    DirectorySource {
        root: root.to_owned(),
        include: Vec::new(),
        exclude: Vec::new(),
        hidden: false,
        follow_links: false,
        linked_worktrees: false,
        generated: false,
        max_file_bytes: 100,
        skip: vec![root.join("index")],
    }
}

fn scan_again(root: &Path, known: &Tree) -> Scan {
    let record = crate::index::tests::record(1, known);
    source(root).scan(Some(&record.last_scan(known)), &ScanOptions::threads(1)).expect("scans")
}

fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("has a parent")).expect("creates");
    fs::write(path, content).expect("writes");
}

fn paths(tree: &Tree) -> Vec<String> {
    let mut paths = Vec::new();
    tree.for_each(|path, leaf| {
        let code = leaf.note.as_ref().map_or(String::new(), |note| format!(" ({})", note.code));
        paths.push(format!("{path}{code}"));
    });
    paths
}

#[test]
fn takes_what_git_would_and_notes_what_it_does_not_read() {
    let folder = tempfile::tempdir().expect("creates");
    let root = folder.path();
    write(root, "src/main.rs", "fn main() {}");
    write(root, "target/out.rs", "");
    write(root, ".gitignore", "target/\n");
    write(root, "index/HEAD", "1");
    write(root, "server.pem", "secret");
    write(root, "large.txt", &"x".repeat(101));
    for threads in [1, 2] {
        let scan = source(root).scan(None, &ScanOptions::threads(threads)).expect("scans");
        assert_eq!(paths(&scan.tree), ["large.txt (too_large)", "server.pem (sensitive)", "src/main.rs"]);
        assert_eq!((scan.measures.files_read, scan.measures.bytes_read), (1, 12), "the others are not read");
    }
    let mut narrow = source(root);
    narrow.hidden = true;
    narrow.include = vec!["*.rs".into(), ".gitignore".into()];
    narrow.exclude = vec!["src/**".into()];
    assert_eq!(paths(&narrow.scan(None, &ScanOptions::threads(2)).expect("scans").tree), [".gitignore"]);
}

#[test]
fn what_attributes_mark_is_left_out_on_demand() {
    let folder = tempfile::tempdir().expect("creates");
    let root = folder.path();
    for path in ["api/a.pb.go", "api/b.go", "third/lib.c", "third/ours/own.c", "nested/a.pb.go"] {
        write(root, path, "text");
    }
    write(root, ".gitattributes", "*.pb.go linguist-generated\nthird/** linguist-vendored\n");
    write(root, "third/ours/.gitattributes", "* -linguist-vendored\n");
    // Another repository has attributes of its own.
    for path in ["nested/.git/HEAD", "nested/.git/objects/a", "nested/.git/refs/a"] {
        write(root, path, "");
    }
    let scan = source(root).scan(None, &ScanOptions::threads(2)).expect("scans");
    let (left_out, taken) =
        ("api/a.pb.go (generated)", ["nested/a.pb.go", "third/lib.c (generated)", "third/ours/own.c"]);
    assert_eq!(paths(&scan.tree), [&[left_out, "api/b.go"], &taken[..]].concat());
    let note = scan.tree.get("third/lib.c").and_then(|leaf| leaf.note.clone()).expect("has a note");
    assert!(note.message.contains("linguist-vendored"), "{}", note.message);
    // A scan of a folder below sees what stands above it.
    let below = source(&root.join("api")).scan(None, &ScanOptions::threads(1)).expect("scans");
    assert_eq!(paths(&below.tree), ["a.pb.go", "b.go"], "no repository is around it");
    let all = DirectorySource { generated: true, ..source(root) };
    assert_eq!(all.scan(None, &ScanOptions::threads(1)).expect("scans").measures.files_read, 5);

    write(root, ".gitattributes", "third/** linguist-vendored=false\n");
    let again = scan_again(root, &scan.tree);
    assert_eq!(paths(&again.tree), ["api/a.pb.go", "api/b.go", "nested/a.pb.go", "third/lib.c", "third/ours/own.c"]);
}

#[test]
fn reads_again_only_what_may_have_changed() {
    let folder = tempfile::tempdir().expect("creates");
    let root = folder.path();
    write(root, "old.rs", "old");
    let long_ago = SystemTime::now() - Duration::from_secs(60);
    let old = File::options().append(true).open(root.join("old.rs")).expect("opens");
    old.set_modified(long_ago).expect("sets");
    // The change time cannot be set; it must lie before the scan for the leaf to vouch.
    std::thread::sleep(Duration::from_millis(30));
    let first = source(root).scan(None, &ScanOptions::threads(1)).expect("scans");
    let second = scan_again(root, &first.tree);
    assert_eq!((second.measures.files_read, second.tree.root_hash()), (0, first.tree.root_hash()));

    // Same size, same modification time: the change time gives it away.
    fs::write(root.join("old.rs"), "new").expect("writes");
    old.set_modified(long_ago).expect("sets");
    let third = scan_again(root, &first.tree);
    assert_eq!(third.measures.files_read, 1);
    assert_ne!(third.tree.root_hash(), first.tree.root_hash());

    // Written in the same instant as the scan: racy, so it is read once more.
    let mut racy = third.tree.clone();
    racy.scanned_ns = racy.get("old.rs").expect("is there").stat.changed_ns;
    assert_eq!(scan_again(root, &racy).measures.files_read, 1);
}

/// The stat cache looks again at just what git's index would look at again: what git says
/// has changed since a commit is what a scan says has changed since a scan.
#[test]
fn inside_a_work_tree_the_stat_cache_and_the_index_of_git_agree() {
    let folder = tempfile::tempdir().expect("creates");
    let root = folder.path();
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.args(["-c", "user.name=A", "-c", "user.email=a@example.org"]).args(arguments).current_dir(root);
        let output = command.env("GIT_CONFIG_GLOBAL", "/dev/null").output().expect("git is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("is UTF-8")
    };
    let changed_for_git = || {
        let status = git(&["status", "--porcelain", "--untracked-files=all", "--no-renames"]);
        let mut paths: Vec<String> = status.lines().filter_map(|line| Some(line.get(3..)?.to_owned())).collect();
        paths.sort();
        paths
    };
    git(&["init", "--quiet"]);
    for number in 0..8 {
        write(root, &format!("src/file{number}.rs"), "one\n");
    }
    write(root, ".ignore", "");
    write(root, ".gitignore", "/target/\n.*\n");
    git(&["add", "src"]);
    git(&["commit", "--quiet", "--message", "first"]);
    let committed = source(root).scan(None, &ScanOptions::threads(1)).expect("scans").tree;
    assert_eq!(changed_for_git(), [""; 0]);

    // Whether or not the clock moved since the scan: same size, touched, same content
    // written again, gone, new, new and ignored.
    write(root, "src/file0.rs", "two\n");
    let touched = File::options().append(true).open(root.join("src/file1.rs")).expect("opens");
    touched.set_modified(SystemTime::now() - Duration::from_secs(60)).expect("sets");
    write(root, "src/file2.rs", "one\n");
    fs::remove_file(root.join("src/file3.rs")).expect("removes");
    fs::rename(root.join("src/file4.rs"), root.join("src/moved.rs")).expect("renames");
    write(root, "new/file.rs", "new\n");
    write(root, "target/out.rs", "ignored\n");
    let scan = scan_again(root, &committed);
    let diff = crate::merkle::diff(&committed, &scan.tree);
    let mut changed: Vec<String> = diff.changes.iter().map(|change| change.path.to_string()).collect();
    changed.sort();
    assert_eq!(changed, changed_for_git());
    assert_eq!(changed, ["new/file.rs", "src/file0.rs", "src/file3.rs", "src/file4.rs", "src/moved.rs"]);
}

#[test]
fn a_file_that_grows_too_large_or_shrinks_again_is_another() {
    let folder = tempfile::tempdir().expect("creates");
    let root = folder.path();
    write(root, "a.txt", "small");
    let small = source(root).scan(None, &ScanOptions::threads(1)).expect("scans").tree;
    write(root, "a.txt", &"x".repeat(101));
    let large = scan_again(root, &small).tree;
    assert_eq!(paths(&large), ["a.txt (too_large)"]);
    assert_eq!(scan_again(root, &large).tree.get("a.txt"), large.get("a.txt"));
    write(root, "a.txt", "small");
    assert_eq!(scan_again(root, &large).tree.root_hash(), small.root_hash());
}

#[cfg(unix)]
#[test]
fn odd_names_and_links_have_an_outcome() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().expect("creates");
    let root = folder.path();
    let odd = std::ffi::OsStr::from_bytes(b"a\\\xffb.rs");
    fs::write(root.join(odd), "odd").expect("writes");
    fs::create_dir(root.join("dir")).expect("creates");
    std::os::unix::fs::symlink(root, root.join("dir/loop")).expect("links");
    let mut source = source(root);
    assert_eq!(paths(&source.scan(None, &ScanOptions::threads(1)).expect("scans").tree), [r"a\\\xffb.rs"]);
    assert_eq!(source.location(&r"a\\\xffb.rs".into()), root.join(odd));
    assert_eq!(source.location(&r"plain\\é.rs".into()), root.join(r"plain\\é.rs"));
    source.follow_links = true;
    for threads in [1, 2] {
        let tree = source.scan(None, &ScanOptions::threads(threads)).expect("scans").tree;
        assert_eq!(paths(&tree), [r"a\\\xffb.rs", "dir/loop (link_loop)"]);
    }
}

#[test]
fn a_missing_root_and_a_bad_glob_are_errors() {
    let folder = tempfile::tempdir().expect("creates");
    let missing = source(&folder.path().join("nowhere")).scan(None, &ScanOptions::threads(1));
    assert!(missing.expect_err("fails").to_string().contains("nowhere"));
    let mut bad = source(folder.path());
    bad.include = vec!["a{b".into()];
    assert!(bad.scan(None, &ScanOptions::threads(1)).expect_err("fails").to_string().contains("a{b"));
}

#[test]
fn a_scan_that_is_asked_to_stop_reads_no_more() {
    let folder = tempfile::tempdir().expect("creates");
    let root = folder.path();
    for nth in 0..200 {
        write(root, &format!("{}/{nth}.rs", nth % 7), "fn main() {}");
    }
    for threads in [1, 2] {
        let options = ScanOptions::threads(threads);
        options.interrupt.request();
        let scan = source(root).scan(None, &options);
        assert!(matches!(scan, Err(SourceError::Interrupted)), "{scan:?}");
    }
    // One request while files are read ends it with that file, on each thread.
    let interrupt = ScanOptions::threads(2).interrupt;
    let read = AtomicU64::new(0);
    let met = (0..200).map(|nth| Met {
        path: RelPath::from(format!("{nth}").as_str()),
        location: root.to_owned(),
        found: Err(Leaf::noted(crate::merkle::Stat::default(), crate::Severity::Note, "code", String::new())),
    });
    let hashed = hash_all(met.collect(), |met| {
        interrupt.check()?;
        if read.fetch_add(1, Ordering::Relaxed) == 20 {
            interrupt.request();
        }
        met.found.map_or_else(|leaf| Ok((met.path, leaf)), |_| Err(Interrupted))
    });
    assert!(hashed.is_err());
    let most = 21 + rayon::current_num_threads() as u64;
    assert!((21..=most).contains(&read.into_inner()), "of 200 at most those that were under way are read");
}
