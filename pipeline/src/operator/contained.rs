//! Containment of panics: every call of an operator's code goes through here, and stores' reading of files.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::OperatorError;

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of the calling thread becomes a diagnostic or an error, so that a panic hook can keep quiet
/// about it.
#[must_use]
pub fn is_contained() -> bool {
    CONTAINED.get()
}

/// Calls code that may panic on its input: an operator, or a library that reads a file which may be damaged. A panic
/// becomes an error with the first line of its message. What the code keeps between calls must stay valid.
///
/// # Errors
/// If the call panics.
pub fn contained<R>(call: impl FnOnce() -> R) -> Result<R, String> {
    let outer = CONTAINED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(call));
    CONTAINED.set(outer);
    result.map_err(|payload| panic_message(&*payload))
}

/// Calls what runs operators, on a thread of an executor. A panic becomes an error that ends the epoch:
/// the caller that waits for the outcome would otherwise block for ever.
pub(crate) fn outcome_of<R>(call: impl FnOnce() -> Result<R, OperatorError>) -> Result<R, OperatorError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| Err(worker_panicked(&*payload)))
}

/// The error of a worker thread that panicked outside of an operator.
fn worker_panicked(payload: &(dyn Any + Send)) -> OperatorError {
    let message = format!("a worker thread panicked ({}); please report it", panic_message(payload));
    OperatorError { stage: "executor".into(), message: message.into() }
}

/// The first line of a panic's message, truncated because it may quote a file.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    text.lines().next().unwrap_or_default().chars().take(120).collect()
}
