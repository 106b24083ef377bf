//! The walk over a folder. Every file that it meets is compared at once with what the
//! known tree holds in its place, so that nothing is kept of a file that did not change
//! but a mark that it is still there.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::read::{reason_of, unreadable, vouches};
use super::targets::{Locations, Targets};
use super::{DirectorySource, SourceError};
use crate::diagnostic::Severity;
use crate::merkle::{Directory, Entry, Leaf, Node, Stat, Tree};
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
        threads: usize,
    ) -> Result<Walked, SourceError> {
        let overrides = select::overrides(&self.root, &self.include, &self.exclude)?;
        let skip: Vec<_> =
            self.skip.iter().filter_map(|path| Some((path.file_name()?.to_owned(), path.clone()))).collect();
        let locations = targets.map(Targets::locations);
        if locations.as_ref().is_some_and(Locations::is_empty) {
            return Ok(Walked::default());
        }
        let mut builder = WalkBuilder::new(&self.root);
        builder
            .overrides(overrides)
            .hidden(!self.hidden)
            .follow_links(self.follow_links)
            .require_git(false)
            .threads(threads)
            .filter_entry(move |entry| {
                entry.file_name() != ".git"
                    && !skip.iter().any(|(name, path)| name == entry.file_name() && path == entry.path())
                    && locations.as_ref().is_none_or(|locations| locations.admit(entry.path()))
            });
        let all = Mutex::new(Walked::default());
        // Threads cost more than the few folders on the way to what changed.
        if threads == 1 || targets.is_some() {
            let mut visitor = Visitor::new(self, known, &all);
            builder.build().for_each(|entry| visitor.meet(entry));
        } else {
            builder.build_parallel().run(|| {
                let mut visitor = Visitor::new(self, known, &all);
                Box::new(move |entry| {
                    visitor.meet(entry);
                    WalkState::Continue
                })
            });
        }
        Ok(all.into_inner().unwrap_or_default())
    }
}

/// One walking thread: what it met, handed over once, when the thread ends.
struct Visitor<'a> {
    source: &'a DirectorySource,
    known: Option<&'a Tree>,
    all: &'a Mutex<Walked>,
    met: Vec<Met>,
    folders: Vec<Folder<'a>>,
    /// The number in `folders` of each folder, by the bytes of where it lies.
    numbers: HashMap<Box<[u8]>, usize>,
    /// The folder of the last file, which mostly is that of the next one, and its number.
    current: Option<(Box<[u8]>, usize)>,
    /// The path of the last file.
    path: String,
}

/// A folder that the walk came to.
struct Folder<'a> {
    path: RelPath,
    known: &'a [Entry],
    /// Places in `known` at which a file was met.
    seen: Vec<u32>,
}

impl<'a> Visitor<'a> {
    fn new(source: &'a DirectorySource, known: Option<&'a Tree>, all: &'a Mutex<Walked>) -> Self {
        let (met, folders, numbers) = (Vec::new(), Vec::new(), HashMap::new());
        Self { source, known, all, met, folders, numbers, current: None, path: String::new() }
    }

    /// Takes what a walk came to; folders and special files are nothing to the index.
    fn meet(&mut self, entry: Result<DirEntry, ignore::Error>) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return self.meet_error(&error),
        };
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            return;
        }
        let Some(number) = self.enter(entry.path()) else { return };
        let found = match entry.metadata() {
            Err(error) => Err(unreadable(Stat::default(), &error.to_string())),
            Ok(metadata) => {
                let stat = Stat::of(&metadata);
                select::refused(&self.path, stat, self.source.max_file_bytes).map_or(Ok(stat), Err)
            }
        };
        self.compare(number, found, || entry.into_path());
    }

    /// A folder that cannot be listed, or a loop of links, stands in the tree as a note.
    fn meet_error(&mut self, error: &ignore::Error) {
        let Some(location) = error_path(error) else { return };
        if location == self.source.root {
            return;
        }
        let Some(number) = self.enter(location) else { return };
        let leaf = if is_loop(error) {
            let message = "not followed: this symbolic link leads back to a folder that contains it".to_owned();
            Leaf::noted(Stat::default(), Severity::Note, "link_loop", message)
        } else {
            let reason = error.io_error().map_or_else(|| error.to_string(), reason_of);
            unreadable(Stat::default(), &reason)
        };
        self.compare(number, Err(leaf), || location.to_owned());
    }

    /// Sets `path` to that of the file at `location`, and gives the number of its folder.
    fn enter(&mut self, location: &Path) -> Option<usize> {
        // Taking a path apart by its rules would cost more than all the rest.
        let bytes = location.as_os_str().as_encoded_bytes();
        let name = bytes.rsplit(|byte| std::path::is_separator(char::from(*byte))).next()?;
        let folder = bytes.get(..bytes.len() - name.len())?;
        let number = match &self.current {
            Some((current, number)) if **current == *folder => *number,
            _ => {
                let number = match self.numbers.get(folder) {
                    Some(number) => *number,
                    None => self.open(location.parent()?, folder)?,
                };
                self.current = Some((folder.into(), number));
                number
            }
        };
        self.path.clear();
        let above = self.folders.get(number)?.path.as_str();
        if !above.is_empty() {
            self.path.push_str(above);
            self.path.push('/');
        }
        crate::path::push_name(&mut self.path, name);
        Some(number)
    }

    fn open(&mut self, folder: &Path, bytes: &[u8]) -> Option<usize> {
        let path = RelPath::from_relative(folder.strip_prefix(&self.source.root).ok()?);
        let known = self.known.and_then(|known| known.directory(path.as_str()));
        let number = self.folders.len();
        self.folders.push(Folder { path, known: known.map_or(&[], Directory::entries), seen: Vec::new() });
        self.numbers.insert(bytes.into(), number);
        Some(number)
    }

    /// Keeps the file at `path` unless the known tree tells what it holds.
    fn compare(&mut self, number: usize, found: Result<Stat, Leaf>, location: impl FnOnce() -> PathBuf) {
        let Some(folder) = self.folders.get_mut(number) else { return };
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        if let Ok(place) = folder.known.binary_search_by(|(standing, _)| (**standing).cmp(name))
            && let Some((_, Node::File(leaf))) = folder.known.get(place)
        {
            folder.seen.push(place as u32);
            let is_told = match &found {
                Ok(stat) => self.known.is_some_and(|known| vouches(leaf, stat, known.scanned_ns)),
                Err(noted) => noted == leaf,
            };
            if is_told {
                return;
            }
        }
        self.met.push(Met { path: self.path.as_str().into(), location: location(), found });
    }
}

impl Drop for Visitor<'_> {
    fn drop(&mut self) {
        if let Ok(mut all) = self.all.lock() {
            all.met.append(&mut self.met);
            for folder in self.folders.drain(..).filter(|folder| !folder.seen.is_empty()) {
                all.seen.0.entry(folder.path).or_default().extend(folder.seen);
            }
        }
    }
}

fn error_path(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::Loop { child, .. } => Some(child),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => error_path(err),
        _ => None,
    }
}

fn is_loop(error: &ignore::Error) -> bool {
    match error {
        ignore::Error::Loop { .. } => true,
        ignore::Error::WithPath { err, .. }
        | ignore::Error::WithDepth { err, .. }
        | ignore::Error::WithLineNumber { err, .. } => is_loop(err),
        _ => false,
    }
}
