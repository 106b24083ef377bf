//! What every call carries: who asks, until when, and whether they still listen.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio_util::sync::{CancellationToken, DropGuard};

use super::error::{ErrorCode, ToolError};

/// How long a call may take where the caller does not say.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);

/// The context of a call. Clones are of the same call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Names the request in logs and answers.
    pub request: Arc<str>,
    /// Whose request it is.
    pub tenant: Arc<str>,
    /// The caller's trace, as W3C's `traceparent` gives it.
    pub trace: Option<Arc<str>>,
    deadline: Instant,
    cancelled: CancellationToken,
}

impl Call {
    /// A call that ends after `within`.
    #[must_use]
    pub fn new(tenant: impl Into<Arc<str>>, within: Duration) -> Self {
        Self {
            request: new_request(),
            tenant: tenant.into(),
            trace: None,
            deadline: Instant::now() + within,
            cancelled: CancellationToken::new(),
        }
    }

    /// The same with the caller's name for the request.
    #[must_use]
    pub fn named(self, request: Option<&str>) -> Self {
        match request {
            Some(request) => Self { request: request.into(), ..self },
            None => self,
        }
    }

    /// Nobody waits for the answer any more.
    pub fn cancel(&self) {
        self.cancelled.cancel();
    }

    /// Cancels the call when the guard is dropped, as when the caller goes away.
    pub(super) fn cancel_on_drop(&self) -> DropGuard {
        self.cancelled.clone().drop_guard()
    }

    /// When its time is over.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The time that is left.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Whether to go on. Work of more than some milliseconds asks now and then.
    ///
    /// # Errors
    /// If the time is over, or nobody listens any more.
    pub fn check(&self) -> Result<(), ToolError> {
        if self.cancelled.is_cancelled() {
            return Err(ToolError::new(ErrorCode::Cancelled, "the caller went away"));
        }
        if Instant::now() >= self.deadline {
            return Err(deadline_error());
        }
        Ok(())
    }
}

/// The time of a call is over.
pub(super) fn deadline_error() -> ToolError {
    ToolError::new(ErrorCode::Deadline, "the time given for this call is over")
        .help("give a longer `deadline_ms`, or ask for less")
}

/// A name that no other request of this process has, nor probably one of another.
#[must_use]
pub fn new_request() -> Arc<str> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    format!("{:x}-{:x}-{:x}", std::process::id(), now, NEXT.fetch_add(1, Ordering::Relaxed)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_ends_with_its_time_or_its_caller() {
        let call = Call::new("a", Duration::from_secs(60));
        assert!(call.check().is_ok());
        call.clone().cancel();
        assert_eq!(call.check().unwrap_err().code, ErrorCode::Cancelled);
        let call = Call::new("a", Duration::ZERO);
        assert_eq!(call.check().unwrap_err().code, ErrorCode::Deadline);
        assert_ne!(call.request, Call::new("a", Duration::ZERO).request);
    }
}
