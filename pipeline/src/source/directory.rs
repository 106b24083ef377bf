//! The `directory` source: a folder on disk, scanned into a Merkle tree.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use ignore::{DirEntry, WalkBuilder, WalkState};
use rayon::prelude::*;

use super::select::{self, too_large};
use super::{Origin, Scan, ScanMeasures, Source, SourceError};
use crate::diagnostic::Severity;
use crate::hash::Hash;
use crate::index::CommitRecord;
use crate::merkle::{Leaf, Stat, Tree};
use crate::path::RelPath;
#[cfg(unix)]
use crate::path::unescape_name;

/// A folder, and which of its files belong to the index.
///
/// `.gitignore`, `.ignore` and git's own excludes are honoured, inside and outside of a
/// git work tree.
#[derive(Clone, Debug)]
pub struct DirectorySource {
    /// The folder.
    pub root: PathBuf,
    /// Globs of files to take; all if empty.
    pub include: Vec<String>,
    /// Globs of files and folders to leave out.
    pub exclude: Vec<String>,
    /// Whether to take files and folders whose name begins with a dot.
    pub hidden: bool,
    /// Whether to follow symbolic links; if not, they are left out.
    pub follow_links: bool,
    /// The largest file to take, in bytes.
    pub max_file_bytes: u64,
    /// Folders that are never entered, such as the index itself.
    pub skip: Vec<PathBuf>,
}

/// A file that the walk met.
struct Met {
    path: RelPath,
    location: PathBuf,
    found: Result<Stat, Leaf>,
}

impl Source for DirectorySource {
    /// Walks the folder, and reads and hashes each file for which the last epoch does not
    /// vouch.
    fn scan(&self, known: Option<(&CommitRecord, &Tree)>, threads: usize) -> Result<Scan, SourceError> {
        let root_error = |reason| SourceError::Root { root: self.root.clone(), reason };
        let metadata = std::fs::metadata(&self.root).map_err(root_error)?;
        if !metadata.is_dir() {
            return Err(root_error(std::io::Error::from(ErrorKind::NotADirectory)));
        }
        // Taken before the walk: whatever changes from here on is racy.
        let scanned_ns = SystemTime::now().duration_since(UNIX_EPOCH).ok();
        let scanned_ns = scanned_ns.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or_default();
        let met = self.walk(threads)?;

        let (files_read, bytes_read) = (AtomicU64::new(0), AtomicU64::new(0));
        let leaf_of = |met: Met| {
            let leaf = match met.found {
                Err(noted) => noted,
                Ok(stat) => {
                    match known.and_then(|(_, known)| Some((known.get(met.path.as_str())?, known.scanned_ns))) {
                        Some((leaf, scanned_ns)) if vouches(leaf, &stat, scanned_ns) => leaf.clone(),
                        _ => {
                            let (leaf, read) = hash_file(&met.location, stat, self.max_file_bytes);
                            files_read.fetch_add(1, Ordering::Relaxed);
                            bytes_read.fetch_add(read, Ordering::Relaxed);
                            leaf
                        }
                    }
                }
            };
            (met.path, leaf)
        };
        let files: Vec<(RelPath, Leaf)> = if threads == 1 {
            met.into_iter().map(leaf_of).collect()
        } else {
            met.into_par_iter().with_min_len(8).map(leaf_of).collect()
        };
        let tree = Tree::build(files, scanned_ns);
        let measures = ScanMeasures {
            files: tree.len() as u64,
            files_read: files_read.into_inner(),
            bytes_read: bytes_read.into_inner(),
        };
        Ok(Scan { tree, revision: None, selection: None, measures })
    }

    fn origin(&self, path: &RelPath) -> Origin {
        Origin::File(self.location(path))
    }

    fn place(&self) -> &Path {
        &self.root
    }
}

impl DirectorySource {
    /// Where the file of that path lies. The path must come from a scan of this source.
    #[must_use]
    pub fn location(&self, path: &RelPath) -> PathBuf {
        match unescape(path.as_str()) {
            Some(raw) => self.root.join(raw),
            None => self.root.join(path.as_str()),
        }
    }

    fn walk(&self, threads: usize) -> Result<Vec<Met>, SourceError> {
        let overrides = select::overrides(&self.root, &self.include, &self.exclude)?;
        let skip = self.skip.clone();
        let mut builder = WalkBuilder::new(&self.root);
        builder
            .overrides(overrides)
            .hidden(!self.hidden)
            .follow_links(self.follow_links)
            .require_git(false)
            .threads(threads)
            .filter_entry(move |entry| entry.file_name() != ".git" && !skip.iter().any(|path| path == entry.path()));
        if threads == 1 {
            return Ok(builder.build().filter_map(|entry| self.meet(entry)).collect());
        }
        let all = Mutex::new(Vec::new());
        builder.build_parallel().run(|| {
            let mut gathered = Gathered { mine: Vec::new(), all: &all };
            Box::new(move |entry| {
                gathered.mine.extend(self.meet(entry));
                WalkState::Continue
            })
        });
        Ok(all.into_inner().unwrap_or_default())
    }

    /// What a walk's entry is to the index; nothing for folders and special files.
    fn meet(&self, entry: Result<DirEntry, ignore::Error>) -> Option<Met> {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return self.meet_error(&error),
        };
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            return None;
        }
        let path = RelPath::from_relative(entry.path().strip_prefix(&self.root).ok()?);
        let found = match entry.metadata() {
            Err(error) => Err(unreadable(Stat::default(), &error.to_string())),
            Ok(metadata) => {
                let stat = Stat::of(&metadata);
                match select::refused(path.as_str(), stat, self.max_file_bytes) {
                    Some(noted) => Err(noted),
                    None => Ok(stat),
                }
            }
        };
        Some(Met { path, location: entry.into_path(), found })
    }

    /// A folder that cannot be listed, or a loop of links, stands in the tree as a note.
    fn meet_error(&self, error: &ignore::Error) -> Option<Met> {
        let location = error_path(error)?.to_owned();
        let relative = location.strip_prefix(&self.root).ok().filter(|path| !path.as_os_str().is_empty())?;
        let path = RelPath::from_relative(relative);
        let leaf = if is_loop(error) {
            let message = "not followed: this symbolic link leads back to a folder that contains it".to_owned();
            Leaf::noted(Stat::default(), Severity::Note, "link_loop", message)
        } else {
            let reason = error.io_error().map_or_else(|| error.to_string(), reason_of);
            unreadable(Stat::default(), &reason)
        };
        Some(Met { path, location, found: Err(leaf) })
    }
}

/// A walking thread's finds, handed over once, when the thread ends.
struct Gathered<'a> {
    mine: Vec<Met>,
    all: &'a Mutex<Vec<Met>>,
}

impl Drop for Gathered<'_> {
    fn drop(&mut self) {
        if let Ok(mut all) = self.all.lock() {
            all.append(&mut self.mine);
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

/// The operating system's words without its number, which differs between systems.
fn reason_of(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => "permission denied".into(),
        ErrorKind::NotFound => "it is gone".into(),
        _ => error.to_string(),
    }
}

fn unreadable(stat: Stat, reason: &str) -> Leaf {
    // No stat data is kept: the next run looks again.
    let size = Stat { bytes: stat.bytes, ..Stat::default() };
    let message = format!("cannot be read: {reason}; make it readable, or leave it out with `source.exclude`");
    Leaf::noted(size, Severity::Error, "unreadable", message)
}

/// Whether a leaf of the last epoch still tells what the file holds: its stat data is
/// the same, and its times are older than the scan that recorded them (git's racy rule:
/// a file written within the clock's resolution after it was read looks unchanged).
fn vouches(leaf: &Leaf, stat: &Stat, scanned_ns: i64) -> bool {
    leaf.note.is_none() && leaf.stat == *stat && stat.modified_ns < scanned_ns && stat.changed_ns < scanned_ns
}

/// Reads and hashes a file. Gives its leaf and the number of bytes read.
fn hash_file(location: &Path, met: Stat, limit: u64) -> (Leaf, u64) {
    let read = || -> std::io::Result<(Stat, Vec<u8>, Stat)> {
        let mut file = File::open(location)?;
        let before = Stat::of(&file.metadata()?);
        let mut bytes = Vec::with_capacity(usize::try_from(before.bytes.min(limit)).unwrap_or_default() + 1);
        file.by_ref().take(limit + 1).read_to_end(&mut bytes)?;
        Ok((before, bytes, Stat::of(&file.metadata()?)))
    };
    match read() {
        Err(error) => (unreadable(met, &reason_of(&error)), 0),
        Ok((_, bytes, after)) if bytes.len() as u64 > limit => (too_large(after, limit), bytes.len() as u64),
        Ok((before, bytes, after)) => {
            // A file that changed meanwhile is looked at again next time.
            let stat = if before == after { after } else { Stat::default() };
            (Leaf { content_hash: Hash::of(&bytes), stat, note: None }, bytes.len() as u64)
        }
    }
}

/// The path of bytes that an escaped path stands for; nothing where no name is escaped.
#[cfg(unix)]
fn unescape(path: &str) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    if !path.contains("\\x") {
        return None;
    }
    let names = path.split('/').map(|name| unescape_name(name).unwrap_or_else(|| name.into()));
    Some(names.map(std::ffi::OsString::from_vec).collect())
}

#[cfg(not(unix))]
fn unescape(_path: &str) -> Option<PathBuf> {
    None
}

#[cfg(test)]
mod tests;
