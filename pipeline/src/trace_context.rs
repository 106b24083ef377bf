//! The W3C trace context of what a thread works on: requests that it sends, such as to an embedding server, carry it on.
//!
//! A query brings the `traceparent` of its caller; a run that is part of a trace finds it in the environment variable
//! `TRACEPARENT`.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{SystemTime, UNIX_EPOCH};

use gristmill_ids::Hash;

thread_local! {
    static CURRENT: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
}

static OF_PROCESS: LazyLock<Option<Arc<str>>> =
    LazyLock::new(|| std::env::var("TRACEPARENT").ok().filter(|trace| is_traceparent(trace)).map(Into::into));

/// Does work as part of a trace; without one, as part of what the thread is part of already.
pub fn within<T>(trace: Option<Arc<str>>, work: impl FnOnce() -> T) -> T {
    /// Gives the thread its trace back, also after a panic.
    struct Restore(Option<Arc<str>>);

    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0.take());
        }
    }

    let _restore = trace.map(|trace| Restore(CURRENT.replace(Some(trace))));
    work()
}

/// The `traceparent` of a request that the calling thread sends: of its trace, with a span of the request's own. `None` if
/// it is not part of one.
///
/// ```
/// use gristmill_pipeline::trace_context::{traceparent, within};
///
/// let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let sent = within(Some(trace.into()), traceparent).expect("it is part of a trace");
/// assert!(sent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && sent.ends_with("-01") && sent != trace);
/// ```
#[must_use]
pub fn traceparent() -> Option<String> {
    let trace = CURRENT.with_borrow(Clone::clone).or_else(|| OF_PROCESS.clone())?;
    let mut parts = trace.split('-');
    let (version, id, _, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    Some(format!("{version}-{id}-{}-{flags}", new_span()))
}

/// The id of a span: unique, and not zero.
fn new_span() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_le_bytes();
    let nth = NEXT.fetch_add(1, Ordering::Relaxed).to_le_bytes();
    Hash::of_parts([&std::process::id().to_le_bytes()[..], &now, &nth]).short(16)
}

/// Whether a value is a `traceparent`: version, trace id, parent id and flags, in lower-case hexadecimal digits.
#[must_use]
pub fn is_traceparent(trace: &str) -> bool {
    let parts: Vec<&str> = trace.split('-').collect();
    let is_hex = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let is_zero = |part: &str| part.bytes().all(|byte| byte == b'0');
    parts.iter().map(|part| part.len()).eq([2, 32, 16, 2])
        && parts.iter().all(is_hex)
        && !is_zero(parts[1])
        && !is_zero(parts[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_thread_is_part_of_one_trace_at_a_time() {
        let other = TRACE.replace("4bf9", "5cf9");
        assert_eq!(traceparent(), None);
        within(Some(TRACE.into()), || {
            within(None, || assert!(traceparent().is_some_and(|sent| sent.contains("4bf9"))));
            within(Some(other.as_str().into()), || assert!(traceparent().is_some_and(|sent| sent.contains("5cf9"))));
            let (one, two) = (traceparent().expect("is part of one"), traceparent().expect("is part of one"));
            assert!(one != two && is_traceparent(&one) && one.contains("4bf9"), "{one} {two}");
            std::thread::scope(|scope| {
                scope.spawn(|| assert_eq!(traceparent(), None, "threads do not share it"));
            });
        });
        assert_eq!(traceparent(), None);
        let panicked = std::panic::catch_unwind(|| within(Some(TRACE.into()), || panic!("asked to")));
        assert!(panicked.is_err() && traceparent().is_none());
    }

    #[test]
    fn malformed_traceparents_are_refused() {
        assert!(is_traceparent(TRACE));
        let zero = "0".repeat(32);
        for bad in [
            String::new(),
            "00-4bf9-00f0-01".into(),
            TRACE.replace("36-", "3g-"),
            TRACE.to_uppercase(),
            TRACE.replace("4bf92f3577b34da6a3ce929d0e0e4736", &zero),
        ] {
            assert!(!is_traceparent(&bad), "{bad}");
        }
    }
}
