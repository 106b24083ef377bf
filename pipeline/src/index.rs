//! The index folder and its commit point.
//!
//! ```text
//! LOCK                     one writer: an OS lock that dies with its process
//! HEAD                     the newest commit record's epoch, replaced by rename
//! HEAD.check               the same with a checksum, written after it
//! VERIFY                   asks the next run to verify all checksums first
//! commits/<epoch>.json     what the epoch is: Merkle root, fingerprints, a token per sink, a seal per file
//! commits/<epoch>.revision a later revision of the source that holds the same
//! merkle/<epoch>           the tree, with its stat cache
//! journal/                 vectors of an epoch that is not committed yet
//! runs/<n>.json            one report per run
//! <sink>/                  what belongs to each sink
//! <sink>.rebuild/          a damaged sink that is being built anew
//! ```
//!
//! An epoch exists when `HEAD` names it: replacing `HEAD` is the only commit point.
//! Whatever lies in the folder beyond that was never there.

mod atomic;
mod checked;
mod journal;
mod renamed;
mod seal;
mod shared;

pub(crate) use journal::Journal;
pub(crate) use seal::seal;
pub use seal::{Damage, Fault, Seal, Seals};
pub(crate) use shared::SharedVectors;
pub use shared::damaged_vectors;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use gristmill_ids::{Epoch, Fingerprint, Hash};
use serde::{Deserialize, Serialize};

use crate::merkle::Tree;
use crate::sink::{StagedRows, Token};
use crate::source::{LastScan, RefRevision};

/// The version of the folder's layout that this code reads and writes.
pub const FORMAT: u32 = 2;

/// The record of one epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommitRecord {
    /// The layout's version; see [`FORMAT`].
    pub format: u32,
    /// The epoch.
    pub epoch: Epoch,
    /// When it was committed, in milliseconds since 1970.
    pub committed_ms: u64,
    /// The root hash of its Merkle tree.
    pub merkle_root: Hash,
    /// The number of files in its Merkle tree.
    pub files: u64,
    /// The folder that was indexed.
    pub source: PathBuf,
    /// The revision that it holds, where the source has revisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Box<str>>,
    /// The refs that it holds, where it holds several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refs: Vec<RefRevision>,
    /// Hash of all that decided which files of the revision it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<Hash>,
    /// The views that it has, each with its fingerprint.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub views: BTreeMap<Box<str>, Fingerprint>,
    /// Hash of all that decides a content's definitions and chunks.
    pub analysis: Fingerprint,
    /// Hash of all that decides what rows a content leads to.
    pub rows: Fingerprint,
    /// For each sink what found its state, and what it was built by.
    pub sinks: BTreeMap<String, SinkRecord>,
    /// For each sink its token: the same as in `sinks`, where other programs look.
    pub tokens: BTreeMap<String, Token>,
    /// The files that the tokens reach, by which damage to them is found.
    pub seals: Seals,
}

impl CommitRecord {
    /// What a source can use of the epoch, given its tree.
    #[must_use]
    pub fn last_scan<'a>(&'a self, tree: &'a Tree) -> LastScan<'a> {
        LastScan {
            tree,
            merkle_root: self.merkle_root,
            place: &self.source,
            revision: self.revision.as_deref(),
            refs: &self.refs,
            selection: self.selection,
        }
    }
}

/// What a commit record says about one sink.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SinkRecord {
    /// The sink's name in configuration, such as `lance`.
    pub kind: String,
    /// Hash of the sink's own fingerprint and its ports.
    pub shape: Fingerprint,
    /// The fingerprint of the embed stage whose vectors it stores, with the header.
    pub embed: Option<Fingerprint>,
    /// The lineage of the stage whose chunks it stores, if the job has several such stages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunks: Option<Fingerprint>,
    /// How many components these vectors have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<usize>,
    /// Rows that the epoch added and deleted.
    pub staged: StagedRows,
}

/// The index folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Another process writes to it.
    #[error("the index {folder} is being written by another process; wait for it to end, or use another index folder")]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// It holds something else.
    #[error("{folder} is not empty and is no index; choose another folder with `index.path` or `--index`")]
    NotAnIndex {
        /// The folder.
        folder: PathBuf,
    },
    /// There is no such folder, or no epoch in it.
    #[error("there is no index at {folder}; build one with `gristmill run`")]
    Missing {
        /// The folder.
        folder: PathBuf,
    },
    /// A newer program wrote it.
    #[error(
        "the index {folder} has format {found}, and this program reads format {FORMAT}; use the program that wrote it, or another folder"
    )]
    Newer {
        /// The folder.
        folder: PathBuf,
        /// Its format.
        found: u32,
    },
    /// An older program wrote it.
    #[error(
        "the index {folder} has format {found}, and this program reads format {FORMAT}; rebuild it with `gristmill run --full`"
    )]
    Older {
        /// The folder.
        folder: PathBuf,
        /// Its format.
        found: u32,
    },
    /// An epoch is not there.
    #[error("the index {folder} has no epoch {epoch}; `gristmill history` lists those that it has")]
    NoEpoch {
        /// The folder.
        folder: PathBuf,
        /// The epoch.
        epoch: Epoch,
    },
    /// A file of it is damaged.
    #[error("{path} is damaged: {reason}; rebuild what is damaged with `gristmill run --verify`")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file system refused.
    #[error("{action} {path}: {reason}")]
    Io {
        /// What was tried, such as `cannot write`.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> IndexError {
    let path = path.to_owned();
    move |reason| IndexError::Io { action, path, reason }
}

/// An index folder, opened for reading.
#[derive(Clone, Debug)]
pub struct IndexFolder {
    path: PathBuf,
}

impl IndexFolder {
    /// A folder that may hold an index, not looked at yet.
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Opens a folder that holds an index, for reading. Readers take no lock.
    ///
    /// # Errors
    /// If there is none, or it is of a newer format.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        let folder = Self::at(path);
        match folder.head()? {
            Some(_) => Ok(folder),
            None => Err(IndexError::Missing { folder: path.to_owned() }),
        }
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of the sink of that name.
    #[must_use]
    pub fn sink(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The newest epoch's record; `None` if there is no epoch yet.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn head(&self) -> Result<Option<CommitRecord>, IndexError> {
        let Some(epoch) = self.head_epoch()? else { return Ok(None) };
        match self.record(epoch) {
            Err(IndexError::NoEpoch { .. }) => {
                let reason = format!("it names epoch {epoch}, of which there is no record");
                Err(IndexError::Damaged { path: self.path.join("HEAD"), reason })
            }
            record => record.map(Some),
        }
    }

    /// The newest epoch's number; `None` if there is no epoch yet.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn head_epoch(&self) -> Result<Option<Epoch>, IndexError> {
        // Before `HEAD`, which moves first: so it never names less than what is read here.
        let committed = self.committed();
        let path = self.path.join("HEAD");
        let text = match read_text(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound || error.kind() == ErrorKind::NotADirectory => {
                return Ok(None);
            }
            Err(error) => return Err(io_error("cannot read", &path)(error)),
        };
        let damaged = |reason: String| IndexError::Damaged { path, reason };
        let Ok(epoch) = text.trim().parse() else { return Err(damaged("it names no epoch".into())) };
        match committed.filter(|committed| *committed > epoch) {
            None => Ok(Some(epoch)),
            Some(committed) => Err(damaged(format!("it names epoch {epoch}, and epoch {committed} was committed"))),
        }
    }

    /// The newest epoch that was committed for certain, by a file with a checksum: `HEAD` is a number alone, which
    /// scripts read, and a flipped digit would be another epoch.
    fn committed(&self) -> Option<Epoch> {
        checked::parse_head(&read_text(&self.path.join(CHECK)).ok()?).ok()
    }

    /// The record of an epoch.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    pub fn record(&self, epoch: Epoch) -> Result<CommitRecord, IndexError> {
        let path = self.record_path(epoch);
        let mut record = self.record_as_committed(epoch)?;
        let newer_name = renamed::beside(&path);
        match renamed::apply(&newer_name, &mut record) {
            Ok(()) => Ok(record),
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                Err(IndexError::Damaged { path: newer_name, reason: error.to_string() })
            }
            Err(error) => Err(io_error("cannot read", &newer_name)(error)),
        }
    }

    /// The record of an epoch without the names that its revision took later.
    fn record_as_committed(&self, epoch: Epoch) -> Result<CommitRecord, IndexError> {
        let path = self.record_path(epoch);
        let text = match read_text(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(IndexError::NoEpoch { folder: self.path.clone(), epoch });
            }
            Err(error) => return Err(io_error("cannot read", &path)(error)),
        };
        let damaged = |reason: String| IndexError::Damaged { path: path.clone(), reason };
        // The format comes first: a newer record may not read as one of ours.
        match format_of(&text).map_err(|error| damaged(error.to_string()))? {
            found if found > FORMAT => return Err(IndexError::Newer { folder: self.path.clone(), found }),
            found if found < FORMAT => return Err(IndexError::Older { folder: self.path.clone(), found }),
            _ => {}
        }
        if !checked::is_whole(&text) {
            return Err(damaged("its checksum does not match".into()));
        }
        let record: CommitRecord = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        if record.epoch != epoch {
            return Err(damaged(format!("it is the record of epoch {}", record.epoch)));
        }
        Ok(record)
    }

    /// The newest epoch whose record is whole and whose files have their lengths, whatever `HEAD` says.
    pub(crate) fn newest_whole(&self) -> Option<CommitRecord> {
        let mut numbers = numbered(&self.path.join("commits")).ok()?;
        numbers.sort_unstable();
        let record = |number: &u64| self.record_as_committed(Epoch::new(*number)).ok();
        numbers.iter().rev().filter_map(record).find(|record| self.damages(record).is_empty())
    }

    /// Files that an epoch reaches and that are missing or have another length than they were committed with. Takes
    /// about a microsecond a file.
    #[must_use]
    pub fn damages(&self, record: &CommitRecord) -> Vec<Damage> {
        seal::damages(&self.path, &record.seals, false)
    }

    /// The seals of files that epochs before the newest reach, and the newest does not.
    pub(crate) fn past_seals(&self) -> Seals {
        let mut seals = Seals::new();
        let Ok(numbers) = self.epoch_numbers() else { return seals };
        let Some((newest, older)) = numbers.split_last() else { return seals };
        for record in older.iter().filter_map(|number| self.record_as_committed(*number).ok()) {
            seals.extend(record.seals);
        }
        if let Ok(newest) = self.record_as_committed(*newest) {
            seals.retain(|file, _| !newest.seals.contains_key(file));
        }
        seals
    }

    /// Refuses an epoch with [damaged files](Self::damages).
    ///
    /// # Errors
    /// If a file of it is missing or has another length.
    pub fn check(&self, record: &CommitRecord) -> Result<(), IndexError> {
        match self.damages(record).into_iter().next() {
            None => Ok(()),
            Some(Damage { path, fault }) => {
                Err(IndexError::Damaged { path: self.path.join(path), reason: fault.to_string() })
            }
        }
    }

    /// Reads all that an epoch reaches, and compares it with its checksums. Key runs are not among it; their sink
    /// has checksums of its own in them.
    #[must_use]
    pub fn verify(&self, record: &CommitRecord) -> Vec<Damage> {
        let mut damages = seal::damages(&self.path, &record.seals, true);
        if read_text(&self.path.join("HEAD")).is_ok_and(|text| text != format!("{}\n", text.trim())) {
            let fault = Fault::Unreadable("is not a number and a line feed".into());
            damages.push(Damage { path: "HEAD".into(), fault });
        }
        if let Err(error) = self.tree(record) {
            let path = Path::new("merkle").join(record.epoch.to_string());
            let fault = match error {
                IndexError::Io { reason, .. } if reason.kind() == ErrorKind::NotFound => Fault::Missing,
                IndexError::Damaged { reason, .. } => Fault::Unreadable(reason),
                error => Fault::Unreadable(error.to_string()),
            };
            damages.push(Damage { path, fault });
        }
        damages
    }

    /// The records of all epochs that are kept, oldest first.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn epochs(&self) -> Result<Vec<CommitRecord>, IndexError> {
        let record = |number: Epoch| match self.record(number) {
            // It was given up since it was listed.
            Err(IndexError::NoEpoch { .. }) => None,
            record => Some(record),
        };
        self.epoch_numbers()?.into_iter().filter_map(record).collect()
    }

    /// The numbers of all epochs that are kept, ascending.
    pub(crate) fn epoch_numbers(&self) -> Result<Vec<Epoch>, IndexError> {
        let newest = self.head_epoch()?.unwrap_or(Epoch::NONE);
        let numbers = numbered(&self.path.join("commits"))?;
        let mut numbers: Vec<Epoch> = numbers.into_iter().map(Epoch::new).collect();
        // A record beyond `HEAD` is left over from an epoch that was never committed.
        numbers.retain(|number| *number <= newest);
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The bytes of all its files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        bytes_under(&self.path)
    }

    /// The Merkle tree of an epoch.
    ///
    /// # Errors
    /// If it cannot be read, is damaged, or is not the tree that the record names.
    pub fn tree(&self, record: &CommitRecord) -> Result<Tree, IndexError> {
        let path = self.path.join("merkle").join(record.epoch.to_string());
        let bytes = std::fs::read(&path).map_err(io_error("cannot read", &path))?;
        let mut tree = Tree::from_bytes(&bytes)
            .map_err(|error| IndexError::Damaged { path: path.clone(), reason: error.to_string() })?;
        tree.is_over_refs = !record.refs.is_empty();
        if tree.root_hash() != record.merkle_root {
            return Err(IndexError::Damaged { path, reason: "its root hash is not that of the commit record".into() });
        }
        Ok(tree)
    }

    fn record_path(&self, epoch: Epoch) -> PathBuf {
        self.path.join("commits").join(format!("{epoch}.json"))
    }

    /// Keeps an epoch from being collected until the file is closed: whoever collects asks
    /// for a lock of its record.
    ///
    /// # Errors
    /// If it is not there.
    pub fn pin(&self, epoch: Epoch) -> Result<File, IndexError> {
        let path = self.record_path(epoch);
        let file = File::open(&path).ok().filter(|file| file.try_lock_shared().is_ok());
        // It may have been deleted between the two.
        let file = file.filter(|_| path.exists());
        file.ok_or_else(|| IndexError::NoEpoch { folder: self.path.clone(), epoch })
    }

    /// Reports of past runs, oldest first: the run's number, and the report as JSON.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn runs(&self) -> Result<Vec<(u64, String)>, IndexError> {
        let folder = self.path.join("runs");
        let mut numbers = numbered(&folder)?;
        numbers.sort_unstable();
        let read = |number: u64| {
            let path = folder.join(format!("{number}.json"));
            match read_text(&path) {
                Ok(report) => Some(Ok((number, report))),
                // A run dropped it since it was listed.
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                Err(error) => Some(Err(io_error("cannot read", &path)(error))),
            }
        };
        numbers.into_iter().filter_map(read).collect()
    }
}

#[cfg(unix)]
fn same_file(left: &std::fs::Metadata, right: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (left.dev(), left.ino()) == (right.dev(), right.ino())
}

#[cfg(not(unix))]
fn same_file(_left: &std::fs::Metadata, _right: &std::fs::Metadata) -> bool {
    // An open file cannot be deleted there.
    true
}

/// Reads a file as text. What is no text reads as such that no checksum fits.
fn read_text(path: &Path) -> std::io::Result<String> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        // A folder in its place is damage as well.
        Err(error) if error.kind() == ErrorKind::IsADirectory => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// The format that the text of a record names.
fn format_of(record: &str) -> serde_json::Result<u32> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    serde_json::from_str(record).map(|Format { format }| format)
}

/// The numbers of the `<n>.json` files in a folder.
fn numbered(folder: &Path) -> Result<Vec<u64>, IndexError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_error("cannot list", folder)(error)),
    };
    let number = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.ok()?.file_name().to_str()?.strip_suffix(".json")?.parse().ok()
    };
    Ok(entries.filter_map(number).collect())
}

/// An index folder, locked for writing. Dropping it, or the end of the process by
/// whatever cause, frees the lock.
#[derive(Debug)]
pub struct IndexWriter {
    folder: IndexFolder,
    lock: File,
}

/// Asks the next run on an index to verify all checksums first: for who must end while it writes the index and does
/// not know why, such as a panic hook.
pub fn suspect(index: &Path) {
    // What cannot be written down now shows in the next run, or in `status --verify`.
    let _ = std::fs::write(index.join(SUSPECT), "");
}

const SUSPECT: &str = "VERIFY";

/// See [`IndexFolder::committed`].
const CHECK: &str = "HEAD.check";

/// Where a sink is built anew while another state of it stands.
pub(crate) fn rebuild_folder(index: &Path, sink: &str) -> PathBuf {
    index.join(format!("{sink}.rebuild"))
}

/// Deletes a file or folder if it exists.
fn remove_any(path: &Path) -> Result<(), IndexError> {
    let removed = match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io_error("cannot delete", path)(error)),
        _ => Ok(()),
    }
}

/// The folders that every index has.
const PARTS: [&str; 4] = ["commits", "merkle", "journal", "runs"];

/// How many run reports are kept.
const RUNS_KEPT: u64 = 100;

impl IndexWriter {
    /// Opens a folder for writing, and makes it if it is not there.
    ///
    /// # Errors
    /// If another process writes to it, or it holds something that is no index.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        let is_new = match std::fs::read_dir(path) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == ErrorKind::NotFound => true,
            Err(error) if error.kind() == ErrorKind::NotADirectory => {
                return Err(IndexError::NotAnIndex { folder: path.to_owned() });
            }
            Err(error) => return Err(io_error("cannot list", path)(error)),
        };
        // Every folder that was ever written to has the lock's file, unless somebody deleted it.
        if !is_new && !path.join("LOCK").exists() && !PARTS.iter().all(|part| path.join(part).exists()) {
            return Err(IndexError::NotAnIndex { folder: path.to_owned() });
        }
        // First, or a folder that is left behind here would be no index to the next run.
        std::fs::create_dir_all(path).map_err(io_error("cannot create", path))?;
        let lock_path = path.join("LOCK");
        if lock_path.is_dir() {
            remove_any(&lock_path)?;
        }
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path);
        let lock = lock.map_err(io_error("cannot open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(IndexError::Locked { folder: path.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(io_error("cannot lock", &lock_path)(error)),
        }
        for part in PARTS.map(|part| path.join(part)) {
            if std::fs::symlink_metadata(&part).is_ok_and(|found| !found.is_dir() && !part.is_dir()) {
                std::fs::remove_file(&part).map_err(io_error("cannot delete", &part))?;
            }
            std::fs::create_dir_all(&part).map_err(io_error("cannot create", &part))?;
        }
        // Readers must not be locked out by a folder of a newer format either.
        let folder = IndexFolder::at(path);
        match folder.head() {
            Err(error @ IndexError::Newer { .. }) => Err(error),
            _ => Ok(Self { folder, lock }),
        }
    }

    /// The folder, for reading.
    #[must_use]
    pub fn folder(&self) -> &IndexFolder {
        &self.folder
    }

    /// Stores an epoch's tree, ahead of its record.
    pub(crate) fn write_tree(&self, epoch: Epoch, tree: &Tree) -> Result<(), IndexError> {
        let path = self.folder.path.join("merkle").join(epoch.to_string());
        atomic::replace(&path, &tree.to_bytes()).map_err(io_error("cannot write", &path))
    }

    /// Commits an epoch: writes its record, then moves `HEAD`.
    pub(crate) fn commit(&self, record: &CommitRecord) -> Result<(), IndexError> {
        let path = self.folder.record_path(record.epoch);
        // Of an index that was here before.
        let older_name = renamed::beside(&path);
        renamed::remove(&older_name).map_err(io_error("cannot delete", &older_name))?;
        let json = checked::encode(record)
            .map_err(|error| IndexError::Damaged { path: path.clone(), reason: error.to_string() })?;
        atomic::replace(&path, json.as_bytes()).map_err(io_error("cannot write", &path))?;
        crate::failpoint::reach("commit.before_head");
        self.move_head(record.epoch)
    }

    /// Makes an epoch, whose record is there, the newest.
    fn move_head(&self, epoch: Epoch) -> Result<(), IndexError> {
        let head = self.folder.path.join("HEAD");
        atomic::replace(&head, format!("{epoch}\n").as_bytes()).map_err(io_error("cannot write", &head))?;
        // Not flushed, and no failure: without it a damaged `HEAD` is found less often.
        let check = self.folder.path.join(CHECK);
        let draft = check.with_extension("draft");
        let _ = std::fs::write(&draft, checked::head(epoch)).and_then(|()| std::fs::rename(&draft, &check));
        Ok(())
    }

    /// Makes the newest epoch that is whole the one that `HEAD` names, for when `HEAD`, or the record that it names,
    /// is damaged. A record is written after all that it names, so an epoch that is whole can be the newest even if
    /// `HEAD` never named it. Returns `None` if no epoch is whole.
    pub(crate) fn restore_head(&self) -> Result<Option<CommitRecord>, IndexError> {
        let Some(record) = self.folder.newest_whole() else { return Ok(None) };
        let renamed = renamed::beside(&self.folder.record_path(record.epoch));
        if self.folder.record(record.epoch).is_err() {
            remove_any(&renamed)?;
        }
        self.move_head(record.epoch)?;
        self.folder.record(record.epoch).map(Some)
    }

    /// The largest number of any epoch of which there is a record, whole or not.
    pub(crate) fn largest_number(&self) -> Epoch {
        let numbers = numbered(&self.folder.path.join("commits")).unwrap_or_default();
        Epoch::new(numbers.into_iter().max().unwrap_or_default())
    }

    /// Where a sink is built anew while another state of it stands.
    pub(crate) fn rebuild_folder(&self, sink: &str) -> PathBuf {
        rebuild_folder(&self.folder.path, sink)
    }

    /// Puts what was built anew in the place of a sink. Until `HEAD` moves on, the epoch that it names lacks its
    /// files: should the process die here, the next run finds them missing and builds them again.
    pub(crate) fn swap_in(&self, sink: &str) -> Result<(), IndexError> {
        let (folder, rebuilt, gone) = (self.folder.sink(sink), self.rebuild_folder(sink), self.damaged_folder(sink));
        let rename = |from: &Path, to: &Path| match std::fs::rename(from, to) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(io_error("cannot rename", from)(error)),
            _ => Ok(()),
        };
        remove_any(&gone)?;
        rename(&folder, &gone)?;
        rename(&rebuilt, &folder)?;
        let index = &self.folder.path;
        File::open(index).and_then(|index| index.sync_all()).map_err(io_error("cannot flush", index))
    }

    /// Deletes what rebuilding left of a sink, now or in a run that was killed.
    pub(crate) fn remove_rebuilds(&self, sink: &str) -> Result<(), IndexError> {
        remove_any(&self.rebuild_folder(sink))?;
        remove_any(&self.damaged_folder(sink))
    }

    fn damaged_folder(&self, sink: &str) -> PathBuf {
        self.folder.path.join(format!("{sink}.damaged"))
    }

    /// Whether a run, which ended by a fault, asked for all checksums to be verified.
    pub(crate) fn is_suspect(&self) -> bool {
        self.folder.path.join(SUSPECT).exists()
    }

    /// All checksums were verified, or what they are of was replaced.
    pub(crate) fn clear_suspicion(&self) {
        // Verifying once more does no harm.
        let _ = std::fs::remove_file(self.folder.path.join(SUSPECT));
    }

    /// Whether the folder is still the one that was opened.
    pub(crate) fn is_in_place(&self) -> bool {
        match (self.lock.metadata(), std::fs::metadata(self.folder.path.join("LOCK"))) {
            (Ok(ours), Ok(there)) => same_file(&ours, &there),
            _ => false,
        }
    }

    /// Gives the newest epoch the revision, refs and selection of this record, which is its own
    /// in all else. Readers go on holding it.
    pub(crate) fn rename(&self, record: &CommitRecord) -> Result<(), IndexError> {
        let path = renamed::beside(&self.folder.record_path(record.epoch));
        renamed::write(&path, record).map_err(io_error("cannot write", &path))
    }

    /// The records of epochs that are to be kept: the newest so many, and those that a
    /// reader holds. The others' records are deleted, so that nobody can open them any
    /// more.
    pub(crate) fn give_up_old(&self, keep: u64) -> Result<Vec<CommitRecord>, IndexError> {
        let mut kept = Vec::new();
        for number in self.folder.epoch_numbers()? {
            match self.folder.record(number) {
                Ok(record) => kept.push(record),
                Err(IndexError::NoEpoch { .. }) => {}
                // Nobody can open the epoch.
                Err(IndexError::Damaged { .. } | IndexError::Older { .. }) => {
                    let path = self.folder.record_path(number);
                    remove_any(&path)?;
                    remove_any(&renamed::beside(&path))?;
                }
                Err(error) => return Err(error),
            }
        }
        let newest = kept.last().map_or(Epoch::NONE, |record| record.epoch);
        let mut failed = None;
        kept.retain(|record| {
            let path = self.folder.record_path(record.epoch);
            if newest.get() - record.epoch.get() < keep {
                return true;
            }
            // Locked until it is gone, so that no reader can begin to hold it meanwhile.
            let file = File::open(&path).ok();
            if file.as_ref().is_some_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock))) {
                return true;
            }
            match std::fs::remove_file(&path).and_then(|()| renamed::remove(&renamed::beside(&path))) {
                Ok(()) => false,
                Err(error) => {
                    failed.get_or_insert(io_error("cannot delete", &path)(error));
                    true
                }
            }
        });
        failed.map_or(Ok(kept), Err)
    }

    /// Replaces an epoch's tree by one with equal hashes and fresher stat data.
    pub(crate) fn refresh_tree(&self, record: &CommitRecord, tree: &Tree) -> Result<(), IndexError> {
        debug_assert_eq!(tree.root_hash(), record.merkle_root, "a refresh changes no hash");
        self.write_tree(record.epoch, tree)
    }

    /// Removes trees of epochs older than the newest: only the newest one is diffed
    /// against, and a tree is the largest part of the folder that grows with each epoch.
    pub(crate) fn drop_old_trees(&self, newest: Epoch) {
        let folder = self.folder.path.join("merkle");
        let Ok(entries) = std::fs::read_dir(&folder) else { return };
        for entry in entries.flatten() {
            let epoch: Option<Epoch> = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if epoch.is_none_or(|epoch| epoch.next() < newest) {
                // What stays behind is dropped by a later run.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// Where the journal of vectors lies.
    pub(crate) fn journal_folder(&self) -> PathBuf {
        self.folder.path.join("journal")
    }

    /// Stores a run's report, and drops the oldest beyond a hundred.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_run(&self, report: &[u8]) -> Result<(), IndexError> {
        let folder = self.folder.path.join("runs");
        let numbers = numbered(&folder)?;
        let next = numbers.iter().max().map_or(1, |last| last + 1);
        let path = folder.join(format!("{next}.json"));
        std::fs::write(&path, report).map_err(io_error("cannot write", &path))?;
        for old in numbers.into_iter().filter(|number| number + RUNS_KEPT <= next) {
            let _ = std::fs::remove_file(folder.join(format!("{old}.json")));
        }
        Ok(())
    }
}

/// Whether a folder has the form of an index, or of vectors that indexes share: what is in it
/// belongs to no source.
#[must_use]
pub fn is_index_folder(folder: &Path) -> bool {
    let names = || std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let may_be_one = is_fingerprint(folder) || folder.join("LOCK").is_file();
    may_be_one && is_index_listing(folder, &names().collect::<Vec<_>>())
}

/// See [`is_index_folder`]: whether a folder with these names is one.
pub(crate) fn is_index_listing(folder: &Path, names: &[OsString]) -> bool {
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    if has("LOCK") && PARTS.iter().all(|part| has(part)) {
        return true;
    }
    let is_shared = |name: &OsString| {
        name == "LOCK" || Path::new(name).extension().is_some_and(|found| found == "vectors" || found == "tmp")
    };
    is_fingerprint(folder) && names.iter().all(is_shared)
}

/// Whether a folder is named as those are that hold shared vectors of one embedder.
fn is_fingerprint(folder: &Path) -> bool {
    let is_hex = |name: &str| name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    folder.file_name().and_then(|name| name.to_str()).is_some_and(is_hex)
}

/// The bytes of all files in a folder.
fn bytes_under(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_under(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

#[cfg(test)]
pub(crate) mod tests;
