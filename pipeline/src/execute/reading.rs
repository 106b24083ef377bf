//! Reads that wait, as from a network mount: more threads read then than compute.
//!
//! A thread that waits for a read holds no core. Once reads turn out to wait, executors start [`READERS`]
//! threads more, and hand out as many permits to compute as there are workers.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::graph::Graph;
use crate::measure::{Meters, StageMeter};
use crate::port::Port;

/// Threads that read beside the workers, where reads wait.
pub(super) const READERS: usize = 16;

/// Tells whether reads wait, by the stages that take files.
pub(super) struct ReadWatch(Vec<Arc<StageMeter>>);

impl ReadWatch {
    pub(super) fn new(graph: &Graph, meters: &Meters) -> Self {
        let reads =
            |stage: &&crate::graph::Stage| stage.operator().is_some_and(|operator| operator.input() == Port::Files);
        Self(graph.analysis().filter(reads).map(|stage| Arc::clone(meters.stage(stage.id))).collect())
    }

    /// Whether a read waits for more than a millisecond on average. A worker that another one interrupts does
    /// not wait for so long.
    pub(super) fn waits(&self) -> bool {
        const MIN_READS: u32 = 8;
        const LONG: Duration = Duration::from_millis(1);
        self.0.iter().any(|meter| {
            let (items, ..) = meter.progress();
            let items = u32::try_from(items).unwrap_or(u32::MAX);
            items >= MIN_READS && meter.waiting() / items > LONG
        })
    }
}

/// Permits to compute.
pub(super) struct Permits {
    free: Mutex<usize>,
    freed: Condvar,
}

/// A permit, given back when dropped.
pub(super) struct Permit<'a>(&'a Permits);

impl Permits {
    pub(super) fn new(count: usize) -> Self {
        Self { free: Mutex::new(count.max(1)), freed: Condvar::new() }
    }

    /// Waits for a permit.
    pub(super) fn acquire(&self) -> Permit<'_> {
        let mut free = self.free.lock();
        while *free == 0 {
            self.freed.wait(&mut free);
        }
        *free -= 1;
        Permit(self)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *self.0.free.lock() += 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn no_more_compute_than_there_are_permits() {
        let (permits, computing, most) = (Permits::new(2), AtomicUsize::new(0), AtomicUsize::new(0));
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
