//! The rate limit of a tenant: a token bucket.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Admits so many requests a second on average, and as many at once after a pause.
pub(super) struct RateLimit {
    per_second: f64,
    state: Mutex<State>,
}

struct State {
    /// Requests that may come at once.
    available: f64,
    updated: Instant,
}

impl RateLimit {
    /// A limit to that many requests a second, with a full bucket.
    pub(super) fn new(per_second: u32, now: Instant) -> Self {
        let per_second = f64::from(per_second.max(1));
        Self { per_second, state: Mutex::new(State { available: per_second, updated: now }) }
    }

    /// Takes a request at `now`.
    ///
    /// # Errors
    /// The time after which one would be admitted.
    pub(super) fn admit(&self, now: Instant) -> Result<(), Duration> {
        let mut state = self.state.lock();
        let elapsed = now.saturating_duration_since(state.updated).as_secs_f64();
        state.available = (state.available + elapsed * self.per_second).min(self.per_second);
        state.updated = now;
        if state.available >= 1.0 {
            state.available -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - state.available) / self.per_second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_beyond_the_rate_are_told_when_to_come_back() {
        let start = Instant::now();
        let limit = RateLimit::new(4, start);
        for _ in 0..4 {
            assert_eq!(limit.admit(start), Ok(()));
        }
        assert_eq!(limit.admit(start), Err(Duration::from_millis(250)));
        let later = start + Duration::from_millis(250);
        assert_eq!((limit.admit(later), limit.admit(later).is_err()), (Ok(()), true));
        let much_later = start + Duration::from_secs(60);
        let admitted = (0..10).filter(|_| limit.admit(much_later).is_ok()).count();
        assert_eq!(admitted, 4, "a pause saves up no more than a second");
    }
}
