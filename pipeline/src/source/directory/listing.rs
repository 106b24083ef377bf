//! The listing of one folder: what of it belongs to the index.

use std::ffi::OsString;
use std::fs::{DirEntry, FileType, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::read::{reason_of, unreadable, vouches};
use super::rules::{GIT_IGNORE, IGNORE, Rules, Verdict};
use super::walk::{Folder, Met, Walk, Way, identity};
use crate::diagnostic::Severity;
use crate::merkle::{Entry, Leaf, Node, Stat};
use crate::path::push_name;
use crate::source::select;

/// What the listing of one folder adds to the walk.
pub(super) struct Listed<'a> {
    known: &'a [Entry],
    pub(super) met: Vec<Met>,
    /// Places in `known` at which a file was met.
    pub(super) seen: Vec<u32>,
    pub(super) ignored: u64,
    pub(super) hidden: u64,
}

impl<'a> Listed<'a> {
    /// Nothing yet, in a folder of which these entries are known.
    pub(super) fn new(known: &'a [Entry]) -> Self {
        Self { known, met: Vec::new(), seen: Vec::new(), ignored: 0, hidden: 0 }
    }

    /// Keeps the file of that path and name unless the known tree tells what it holds.
    pub(super) fn compare(
        &mut self,
        (path, name): (&str, &str),
        found: Result<Stat, Leaf>,
        scanned_ns: i64,
        location: impl FnOnce() -> PathBuf,
    ) {
        if let Ok(place) = self.known.binary_search_by(|(standing, _)| (**standing).cmp(name))
            && let Some((_, Node::File(leaf))) = self.known.get(place)
        {
            self.seen.push(place as u32);
            let is_told = match &found {
                Ok(stat) => vouches(leaf, stat, scanned_ns),
                Err(noted) => noted == leaf,
            };
            if is_told {
                return;
            }
        }
        self.met.push(Met { path: path.into(), location: location(), found });
    }
}

/// The listing of one folder.
pub(super) struct Listing<'w, 'a, E> {
    pub(super) walk: &'w Walk<'a>,
    pub(super) folder: &'w Folder<'a>,
    /// The rules for what the folder holds.
    pub(super) rules: Arc<Rules>,
    pub(super) listed: Listed<'a>,
    pub(super) enter: E,
}

impl<'a, E: FnMut(Folder<'a>)> Listing<'_, 'a, E> {
    /// Takes every entry, and notes the ignore files that could not be read.
    pub(super) fn all(mut self, entries: impl Iterator<Item = (DirEntry, OsString)>, broken: Vec<(OsString, String)>) {
        let mut path = self.folder.path.clone();
        if !path.is_empty() {
            path.push('/');
        }
        let mut raw = self.folder.raw.clone();
        let (path_length, raw_length) = (path.len(), raw.len());
        let mut taken = Vec::new();
        for (entry, name) in entries.take_while(|_| !self.walk.interrupt.is_requested()) {
            push_name(&mut path, name.as_encoded_bytes());
            raw.extend_from_slice(name.as_encoded_bytes());
            if self.meet(&entry, &path, path_length, &mut raw) && !broken.is_empty() {
                taken.push(name);
            }
            path.truncate(path_length);
            raw.truncate(raw_length);
        }
        // A file that is indexed says by itself that it cannot be read.
        for (name, reason) in broken.into_iter().filter(|(name, _)| !taken.contains(name)) {
            push_name(&mut path, name.as_encoded_bytes());
            let message = format!("its ignore rules cannot be read, and do not hold: {reason}");
            let leaf = Leaf::noted(Stat::default(), Severity::Warning, "ignore_rules", message);
            let location = || self.folder.location.join(&name);
            self.listed.compare((&path, path.get(path_length..).unwrap_or_default()), Err(leaf), 0, location);
            path.truncate(path_length);
        }
        self.walk.add(&self.folder.path, self.listed);
    }

    /// Takes an entry, and tells whether it is a file that belongs to the index. Special files are
    /// nothing to it.
    fn meet(&mut self, entry: &DirEntry, path: &str, name_at: usize, raw: &mut Vec<u8>) -> bool {
        let source = self.walk.source;
        let name = path.get(name_at..).unwrap_or_default();
        let Ok(kind) = entry.file_type() else { return false };
        if name == ".git" || kind.is_symlink() && !source.follow_links {
            return false;
        }
        let location = entry.path();
        if source.skip.contains(&location) || self.walk.locations.as_ref().is_some_and(|way| !way.admit(&location)) {
            return false;
        }
        let mut metadata = None;
        let mut is_folder = kind.is_dir();
        if kind.is_symlink() {
            let target = std::fs::metadata(&location);
            is_folder = target.as_ref().is_ok_and(Metadata::is_dir);
            metadata = Some(target);
        }
        let Some(verdict) = self.verdict(&location, name, raw, is_folder) else { return false };
        if is_folder {
            raw.push(b'/');
            self.folder(location, kind, (path, name_at), raw, verdict);
            return false;
        }
        let found = match metadata.unwrap_or_else(|| entry.metadata()) {
            Ok(found) if !found.is_file() => return false,
            Ok(found) => {
                let stat = Stat::of(&found);
                let marked = || self.rules.mark(raw).map(|attribute| select::marked(stat, attribute));
                let refused = select::refused(path, stat, source.max_file_bytes);
                refused.or_else(|| if source.generated { None } else { marked() }).map_or(Ok(stat), Err)
            }
            Err(error) => Err(unreadable(Stat::default(), &reason_of(&error))),
        };
        let scanned_ns = self.walk.known.map_or(0, |known| known.scanned_ns);
        self.listed.compare((path, path.get(name_at..).unwrap_or_default()), found, scanned_ns, || location);
        true
    }

    /// What globs, rules and the name say, if they do not leave the entry out.
    fn verdict(&mut self, location: &Path, name: &str, raw: &[u8], is_folder: bool) -> Option<Verdict> {
        let overrides = &self.walk.overrides;
        if !overrides.is_empty() {
            match overrides.matched(location, is_folder) {
                ignore::Match::Ignore(_) => return None,
                // In an ignored folder that has tracked files, globs bring no others in.
                ignore::Match::Whitelist(_) if !self.rules.is_ignored() => return Some(Verdict::Taken),
                ignore::Match::Whitelist(_) | ignore::Match::None => {}
            }
        }
        let verdict = self.rules.verdict(raw, is_folder);
        if verdict == Verdict::Ignored {
            self.listed.ignored += 1;
            return None;
        }
        if verdict != Verdict::Taken && !self.walk.source.hidden && name.starts_with('.') {
            self.listed.hidden += u64::from(name != GIT_IGNORE && name != IGNORE);
            return None;
        }
        Some(verdict)
    }

    /// Hands a folder over to be listed.
    fn folder(
        &mut self,
        location: PathBuf,
        kind: FileType,
        (path, name_at): (&str, usize),
        raw: &[u8],
        verdict: Verdict,
    ) {
        let name = path.get(name_at..).unwrap_or_default();
        let mut links = None;
        if self.walk.source.follow_links {
            let identity = identity(&location);
            let above = self.folder.links.clone().unwrap_or_else(|| {
                Arc::new(Way { identity: super::walk::identity(&self.folder.location), above: None })
            });
            let mut way = std::iter::successors(Some(&*above), |way| way.above.as_deref());
            if kind.is_symlink() && way.any(|way| way.identity.is_some() && way.identity == identity) {
                let message = "not followed: this symbolic link leads back to a folder that contains it".to_owned();
                let leaf = Leaf::noted(Stat::default(), Severity::Note, "link_loop", message);
                return self.listed.compare((path, name), Err(leaf), 0, || location);
            }
            links = Some(Arc::new(Way { identity, above: Some(above) }));
        }
        let rules = if verdict == Verdict::Tracked { self.rules.of_ignored() } else { Arc::clone(&self.rules) };
        let known = self.folder.known.and_then(|known| known.find(name)).and_then(|(_, node)| node.directory());
        let known = known.map(|known| &**known);
        (self.enter)(Folder { location, path: path.to_owned(), raw: raw.to_owned(), known, rules, links });
    }
}
