//! What can be wrong with a source as a whole.

use std::path::PathBuf;

use crate::interrupt::Interrupted;

/// The source cannot be scanned at all.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It was asked to stop.
    #[error("interrupted while the source was scanned; nothing was changed")]
    Interrupted,
    /// The root is not there, or is no folder.
    #[error("the source folder {root} cannot be opened: {reason}; check `source.path`")]
    Root {
        /// The folder.
        root: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// A glob is malformed.
    #[error("the glob `{glob}` in `source.include` or `source.exclude` is malformed: {reason}")]
    Glob {
        /// The glob.
        glob: String,
        /// Why.
        reason: ignore::Error,
    },
    /// There is no git repository, or it cannot be opened.
    #[error(
        "no git repository can be opened at {path} or above it: {reason}; check `source.path`, \
         or index the folder itself with the `directory` source"
    )]
    NoRepository {
        /// Where one was looked for.
        path: PathBuf,
        /// Why it cannot be opened.
        reason: String,
    },
    /// A revision names no commit.
    #[error(
        "`{revision}` is no commit of the git repository {repository}: {reason}; {}",
        advice(near.as_deref())
    )]
    NoRevision {
        /// The repository.
        repository: PathBuf,
        /// The revision as it was given.
        revision: String,
        /// Why it names no commit.
        reason: String,
        /// A branch or tag that may have been meant.
        near: Option<Box<str>>,
    },
    /// A commit or tree is missing, or cannot be decoded.
    #[error(
        "the {object} of the git repository {repository} cannot be read: {reason}; \
         check the repository with `git fsck`, and fetch what it lacks with `git fetch --refetch`"
    )]
    Object {
        /// The repository.
        repository: PathBuf,
        /// The kind and id of the object.
        object: String,
        /// Why it cannot be read.
        reason: String,
    },
    /// One commit does not lead to another.
    #[error(
        "`{from}` is not among the first parents of `{to}` in the git repository {repository}; \
         choose a commit that `git log --first-parent {to}` shows, or fetch more history with `git fetch --unshallow`"
    )]
    NotBefore {
        /// The repository.
        repository: PathBuf,
        /// The revision to start after.
        from: String,
        /// The revision to end with.
        to: String,
    },
    /// The branches and tags cannot be listed.
    #[error(
        "the branches and tags of the git repository {repository} cannot be listed: {reason}; check it with `git fsck`"
    )]
    Refs {
        /// The repository.
        repository: PathBuf,
        /// Why.
        reason: String,
    },
    /// A pattern matches no branch and no tag.
    #[error(
        "no branch or tag of the git repository {repository} matches `{pattern}`; {}",
        match near {
            Some(near) => format!("was `{near}` meant?"),
            None => "`git branch --all` and `git tag` list what there is, and `git fetch` brings what is not".into(),
        }
    )]
    NoRefs {
        /// The repository.
        repository: PathBuf,
        /// The pattern.
        pattern: String,
        /// A branch or tag that may have been meant.
        near: Option<Box<str>>,
    },
    /// A pattern for branches and tags is malformed.
    #[error(
        "the pattern `{pattern}` for branches and tags is malformed: {reason}; `*` stands for what is between slashes"
    )]
    RefPattern {
        /// The pattern.
        pattern: String,
        /// Why.
        reason: globset::Error,
    },
}

fn advice(near: Option<&str>) -> String {
    match near {
        Some(near) => format!("was `{near}` meant?"),
        None => "name a branch, a tag or a commit that `git log` shows, and fetch it if it is not there".into(),
    }
}

impl From<Interrupted> for SourceError {
    fn from(_: Interrupted) -> Self {
        Self::Interrupted
    }
}
