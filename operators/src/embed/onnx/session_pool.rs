//! A pool of sessions, each of which runs one batch at a time.

use parking_lot::{Condvar, Mutex};

/// A pool of at most `max` sessions, which are created on demand.
#[derive(Debug)]
pub(super) struct SessionPool<S> {
    state: Mutex<State<S>>,
    released: Condvar,
    max: usize,
}

#[derive(Debug)]
struct State<S> {
    idle: Vec<S>,
    /// Sessions that exist or are being created.
    created: usize,
}

/// A session that returns to its pool when this is dropped.
struct Lease<'a, S> {
    pool: &'a SessionPool<S>,
    session: Option<S>,
}

impl<S> SessionPool<S> {
    pub(super) fn new(max: usize) -> Self {
        Self { state: Mutex::new(State { idle: Vec::new(), created: 0 }), released: Condvar::new(), max: max.max(1) }
    }

    /// Runs `work` with a session: an idle one, else a new one, else the next one released.
    pub(super) fn with<R, E>(
        &self,
        create: impl FnOnce() -> Result<S, E>,
        work: impl FnOnce(&mut S) -> Result<R, E>,
    ) -> Result<R, E> {
        let mut lease = Lease { pool: self, session: self.acquire() };
        let session = match lease.session.take() {
            Some(session) => session,
            // If this fails or panics, dropping `lease` lets another session be created.
            None => create()?,
        };
        work(lease.session.insert(session))
    }

    /// Returns an idle session, or `None` if the caller is to create one.
    fn acquire(&self) -> Option<S> {
        let mut state = self.state.lock();
        loop {
            if let Some(session) = state.idle.pop() {
                return Some(session);
            }
            if state.created < self.max {
                state.created += 1;
                return None;
            }
            self.released.wait(&mut state);
        }
    }
}

impl<S> Drop for Lease<'_, S> {
    fn drop(&mut self) {
        let mut state = self.pool.state.lock();
        match self.session.take() {
            // A session in which `work` panicked is not used again.
            Some(session) if !std::thread::panicking() => state.idle.push(session),
            _ => state.created -= 1,
        }
        drop(state);
        self.pool.released.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn at_most_max_sessions_are_created_and_none_is_lost() {
        let pool = SessionPool::new(2);
        let created = AtomicUsize::new(0);
        let create = || Ok::<usize, ()>(created.fetch_add(1, Ordering::SeqCst));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..50).for_each(|_| pool.with(create, |_| Ok(())).expect("works")));
            }
        });
        assert!((1..=2).contains(&created.load(Ordering::SeqCst)));
        assert_eq!(pool.state.lock().idle.len(), created.load(Ordering::SeqCst));
    }

    #[test]
    fn failures_and_panics_free_their_session() {
        let pool: SessionPool<u8> = SessionPool::new(1);
        assert_eq!(pool.with(|| Err("not created"), |_| Ok(())), Err("not created"));
        let panicked =
            catch_unwind(AssertUnwindSafe(|| pool.with(|| Ok::<u8, ()>(1), |_| -> Result<(), ()> { panic!() })));
        assert!(panicked.is_err());
        assert_eq!(pool.with(|| Ok::<u8, ()>(2), |session| Ok(*session)), Ok(2));
        assert_eq!(pool.with(|| Err(()), |_| Err::<(), ()>(())), Err(()), "a failure in the work keeps it");
        assert_eq!(pool.state.lock().idle.len(), 1);
    }
}
