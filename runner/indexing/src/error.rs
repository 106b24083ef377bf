//! Errors of a watch, and of requests.

use std::path::PathBuf;

use gristmill_pipeline::index::IndexError;
use gristmill_pipeline::run::RunError;

use super::queue::MAX_WAITING;

/// Why a watch ended.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The job indexes a revision or refs.
    #[error("nothing to watch: the job indexes a fixed revision or refs")]
    Revision,
    /// The source cannot be watched.
    #[error("cannot watch {}: {reason}", root.display())]
    CannotWatch {
        /// The source.
        root: PathBuf,
        /// The error of the system.
        reason: notify::Error,
    },
    /// An epoch failed, and retrying is pointless.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// The kind of the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Another process holds the lock of the index.
    Locked,
    /// The job or its source is invalid.
    BadJob,
    /// Anything else.
    Other,
}

/// Why a request was not done. Clones are given to all who asked for the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Too many requests wait.
    #[error("{MAX_WAITING} requests wait for the writer of the index already; try again later")]
    Full,
    /// Another process writes to the index.
    #[error("the index is being written by {holder}; wait for it to end, or ask with more patience")]
    Locked {
        /// Which process, as far as it is known.
        holder: String,
    },
    /// The run failed. The index holds the epoch before.
    #[error("{message}")]
    Failed {
        /// The kind of the cause.
        cause: Cause,
        /// The cause, which may name paths of this machine.
        message: String,
    },
    /// It was abandoned, as all who had asked for it left.
    #[error("abandoned: all who had asked for it left")]
    Cancelled,
    /// The writer has ended.
    #[error("the writer of the index has ended")]
    Stopped,
}

impl Cause {
    fn of(error: &RunError) -> Self {
        match error {
            RunError::Index(IndexError::Locked { .. }) => Self::Locked,
            RunError::Index(IndexError::NotAnIndex { .. })
            | RunError::Source(_)
            | RunError::NoPlaceForViews
            | RunError::OtherDimension { .. } => Self::BadJob,
            _ => Self::Other,
        }
    }
}

impl WatchError {
    /// Returns the kind of the cause.
    #[must_use]
    pub fn cause(&self) -> Cause {
        match self {
            Self::Run(error) => Cause::of(error),
            Self::Revision => Cause::BadJob,
            Self::CannotWatch { .. } => Cause::Other,
        }
    }
}

impl From<&RunError> for RequestError {
    fn from(error: &RunError) -> Self {
        match error {
            RunError::Interrupted => Self::Cancelled,
            RunError::Index(IndexError::Locked { holder, .. }) => {
                Self::Locked { holder: holder.as_ref().map_or("another process".into(), ToString::to_string) }
            }
            error => Self::Failed { cause: Cause::of(error), message: error.to_string() },
        }
    }
}

impl From<&WatchError> for RequestError {
    fn from(error: &WatchError) -> Self {
        match error {
            WatchError::Run(error) => error.into(),
            error => Self::Failed { cause: error.cause(), message: error.to_string() },
        }
    }
}
