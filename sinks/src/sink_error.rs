//! Turning any error into a [`SinkError`] that names the sink and what it was doing.

use std::fmt::Display;

use gristmill_pipeline::SinkError;

/// Builds the error of `sink` while it was doing `action`.
pub(crate) fn sink_error(sink: &str, action: impl Into<Box<str>>, cause: impl Display) -> SinkError {
    SinkError { sink: sink.into(), action: action.into(), message: without_source_location(&cause.to_string()).into() }
}

/// What to say of a library that panicked while it read files.
pub(crate) fn panicked(library: &str, panic: &str) -> String {
    format!(
        "{library} panicked ({panic}): a file may be damaged, as `gristmill status --verify` tells; if none is, please \
         report it"
    )
}

/// Cuts off the source location that Lance appends to its messages: it does not help a user.
fn without_source_location(message: &str) -> &str {
    match message.rsplit_once(", ") {
        Some((head, location)) if location.contains(".rs:") && !location.contains(' ') => head,
        _ => message,
    }
}

/// Adds the sink and its action to an error.
pub(crate) trait WrapErr<T> {
    /// Turns an error into one of `sink` while it was doing `action`.
    fn wrap_err(self, sink: &str, action: &str) -> Result<T, SinkError>;
}

impl<T, E: Display> WrapErr<T> for Result<T, E> {
    fn wrap_err(self, sink: &str, action: &str) -> Result<T, SinkError> {
        self.map_err(|cause| sink_error(sink, action, cause))
    }
}

#[cfg(test)]
mod tests {
    use super::without_source_location;

    #[test]
    fn a_source_location_is_cut_off() {
        assert_eq!(
            without_source_location("LanceError(IO): disk full, /build/lance/src/io.rs:19:9"),
            "LanceError(IO): disk full"
        );
        assert_eq!(without_source_location("no table `a`, b.rs: is it there?"), "no table `a`, b.rs: is it there?");
    }
}
