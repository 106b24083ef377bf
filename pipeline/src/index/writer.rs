//! Writing to an index folder: the lock, the commit point, and what makes room for them.

use std::collections::{BTreeSet, HashSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gristmill_ids::Epoch;
use serde::{Deserialize, Serialize};

use super::presence::{Presence, Writer, writer_of};
use super::{
    CHECK, CommitRecord, Depth, IndexError, IndexFolder, PARTS, atomic, checked, io_error, numbered, renamed,
    same_file, seal,
};
use crate::interrupt::Interrupt;
use crate::merkle::Tree;

/// An index folder, locked for writing. Dropping it, or the end of the process by
/// whatever cause, frees the lock.
#[derive(Debug)]
pub struct IndexWriter {
    folder: IndexFolder,
    // Ends before the lock is free.
    presence: Presence,
    /// The writer before, if it ended while it did something.
    ended: Option<Writer>,
    lock: File,
}

/// What clearing an index deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleared {
    /// The newest epoch that there was; [`Epoch::NONE`] if there was none.
    pub last_epoch: Epoch,
    /// Bytes of files.
    pub bytes: u64,
}

/// Asks the next run on an index to verify all checksums first: for who must end while it writes the index and does
/// not know why, such as a panic hook.
pub fn suspect(index: &Path) {
    // What cannot be written down now shows in the next run, or in `status --verify`.
    let _ = std::fs::write(index.join(SUSPECT), "");
}

const SUSPECT: &str = "VERIFY";

/// The folder in which a damaged sink is rebuilt.
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

/// The folders of an index that look like stores of this program. Folders of others are not touched.
fn stores_in(index: &Path) -> Vec<String> {
    let is_store_file = |name: &str| {
        let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
        matches!(extension, Some("lance" | "keys" | "store" | "arrow"))
            || (name.starts_with("meta.") && extension == Some("json"))
    };
    let names = |folder: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    };
    let mut stores = names(index);
    stores.retain(|name| !PARTS.contains(&&**name) && names(&index.join(name)).iter().any(|file| is_store_file(file)));
    for name in &mut stores {
        let sink = name.strip_suffix(".rebuild").or_else(|| name.strip_suffix(".damaged")).map(str::len);
        sink.into_iter().for_each(|length| name.truncate(length));
    }
    stores
}

/// Deletes what is neither a file nor a folder, and links that lead nowhere: whoever opens a pipe waits for its other
/// end. Nothing of this program makes any.
fn remove_irregular(folder: &Path) -> Result<(), IndexError> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(io_error("cannot list", folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(io_error("cannot list", folder))?;
        let path = entry.path();
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            remove_irregular(&path)?;
        } else if !kind.is_file() && !std::fs::metadata(&path).is_ok_and(|found| found.is_file() || found.is_dir()) {
            remove_any(&path)?;
        }
    }
    Ok(())
}

/// How often a lock that another process holds is tried.
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How many run reports are kept.
const RUNS_KEPT: u64 = 100;

impl IndexWriter {
    /// Opens a folder for writing, and makes it if it is not there.
    ///
    /// # Errors
    /// If another process writes to it, or it holds something that is no index.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        Self::open_within(path, Duration::ZERO, &Interrupt::default())
    }

    /// Like [`open`](Self::open), but waits so long for another process that writes to it, or until it is interrupted.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_within(path: &Path, wait: Duration, interrupt: &Interrupt) -> Result<Self, IndexError> {
        let is_new = match std::fs::read_dir(path) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == ErrorKind::NotFound => true,
            Err(error) if error.kind() == ErrorKind::NotADirectory => {
                return Err(IndexError::NotAnIndex { folder: path.to_owned() });
            }
            Err(error) => return Err(io_error("cannot list", path)(error)),
        };
        // Every folder that was ever written to has the lock's file, unless somebody deleted it.
        if !is_new
            && std::fs::symlink_metadata(path.join("LOCK")).is_err()
            && !PARTS.iter().all(|part| path.join(part).exists())
        {
            return Err(IndexError::NotAnIndex { folder: path.to_owned() });
        }
        // First, or a folder that is left behind here would be no index to the next run.
        std::fs::create_dir_all(path).map_err(io_error("cannot create", path))?;
        let lock_path = path.join("LOCK");
        // Whoever opens a pipe waits for its other end.
        if std::fs::symlink_metadata(&lock_path).is_ok_and(|found| !found.is_file()) {
            remove_any(&lock_path)?;
        }
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path);
        let lock = lock.map_err(io_error("cannot open", &lock_path))?;
        let began = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if began.elapsed() < wait && !interrupt.is_requested() => {
                    std::thread::sleep(LOCK_POLL_INTERVAL.min(wait.saturating_sub(began.elapsed())));
                }
                Err(TryLockError::WouldBlock) => {
                    let holder = writer_of(path).map(Box::new);
                    return Err(IndexError::Locked { folder: path.to_owned(), holder });
                }
                Err(TryLockError::Error(error)) => return Err(io_error("cannot lock", &lock_path)(error)),
            }
        }
        remove_irregular(path)?;
        for part in PARTS.map(|part| path.join(part)) {
            if std::fs::symlink_metadata(&part).is_ok_and(|found| !found.is_dir() && !part.is_dir()) {
                remove_any(&part)?;
            }
            std::fs::create_dir_all(&part).map_err(io_error("cannot create", &part))?;
        }
        // Readers must not be locked out by a folder of a newer format either.
        let folder = IndexFolder::at(path);
        match folder.head() {
            Err(error @ IndexError::Newer { .. }) => Err(error),
            _ => {
                let (presence, ended) = Presence::of(path);
                Ok(Self { folder, presence, ended, lock })
            }
        }
    }

    /// The writer before, if its process ended while it did something: it was killed, or ended by itself. Told once.
    pub(crate) fn take_ended(&mut self) -> Option<Writer> {
        self.ended.take()
    }

    /// Shows other processes what this one does.
    pub(crate) fn presence(&self) -> &Presence {
        &self.presence
    }

    /// Deletes all epochs with their stores, journals and run reports. Epochs that come later go on counting, so that no
    /// reader takes one of them for another. Vectors shared with other indexes stay.
    ///
    /// # Errors
    /// If a file cannot be deleted. There is no epoch then either, unless it was `HEAD`.
    pub fn clear(&self) -> Result<Cleared, IndexError> {
        self.clear_with(&[])
    }

    /// Like [`clear`](Self::clear); these are sinks of it, whatever its records say.
    pub(crate) fn clear_with(&self, known: &[&str]) -> Result<Cleared, IndexError> {
        let index = &self.folder.path;
        let last_epoch = self.largest_number();
        let before = self.folder.bytes();
        let records = numbered(&index.join("commits"))?.into_iter().map(Epoch::new);
        let records = records.filter_map(|number| self.folder.record_as_committed(number).ok());
        let mut sinks: BTreeSet<String> = records.flat_map(|record| record.tokens.into_keys()).collect();
        sinks.extend(known.iter().map(ToString::to_string));
        // Those of epochs that were never committed, or whose records are damaged.
        sinks.extend(stores_in(index));
        if last_epoch > Epoch::NONE {
            self.write_check(last_epoch).map_err(io_error("cannot write", &index.join(CHECK)))?;
        }
        remove_any(&index.join("HEAD"))?;
        File::open(index).and_then(|index| index.sync_all()).map_err(io_error("cannot flush", index))?;
        for part in PARTS.map(|part| index.join(part)) {
            remove_any(&part)?;
            std::fs::create_dir_all(&part).map_err(io_error("cannot create", &part))?;
        }
        for sink in &sinks {
            remove_any(&self.folder.sink(sink))?;
            self.remove_rebuilds(sink)?;
        }
        self.clear_suspicion();
        Ok(Cleared { last_epoch, bytes: before.saturating_sub(self.folder.bytes()) })
    }

    fn write_check(&self, epoch: Epoch) -> std::io::Result<()> {
        let check = self.folder.path.join(CHECK);
        atomic::replace_unflushed(&check, checked::head(epoch).as_bytes())
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
        remove_any(&older_name)?;
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
        let _ = self.write_check(epoch);
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

    /// The largest number of any epoch of which there is a record, whole or not, or was one until the index was cleared.
    pub(crate) fn largest_number(&self) -> Epoch {
        let numbers = numbered(&self.folder.path.join("commits")).unwrap_or_default();
        let recorded = Epoch::new(numbers.into_iter().max().unwrap_or_default());
        recorded.max(self.folder.committed().unwrap_or(Epoch::NONE))
    }

    /// Whether there is no record of any epoch, whole or not.
    pub(crate) fn has_no_record(&self) -> bool {
        numbered(&self.folder.path.join("commits")).is_ok_and(|numbers| numbers.is_empty())
    }

    /// The folder in which a damaged sink is rebuilt.
    pub(crate) fn rebuild_folder(&self, sink: &str) -> PathBuf {
        rebuild_folder(&self.folder.path, sink)
    }

    /// Replaces the folder of a sink by the rebuilt one. Until the commit that follows, the files of the epoch in `HEAD`
    /// are missing: if the process dies in between, the next run detects that and rebuilds the sink again.
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

    /// The records of epochs that are to be kept: the newest so many but those with damaged files, and those that a
    /// reader holds. The others' records are deleted, so that nobody can open them any more.
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
            let is_wanted = newest.get() - record.epoch.get() < keep;
            if record.epoch == newest || (is_wanted && self.folder.damages(record).is_empty()) {
                return true;
            }
            self.give_up(record.epoch).unwrap_or_else(|error| {
                failed.get_or_insert(error);
                true
            })
        });
        failed.map_or(Ok(kept), Err)
    }

    /// Deletes the records of epochs before the newest of which files are damaged, and that no reader holds. Returns
    /// how many there were.
    pub(crate) fn give_up_damaged(&self) -> Result<u64, IndexError> {
        let damages = seal::damages(&self.folder.path, &self.folder.past_seals(), Depth::Contents);
        let damaged: HashSet<PathBuf> = damages.into_iter().map(|damage| damage.path).collect();
        let mut given_up = 0;
        for number in self.folder.epoch_numbers()?.into_iter().rev().skip(1) {
            let Ok(record) = self.folder.record(number) else { continue };
            if record.seals.keys().any(|file| damaged.contains(Path::new(&**file))) && !self.give_up(number)? {
                given_up += 1;
            }
        }
        Ok(given_up)
    }

    /// Deletes the record of an epoch unless a reader holds it. Returns whether it is still there.
    fn give_up(&self, epoch: Epoch) -> Result<bool, IndexError> {
        let path = self.folder.record_path(epoch);
        // Locked until it is gone, so that no reader can begin to hold it meanwhile.
        let file = File::open(&path).ok();
        if file.as_ref().is_some_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock))) {
            return Ok(true);
        }
        remove_any(&path)?;
        remove_any(&renamed::beside(&path))?;
        Ok(false)
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
