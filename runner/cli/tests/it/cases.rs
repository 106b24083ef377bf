//! Checking many cases side by side, each thread on an index of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Threads that check cases.
const THREADS: usize = 2;

/// Checks as many of the cases as the environment variable says, or else `limit`, spread over all. `check` gets a
/// folder below `folder` that no other case uses meanwhile, and says what is wrong with a case. Returns a table of how
/// many were checked, by what `place` gives as the row and column of a case.
pub(crate) fn check_all<C: Sync>(
    all: &[C],
    (variable, limit): (&str, usize),
    folder: &Path,
    place: impl Fn(&C) -> [String; 2],
    check: impl Fn(&C, &Path) -> Result<(), String> + Sync,
) -> String {
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
    table(&chosen.iter().map(|case| place(case)).collect::<Vec<_>>(), all.len())
}

/// Counts by row and column.
fn table(places: &[[String; 2]], all: usize) -> String {
    let mut counts: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for [row, column] in places {
        *counts.entry(row).or_default().entry(column).or_default() += 1;
    }
    let columns: BTreeSet<&str> = counts.values().flat_map(|row| row.keys().copied()).collect();
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut out = format!("{} of {all} cases held:\n", places.len());
    out += &line([""].iter().chain(&columns).map(ToString::to_string).collect());
    out += &line(vec!["---".into(); columns.len() + 1]);
    for (row, counts) in counts {
        let count = |column: &&str| counts.get(column).map_or_else(|| "-".into(), ToString::to_string);
        out += &line([row.to_owned()].into_iter().chain(columns.iter().map(count)).collect());
    }
    out
}
