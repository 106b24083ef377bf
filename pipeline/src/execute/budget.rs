//! The memory limit: bytes in flight, from the reader to the sinks.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

/// Counts bytes in flight against a limit.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: u64,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    held: u64,
    peak: u64,
}

/// A share of the budget, freed when dropped. It travels with what it stands for, and
/// the last sink that lets go of the rows lets go of the share.
#[derive(Debug)]
pub(crate) struct Lease {
    budget: Budget,
    bytes: u64,
}

impl Budget {
    pub(crate) fn new(limit: u64) -> Self {
        Self(Arc::new(Inner { limit: limit.max(1), state: Mutex::default(), freed: Condvar::new() }))
    }

    fn with<R>(&self, action: impl FnOnce(&mut State) -> R) -> R {
        action(&mut self.0.state.lock())
    }

    /// A share of `bytes`, if the limit allows. What is larger than the limit is let in
    /// alone, or it would never get in.
    pub(crate) fn try_lease(&self, bytes: u64) -> Option<Lease> {
        self.with(|state| {
            let fits = state.held == 0 || state.held + bytes <= self.0.limit;
            fits.then(|| {
                state.held += bytes;
                state.peak = state.peak.max(state.held);
                Lease { budget: self.clone(), bytes }
            })
        })
    }

    /// A share of `bytes` whatever the limit says, for what is in flight already and has
    /// grown.
    pub(crate) fn force(&self, bytes: u64) -> Lease {
        self.with(|state| {
            state.held += bytes;
            state.peak = state.peak.max(state.held);
        });
        Lease { budget: self.clone(), bytes }
    }

    /// Waits until something is freed, unless `bytes` would fit already.
    pub(crate) fn wait_for(&self, bytes: u64) {
        let mut state = self.0.state.lock();
        while state.held != 0 && state.held + bytes > self.0.limit {
            if self.0.freed.wait_for(&mut state, std::time::Duration::from_millis(50)).timed_out() {
                // The caller looks for an interruption and comes back.
                return;
            }
        }
    }

    /// The bytes that are held now.
    pub(crate) fn held(&self) -> u64 {
        self.with(|state| state.held)
    }

    /// The most bytes that were held at once.
    pub(crate) fn peak(&self) -> u64 {
        self.with(|state| state.peak)
    }
}

impl Lease {
    /// How large the share is.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.budget.with(|state| state.held -= self.bytes);
        self.budget.0.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_holds_more_than_its_limit_but_for_one_that_is_larger() {
        let budget = Budget::new(10);
        let first = budget.try_lease(6).expect("fits");
        assert!(budget.try_lease(5).is_none());
        let second = budget.try_lease(4).expect("fits exactly");
        drop(first);
        assert!(budget.try_lease(7).is_none());
        drop(second);
        let large = budget.try_lease(50).expect("alone");
        assert!(budget.try_lease(1).is_none());
        drop(large);
        assert_eq!(budget.peak(), 50);
    }

    #[test]
    fn waiting_ends_when_a_share_is_freed() {
        let budget = Budget::new(10);
        let lease = budget.try_lease(10).expect("fits");
        let freer = std::thread::spawn(move || drop(lease));
        while budget.try_lease(10).is_none() {
            budget.wait_for(10);
        }
        freer.join().expect("ends");
    }
}
