//! One epoch of an index, opened for reading: each store at the token in the commit record.

use std::fs::File;
use std::path::Path;

use gristmill_pipeline::index::{CommitRecord, IndexError, IndexFolder};
use gristmill_pipeline::{Epoch, Fingerprint, SinkError};
use gristmill_sinks::{LanceReader, TantivyReader};

/// A pinned epoch. Later commits are not visible, and `gc` does not delete it.
pub struct Snapshot {
    /// The index folder.
    pub folder: IndexFolder,
    /// The commit record.
    pub record: CommitRecord,
    /// Holds the shared lock that keeps `gc` from deleting the epoch.
    pin: File,
}

/// Why an epoch cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The index folder cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A store cannot be read.
    #[error(transparent)]
    Store(#[from] SinkError),
}

impl Snapshot {
    /// Opens an epoch of the index in `folder`; without `epoch`, the newest.
    ///
    /// # Errors
    /// If the index or the epoch does not exist, cannot be read, or lacks files.
    pub fn open(folder: &Path, epoch: Option<Epoch>) -> Result<Self, SnapshotError> {
        let snapshot = Self::pin(folder, epoch)?;
        snapshot.folder.check(&snapshot.record)?;
        Ok(snapshot)
    }

    /// Pins an epoch like [`open`](Self::open), but does not look at its files.
    ///
    /// # Errors
    /// If the index or the epoch does not exist or cannot be read.
    pub fn pin(folder: &Path, epoch: Option<Epoch>) -> Result<Self, SnapshotError> {
        let folder = IndexFolder::open(folder)?;
        let missing = || IndexError::Missing { folder: folder.path().to_owned() };
        let epoch = match epoch {
            Some(epoch) => epoch,
            None => folder.head_epoch()?.ok_or_else(missing)?,
        };
        let pin = folder.pin(epoch)?;
        let record = folder.record(epoch)?;
        Ok(Self { folder, record, pin })
    }

    /// Whether the folder still holds this very epoch, and was not replaced by another index.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        self.folder.is_pinned_by(self.record.epoch, &self.pin)
    }

    /// Returns the names of the sinks of a kind, such as `lance`.
    pub fn sinks<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a str> {
        self.record.sinks.iter().filter(move |(_, sink)| sink.kind == kind).map(|(name, _)| name.as_str())
    }

    /// Opens the Lance tables of the sink with this name.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn lance(&self, name: &str) -> Result<LanceReader, SinkError> {
        LanceReader::open(&self.folder.sink(name), self.token(name))
    }

    /// Opens the Tantivy index of the sink with this name.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn tantivy(&self, name: &str) -> Result<TantivyReader, SinkError> {
        TantivyReader::open(&self.folder.sink(name), self.token(name))
    }

    /// Returns the fingerprint of the embedder whose vectors a sink stores.
    #[must_use]
    pub fn embedder(&self, name: &str) -> Option<Fingerprint> {
        self.record.sinks.get(name)?.embed
    }

    /// Returns what finds the state of the sink with this name; null if there is none.
    #[must_use]
    pub fn token(&self, name: &str) -> &gristmill_pipeline::Token {
        const NONE: &gristmill_pipeline::Token = &gristmill_pipeline::Token::Null;
        self.record.tokens.get(name).unwrap_or(NONE)
    }
}
