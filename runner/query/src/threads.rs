//! Limits of concurrent and of waiting calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::call::{CallContext, deadline_error};
use super::error::{ErrorCode, ToolError};

/// Calls that may wait, per thread; further ones are rejected.
pub(super) const MAX_WAITING_PER_THREAD: usize = 4;

/// A semaphore over the threads that run calls.
pub(super) struct Threads {
    free: Arc<Semaphore>,
    max: usize,
    waiting: AtomicUsize,
}

/// Decrements the waiting count when dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Threads {
    /// Creates permits for `max` threads, at least one.
    pub(super) fn new(max: usize) -> Self {
        let max = max.max(1);
        Self { free: Arc::new(Semaphore::new(max)), max, waiting: AtomicUsize::new(0) }
    }

    /// Returns the number of threads.
    pub(super) fn max(&self) -> usize {
        self.max
    }

    /// Returns the number of calls that run.
    pub(super) fn running(&self) -> usize {
        self.max - self.free.available_permits()
    }

    /// Returns the number of calls that wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Waits for a free thread.
    ///
    /// # Errors
    /// If too many calls wait already, or the deadline passes.
    pub(super) async fn permit(&self, call: &CallContext) -> Result<OwnedSemaphorePermit, ToolError> {
        if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
            return Ok(permit);
        }
        let busy = || ToolError::new(ErrorCode::Busy, "too many calls are running and waiting").help("retry later");
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if waiting >= self.max * MAX_WAITING_PER_THREAD {
            return Err(busy());
        }
        match tokio::time::timeout_at(call.deadline().into(), Arc::clone(&self.free).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(busy()),
            Err(_) => Err(deadline_error()),
        }
    }
}
