//! When requests are made: how many at once, how many a minute, and when again.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The longest wait before a request is made again, whatever the server asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// The longest wait where the server asks for none.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

/// Lets a number of requests be under way at once.
#[derive(Debug)]
pub(super) struct Gate {
    free: Mutex<usize>,
    left: Condvar,
}

/// A place at the gate, given back when this is dropped.
pub(super) struct Place<'a>(&'a Gate);

impl Gate {
    pub(super) fn new(places: usize) -> Self {
        Self { free: Mutex::new(places.max(1)), left: Condvar::new() }
    }

    /// Waits for a place.
    pub(super) fn enter(&self) -> Place<'_> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            free = self.left.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= 1;
        Place(self)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.left.notify_one();
    }
}

/// Spreads requests over time.
#[derive(Debug)]
pub(super) struct Pace {
    between: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// At most this many requests a minute; as many as come if 0.
    pub(super) fn new(per_minute: u32) -> Self {
        let between = Duration::from_secs(60).checked_div(per_minute).unwrap_or_default();
        Self { between, next: Mutex::new(None) }
    }

    /// How long a request that is made at `now` has to wait for its turn.
    pub(super) fn turn(&self, now: Instant) -> Duration {
        if self.between.is_zero() {
            return Duration::ZERO;
        }
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = next.map_or(now, |next| next.max(now));
        *next = Some(turn + self.between);
        turn - now
    }
}

/// How long to wait before the request is made again that failed for the `attempt`th
/// time, counted from 0: twice as long each time, less a random part so that clients that
/// failed together do not come back together.
pub(super) fn backoff(first: Duration, attempt: u32, asked: Option<Duration>) -> Duration {
    let whole = first.saturating_mul(1 << attempt.min(16)).min(LONGEST_BACKOFF);
    let part = RandomState::new().hash_one(attempt) as f64 / u64::MAX as f64;
    let wait = whole.mul_f64(0.5 + part / 2.0);
    wait.max(asked.unwrap_or_default()).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_at_even_times() {
        let now = Instant::now();
        let pace = Pace::new(60);
        let second = Duration::from_secs(1);
        assert_eq!([pace.turn(now), pace.turn(now), pace.turn(now)], [Duration::ZERO, second, 2 * second]);
        assert_eq!(pace.turn(now + 10 * second), Duration::ZERO, "what was not used is not saved up");
        let free = Pace::new(0);
        assert_eq!([free.turn(now), free.turn(now)], [Duration::ZERO; 2]);
    }

    #[test]
    fn waits_grow_and_end() {
        let first = Duration::from_millis(100);
        for attempt in 0..40 {
            let whole = (first * (1 << attempt.min(16))).min(LONGEST_BACKOFF);
            let wait = backoff(first, attempt, None);
            assert!(wait >= whole / 2 && wait <= whole, "{attempt}: {wait:?}");
        }
        let asked = Duration::from_secs(7);
        assert_eq!(backoff(first, 0, Some(asked)), asked);
        assert_eq!(backoff(first, 0, Some(Duration::MAX)), LONGEST_WAIT);
    }

    #[test]
    fn no_more_pass_the_gate_than_it_has_places() {
        let gate = Gate::new(2);
        let inside = Mutex::new((0, 0));
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let _place = gate.enter();
                        {
                            let mut inside = inside.lock().expect("no panic");
                            inside.0 += 1;
                            inside.1 = inside.1.max(inside.0);
                        }
                        std::thread::yield_now();
                        inside.lock().expect("no panic").0 -= 1;
                    }
                });
            }
        });
        let (now, most) = *inside.lock().expect("no panic");
        assert!(now == 0 && most <= 2);
    }
}
