//! The commits that lead from one revision to another.

use std::path::Path;

use gix::ObjectId;

use super::objects::reason;
use super::refs::Opened;
use crate::source::SourceError;

/// A commit of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitInfo {
    /// Its id, in hex digits.
    pub id: String,
    /// The first line of its message.
    pub subject: String,
    /// When it was committed, in seconds since 1970.
    pub time: i64,
}

/// The commits after `from` up to and with `to`, oldest first, along first parents: each
/// merge is one step. None if both are the same commit.
///
/// # Errors
/// If there is no repository, a revision is no commit, or `from` is no first parent on the
/// way back from `to`.
pub fn commits_between(path: &Path, from: &str, to: &str) -> Result<Vec<CommitInfo>, SourceError> {
    let opened = Opened::at(path)?;
    let (first, last) = (opened.commit(from)?, opened.commit(to)?);
    let mut commits = Vec::new();
    let mut next = Some(last);
    while let Some(id) = next.filter(|id| *id != first) {
        let (commit, parent) = opened.step(id).map_err(|error| SourceError::Object {
            repository: opened.place.clone(),
            object: format!("commit {id}"),
            reason: reason(&error),
        })?;
        commits.push(commit);
        next = parent;
    }
    if next.is_none() {
        let (from, to) = (from.to_owned(), to.to_owned());
        return Err(SourceError::NotBefore { repository: opened.place, from, to });
    }
    commits.reverse();
    Ok(commits)
}

impl Opened {
    /// A commit and its first parent, unless the history that is there ends here.
    fn step(&self, id: ObjectId) -> gix::Result<(CommitInfo, Option<ObjectId>)> {
        let commit = self.repository.find_commit(id)?;
        let subject = commit.message()?.summary().to_string();
        let time = commit.time()?.seconds;
        // The parents of a shallow clone's last commits are named, and not there.
        let shallow = self.repository.shallow_commits()?;
        let is_last = shallow.is_some_and(|last| last.binary_search(&id).is_ok());
        let parent = commit.parent_ids().next().map(gix::Id::detach).filter(|_| !is_last);
        Ok((CommitInfo { id: id.to_string(), subject, time }, parent))
    }
}
