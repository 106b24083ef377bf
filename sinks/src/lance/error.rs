//! What goes wrong with a table.

use gristmill_pipeline::SinkError;

use super::items::RecallError;
use super::keys::{KeyKind, RunError};
use super::writer::WriteError;
use super::written::LostWrite;
use crate::sink_error::sink_error;
use crate::tables::{ColumnError, RowError, Table};

/// Why a table could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(super) enum TableError {
    #[error(transparent)]
    Lance(Box<lance::Error>),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Lost(#[from] LostWrite),
    #[error(transparent)]
    Row(#[from] RowError),
    #[error(transparent)]
    Column(#[from] ColumnError),
    #[error(transparent)]
    Recall(#[from] RecallError),
    #[error("cannot read or write its key runs: {0}")]
    Keys(#[from] RunError),
    #[error(transparent)]
    Arrow(#[from] arrow::error::ArrowError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("the commit names version {wanted}, but the newest version is {newest}; rebuild the index")]
    MissingVersion { wanted: u64, newest: u64 },
    #[error("the table does not exist, but the commit names its version {0}; rebuild the index")]
    MissingTable(u64),
    #[error("the commit names no version of it; rebuild the index")]
    Unnamed,
    #[error("the table has no key index of {0}")]
    MissingIndex(KeyKind),
    #[error("a key run names fragment {0}, which the table does not have; rebuild the index")]
    MissingFragment(u64),
    #[error("the new fragments hold another number of rows than were written to them")]
    RowCount,
}

impl From<lance::Error> for TableError {
    fn from(error: lance::Error) -> Self {
        Self::Lance(Box::new(error))
    }
}

/// Adds the sink, the action and the table to an error.
pub(super) fn named(sink: &str, action: &str, table: &Table) -> impl FnOnce(TableError) -> SinkError + use<> {
    let (sink, action) = (Box::<str>::from(sink), format!("{action} table {table}"));
    move |error| sink_error(&sink, action, error)
}
