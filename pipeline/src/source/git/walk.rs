//! What changes between two trees of a repository, as far as it belongs to the index.

use std::cmp::Ordering;
use std::path::Path;

use gix::ObjectId;
use gix::objs::TreeRefIter;
use gix::objs::tree::{EntryRef, name_order};
use ignore::Match;
use ignore::overrides::Override;

use super::objects::{Handle, Objects, reason};
use crate::path::RelPath;
use crate::source::{ScanOptions, SourceError};

/// What a path of the index holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// A file.
    Blob(ObjectId),
    /// A commit of another repository.
    Submodule,
}

/// A path that holds something else; nothing if it holds nothing any more.
pub(super) type Change = (RelPath, Option<Held>);

/// Which paths belong to the index.
pub(super) struct Selection {
    /// The globs of the job.
    pub(super) overrides: Override,
    /// Whether to take files and folders whose name begins with a dot.
    pub(super) hidden: bool,
}

impl Selection {
    /// Whether a path is taken. Globs decide first, as in a walk of a folder: one that
    /// includes a path takes it even if its name begins with a dot.
    fn takes(&self, path: &[u8], is_directory: bool) -> bool {
        let matched = match gix::path::from_byte_slice(path) {
            Ok(path) => self.overrides.matched(path, is_directory),
            Err(_) => self.overrides.matched(Path::new(RelPath::from_bytes(path).as_str()), is_directory),
        };
        match matched {
            Match::Ignore(_) => false,
            Match::Whitelist(_) => true,
            Match::None => self.hidden || !name_of(path).starts_with(b"."),
        }
    }
}

fn name_of(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// All that changes from one tree to another. Trees are entered only where their ids
/// differ, and no blob is read.
pub(super) fn changes(
    objects: &Objects,
    selection: &Selection,
    before: Option<ObjectId>,
    after: ObjectId,
    options: &ScanOptions,
) -> Result<Vec<Change>, SourceError> {
    objects.with(|handle| {
        let mut walk = Walk { objects, handle, selection, options, path: Vec::new(), changes: Vec::new() };
        walk.trees(before, Some(after))?;
        Ok(walk.changes)
    })
}

struct Walk<'a> {
    objects: &'a Objects,
    handle: &'a Handle,
    selection: &'a Selection,
    options: &'a ScanOptions,
    path: Vec<u8>,
    changes: Vec<Change>,
}

impl Walk<'_> {
    fn trees(&mut self, before: Option<ObjectId>, after: Option<ObjectId>) -> Result<(), SourceError> {
        if before == after {
            return Ok(());
        }
        self.options.interrupt.check()?;
        let (old, new) = (self.read(before)?, self.read(after)?);
        let (mut old, mut new) = (entries(before, &old).peekable(), entries(after, &new).peekable());
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => return Ok(()),
                (None, Some(_)) => Ordering::Greater,
                (Some(Ok(old)), Some(Ok(new))) => {
                    name_order(old.filename, old.mode.is_tree(), new.filename, new.mode.is_tree())
                }
                // An entry that cannot be decoded ends the walk, whichever side it is on.
                _ => Ordering::Less,
            };
            let was = if order == Ordering::Greater { None } else { old.next() };
            let is = if order == Ordering::Less { None } else { new.next() };
            let was = was.transpose().map_err(|error| self.malformed(before, &error))?;
            let is = is.transpose().map_err(|error| self.malformed(after, &error))?;
            self.entry(was, is)?;
        }
    }

    fn read(&self, tree: Option<ObjectId>) -> Result<Vec<u8>, SourceError> {
        let mut data = Vec::new();
        match tree {
            // The empty tree need not be stored.
            Some(tree) if !tree.is_empty_tree() => self.objects.read_tree(self.handle, tree, &mut data)?,
            _ => {}
        }
        Ok(data)
    }

    fn malformed(&self, tree: Option<ObjectId>, error: &gix::Error) -> SourceError {
        let object = tree.map_or_else(|| "tree".into(), |tree| format!("tree {tree}"));
        SourceError::Object { repository: self.objects.place().to_owned(), object, reason: reason(error) }
    }

    /// Compares what stands under one name before and after.
    fn entry(&mut self, was: Option<EntryRef<'_>>, is: Option<EntryRef<'_>>) -> Result<(), SourceError> {
        let Some(either) = was.or(is).filter(|entry| can_be_checked_out(entry.filename)) else { return Ok(()) };
        let length = self.path.len();
        if length > 0 {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(either.filename);
        // In git's order a file and a directory of one name are two entries.
        if either.mode.is_tree() {
            if self.selection.takes(&self.path, true) {
                let id = |entry: EntryRef<'_>| entry.oid.to_owned();
                self.trees(was.map(id), is.map(id))?;
            }
        } else {
            let (was, is) = (was.and_then(|entry| self.held(entry)), is.and_then(|entry| self.held(entry)));
            if was != is {
                self.changes.push((RelPath::from_bytes(&self.path), is));
            }
        }
        self.path.truncate(length);
        Ok(())
    }

    /// What the index takes of an entry that is no directory.
    fn held(&self, entry: EntryRef<'_>) -> Option<Held> {
        let (held, taken) = if entry.mode.is_blob() {
            (Held::Blob(entry.oid.to_owned()), true)
        } else if entry.mode.is_commit() {
            // A folder in a checkout, and yet one path of the index.
            (Held::Submodule, self.selection.takes(&self.path, true))
        } else {
            return None;
        };
        (taken && self.selection.takes(&self.path, false)).then_some(held)
    }
}

fn entries(tree: Option<ObjectId>, data: &[u8]) -> TreeRefIter<'_> {
    TreeRefIter::from_bytes(data, tree.map_or(gix::hash::Kind::Sha1, |tree| tree.kind()))
}

/// Whether git would write a file of that name to a work tree. Trees that hold another
/// were made to do harm.
fn can_be_checked_out(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.eq_ignore_ascii_case(b".git") && !name.contains(&b'/')
}
