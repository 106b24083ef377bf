//! What goes wrong with a table.

use super::items::RecallError;
use super::keys::RunError;
use super::writer::WriteError;
use crate::tables::{ColumnError, RowError};

/// Why a table could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(super) enum TableError {
    #[error(transparent)]
    Lance(Box<lance::Error>),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Row(#[from] RowError),
    #[error(transparent)]
    Column(#[from] ColumnError),
    #[error(transparent)]
    Recall(#[from] RecallError),
    #[error("cannot write or read its files of keys: {0}")]
    Keys(#[from] RunError),
    #[error(transparent)]
    Arrow(#[from] arrow::error::ArrowError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("version {wanted} is committed, but the newest there is {newest}; rebuild the index")]
    Lost { wanted: u64, newest: u64 },
    #[error("it is not there, though a commit names its version {0}; rebuild the index")]
    Gone(u64),
    #[error("{0}")]
    Order(&'static str),
}

impl From<lance::Error> for TableError {
    fn from(error: lance::Error) -> Self {
        Self::Lance(Box::new(error))
    }
}
