//! The index folder and its commit point.
//!
//! ```text
//! LOCK                     one writer: an OS lock that dies with its process
//! HEAD                     the newest commit record's epoch, replaced by rename
//! HEAD.check               the same with a checksum, written after it
//! WRITER                   who holds the lock, and how far it is
//! VERIFY                   asks the next run to verify all checksums first
//! commits/<epoch>.json     what the epoch is: Merkle root, fingerprints, a token per sink, a seal per file
//! commits/<epoch>.revision a later revision of the source that holds the same
//! merkle/<epoch>           the tree, with its stat cache
//! journal/                 vectors of an epoch that is not committed yet
//! runs/<n>.json            one report per run
//! <sink>/                  what belongs to each sink
//! <sink>.rebuild/          a damaged sink while it is rebuilt
//! ```
//!
//! An epoch exists when `HEAD` names it: replacing `HEAD` is the only commit point.
//! Whatever lies in the folder beyond that was never there.

mod atomic;
mod checked;
mod journal;
mod presence;
mod record;
mod renamed;
mod seal;
mod shared;
mod writer;

pub(crate) use journal::Journal;
pub use presence::{Writer, writer_of};
pub use record::{CommitRecord, FORMAT, SinkRecord};
pub(crate) use seal::seal;
pub use seal::{Damage, Depth, Fault, Seal, Seals};
pub(crate) use shared::SharedVectors;
pub use shared::damaged_vectors;
pub(crate) use writer::rebuild_folder;
pub use writer::{Cleared, IndexWriter, suspect};

use std::ffi::OsString;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use gristmill_ids::Epoch;
use serde::Deserialize;

use crate::merkle::Tree;

/// The folders that every index has.
const PARTS: [&str; 4] = ["commits", "merkle", "journal", "runs"];

/// See [`IndexFolder::committed`].
const CHECK: &str = "HEAD.check";

/// The index folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Another process writes to it.
    #[error(
        "the index {folder} is being written by {}; wait for it with `--wait`, or use another index folder",
        holder.as_ref().map_or("another process".to_owned(), ToString::to_string)
    )]
    Locked {
        /// The folder.
        folder: PathBuf,
        /// Who has the lock, where it is known.
        holder: Option<Box<Writer>>,
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

    /// Whether a folder holds an index that was cleared, and no epoch since.
    #[must_use]
    pub fn is_cleared(path: &Path) -> bool {
        let folder = Self::at(path);
        folder.committed().is_some() && matches!(folder.head_epoch(), Ok(None))
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
        seal::damages(&self.path, &record.seals, Depth::Lengths)
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
        let mut damages = seal::damages(&self.path, &record.seals, Depth::Contents);
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

    /// The records of all epochs that are kept, oldest first; for those that are damaged, in what way.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn epochs(&self) -> Result<Vec<Result<CommitRecord, IndexError>>, IndexError> {
        let record = |number: Epoch| match self.record(number) {
            // It was given up since it was listed.
            Err(IndexError::NoEpoch { .. }) => None,
            Err(error @ IndexError::Io { .. }) => Some(Err(error)),
            record => Some(Ok(record)),
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
        let bytes = read_file(&path).map_err(io_error("cannot read", &path))?;
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

    /// Whether an epoch is still the one that a file [pins](Self::pin): the folder may have been replaced by another.
    #[must_use]
    pub fn is_pinned_by(&self, epoch: Epoch, pin: &File) -> bool {
        match (pin.metadata(), std::fs::metadata(self.record_path(epoch))) {
            (Ok(ours), Ok(there)) => same_file(&ours, &there),
            _ => false,
        }
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

/// Whether two files are one.
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
    match read_file(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        // Another thing in its place is damage as well.
        Err(error) if error.kind() == ErrorKind::InvalidData => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// Reads a regular file. Whoever reads a pipe or a device waits for it, maybe for ever.
fn read_file(path: &Path) -> std::io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::new(ErrorKind::InvalidData, "is no file"));
    }
    std::fs::read(path)
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
