//! Checking many cases side by side, each thread on an index of its own.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Threads that check cases.
const THREADS: usize = 2;

/// Checks as many of the cases as the environment variable says, or else `limit`, spread over all. `check` gets a
/// folder below `folder` that no other case uses meanwhile, and says what is wrong with a case. Returns how many were
/// checked.
pub(crate) fn check_all<C: Sync>(
    all: &[C],
    (variable, limit): (&str, usize),
    folder: &Path,
    check: impl Fn(&C, &Path) -> Result<(), String> + Sync,
) -> usize {
    let limit = std::env::var(variable).ok().and_then(|limit| limit.parse().ok()).unwrap_or(limit);
    let taken = limit.min(all.len());
    let chosen: Vec<&C> = (0..taken).map(|place| &all[place * all.len() / taken]).collect();
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (check, chosen, next, wrong) = (&check, &chosen, &next, &wrong);
            scope.spawn(move || {
                let index = folder.join(format!("case{thread}"));
                while let Some(case) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(reason) = check(case, &index) {
                        wrong.lock().unwrap().push(reason);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {taken} cases:\n{}", wrong.len(), wrong.join("\n"));
    taken
}
