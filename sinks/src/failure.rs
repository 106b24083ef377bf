//! How any error becomes a [`SinkError`] that says whose it is and what was being done.

use std::fmt::Display;

use gristmill_pipeline::SinkError;

/// An error of `sink` while doing `action`.
pub(crate) fn failure(sink: &str, action: impl Into<Box<str>>, cause: impl Display) -> SinkError {
    SinkError { sink: sink.into(), action: action.into(), message: without_place(&cause.to_string()).into() }
}

/// Lance ends its messages with the place in its source, which says nothing to a user.
fn without_place(message: &str) -> &str {
    match message.rsplit_once(", ") {
        Some((head, place)) if place.contains(".rs:") && !place.contains(' ') => head,
        _ => message,
    }
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

#[cfg(test)]
mod tests {
    use super::without_place;

    #[test]
    fn a_place_in_the_source_is_left_out() {
        assert_eq!(
            without_place("LanceError(IO): disk full, /build/lance/src/io.rs:19:9"),
            "LanceError(IO): disk full"
        );
        assert_eq!(without_place("no table `a`, b.rs: is it there?"), "no table `a`, b.rs: is it there?");
    }
}
