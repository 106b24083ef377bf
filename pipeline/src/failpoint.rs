//! Places where a test can stop the process, to prove that a crash there loses nothing.

/// Aborts the process, as a crash would, if the environment variable
/// `GRISTMILL_CRASH_AT` holds `name`, optionally followed by `:n` for the n-th time it is
/// reached. Reading the variable is cheap, and every point lies on a cold path. Likewise it panics if
/// `GRISTMILL_PANIC_AT` holds `name`.
pub fn reach(name: &str) {
    use std::sync::atomic::{AtomicU64, Ordering};
    static REACHED: AtomicU64 = AtomicU64::new(0);
    assert!(std::env::var_os("GRISTMILL_PANIC_AT").is_none_or(|point| point != name), "asked to panic at `{name}`");
    let Ok(wanted) = std::env::var("GRISTMILL_CRASH_AT") else { return };
    let (point, nth) = wanted.split_once(':').unwrap_or((&wanted, "1"));
    if point == name && REACHED.fetch_add(1, Ordering::Relaxed) + 1 == nth.parse().unwrap_or(1) {
        std::process::abort();
    }
}
