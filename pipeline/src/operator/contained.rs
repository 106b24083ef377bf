//! Panics of operators, contained: whatever calls an operator calls it through here.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static IN_OPERATOR: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread is inside an operator, so that a panic hook can keep quiet
/// about a panic that becomes a diagnostic or an error.
pub(crate) fn in_operator() -> bool {
    IN_OPERATOR.get()
}

/// Calls an operator. The error is what it panicked with: the first line, cut short, as the
/// message may quote a file.
pub(crate) fn contained<R>(call: impl FnOnce() -> R) -> Result<R, String> {
    let outer = IN_OPERATOR.replace(true);
    // What an operator keeps between calls is its own to keep whole.
    let result = catch_unwind(AssertUnwindSafe(call));
    IN_OPERATOR.set(outer);
    result.map_err(|payload| {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        let text = text.unwrap_or_else(|| "no message".into());
        text.lines().next().unwrap_or_default().chars().take(120).collect()
    })
}
