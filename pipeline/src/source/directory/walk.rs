//! The walk over a folder, one listing after the other. Every file that it meets is compared at
//! once with what the known tree holds in its place, so that nothing is kept of a file that did
//! not change but a mark that it is still there.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::DirEntry;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::overrides::Override;
use parking_lot::Mutex;

use super::listing::{Listed, Listing};
use super::read::{reason_of, unreadable};
use super::repository::{GitDirs, Notices};
use super::rules::{RuleFiles, Rules, raw_path};
use super::targets::{Locations, Targets};
use super::worktrees::Checkouts;
use super::{DirectorySource, ScanOptions, SourceError};
use crate::diagnostic::Severity;
use crate::interrupt::Interrupt;
use crate::merkle::{Directory, Leaf, Node, Stat, Tree};
use crate::path::RelPath;
use crate::source::select;

/// A file of which the known tree does not tell what it holds.
pub(super) struct Met {
    pub path: RelPath,
    pub location: PathBuf,
    /// What to expect of it, or the leaf of a file that is not read.
    pub found: Result<Stat, Leaf>,
}

/// What a walk found out.
#[derive(Default)]
pub(super) struct Walked {
    pub met: Vec<Met>,
    pub seen: Seen,
    /// Files and folders that ignore rules leave out.
    pub ignored: u64,
    /// Files and folders that are left out for the dot that their name begins with.
    pub hidden: u64,
    /// What the walk has to say that belongs to no file.
    pub notices: Vec<String>,
}

/// The files of the known tree at whose paths the walk met a file: for each directory
/// their places among its entries.
#[derive(Default)]
pub(super) struct Seen(HashMap<RelPath, Vec<u32>>);

impl Seen {
    /// The known files at or below these paths that the walk did not come by.
    pub(super) fn missing<'p>(mut self, known: &Tree, paths: impl Iterator<Item = &'p str>) -> Vec<RelPath> {
        let mut met = 0;
        for places in self.0.values_mut() {
            places.sort_unstable();
            places.dedup();
            met += places.len();
        }
        let mut missing = Vec::new();
        if met == known.len() {
            return missing;
        }
        for path in paths {
            if let Some(directory) = known.directory(path) {
                self.missing_below(directory, &mut path.to_owned(), &mut missing);
            } else {
                let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
                let place = known.directory(above).and_then(|directory| directory.find(name));
                if place.is_some_and(|(place, _)| !self.is_met(above, place)) {
                    missing.push(path.into());
                }
            }
        }
        missing
    }

    fn missing_below(&self, directory: &Directory, path: &mut String, missing: &mut Vec<RelPath>) {
        let length = path.len();
        for (place, (name, node)) in directory.entries().iter().enumerate() {
            let is_met = matches!(node, Node::File(_)) && self.is_met(path, place);
            if length > 0 {
                path.push('/');
            }
            path.push_str(name);
            match node {
                Node::Directory(inner) => self.missing_below(inner, path, missing),
                Node::File(_) if !is_met => missing.push((&**path).into()),
                Node::File(_) => {}
            }
            path.truncate(length);
        }
    }

    fn is_met(&self, directory: &str, place: usize) -> bool {
        let places = self.0.get(directory);
        places.is_some_and(|places| places.binary_search(&(place as u32)).is_ok())
    }
}

impl DirectorySource {
    /// Walks all of the folder, or the way to the targets and what lies below them.
    pub(super) fn walk(
        &self,
        known: Option<&Tree>,
        targets: Option<&Targets>,
        options: &ScanOptions,
    ) -> Result<Walked, SourceError> {
        let locations = targets.map(Targets::locations);
        if locations.as_ref().is_some_and(Locations::is_empty) {
            return Ok(Walked::default());
        }
        let root_error = |reason| SourceError::Root { root: self.root.clone(), reason };
        let root = self.root.canonicalize().map_err(root_error)?;
        std::fs::read_dir(&self.root).map_err(root_error)?;
        let notices = Arc::new(Notices::default());
        let rules = Rules::above(&root, !self.generated, &notices);
        let first = Folder {
            location: self.root.clone(),
            path: String::new(),
            raw: raw_path(&root),
            known: known.and_then(|known| known.directory("")),
            rules,
            links: None,
        };
        let walk = Walk {
            source: self,
            interrupt: &options.interrupt,
            known,
            overrides: select::overrides(&self.root, &self.include, &self.exclude)?,
            locations,
            checkouts: Checkouts { root, hidden: self.hidden },
            notices,
            all: Mutex::default(),
        };
        // Threads cost more than the few folders on the way to what changed.
        if options.threads == 1 || targets.is_some() {
            let mut waiting = vec![first];
            while let Some(folder) = waiting.pop() {
                walk.list(folder, |found| waiting.push(found));
            }
        } else {
            rayon::scope(|scope| walk.spread(scope, first));
        }
        options.interrupt.check()?;
        let Walk { all, notices, .. } = walk;
        let mut walked = all.into_inner();
        walked.notices = notices.take();
        Ok(walked)
    }
}

/// A walk, which any number of threads share.
pub(super) struct Walk<'a> {
    pub(super) source: &'a DirectorySource,
    /// Once it is requested no more is listed, and what was is of no use.
    pub(super) interrupt: &'a Interrupt,
    pub(super) known: Option<&'a Tree>,
    pub(super) overrides: Override,
    pub(super) locations: Option<Locations>,
    checkouts: Checkouts,
    notices: Arc<Notices>,
    all: Mutex<Walked>,
}

/// A folder that is to be listed.
pub(super) struct Folder<'a> {
    pub(super) location: PathBuf,
    /// Its path in the index.
    pub(super) path: String,
    /// The bytes of its path without links, with a slash at the end: what rules match.
    pub(super) raw: Vec<u8>,
    pub(super) known: Option<&'a Directory>,
    /// The rules that hold for the folder itself.
    pub(super) rules: Arc<Rules>,
    /// The folders on the way to it, if links are followed.
    pub(super) links: Option<Arc<Way>>,
}

/// The folders on the way to one, so that a link back to them is not followed.
pub(super) struct Way {
    pub(super) identity: Option<Identity>,
    pub(super) above: Option<Arc<Way>>,
}

/// What tells two folders apart, whatever path leads to them.
#[cfg(unix)]
pub(super) type Identity = (u64, u64);
#[cfg(not(unix))]
pub(super) type Identity = PathBuf;

#[cfg(unix)]
pub(super) fn identity(location: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(location).ok().map(|found| (found.dev(), found.ino()))
}

#[cfg(not(unix))]
pub(super) fn identity(location: &Path) -> Option<Identity> {
    location.canonicalize().ok()
}

impl<'a> Walk<'a> {
    fn spread<'s>(&'s self, scope: &rayon::Scope<'s>, folder: Folder<'a>)
    where
        'a: 's,
    {
        self.list(folder, |found| scope.spawn(move |scope| self.spread(scope, found)));
    }

    /// Lists a folder: compares its files, and gives `enter` those of its folders that are to be
    /// listed.
    fn list(&self, folder: Folder<'a>, enter: impl FnMut(Folder<'a>)) {
        if self.interrupt.is_requested() {
            return;
        }
        let entries: std::io::Result<Vec<DirEntry>> = std::fs::read_dir(&folder.location).and_then(Iterator::collect);
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.note(&folder, unreadable(Stat::default(), &reason_of(&error))),
        };
        let names: Vec<OsString> = entries.iter().map(DirEntry::file_name).collect();
        if !folder.path.is_empty() && crate::index::is_index_listing(&folder.location, &names) {
            return;
        }
        let mut files = RuleFiles::default();
        names.iter().for_each(|name| files.meet(name.as_encoded_bytes()));
        files.attributes &= !self.source.generated;
        let mut broken = Vec::new();
        let rules = match self.rules_of(&folder, files, &mut broken) {
            Ok(rules) => rules,
            Err(leaf) => return self.note(&folder, leaf),
        };
        let known = folder.known.map_or(&[][..], Directory::entries);
        let listed = Listed::new(known);
        Listing { walk: self, folder: &folder, rules, listed, enter }.all(entries.into_iter().zip(names), broken);
    }

    /// The rules for what a folder holds, or why it is not entered.
    fn rules_of(
        &self,
        folder: &Folder<'a>,
        files: RuleFiles,
        broken: &mut Vec<(OsString, String)>,
    ) -> Result<Arc<Rules>, Leaf> {
        let dirs = if files.git { GitDirs::of(&folder.location) } else { None };
        let mut rules = Arc::clone(&folder.rules);
        if let Some(dirs) = dirs {
            if !folder.path.is_empty() {
                let other = self.checkouts.other(&folder.location, &dirs, rules.repositories());
                match other.filter(|_| !self.source.linked_worktrees) {
                    Some(other) => return Err(other_checkout(&other)),
                    None => self.notices.add(format!(
                        "{} is a repository of its own: its files are indexed by its own ignore rules; \
                         leave it out with `source.exclude`",
                        folder.path
                    )),
                }
            }
            rules = rules.enter_repository(&folder.location, dirs, &folder.raw, &self.notices);
        }
        let tell = |name: &str, reason| broken.push((name.into(), reason));
        Ok(rules.enter(&folder.location, &folder.raw, files, tell))
    }

    /// Lets a note stand in the place of a folder.
    fn note(&self, folder: &Folder<'a>, leaf: Leaf) {
        if folder.path.is_empty() {
            let note = leaf.note.map(|note| note.message).unwrap_or_default();
            return self.notices.add(format!("{}: {note}", folder.location.display()));
        }
        let (above, name) = folder.path.rsplit_once('/').unwrap_or(("", &folder.path));
        let known = self.known.and_then(|known| known.directory(above));
        let known = known.map_or(&[][..], Directory::entries);
        let mut listed = Listed::new(known);
        listed.compare((&folder.path, name), Err(leaf), 0, || folder.location.clone());
        self.add(above, listed);
    }

    pub(super) fn add(&self, path: &str, mut listed: Listed<'_>) {
        let mut all = self.all.lock();
        all.met.append(&mut listed.met);
        all.ignored += listed.ignored;
        all.hidden += listed.hidden;
        if !listed.seen.is_empty() {
            all.seen.0.entry(path.into()).or_default().extend(listed.seen);
        }
    }
}

/// The leaf of another checkout of a repository.
fn other_checkout(other: &Path) -> Leaf {
    let message = format!(
        "not entered: this worktree is another checkout of the repository at {}; \
         index it too with `source.linked_worktrees`",
        other.display()
    );
    Leaf::noted(Stat::default(), Severity::Note, "linked_worktree", message)
}
