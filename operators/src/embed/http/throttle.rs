//! Throttling of requests: concurrency, rate limit and backoff.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Maximum delay before a retry, even if the server asks for more.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(120);

/// Maximum backoff before a retry for which the server asks for no delay.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// Spaces requests evenly over time.
#[derive(Debug)]
pub(super) struct RateLimiter {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl RateLimiter {
    /// Returns a limiter to that many requests per minute; 0 means no limit.
    pub(super) fn new(per_minute: u32) -> Self {
        let interval = Duration::from_secs(60).checked_div(per_minute).unwrap_or_default();
        Self { interval, next: Mutex::new(None) }
    }

    /// Reserves the next slot, and returns the delay from `now` until it.
    pub(super) fn reserve(&self, now: Instant) -> Duration {
        if self.interval.is_zero() {
            return Duration::ZERO;
        }
        let mut next = self.next.lock();
        let slot = next.map_or(now, |next| next.max(now));
        *next = Some(slot + self.interval);
        slot - now
    }
}

/// Returns the delay before retry number `attempt`, counted from 0.
///
/// The backoff doubles with each attempt, less random jitter of up to a half, so that clients
/// that failed together do not retry together. A longer `retry_after` of the server replaces it.
pub(super) fn retry_delay(first: Duration, attempt: u32, retry_after: Option<Duration>) -> Duration {
    let backoff = first.saturating_mul(1 << attempt.min(16)).min(MAX_BACKOFF);
    let jitter = RandomState::new().hash_one(attempt) as f64 / u64::MAX as f64;
    let delay = backoff.mul_f64(0.5 + jitter / 2.0);
    delay.max(retry_after.unwrap_or_default()).min(MAX_RETRY_DELAY)
}

#[cfg(test)]
mod tests {
    use gristmill_pipeline::Semaphore;

    use super::*;

    #[test]
    fn requests_are_spaced_evenly() {
        let now = Instant::now();
        let limiter = RateLimiter::new(60);
        let second = Duration::from_secs(1);
        assert_eq!(
            [limiter.reserve(now), limiter.reserve(now), limiter.reserve(now)],
            [Duration::ZERO, second, 2 * second]
        );
        assert_eq!(limiter.reserve(now + 10 * second), Duration::ZERO, "unused slots are not saved up");
        let unlimited = RateLimiter::new(0);
        assert_eq!([unlimited.reserve(now), unlimited.reserve(now)], [Duration::ZERO; 2]);
    }

    #[test]
    fn backoff_doubles_up_to_its_maximum() {
        let first = Duration::from_millis(100);
        for attempt in 0..40 {
            let backoff = (first * (1 << attempt.min(16))).min(MAX_BACKOFF);
            let delay = retry_delay(first, attempt, None);
            assert!(delay >= backoff / 2 && delay <= backoff, "{attempt}: {delay:?}");
        }
        let retry_after = Duration::from_secs(7);
        assert_eq!(retry_delay(first, 0, Some(retry_after)), retry_after);
        assert_eq!(retry_delay(first, 0, Some(Duration::MAX)), MAX_RETRY_DELAY);
    }

    #[test]
    fn a_semaphore_bounds_concurrency() {
        let semaphore = Semaphore::new(2);
        let inside = Mutex::new((0, 0));
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let _permit = semaphore.acquire();
                        {
                            let mut inside = inside.lock();
                            inside.0 += 1;
                            inside.1 = inside.1.max(inside.0);
                        }
                        std::thread::yield_now();
                        inside.lock().0 -= 1;
                    }
                });
            }
        });
        let (now, max) = *inside.lock();
        assert!(now == 0 && max <= 2);
    }
}
