//! A counting semaphore for threads.

use parking_lot::{Condvar, Mutex};

/// Limits how many threads do something at a time.
#[derive(Debug)]
pub struct Semaphore {
    available: Mutex<usize>,
    released: Condvar,
}

/// A permit of a [`Semaphore`], released when it is dropped.
#[derive(Debug)]
pub struct Permit<'a>(&'a Semaphore);

impl Semaphore {
    /// A semaphore with so many permits, at least one.
    #[must_use]
    pub fn new(permits: usize) -> Self {
        Self { available: Mutex::new(permits.max(1)), released: Condvar::new() }
    }

    /// Acquires a permit; blocks until there is one.
    pub fn acquire(&self) -> Permit<'_> {
        let mut available = self.available.lock();
        self.released.wait_while(&mut available, |available| *available == 0);
        *available -= 1;
        Permit(self)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *self.0.available.lock() += 1;
        self.0.released.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn no_more_compute_than_there_are_permits() {
        let (permits, computing, most) = (Semaphore::new(2), AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let _permit = permits.acquire();
                        let now = computing.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(now, Ordering::SeqCst);
                        std::thread::yield_now();
                        computing.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(most.into_inner() <= 2);
    }
}
