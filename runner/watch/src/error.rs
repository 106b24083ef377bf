//! Errors of a watch.

use std::path::PathBuf;

use gristmill_pipeline::index::IndexError;
use gristmill_pipeline::run::RunError;

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

impl WatchError {
    /// Returns the kind of the cause.
    #[must_use]
    pub fn cause(&self) -> Cause {
        match self {
            Self::Run(RunError::Index(IndexError::Locked { .. })) => Cause::Locked,
            Self::Revision
            | Self::Run(
                RunError::Index(IndexError::NotAnIndex { .. })
                | RunError::Source(_)
                | RunError::NoPlaceForViews
                | RunError::OtherDimension { .. },
            ) => Cause::BadJob,
            _ => Cause::Other,
        }
    }
}
