//! The `directory` source: a folder on disk, scanned into a Merkle tree.

mod listing;
mod read;
mod repository;
mod rules;
mod targets;
mod walk;
mod worktrees;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rayon::prelude::*;

use self::read::hash_file;
use self::targets::Targets;
use self::walk::Met;
use super::{LastScan, Origin, Scan, ScanMeasures, ScanOptions, Source, SourceError};
use crate::interrupt::Interrupted;
use crate::measure::thread_cpu;
use crate::merkle::{Leaf, Tree};
use crate::path::RelPath;
#[cfg(unix)]
use crate::path::unescape_path;
use crate::sink::RowId;

/// A folder, and which of its files belong to the index.
///
/// In a git work tree these are the files that `git ls-files --cached --others --exclude-standard`
/// lists: rules end at the boundary of a repository, and a tracked file is taken whatever they
/// say. Outside of one, `.gitignore` files in the folder hold all the same. `.ignore` files hold
/// everywhere in it, and weigh more. Nested repositories are entered; linked worktrees of a
/// repository that the folder holds already are not. Folders that hold an index never are.
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
    /// Whether to enter linked worktrees of a repository of which the folder holds another
    /// checkout.
    pub linked_worktrees: bool,
    /// Whether to take files that `.gitattributes` marks `linguist-generated` or `linguist-vendored`.
    pub generated: bool,
    /// The largest file to take, in bytes.
    pub max_file_bytes: u64,
    /// Folders that are never entered, such as the index itself.
    pub skip: Vec<PathBuf>,
}

impl Source for DirectorySource {
    /// Walks the folder, and reads and hashes each file for which the last epoch does not
    /// vouch.
    fn scan(&self, last: Option<&LastScan<'_>>, options: &ScanOptions) -> Result<Scan, SourceError> {
        let is_of_a_folder = |known: &&Tree| !known.is_empty() && !known.is_over_refs;
        self.examine(last.map(|last| last.tree).filter(is_of_a_folder), None, options)
    }

    /// Goes the way to each changed path, as a scan of the whole folder would, and examines
    /// what lies there and below.
    fn rescan(&self, last: &LastScan<'_>, changed: &[PathBuf], options: &ScanOptions) -> Result<Scan, SourceError> {
        match Targets::of(self, last.tree, changed) {
            Some(targets) if !last.tree.is_over_refs => self.examine(Some(last.tree), Some(&targets), options),
            _ => self.scan(Some(last), options),
        }
    }

    fn origin(&self, file: &RowId) -> Origin {
        Origin::File(self.location(&file.path))
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

    /// Scans the whole folder, or the targets alone.
    fn examine(
        &self,
        known: Option<&Tree>,
        targets: Option<&Targets>,
        options: &ScanOptions,
    ) -> Result<Scan, SourceError> {
        let root_error = |reason| SourceError::Root { root: self.root.clone(), reason };
        let metadata = std::fs::metadata(&self.root).map_err(root_error)?;
        if !metadata.is_dir() {
            return Err(root_error(std::io::Error::from(ErrorKind::NotADirectory)));
        }
        // Taken before the walk: whatever changes from here on is racy.
        let scanned_ns = SystemTime::now().duration_since(UNIX_EPOCH).ok();
        let scanned_ns = scanned_ns.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or_default();
        let mut walked = self.walk(known, targets, options)?;
        let met = std::mem::take(&mut walked.met);

        let (files_read, bytes_read) = (AtomicU64::new(0), AtomicU64::new(0));
        let leaf_of = |met: Met| -> Result<_, Interrupted> {
            options.interrupt.check()?;
            let leaf = met.found.map_or_else(
                |noted| noted,
                |stat| {
                    let (leaf, read) = hash_file(&met.location, stat, self.max_file_bytes);
                    files_read.fetch_add(1, Ordering::Relaxed);
                    bytes_read.fetch_add(read, Ordering::Relaxed);
                    leaf
                },
            );
            Ok((met.path, leaf))
        };
        let found: Vec<(RelPath, Leaf)> =
            if options.threads == 1 { met.into_iter().map(leaf_of).collect() } else { hash_all(met, leaf_of) }?;
        let tree = match known {
            None => Tree::build(found, scanned_ns),
            Some(known) => {
                let everything = [RelPath::from("")];
                let below = targets.map_or(&everything[..], Targets::paths).iter().map(RelPath::as_str);
                let gone = walked.seen.missing(known, below).into_iter().map(|path| (path, None));
                let changed = found.into_iter().filter(|(path, leaf)| known.get(path.as_str()) != Some(leaf));
                let mut tree = known.patched(gone.chain(changed.map(|(path, leaf)| (path, Some(leaf)))).collect());
                // What was not examined is as old as it was. What was, and is newer than that,
                // is read once more by the next scan of the whole folder.
                if targets.is_none() {
                    tree.scanned_ns = scanned_ns;
                }
                tree
            }
        };
        let measures = ScanMeasures {
            files: tree.len() as u64,
            files_read: files_read.into_inner(),
            bytes_read: bytes_read.into_inner(),
            ignored: walked.ignored,
            hidden: walked.hidden,
        };
        let notices = walked.notices;
        Ok(Scan { tree, revision: None, refs: Vec::new(), selection: None, notices, measures })
    }
}

/// Hashes files on all cores; on more threads than that where reads wait, as from a network mount.
fn hash_all(
    mut met: Vec<Met>,
    leaf_of: impl Fn(Met) -> Result<(RelPath, Leaf), Interrupted> + Sync + Send,
) -> Result<Vec<(RelPath, Leaf)>, Interrupted> {
    /// Files that tell whether reads wait.
    const PROBED: usize = 16;
    /// A read that waits longer than this, on average, waits for something else than a core.
    const LONG: Duration = Duration::from_millis(1);
    const READERS: usize = 64;
    let rest = met.split_off(met.len().min(PROBED));
    let waited = AtomicU64::new(0);
    let count = u32::try_from(met.len()).unwrap_or(u32::MAX).max(1);
    let probe = |met| {
        let (started, cpu) = (Instant::now(), thread_cpu());
        let leaf = leaf_of(met);
        let idle = started.elapsed().saturating_sub(thread_cpu().saturating_sub(cpu));
        waited.fetch_add(u64::try_from(idle.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        leaf
    };
    let mut found: Vec<(RelPath, Leaf)> = met.into_par_iter().map(probe).collect::<Result<_, Interrupted>>()?;
    let waits = Duration::from_nanos(waited.into_inner()) / count > LONG;
    // Without more threads it goes on with those that there are.
    let wide = waits.then(|| rayon::ThreadPoolBuilder::new().num_threads(READERS).build().ok()).flatten();
    let hash = || {
        rest.into_par_iter()
            .with_min_len(if waits { 1 } else { 8 })
            .map(leaf_of)
            .collect::<Result<Vec<_>, Interrupted>>()
    };
    found.extend(match wide {
        Some(pool) => pool.install(hash)?,
        None => hash()?,
    });
    Ok(found)
}

/// The path of bytes that an escaped path stands for; nothing where no name is escaped.
#[cfg(unix)]
fn unescape(path: &str) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    unescape_path(path).map(|raw| std::ffi::OsString::from_vec(raw).into())
}

#[cfg(not(unix))]
fn unescape(_path: &str) -> Option<PathBuf> {
    None
}

#[cfg(test)]
mod tests;
