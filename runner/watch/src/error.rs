//! What ends a watch.

use std::path::PathBuf;

use gristmill_pipeline::index::IndexError;
use gristmill_pipeline::run::RunError;

/// Why an index is not kept up to date any more.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The job indexes a revision or refs.
    #[error("a revision does not change, so there is nothing to watch")]
    Revision,
    /// The system refuses to watch the source.
    #[error("cannot watch {}: {reason}", root.display())]
    CannotWatch {
        /// The source.
        root: PathBuf,
        /// What the system says.
        reason: notify::Error,
    },
    /// The index cannot be written.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// What kind of thing has to change before a watch can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Another process writes the index.
    Locked,
    /// The job or its source cannot be used as it is.
    BadJob,
    /// Anything else.
    Other,
}

impl WatchError {
    /// What has to change.
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
