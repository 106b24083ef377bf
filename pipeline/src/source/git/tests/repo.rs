//! A repository to test with, made by `git` itself.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::index::CommitRecord;
use crate::merkle::Tree;
use crate::source::{DirectorySource, GitConfig, GitSource, Revisions, Scan, ScanOptions, Source};

/// A repository in a folder that goes with it.
pub(super) struct Repo {
    folder: TempDir,
}

impl Repo {
    pub(super) fn new() -> Self {
        let repo = Self { folder: tempfile::tempdir().expect("creates") };
        repo.git(["init", "--quiet", "--initial-branch=main"]);
        repo
    }

    /// The folder, without symbolic links on the way.
    pub(super) fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("is there")
    }

    /// What `git` prints in this repository.
    pub(super) fn git<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> String {
        git(self.folder.path(), arguments)
    }

    pub(super) fn write(&self, path: impl AsRef<Path>, content: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().expect("has a parent")).expect("creates");
        fs::write(path, content).expect("writes");
    }

    pub(super) fn remove(&self, path: &str) {
        let path = self.folder.path().join(path);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("removes");
    }

    /// Commits all that is in the folder, and gives the commit's id.
    pub(super) fn commit(&self, subject: &str) -> String {
        self.git(["add", "--all", "--force"]);
        self.commit_staged(subject)
    }

    pub(super) fn commit_staged(&self, subject: &str) -> String {
        self.git(["commit", "--quiet", "--allow-empty", "--message", subject]);
        self.id("HEAD")
    }

    pub(super) fn id(&self, revision: &str) -> String {
        self.git(["rev-parse", revision])
    }

    /// Where a loose object lies.
    pub(super) fn object(&self, id: &str) -> PathBuf {
        let (folder, name) = id.split_at(2);
        self.folder.path().join(".git/objects").join(folder).join(name)
    }

    pub(super) fn lose(&self, revision: &str) -> String {
        let id = self.id(revision);
        fs::remove_file(self.object(&id)).expect("removes");
        id
    }

    pub(super) fn config(&self, revision: &str) -> GitConfig {
        config(self.folder.path(), revision)
    }

    pub(super) fn open(&self, revision: &str) -> GitSource {
        GitSource::open(self.config(revision)).expect("opens")
    }

    pub(super) fn scan(&self, revision: &str) -> Scan {
        self.open(revision).scan(None, &ScanOptions::threads(1)).expect("scans")
    }

    /// The record of an epoch that holds what a scan of this repository found.
    pub(super) fn record(&self, scan: &Scan) -> CommitRecord {
        CommitRecord {
            source: self.root(),
            revision: scan.revision.clone(),
            selection: scan.selection,
            ..crate::index::tests::record(1, &scan.tree)
        }
    }

    /// What is checked out, as the `directory` source sees it.
    pub(super) fn directory(&self, config: &GitConfig) -> DirectorySource {
        DirectorySource {
            root: self.root(),
            include: config.include.clone(),
            exclude: config.exclude.clone(),
            hidden: config.hidden,
            follow_links: false,
            linked_worktrees: false,
            generated: config.generated,
            max_file_bytes: config.max_file_bytes,
            skip: Vec::new(),
        }
    }
}

pub(super) fn config(path: &Path, revision: &str) -> GitConfig {
    GitConfig {
        path: path.to_owned(),
        revisions: Revisions::One(revision.to_owned()),
        include: Vec::new(),
        exclude: Vec::new(),
        hidden: false,
        generated: true,
        max_file_bytes: 100,
    }
}

/// What `git` prints in a folder. It sees no configuration but the repository's, and all
/// its commits are of one moment.
pub(super) fn git<A: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = A>) -> String {
    let output = Command::new("git")
        .args(["-c", "gc.auto=0", "-c", "protocol.file.allow=always"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .envs([("GIT_AUTHOR_NAME", "A"), ("GIT_AUTHOR_EMAIL", "a@example.org")])
        .envs([("GIT_COMMITTER_NAME", "C"), ("GIT_COMMITTER_EMAIL", "c@example.org")])
        .env("GIT_AUTHOR_DATE", "1112911993 +0000")
        .env("GIT_COMMITTER_DATE", "1112911993 +0000")
        .output()
        .expect("git is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("is UTF-8").trim_end().to_owned()
}

/// The paths of a tree, each with the code of its note if it has one.
pub(super) fn paths(tree: &Tree) -> Vec<String> {
    let mut paths = Vec::new();
    tree.for_each(|path, leaf| {
        let code = leaf.note.as_ref().map_or(String::new(), |note| format!(" ({})", note.code));
        paths.push(format!("{path}{code}"));
    });
    paths
}
