//! Repositories by path, commits by name, and names by pattern.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gix::bstr::ByteSlice as _;
use gix::objs::Kind;
use gix::refs::Category;
use gix::{ObjectId, Repository, ThreadSafeRepository};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::objects::{Objects, reason};
use crate::nearest::nearest;
use crate::source::SourceError;

/// A repository that was found.
pub(super) struct Opened {
    /// The repository.
    pub(super) repository: Repository,
    /// Its absolute path: that of the work tree, or of the repository itself if it is bare.
    pub(super) place: PathBuf,
}

impl Opened {
    /// Opens the repository at or above `path`. No configuration but its own is read, and
    /// no environment variable: a job means the same wherever it runs.
    pub(super) fn at(path: &Path) -> Result<Self, SourceError> {
        let options = gix::open::Options::isolated;
        let trust = gix::sec::trust::Mapping { full: options(), reduced: options() };
        let opened = ThreadSafeRepository::discover_opts(path, gix::discover::upwards::Options::default(), trust);
        let opened =
            opened.map_err(|error| SourceError::NoRepository { path: path.to_owned(), reason: reason(&error) })?;
        let place = opened.work_dir().unwrap_or_else(|| opened.git_dir());
        let place = std::fs::canonicalize(place)
            .map_err(|error| SourceError::NoRepository { path: place.to_owned(), reason: error.to_string() })?;
        let mut repository = opened.to_thread_local();
        repository.objects.ignore_replacements = true;
        Ok(Self { repository, place })
    }

    pub(super) fn into_objects(self) -> Objects {
        Objects::new(self.repository.into_sync(), self.place)
    }

    /// The commit that a revision leads to.
    pub(super) fn commit(&self, revision: &str) -> Result<ObjectId, SourceError> {
        let no_revision = |error: gix::Error| SourceError::NoRevision {
            repository: self.place.clone(),
            revision: revision.to_owned(),
            reason: error.probable_cause().to_string(),
            near: self.near(revision),
        };
        let id = self.repository.rev_parse_single(revision).map_err(no_revision)?;
        let object = id.object().map_err(|error| SourceError::Object {
            repository: self.place.clone(),
            object: format!("object {id}, to which `{revision}` leads,"),
            reason: reason(&error),
        })?;
        object.peel_to_kind(Kind::Commit).map(|commit| commit.id).map_err(no_revision)
    }

    /// A branch or tag that may have been meant: first of all one of a remote that bears
    /// the name. None if the revision begins with a name that is there.
    fn near(&self, revision: &str) -> Option<Box<str>> {
        let wanted = revision.split(['~', '^', '@', ':']).next()?;
        let names: Vec<String> = self.names().ok()?.into_iter().map(|name| name.short).collect();
        if wanted.is_empty() || names.iter().any(|name| name == wanted) {
            return None;
        }
        let of_remote = names.iter().find(|name| name.split_once('/').is_some_and(|(_, branch)| branch == wanted));
        of_remote
            .map(|name| name.as_str().into())
            .or_else(|| nearest(wanted, names.iter().map(String::as_str)).map(Into::into))
    }

    /// All branches and tags, those of remotes among them. `origin/HEAD` and the like only
    /// stand for another branch, and are left out.
    fn names(&self) -> Result<Vec<Name>, SourceError> {
        let references = self.repository.references().map_err(|error| self.unlisted(&error))?;
        let mut names = Vec::new();
        for reference in references.all().map_err(|error| self.unlisted(&error))? {
            let reference = reference.map_err(|error| self.unlisted(&error))?;
            let is_alias = reference.try_id().is_none();
            let (short, prefix) = match reference.name().category_and_short_name() {
                Some((Category::LocalBranch, short)) => (short, "heads/"),
                Some((Category::Tag, short)) => (short, "tags/"),
                Some((Category::RemoteBranch, short)) if !is_alias => (short, "remotes/"),
                _ => continue,
            };
            // A name that is not UTF-8 cannot be written in a job.
            if let Ok(short) = short.to_str() {
                names.push(Name { short: short.to_owned(), prefix, full: reference.name().as_bstr().to_string() });
            }
        }
        Ok(names)
    }

    /// See [`matching_refs`].
    fn matching(&self, patterns: &[String]) -> Result<Vec<(String, ObjectId)>, SourceError> {
        let patterns = compile(patterns)?;
        let mut matching: BTreeMap<String, Vec<Name>> = BTreeMap::new();
        for name in self.names()?.into_iter().filter(|name| patterns.is_match(&name.short)) {
            matching.entry(name.short.clone()).or_default().push(name);
        }
        let mut found = Vec::new();
        for (short, names) in matching {
            let is_shared = names.len() > 1;
            for name in names {
                let reference = self.repository.find_reference(name.full.as_str());
                let peeled = reference.and_then(|mut reference| reference.peel_to_id()?.object());
                let object = peeled.map_err(|error| self.unlisted(&error))?;
                if object.kind == Kind::Commit {
                    let shown = if is_shared { format!("{}{short}", name.prefix) } else { short.clone() };
                    found.push((shown, object.id));
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// The refs that the patterns match, in the order of the patterns. Each must match one.
    pub(super) fn all_matching(&self, patterns: &[String]) -> Result<Vec<(String, ObjectId)>, SourceError> {
        let mut all: Vec<(String, ObjectId)> = Vec::new();
        for pattern in patterns {
            let found = self.matching(std::slice::from_ref(pattern))?;
            if found.is_empty() {
                let (repository, pattern) = (self.place.clone(), pattern.clone());
                let near = self.near(&pattern);
                return Err(SourceError::NoRefs { repository, pattern, near });
            }
            for one in found {
                if !all.iter().any(|(name, _)| *name == one.0) {
                    all.push(one);
                }
            }
        }
        Ok(all)
    }

    fn unlisted(&self, error: &gix::Error) -> SourceError {
        SourceError::Refs { repository: self.place.clone(), reason: reason(error) }
    }
}

/// The name of a branch or tag.
struct Name {
    short: String,
    prefix: &'static str,
    full: String,
}

/// The branches and tags that one of the patterns matches, sorted by name, each with its
/// commit. `*` stands for what is between slashes and `**` for anything; a branch of a
/// remote is matched as `origin/main`. Where a branch and a tag share their name, they are
/// told apart as `heads/name` and `tags/name`. Tags of anything but a commit are left out.
///
/// # Errors
/// If there is no repository, a pattern is malformed, or a branch or tag leads nowhere.
pub fn matching_refs(path: &Path, patterns: &[String]) -> Result<Vec<(String, String)>, SourceError> {
    let matching = Opened::at(path)?.matching(patterns)?;
    Ok(matching.into_iter().map(|(name, commit)| (name, commit.to_string())).collect())
}

fn compile(patterns: &[String]) -> Result<GlobSet, SourceError> {
    let error = |pattern: &str| {
        let pattern = pattern.to_owned();
        move |reason| SourceError::RefPattern { pattern, reason }
    };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(GlobBuilder::new(pattern).literal_separator(true).build().map_err(error(pattern))?);
    }
    set.build().map_err(error(&patterns.join(" ")))
}
