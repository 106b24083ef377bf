mod histories;
mod names;
mod repo;
mod side_by_side;

use std::fs;

use self::repo::{Repo, paths};
use super::*;
use crate::index::CommitRecord;
use crate::source::ScanOptions;

fn files(repo: &Repo) {
    repo.write("src/main.rs", "fn main() {}");
    repo.write("src/lib.rs", "");
    repo.write("src.rs", "mod src;");
    repo.write("src/.hidden/deep.rs", "hidden");
    repo.write(".ci/build.yml", "steps");
    repo.write("docs/guide/intro.md", "# Intro");
    repo.write("server.pem", "secret");
    repo.write("docs/large.md", &"x".repeat(101));
}

#[test]
fn a_revision_equals_its_checkout_whatever_is_selected() {
    let repo = Repo::new();
    files(&repo);
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        repo.write(std::ffi::OsStr::from_bytes(b"odd\\\xff/\xfe.rs"), "odd");
        std::os::unix::fs::symlink("src.rs", repo.root().join("link.rs")).expect("links");
    }
    // The first matches a name that is not UTF-8.
    repo.write(".gitattributes", "[!a].rs linguist-vendored\n/src/l* linguist-generated\n");
    repo.commit("all");
    let selections: [(&[&str], &[&str], bool); 8] = [
        (&[], &[], false),
        (&[], &[], true),
        (&["*.rs"], &[], false),
        (&["*.rs", ".ci/**"], &["src/lib.rs"], false),
        (&["src/**"], &["*.md"], true),
        (&[], &["docs/"], false),
        (&[], &["/docs", "main.rs"], true),
        (&["/src.rs"], &["src/**"], false),
    ];
    for (include, exclude, hidden) in selections {
        let mut config = repo.config("HEAD");
        config.include = include.iter().map(|glob| (*glob).to_owned()).collect();
        config.exclude = exclude.iter().map(|glob| (*glob).to_owned()).collect();
        config.hidden = hidden;
        config.generated = hidden;
        let expected = repo.directory(&config).scan(None, &ScanOptions::threads(1)).expect("scans");
        let source = GitSource::open(config.clone()).expect("opens");
        for threads in [1, 2] {
            let scan = source.scan(None, &ScanOptions::threads(threads)).expect("scans");
            assert_eq!(paths(&scan.tree), paths(&expected.tree), "{config:?}");
            assert_eq!(scan.tree.root_hash(), expected.tree.root_hash(), "{config:?}");
            // What is left out is counted where it is walked over.
            let expected = ScanMeasures { ignored: 0, hidden: 0, ..expected.measures };
            assert_eq!(scan.measures, expected, "{config:?}");
        }
        assert_eq!(source.place(), repo.root());
    }
    let options = ScanOptions::threads(1);
    options.interrupt.request();
    let scan = GitSource::open(repo.config("HEAD")).expect("opens").scan(None, &options);
    assert!(matches!(scan, Err(SourceError::Interrupted)), "{scan:?}");
    let all = repo.scan("HEAD");
    assert!(paths(&all.tree).contains(&"server.pem (sensitive)".to_owned()));
    assert!(paths(&all.tree).contains(&"docs/large.md (too_large)".to_owned()));
    assert_eq!(all.tree.get("src.rs").map(|leaf| leaf.stat), Some(Stat { bytes: 8, ..Stat::default() }));
}

#[test]
fn what_is_tracked_is_taken_and_what_is_not_is_not() {
    let repo = Repo::new();
    repo.write(".gitignore", "*.gen\n");
    repo.write(".ignore", "*.txt\n");
    repo.write("a.gen", "tracked all the same");
    repo.write("b.txt", "b");
    repo.commit("forced");
    repo.write("c.txt", "not committed");
    assert_eq!(paths(&repo.scan("HEAD").tree), ["a.gen", "b.txt"]);
}

#[test]
fn only_changed_blobs_are_read() {
    let repo = Repo::new();
    files(&repo);
    repo.commit("first");
    let first = repo.scan("HEAD");
    let record = repo.record(&first);
    let same = repo.open("HEAD").scan(Some(&record.last_scan(&first.tree)), &ScanOptions::threads(2)).expect("scans");
    assert_eq!((same.measures.files_read, &same.tree), (0, &first.tree));
    assert_eq!(same.revision.as_deref(), Some(&*repo.id("HEAD")));

    repo.write("src/lib.rs", "pub fn f() {}");
    repo.write("new/file.rs", "new");
    repo.remove("docs");
    repo.commit("second");
    // Were an unchanged blob read, it would be missed.
    repo.lose("HEAD:src/main.rs");
    let second = repo.open("HEAD").scan(Some(&record.last_scan(&first.tree)), &ScanOptions::threads(2)).expect("scans");
    assert_eq!((second.measures.files_read, second.measures.bytes_read), (2, 16));
    assert_eq!(paths(&second.tree), ["new/file.rs", "server.pem (sensitive)", "src/lib.rs", "src/main.rs", "src.rs"]);
    assert_eq!(second.tree.get("src/main.rs"), first.tree.get("src/main.rs"));
}

#[test]
fn a_known_tree_is_used_only_if_all_that_made_it_holds() {
    let repo = Repo::new();
    files(&repo);
    repo.commit("first");
    let known = repo.scan("HEAD");
    let record = repo.record(&known);
    let read = |config: &GitConfig, record: &CommitRecord, tree: &Tree| {
        let source = GitSource::open(config.clone()).expect("opens");
        let full = source.scan(None, &ScanOptions::threads(1)).expect("scans");
        let scan = source.scan(Some(&record.last_scan(tree)), &ScanOptions::threads(1)).expect("scans");
        assert_eq!(scan.tree, full.tree);
        scan.measures.files_read
    };
    let same = repo.config("HEAD");
    assert_eq!(read(&same, &record, &known.tree), 0);
    let all = known.measures.files_read;
    assert_eq!(read(&same, &record, &Tree::empty()), all, "the stored tree was damaged");
    let elsewhere = CommitRecord { source: "/elsewhere".into(), ..record.clone() };
    assert_eq!(read(&same, &elsewhere, &known.tree), all);
    let by_folder = CommitRecord { revision: None, selection: None, ..record.clone() };
    assert_eq!(read(&same, &by_folder, &known.tree), all);
    let gone = CommitRecord { revision: Some("0".repeat(40).into()), ..record.clone() };
    assert_eq!(read(&same, &gone, &known.tree), all);
    assert!(read(&GitConfig { hidden: true, ..same.clone() }, &record, &known.tree) > all);
    assert_eq!(read(&GitConfig { max_file_bytes: 101, ..same.clone() }, &record, &known.tree), all + 1);
    assert_eq!(read(&GitConfig { exclude: vec!["x".into()], ..same.clone() }, &record, &known.tree), all);
    assert_eq!(read(&GitConfig { include: vec!["src.rs".into()], ..same }, &record, &known.tree), 1);
}

#[test]
fn links_submodules_and_executables() {
    let repo = Repo::new();
    repo.write("run.sh", "#!/bin/sh");
    repo.write("a.rs", "a");
    let first = repo.commit("first");
    let known = repo.scan("HEAD");
    let record = repo.record(&known);
    let link = |target: &str| format!("120000,{},link.rs", repo.git(["rev-parse", &format!("HEAD:{target}")]));
    repo.git(["update-index", "--add", "--cacheinfo", &link("a.rs")]);
    repo.git(["update-index", "--add", "--cacheinfo", &format!("160000,{first},deps/lib")]);
    repo.git(["update-index", "--chmod=+x", "run.sh"]);
    repo.commit_staged("second");
    let source = repo.open("HEAD");
    let full = source.scan(None, &ScanOptions::threads(1)).expect("scans");
    assert_eq!(paths(&full.tree), ["a.rs", "deps/lib (submodule)", "run.sh"]);
    let patched = source.scan(Some(&record.last_scan(&known.tree)), &ScanOptions::threads(1)).expect("scans");
    assert_eq!((&patched.tree, patched.measures.files_read), (&full.tree, 0));

    let with = |include: &str, exclude: &str| {
        let mut config = repo.config("HEAD");
        config.include = vec![include.to_owned()];
        config.exclude = vec![exclude.to_owned()];
        paths(&GitSource::open(config).expect("opens").scan(None, &ScanOptions::threads(1)).expect("scans").tree)
    };
    assert_eq!(with("*.sh", "a.rs"), ["run.sh"], "a submodule must be included like a file");
    assert_eq!(with("**", "deps/lib/"), ["a.rs", "run.sh"], "and can be excluded like a folder");
}

#[test]
fn a_file_gives_way_to_a_folder_and_back() {
    let repo = Repo::new();
    repo.write("a", "file");
    repo.write("a.c", "c");
    repo.commit("file");
    let file = repo.scan("HEAD");
    repo.remove("a");
    repo.write("a/b", "inner");
    repo.commit("folder");
    let folder = repo.scan("HEAD");
    for (from, to, revision) in [(&file, &folder, "HEAD"), (&folder, &file, "HEAD~1")] {
        let patched = repo
            .open(revision)
            .scan(Some(&repo.record(from).last_scan(&from.tree)), &ScanOptions::threads(1))
            .expect("scans");
        assert_eq!((&patched.tree, patched.measures.files_read), (&to.tree, 1));
    }
}

#[test]
fn a_missing_blob_quarantines_its_file_until_it_is_there() {
    let repo = Repo::new();
    repo.write("a.rs", "a");
    repo.write("b.rs", "b");
    repo.commit("first");
    let whole = repo.scan("HEAD");
    let blob = repo.id("HEAD:b.rs");
    let kept = fs::read(repo.object(&blob)).expect("reads");
    repo.lose("HEAD:b.rs");
    let lacking = repo.scan("HEAD");
    assert_eq!(paths(&lacking.tree), ["a.rs", "b.rs (missing_object)"]);
    assert_eq!(lacking.measures.files_read, 1);
    let note = lacking.tree.get("b.rs").and_then(|leaf| leaf.note.clone()).expect("is noted");
    assert_eq!(note.severity, Severity::Error);
    assert!(note.message.contains(&blob) && note.message.contains("git fetch --refetch"), "{}", note.message);
    let read = repo.open("HEAD").origin(&row("b.rs", Hash::of(b"")));
    let Origin::Object(object) = read else { panic!("is an object") };
    assert_ne!(object.read().expect_err("fails").kind(), io::ErrorKind::NotFound, "it has not vanished");

    let record = repo.record(&lacking);
    let again =
        repo.open("HEAD").scan(Some(&record.last_scan(&lacking.tree)), &ScanOptions::threads(1)).expect("scans");
    assert_eq!(again.tree, lacking.tree);
    fs::write(repo.object(&blob), b"no object").expect("writes");
    let damaged =
        repo.open("HEAD").scan(Some(&record.last_scan(&lacking.tree)), &ScanOptions::threads(1)).expect("scans");
    assert_eq!(paths(&damaged.tree), ["a.rs", "b.rs (missing_object)"]);
    fs::write(repo.object(&blob), kept).expect("writes");
    let fetched =
        repo.open("HEAD").scan(Some(&record.last_scan(&lacking.tree)), &ScanOptions::threads(1)).expect("scans");
    assert_eq!((&fetched.tree, fetched.measures.files_read), (&whole.tree, 1));
}

#[test]
fn a_missing_tree_or_commit_is_an_error_that_names_it() {
    let repo = Repo::new();
    repo.write("dir/a.rs", "a");
    repo.write("b.rs", "b");
    let first = repo.commit("first");
    repo.remove("dir");
    repo.commit("second");
    let known = repo.scan(&first);
    let record = repo.record(&known);
    let tree = repo.lose("HEAD~1:dir");
    let source = repo.open(&first);
    let error = source.scan(None, &ScanOptions::threads(1)).expect_err("fails").to_string();
    assert!(error.contains(&tree) && error.contains("git fsck"), "{error}");
    let unchanged = source.scan(Some(&record.last_scan(&known.tree)), &ScanOptions::threads(1)).expect("needs no tree");
    assert_eq!(unchanged.tree, known.tree);
    let second = repo
        .open("HEAD")
        .scan(Some(&record.last_scan(&known.tree)), &ScanOptions::threads(1))
        .expect("walks the new commit alone");
    assert_eq!((paths(&second.tree), second.measures.files_read), (vec!["b.rs".to_owned()], 1));

    let commit = repo.id("HEAD");
    repo.lose("HEAD");
    let error = GitSource::open(repo.config(&commit)).err().expect("fails").to_string();
    assert!(error.contains(&commit), "{error}");
}

#[test]
fn a_rewritten_branch_is_walked_whole() {
    let repo = Repo::new();
    repo.write("a.rs", "a");
    repo.commit("root");
    repo.write("b.rs", "first try");
    repo.commit("first try");
    let old = repo.scan("main");
    repo.write("b.rs", "second try");
    repo.git(["add", "--all"]);
    repo.git(["commit", "--quiet", "--amend", "--message", "second try"]);
    let source = repo.open("main");
    let record = repo.record(&old);
    let patched = source.scan(Some(&record.last_scan(&old.tree)), &ScanOptions::threads(1)).expect("scans");
    assert_eq!(patched.measures.files_read, 1, "the old commit is still there");
    repo.git(["reflog", "expire", "--expire=now", "--all"]);
    repo.git(["gc", "--quiet", "--prune=now"]);
    // The source that was opened before finds what was moved to a pack.
    for source in [source, repo.open("main")] {
        let full = source.scan(Some(&record.last_scan(&old.tree)), &ScanOptions::threads(1)).expect("scans");
        assert_eq!((full.measures.files_read, &full.tree), (2, &patched.tree));
    }
}

#[test]
fn origins_give_the_bytes_of_a_path() {
    let repo = Repo::new();
    files(&repo);
    repo.write(r"odd\x41.rs", "looks like an escape");
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        repo.write(std::ffi::OsStr::from_bytes(b"d\xff/\\.rs"), "odd");
    }
    repo.commit("first");
    let source = repo.open("HEAD");
    repo.remove("src");
    let scan = source.scan(None, &ScanOptions::threads(1)).expect("scans");
    let mut read = 0;
    scan.tree.for_each(|path, leaf| {
        if leaf.note.is_none() {
            let Origin::Object(object) = source.origin(&row(path, leaf.content_hash)) else { panic!("is an object") };
            assert_eq!(Hash::of(&object.read().expect("reads")), leaf.content_hash, "{path}");
            read += 1;
        }
    });
    assert_eq!(read, scan.measures.files_read);
    for path in ["src", "nowhere", "src/main.rs/x", ""] {
        let Origin::Object(object) = source.origin(&row(path, Hash::of(b""))) else { panic!("is an object") };
        assert!(object.read().is_err(), "{path}");
    }
}

fn row(path: &str, content_hash: Hash) -> RowId {
    RowId { path: path.into(), content_hash }
}

#[test]
fn names_that_git_refuses_are_left_out() {
    let repo = Repo::new();
    repo.write("a.rs", "a");
    repo.commit("first");
    let id = repo.id("HEAD:a.rs");
    let raw: Vec<u8> = ["..", ".GIT", "a.rs"]
        .iter()
        .flat_map(|name| {
            let bytes = (0..20).map(|at| u8::from_str_radix(&id[2 * at..2 * at + 2], 16).expect("is hex"));
            format!("100644 {name}\0").into_bytes().into_iter().chain(bytes).collect::<Vec<u8>>()
        })
        .collect();
    fs::write(repo.root().join("raw"), raw).expect("writes");
    let tree = repo.git(["hash-object", "-w", "-t", "tree", "--literally", "raw"]);
    let commit = repo.git(["commit-tree", "-m", "harm", &tree]);
    let mut all = repo.config(&commit);
    all.hidden = true;
    assert_eq!(
        paths(&GitSource::open(all).expect("opens").scan(None, &ScanOptions::threads(1)).expect("scans").tree),
        ["a.rs"]
    );
}

#[test]
fn a_commit_may_hold_nothing() {
    let repo = Repo::new();
    repo.write("a.rs", "a");
    repo.commit("first");
    let known = repo.scan("HEAD");
    repo.remove("a.rs");
    let empty = repo.commit("nothing");
    let patched = repo
        .open(&empty)
        .scan(Some(&repo.record(&known).last_scan(&known.tree)), &ScanOptions::threads(1))
        .expect("scans");
    assert_eq!((&patched.tree, &repo.scan(&empty).tree), (&Tree::empty(), &Tree::empty()));
}
