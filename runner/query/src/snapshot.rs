//! One epoch of an index, opened for reading: every store at the token that the epoch's
//! record names.

use std::fs::File;
use std::path::Path;

use gristmill_pipeline::index::{CommitRecord, IndexError, IndexFolder};
use gristmill_pipeline::{Epoch, Fingerprint, SinkError};
use gristmill_sinks::{LanceReader, TantivyReader};

/// An epoch, pinned. Epochs that are committed later do not show.
pub struct Snapshot {
    /// The folder.
    pub folder: IndexFolder,
    /// The epoch's record.
    pub record: CommitRecord,
    /// Keeps the epoch from being collected.
    _pin: File,
}

/// An epoch cannot be opened.
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
    /// Opens an epoch of the index in `folder`, or its newest.
    ///
    /// # Errors
    /// If there is no index, or no such epoch.
    pub fn open(folder: &Path, epoch: Option<Epoch>) -> Result<Self, SnapshotError> {
        let folder = IndexFolder::open(folder)?;
        let missing = || IndexError::Missing { folder: folder.path().to_owned() };
        let epoch = match epoch {
            Some(epoch) => epoch,
            None => folder.head_epoch()?.ok_or_else(missing)?,
        };
        let pin = folder.pin(epoch)?;
        let record = folder.record(epoch)?;
        Ok(Self { folder, record, _pin: pin })
    }

    /// The names of the sinks of a kind.
    pub fn sinks<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a str> {
        self.record.sinks.iter().filter(move |(_, sink)| sink.kind == kind).map(|(name, _)| name.as_str())
    }

    /// Opens the Lance tables of the sink of that name.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn lance(&self, name: &str) -> Result<LanceReader, SinkError> {
        LanceReader::open(&self.folder.sink(name), self.token(name))
    }

    /// Opens the Tantivy index of the sink of that name.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn tantivy(&self, name: &str) -> Result<TantivyReader, SinkError> {
        TantivyReader::open(&self.folder.sink(name), self.token(name))
    }

    /// The fingerprint of the embedder whose vectors a sink stores.
    #[must_use]
    pub fn embedder(&self, name: &str) -> Option<Fingerprint> {
        self.record.sinks.get(name)?.embed
    }

    fn token(&self, name: &str) -> &gristmill_pipeline::Token {
        const NONE: &gristmill_pipeline::Token = &gristmill_pipeline::Token::Null;
        self.record.tokens.get(name).unwrap_or(NONE)
    }
}
