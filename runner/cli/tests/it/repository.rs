//! The sample tree under git.

use std::path::PathBuf;
use std::process::Command;

use crate::world::{World, text};

impl World {
    /// The sample tree as the first commit of a repository.
    pub(crate) fn repository() -> Self {
        let world = Self::sample();
        world.git(&["init", "--quiet", "--initial-branch=main"]);
        world.commit("first");
        world
    }

    /// What `git` prints in the source. It sees no configuration but the repository's, and
    /// all its commits are of one moment.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "gc.auto=0"])
            .args(args)
            .current_dir(self.source())
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null")])
            .envs([("GIT_AUTHOR_NAME", "A"), ("GIT_AUTHOR_EMAIL", "a@example.org")])
            .envs([("GIT_COMMITTER_NAME", "C"), ("GIT_COMMITTER_EMAIL", "c@example.org")])
            .envs([("GIT_AUTHOR_DATE", "1112911993 +0000"), ("GIT_COMMITTER_DATE", "1112911993 +0000")])
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}: {}", text(&output.stderr));
        text(&output.stdout).trim_end().to_owned()
    }

    /// Commits everything in the source. Returns the commit id.
    pub(crate) fn commit(&self, subject: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", subject]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// The path of the loose object of a revision.
    pub(crate) fn object(&self, revision: &str) -> PathBuf {
        let id = self.git(&["rev-parse", revision]);
        let (folder, name) = id.split_at(2);
        self.source().join(".git/objects").join(folder).join(name)
    }

    /// A folder with the files of a revision, from `git archive`.
    pub(crate) fn archive(&self, revision: &str) -> PathBuf {
        let (folder, archive) = (self.folder.path().join("archive"), self.folder.path().join("archive.tar"));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        self.git(&["archive", "--output", archive.to_str().unwrap(), revision]);
        let status = Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(&folder).status().unwrap();
        assert!(status.success());
        folder
    }
}
