//! The context of a call: request id, tenant, deadline and cancellation.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio_util::sync::{CancellationToken, DropGuard};

use super::error::{ErrorCode, ToolError};
use super::request::AnswerContext;

/// The deadline of a call that sets none.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);

/// The context of a call. Clones share the deadline and the cancellation.
#[derive(Clone, Debug)]
pub struct CallContext {
    /// The id of the request, in logs and responses.
    pub request: Arc<str>,
    /// The tenant that sent the request.
    pub tenant: Arc<str>,
    /// The user for whom the request was made, if the caller named one.
    pub user: Option<Arc<str>>,
    /// The W3C `traceparent` of the caller.
    pub trace: Option<Arc<str>>,
    timeout: Duration,
    deadline: Instant,
    cancelled: CancellationToken,
}

impl CallContext {
    /// Creates a context whose deadline is `timeout` from now.
    #[must_use]
    pub fn new(tenant: impl Into<Arc<str>>, timeout: Duration) -> Self {
        Self {
            request: new_request(),
            tenant: tenant.into(),
            user: None,
            trace: None,
            timeout,
            deadline: Instant::now() + timeout,
            cancelled: CancellationToken::new(),
        }
    }

    /// Sets the id of the request, if the caller gave one.
    #[must_use]
    pub fn named(self, request: Option<&str>) -> Self {
        match request {
            Some(request) => Self { request: request.into(), ..self },
            None => self,
        }
    }

    /// What answers say of the context.
    pub(super) fn describe(&self) -> AnswerContext {
        let text = |text: &Option<Arc<str>>| text.as_deref().map(ToOwned::to_owned);
        AnswerContext {
            tenant: self.tenant.to_string(),
            user: text(&self.user),
            trace: text(&self.trace),
            deadline_ms: u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Cancels the call.
    pub fn cancel(&self) {
        self.cancelled.cancel();
    }

    /// Returns a guard that cancels the call when it is dropped.
    pub(super) fn cancel_on_drop(&self) -> DropGuard {
        self.cancelled.clone().drop_guard()
    }

    /// Returns the deadline.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Returns the time until the deadline.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Checks for cancellation and for the deadline. Work of more than a few milliseconds calls this
    /// regularly.
    ///
    /// # Errors
    /// [`ErrorCode::Cancelled`] or [`ErrorCode::Deadline`].
    pub fn check(&self) -> Result<(), ToolError> {
        if self.cancelled.is_cancelled() {
            return Err(ToolError::new(ErrorCode::Cancelled, "the call was cancelled"));
        }
        if Instant::now() >= self.deadline {
            return Err(deadline_error());
        }
        Ok(())
    }
}

/// Creates the error of a call whose deadline passed.
pub(super) fn deadline_error() -> ToolError {
    ToolError::new(ErrorCode::Deadline, "the deadline of the call passed")
        .help("raise `deadline_ms`, or narrow the query")
}

/// Generates a request id: unique in this process, and very likely across processes.
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
    fn a_call_ends_at_its_deadline_or_when_cancelled() {
        let call = CallContext::new("a", Duration::from_secs(60));
        assert!(call.check().is_ok());
        call.clone().cancel();
        assert_eq!(call.check().unwrap_err().code, ErrorCode::Cancelled);
        let call = CallContext::new("a", Duration::ZERO);
        assert_eq!(call.check().unwrap_err().code, ErrorCode::Deadline);
        assert_ne!(call.request, CallContext::new("a", Duration::ZERO).request);
    }
}
