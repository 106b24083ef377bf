//! Sessions, each of which embeds one batch at a time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Up to a number of sessions, made when they are needed.
#[derive(Debug)]
pub(super) struct Sessions<S> {
    state: Mutex<State<S>>,
    returned: Condvar,
    most: usize,
}

#[derive(Debug)]
struct State<S> {
    idle: Vec<S>,
    made: usize,
}

/// A session that goes back when this is dropped.
pub(super) struct Taken<'a, S> {
    sessions: &'a Sessions<S>,
    session: Option<S>,
}

impl<S> Sessions<S> {
    pub(super) fn new(most: usize) -> Self {
        Self { state: Mutex::new(State { idle: Vec::new(), made: 0 }), returned: Condvar::new(), most: most.max(1) }
    }

    fn lock(&self) -> MutexGuard<'_, State<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an idle session, makes one, or waits for one, in this order, and runs `work`
    /// with it.
    pub(super) fn with<R, E>(
        &self,
        make: impl FnOnce() -> Result<S, E>,
        work: impl FnOnce(&mut S) -> Result<R, E>,
    ) -> Result<R, E> {
        let mut taken = Taken { sessions: self, session: self.take() };
        let session = match taken.session.take() {
            Some(session) => session,
            // If this fails or panics, dropping `taken` lets another be made.
            None => make()?,
        };
        work(taken.session.insert(session))
    }

    /// An idle session, or nothing if one is to be made.
    fn take(&self) -> Option<S> {
        let mut state = self.lock();
        loop {
            if let Some(session) = state.idle.pop() {
                return Some(session);
            }
            if state.made < self.most {
                state.made += 1;
                return None;
            }
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<S> Drop for Taken<'_, S> {
    fn drop(&mut self) {
        let mut state = self.sessions.lock();
        match self.session.take() {
            // What a panic left behind is not used again.
            Some(session) if !std::thread::panicking() => state.idle.push(session),
            _ => state.made -= 1,
        }
        drop(state);
        self.sessions.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn no_more_are_made_than_allowed_and_none_is_lost() {
        let sessions = Sessions::new(2);
        let made = AtomicUsize::new(0);
        let make = || Ok::<usize, ()>(made.fetch_add(1, Ordering::SeqCst));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..50).for_each(|_| sessions.with(make, |_| Ok(())).expect("works")));
            }
        });
        assert!((1..=2).contains(&made.load(Ordering::SeqCst)));
        assert_eq!(sessions.lock().idle.len(), made.load(Ordering::SeqCst));
    }

    #[test]
    fn failures_and_panics_give_their_place_back() {
        let sessions: Sessions<u8> = Sessions::new(1);
        assert_eq!(sessions.with(|| Err("not made"), |_| Ok(())), Err("not made"));
        let panicked =
            catch_unwind(AssertUnwindSafe(|| sessions.with(|| Ok::<u8, ()>(1), |_| -> Result<(), ()> { panic!() })));
        assert!(panicked.is_err());
        assert_eq!(sessions.with(|| Ok::<u8, ()>(2), |session| Ok(*session)), Ok(2));
        assert_eq!(sessions.with(|| Err(()), |_| Err::<(), ()>(())), Err(()), "a failure in the work keeps it");
        assert_eq!(sessions.lock().idle.len(), 1);
    }
}
