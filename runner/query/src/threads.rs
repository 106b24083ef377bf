//! Limits the calls that run at once; the others wait, the earliest deadline first.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::call::{CallContext, deadline_error};
use super::error::{ErrorCode, ToolError};

/// The most calls that wait. Each holds its request in memory; what bounds the wait is its deadline.
const MAX_WAITING: usize = 4_096;

/// The weight of the newest call in the mean time of calls.
const NEWEST_WEIGHT: f64 = 0.1;

/// The threads that run calls. Calls wait for one in the order of their deadlines, and are rejected at
/// once if their deadline would pass before.
pub(super) struct Threads {
    max: usize,
    queue: Arc<Mutex<Queue>>,
}

#[derive(Default)]
struct Queue {
    running: usize,
    /// Calls that wait, by deadline and then by arrival.
    waiting: BTreeMap<Place, oneshot::Sender<Permit>>,
    arrivals: u64,
    /// The mean time that a call holds a thread, in seconds; 0 until one has ended.
    mean_s: f64,
}

/// A place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    deadline: Instant,
    arrival: u64,
}

/// A thread for a call; freed when dropped.
pub(super) struct Permit {
    queue: Arc<Mutex<Queue>>,
    /// Since when the call has it; `None` while it is on its way to the call.
    since: Option<Instant>,
}

/// Leaves the queue when dropped.
struct Waiting {
    queue: Arc<Mutex<Queue>>,
    place: Place,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let left = self.queue.lock().waiting.remove(&self.place);
        // Dropped without the lock: it may hold a permit.
        drop(left);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let held_s = self.since.map(|since| since.elapsed().as_secs_f64());
        let next = {
            let mut queue = self.queue.lock();
            if let Some(held_s) = held_s {
                let first = queue.mean_s == 0.0;
                queue.mean_s = if first { held_s } else { queue.mean_s + NEWEST_WEIGHT * (held_s - queue.mean_s) };
            }
            let next = queue.waiting.pop_first();
            if next.is_none() {
                queue.running -= 1;
            }
            next
        };
        if let Some((_, sender)) = next {
            let permit = Self { queue: Arc::clone(&self.queue), since: None };
            // A call that has left in between drops the permit, which goes to the next one.
            drop(sender.send(permit));
        }
    }
}

impl Threads {
    /// Creates `max` threads, at least one.
    pub(super) fn new(max: usize) -> Self {
        Self { max: max.max(1), queue: Arc::default() }
    }

    /// Returns the number of threads.
    pub(super) fn max(&self) -> usize {
        self.max
    }

    /// Returns the number of calls that run.
    pub(super) fn running(&self) -> usize {
        self.queue.lock().running
    }

    /// Returns the number of calls that wait.
    pub(super) fn waiting(&self) -> usize {
        self.queue.lock().waiting.len()
    }

    /// Waits for a free thread.
    ///
    /// # Errors
    /// If the deadline passes, or would before a thread is free: by the mean time of calls and the
    /// number of those with earlier deadlines.
    pub(super) async fn permit(&self, call: &CallContext) -> Result<Permit, ToolError> {
        let (sender, receiver) = oneshot::channel();
        let _waiting = {
            let mut queue = self.queue.lock();
            if queue.running < self.max {
                queue.running += 1;
                return Ok(Permit { queue: Arc::clone(&self.queue), since: Some(Instant::now()) });
            }
            queue.arrivals += 1;
            let place = Place { deadline: call.deadline(), arrival: queue.arrivals };
            let before = queue.waiting.range(..place).count();
            let wait = Duration::from_secs_f64(queue.mean_s * (before + 1) as f64 / self.max as f64);
            let is_late = Instant::now().checked_add(wait).is_none_or(|start| start > call.deadline());
            let waiting = queue.waiting.len();
            if waiting >= MAX_WAITING || is_late {
                let message = if is_late {
                    format!("{waiting} calls wait, and this one would start after its deadline")
                } else {
                    format!("{waiting} calls wait, which is the maximum")
                };
                let error = ToolError::new(ErrorCode::Busy, message).help("retry later, or set a later `deadline_ms`");
                // By then those that wait now have had their turns.
                return Err(error.retry_after(Duration::from_secs_f64(queue.mean_s * waiting as f64 / self.max as f64)));
            }
            queue.waiting.insert(place, sender);
            Waiting { queue: Arc::clone(&self.queue), place }
        };
        match tokio::time::timeout_at(call.deadline().into(), receiver).await {
            Ok(Ok(mut permit)) => {
                permit.since = Some(Instant::now());
                Ok(permit)
            }
            // A sender is dropped by its own call only, which is this one.
            Ok(Err(_)) | Err(_) => Err(deadline_error()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(within: Duration) -> CallContext {
        CallContext::new("test", within)
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn the_earliest_deadline_goes_first() {
        let threads = Arc::new(Threads::new(1));
        let held = threads.permit(&call(MINUTE)).await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut calls = Vec::new();
        for (name, within) in [("late", MINUTE), ("soon", MINUTE / 2), ("later", MINUTE * 2)] {
            let (threads, order) = (Arc::clone(&threads), Arc::clone(&order));
            calls.push(tokio::spawn(async move {
                let _permit = threads.permit(&call(within)).await.unwrap();
                order.lock().push(name);
            }));
        }
        while threads.waiting() < 3 {
            tokio::task::yield_now().await;
        }
        drop(held);
        for call in calls {
            call.await.unwrap();
        }
        assert_eq!(*order.lock(), ["soon", "late", "later"]);
        assert_eq!((threads.running(), threads.waiting()), (0, 0));
    }

    #[tokio::test]
    async fn a_call_that_would_start_too_late_is_rejected_at_once() {
        let threads = Threads::new(1);
        let held = threads.permit(&call(MINUTE)).await.unwrap();
        threads.queue.lock().mean_s = 10.0;
        let refused = threads.permit(&call(Duration::from_secs(5))).await.err().unwrap();
        assert_eq!((refused.code, refused.wait()), (ErrorCode::Busy, Some(Duration::ZERO)));
        assert_eq!(threads.waiting(), 0);
        // Whoever is refused is told when those that wait now have had their turns.
        let first = call(MINUTE);
        let mut waits = Box::pin(threads.permit(&first));
        assert!(tokio::time::timeout(Duration::from_millis(1), &mut waits).await.is_err());
        let refused = threads.permit(&call(Duration::from_secs(5))).await.err().unwrap();
        assert_eq!(refused.wait(), Some(Duration::from_secs(10)));
        drop(waits);
        // One that has the time waits, and leaves nothing behind when it is given up.
        let patient = call(MINUTE);
        let waits = threads.permit(&patient);
        assert!(tokio::time::timeout(Duration::from_millis(1), waits).await.is_err());
        assert_eq!(threads.waiting(), 0);
        drop(held);
        assert_eq!(threads.running(), 0);
        assert!(threads.permit(&call(MINUTE)).await.is_ok());
    }
}
