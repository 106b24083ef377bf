//! How many calls are answered at once, and how many wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::call::{Call, deadline_error};
use super::error::{ErrorCode, ToolError};

/// Calls that wait for each thread at most; further ones are refused.
pub(super) const WAITING_PER_THREAD: usize = 4;

/// The threads that answer.
pub(super) struct Threads {
    free: Arc<Semaphore>,
    most: usize,
    waiting: AtomicUsize,
}

/// Decrements the number of calls that wait.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Threads {
    /// So many threads, but one at least.
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self { free: Arc::new(Semaphore::new(most)), most, waiting: AtomicUsize::new(0) }
    }

    /// How many there are.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// How many are taken.
    pub(super) fn running(&self) -> usize {
        self.most - self.free.available_permits()
    }

    /// How many calls wait for one.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// A thread, as soon as one is free.
    ///
    /// # Errors
    /// If too many calls wait already, or the time of this one is over.
    pub(super) async fn permit(&self, call: &Call) -> Result<OwnedSemaphorePermit, ToolError> {
        if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
            return Ok(permit);
        }
        let busy =
            || ToolError::new(ErrorCode::Busy, "too many requests are being answered").help("try again in a moment");
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if waiting >= self.most * WAITING_PER_THREAD {
            return Err(busy());
        }
        match tokio::time::timeout_at(call.deadline().into(), Arc::clone(&self.free).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(busy()),
            Err(_) => Err(deadline_error()),
        }
    }
}
