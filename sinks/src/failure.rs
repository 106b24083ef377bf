//! How any error becomes a [`SinkError`] that says whose it is and what was being done.

use std::fmt::Display;

use gristmill_pipeline::SinkError;

/// An error of `sink` while doing `action`.
pub(crate) fn failure(sink: &str, action: impl Into<Box<str>>, cause: impl Display) -> SinkError {
    SinkError { sink: sink.into(), action: action.into(), message: cause.to_string().into() }
}

/// Names what was being done when a result turned out to be an error.
pub(crate) trait While<T> {
    /// Turns an error into one of `sink` while doing `action`.
    fn during(self, sink: &str, action: &str) -> Result<T, SinkError>;
}

impl<T, E: Display> While<T> for Result<T, E> {
    fn during(self, sink: &str, action: &str) -> Result<T, SinkError> {
        self.map_err(|cause| failure(sink, action, cause))
    }
}
