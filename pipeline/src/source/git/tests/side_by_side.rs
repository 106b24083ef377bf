//! Several refs at once.

use gristmill_ids::Hash;

use super::super::super::{Origin, Revisions, Scan, Source};
use super::repo::Repo;
use crate::index::CommitRecord;
use crate::sink::RowId;
use crate::source::{GitConfig, GitSource, ScanOptions, SourceError};

fn config(repo: &Repo, patterns: &[&str]) -> GitConfig {
    let patterns = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
    GitConfig { revisions: Revisions::Refs(patterns), ..repo.config("HEAD") }
}

fn open(repo: &Repo, patterns: &[&str]) -> GitSource {
    GitSource::open(config(repo, patterns)).expect("opens")
}

fn names(scan: &Scan) -> Vec<&str> {
    scan.refs.iter().map(|found| &*found.name).collect()
}

fn record(repo: &Repo, scan: &Scan) -> CommitRecord {
    CommitRecord { refs: scan.refs.clone(), ..repo.record(scan) }
}

fn repo() -> Repo {
    let repo = Repo::new();
    repo.write("a.rs", "one");
    repo.write("b/c.rs", "two");
    repo.commit("first");
    repo.git(["tag", "v1"]);
    repo.git(["branch", "release/1"]);
    repo.write("a.rs", "three");
    repo.commit("second");
    repo
}

#[test]
fn each_ref_has_the_tree_of_its_commit() {
    let repo = repo();
    let source = open(&repo, &["release/*", "main", "v1"]);
    let scan = source.scan(None, &ScanOptions::threads(1)).expect("scans");
    assert_eq!(names(&scan), ["release/1", "main", "v1"], "in the order of the patterns");
    assert_eq!(scan.measures.files_read, 3, "what the refs share is read once");
    for found in &scan.refs {
        assert_eq!(*found.revision, *repo.id(&found.name));
        let alone = repo.open(&found.name).scan(None, &ScanOptions::threads(1)).expect("scans");
        assert_eq!(scan.tree.of_ref(&found.name).root_hash(), alone.tree.root_hash(), "{}", found.name);
    }
    let mut rows = 0;
    scan.tree.for_each_row(|path, leaf| {
        let file = RowId { path: path.into(), content_hash: leaf.content_hash };
        let Origin::Object(object) = source.origin(&file) else { panic!("is an object") };
        assert_eq!(Hash::of(&object.read().expect("reads")), leaf.content_hash, "{path}");
        rows += 1;
    });
    assert_eq!(rows, 3, "a.rs twice, b/c.rs once");
}

#[test]
fn a_scan_goes_on_from_what_each_ref_was() {
    let repo = repo();
    let first = open(&repo, &["*", "release/*"]).scan(None, &ScanOptions::threads(1)).expect("scans");
    let known = record(&repo, &first);
    repo.write("d.rs", "four");
    repo.commit("third");
    repo.git(["branch", "copy", "v1"]);
    repo.git(["branch", "-D", "release/1"]);
    let source = open(&repo, &["*"]);
    let second = source.scan(Some(&known.last_scan(&first.tree)), &ScanOptions::threads(1)).expect("scans");
    assert_eq!(names(&second), ["copy", "main", "v1"]);
    assert_eq!(second.measures.files_read, 1, "the new file of main");
    assert_eq!(second.tree, source.scan(None, &ScanOptions::threads(1)).expect("scans").tree);

    let known = record(&repo, &second);
    let one = repo.open("main").scan(Some(&known.last_scan(&second.tree)), &ScanOptions::threads(1)).expect("scans");
    assert_eq!(
        one.tree,
        repo.open("main").scan(None, &ScanOptions::threads(1)).expect("scans").tree,
        "from several refs to one"
    );
    let back = source.scan(Some(&repo.record(&one).last_scan(&one.tree)), &ScanOptions::threads(1)).expect("scans");
    assert_eq!((back.tree, back.measures.files_read), (second.tree, 1), "and back: only what main has not");
}

#[test]
fn a_pattern_that_matches_nothing_is_refused() {
    let error = GitSource::open(config(&repo(), &["main", "relese/1"])).map(|_| ()).expect_err("is refused");
    assert!(matches!(&error, SourceError::NoRefs { .. }), "{error}");
    assert!(error.to_string().contains("was `release/1` meant?"), "{error}");
}
