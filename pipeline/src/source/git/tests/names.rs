//! Repositories, revisions, branches and tags by name.

use super::repo::{Repo, config, git, paths};
use crate::source::{CommitInfo, GitSource, ScanOptions, Source, SourceError, commits_between, matching_refs};

fn history(repo: &Repo, subjects: &[&str]) -> Vec<String> {
    subjects
        .iter()
        .map(|subject| {
            repo.write("file.txt", subject);
            repo.commit(subject)
        })
        .collect()
}

#[test]
fn a_revision_is_whatever_leads_to_a_commit() {
    let repo = Repo::new();
    let commits = history(&repo, &["one", "two", "three"]);
    repo.git(["tag", "light", "HEAD~1"]);
    repo.git(["tag", "--annotate", "--message", "text", "heavy", "HEAD~2"]);
    repo.git(["branch", "release/1", "HEAD~1"]);
    for packed in [false, true] {
        let at = |revision: &str| repo.open(revision).commit().to_owned();
        assert_eq!(at("HEAD"), commits[2]);
        assert_eq!(at("main"), commits[2]);
        assert_eq!(at("refs/heads/main"), commits[2]);
        assert_eq!(at("HEAD~2"), commits[0]);
        assert_eq!(at("main^"), commits[1]);
        assert_eq!(at("light"), commits[1]);
        assert_eq!(at("release/1"), commits[1]);
        assert_eq!(at("heavy"), commits[0]);
        assert_eq!(at("heavy^{commit}"), commits[0]);
        assert_eq!(at(&commits[0]), commits[0]);
        assert_eq!(at(&commits[0][..10]), commits[0]);
        assert!(!packed || !repo.object(&commits[0]).exists(), "all objects lie in a pack");
        repo.git(["gc", "--quiet"]);
    }
    assert_eq!(paths(&repo.scan("heavy").tree), ["file.txt"]);
}

#[test]
fn a_repository_is_found_from_within_and_may_be_bare() {
    let repo = Repo::new();
    repo.write("sub/dir/a.rs", "a");
    repo.commit("first");
    let expected = repo.scan("HEAD").tree;
    let from_within = GitSource::open(config(&repo.root().join("sub/dir"), "HEAD")).expect("opens");
    assert_eq!(from_within.place(), repo.root());
    assert_eq!(
        from_within.scan(None, &ScanOptions::threads(1)).expect("scans").tree,
        expected,
        "the whole commit, not the folder"
    );

    let folder = tempfile::tempdir().expect("creates");
    let place = folder.path().canonicalize().expect("is there").join("bare.git");
    git(folder.path(), ["clone", "--quiet", "--bare", repo.root().to_str().expect("is UTF-8"), "bare.git"]);
    let bare = GitSource::open(config(&place, "main")).expect("opens");
    assert_eq!(bare.place(), place);
    assert_eq!(bare.scan(None, &ScanOptions::threads(2)).expect("scans").tree, expected);

    repo.git(["worktree", "add", "--quiet", "--detach", place.with_file_name("linked").to_str().expect("is UTF-8")]);
    let linked = GitSource::open(config(&place.with_file_name("linked"), "HEAD")).expect("opens");
    assert_eq!(linked.place(), place.with_file_name("linked"));
    assert_eq!(linked.scan(None, &ScanOptions::threads(1)).expect("scans").tree, expected);
}

#[test]
fn replacements_do_not_change_what_a_commit_holds() {
    let repo = Repo::new();
    let commits = history(&repo, &["one", "two"]);
    let before = repo.scan(&commits[0]).tree;
    for object in ["", "^{tree}", ":file.txt"] {
        let [old, new] = [&commits[0], &commits[1]].map(|commit| repo.id(&format!("{commit}{object}")));
        repo.git(["replace", &old, &new]);
        assert_eq!(repo.scan(&commits[0]).tree, before, "`{object}` is replaced");
        repo.git(["replace", "--delete", &old]);
    }
}

#[test]
fn errors_say_what_was_probably_meant() {
    let folder = tempfile::tempdir().expect("creates");
    let error = GitSource::open(config(folder.path(), "HEAD")).err().expect("fails");
    assert!(matches!(error, SourceError::NoRepository { .. }));
    assert!(error.to_string().contains("check `source.path`"), "{error}");

    let repo = Repo::new();
    let unborn = GitSource::open(repo.config("HEAD")).err().expect("fails");
    assert!(matches!(unborn, SourceError::NoRevision { near: None, .. }), "{unborn}");
    let commits = history(&repo, &["one"]);
    repo.git(["branch", "develop"]);
    repo.git(["update-ref", "refs/remotes/origin/feature", "HEAD"]);
    let error = |revision: &str| GitSource::open(repo.config(revision)).err().expect("fails").to_string();
    assert!(error("develpo").ends_with("was `develop` meant?"), "{}", error("develpo"));
    assert!(error("feature").ends_with("was `origin/feature` meant?"), "{}", error("feature"));
    assert!(!error("main~9").contains("meant"), "{}", error("main~9"));
    assert!(error("mian~9").ends_with("was `main` meant?"), "{}", error("mian~9"));
    assert!(error("nonsense").contains("name a branch"), "{}", error("nonsense"));
    assert!(error("HEAD:file.txt").contains("is no commit"), "{}", error("HEAD:file.txt"));
    assert!(error("HEAD~1..HEAD").contains("is no commit"));
    assert!(error("deadbeef").contains("`deadbeef`"));
    assert!(!error("develpo").contains(".rs"), "no source location: {}", error("develpo"));
    let missing = GitSource::open(repo.config(&commits[0].replace(&commits[0][..4], "0000")));
    assert!(matches!(missing.err().expect("fails"), SourceError::NoRevision { .. }));
    repo.lose("HEAD");
    let lost = GitSource::open(repo.config("main")).err().expect("fails");
    assert!(matches!(lost, SourceError::Object { .. }) && lost.to_string().contains(&commits[0]), "{lost}");
    let mut bad = repo.config("HEAD");
    bad.exclude = vec!["a{b".into()];
    assert!(GitSource::open(bad).err().expect("fails").to_string().contains("a{b"));
}

#[test]
fn branches_and_tags_are_found_by_pattern() {
    let repo = Repo::new();
    let commits = history(&repo, &["one", "two"]);
    for branch in ["release/1.0", "release/2.0", "release/old/0.9", "shared"] {
        repo.git(["branch", branch, "HEAD~1"]);
    }
    repo.git(["tag", "--annotate", "--message", "text", "v1.0"]);
    repo.git(["tag", "v1.1", "HEAD~1"]);
    repo.git(["tag", "shared"]);
    repo.git(["tag", "v1.blob", "HEAD:file.txt"]);
    repo.git(["update-ref", "refs/remotes/origin/main", "HEAD"]);
    repo.git(["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]);
    repo.git(["notes", "add", "--message", "note"]);
    for _ in [false, true] {
        let found = |patterns: &[&str]| -> Vec<String> {
            let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
            let found = matching_refs(&repo.root(), &patterns).expect("finds");
            for (name, commit) in &found {
                assert_eq!(repo.open(name).commit(), commit, "the name given leads to the commit given");
            }
            found.into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(found(&["main"]), ["main"]);
        assert_eq!(found(&["release/*"]), ["release/1.0", "release/2.0"]);
        assert_eq!(found(&["release/**", "main"]), ["main", "release/1.0", "release/2.0", "release/old/0.9"]);
        assert_eq!(found(&["v1.*"]), ["v1.0", "v1.1"]);
        assert_eq!(found(&["origin/*"]), ["origin/main"]);
        assert_eq!(found(&["shared"]), ["heads/shared", "tags/shared"]);
        assert!(found(&["nothing*"]).is_empty() && found(&[]).is_empty());
        repo.git(["pack-refs", "--all"]);
    }
    let main = matching_refs(&repo.root(), &["main".into(), "v1.1".into()]).expect("finds");
    assert_eq!(main, [("main".into(), commits[1].clone()), ("v1.1".into(), commits[0].clone())]);
    let error = matching_refs(&repo.root(), &["a[".into()]).expect_err("fails").to_string();
    assert!(error.contains("`a[`"), "{error}");
}

#[test]
fn a_history_is_walked_along_first_parents() {
    let repo = Repo::new();
    let commits = history(&repo, &["one", "two"]);
    repo.git(["checkout", "--quiet", "-b", "side", "HEAD~1"]);
    repo.write("side.txt", "side");
    let side = repo.commit("aside");
    repo.git(["checkout", "--quiet", "main"]);
    repo.git(["merge", "--quiet", "--no-ff", "--message", "merge\n\nwith a body", "side"]);
    let merge = repo.id("HEAD");
    let between = |from: &str, to: &str| commits_between(&repo.root(), from, to);
    let time = 1_112_911_993;
    let commit = |id: &str, subject: &str| CommitInfo { id: id.to_owned(), subject: subject.to_owned(), time };
    let expected = [commit(&commits[1], "two"), commit(&merge, "merge")];
    assert_eq!(between("HEAD~2", "main").expect("walks"), expected);
    assert!(between("main", "HEAD").expect("walks").is_empty());
    let off = between(&side, "main").expect_err("fails");
    assert!(matches!(off, SourceError::NotBefore { .. }) && off.to_string().contains(&side), "{off}");
    assert!(matches!(between("main", &side), Err(SourceError::NotBefore { .. })));
    assert!(matches!(between("nowhere", "main"), Err(SourceError::NoRevision { .. })));
}

#[test]
fn a_shallow_history_ends_where_it_was_cut() {
    let repo = Repo::new();
    let commits = history(&repo, &["one", "two", "three"]);
    let folder = tempfile::tempdir().expect("creates");
    let url = format!("file://{}", repo.root().display());
    git(folder.path(), ["clone", "--quiet", "--depth=2", &url, "shallow"]);
    let shallow = folder.path().join("shallow");
    let between = commits_between(&shallow, &commits[1], "HEAD").expect("walks");
    assert_eq!(between.iter().map(|commit| &commit.id).collect::<Vec<_>>(), [&commits[2]]);
    let source = GitSource::open(config(&shallow, "HEAD")).expect("opens");
    assert_eq!(source.scan(None, &ScanOptions::threads(1)).expect("scans").tree, repo.scan("HEAD").tree);
    repo.git(["checkout", "--quiet", "--orphan", "other"]);
    let other = repo.commit("other");
    git(&shallow, ["fetch", "--quiet", "--depth=1", &url, "other"]);
    let error = commits_between(&shallow, &other, "HEAD").expect_err("fails");
    assert!(error.to_string().contains("--unshallow"), "{error}");
}
