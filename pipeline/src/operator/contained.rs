//! Containment of panics: every call of an operator's code goes through here.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::OperatorError;

thread_local! {
    static IN_OPERATOR: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread is inside an operator, so that a panic hook can keep quiet
/// about a panic that becomes a diagnostic or an error.
pub(crate) fn in_operator() -> bool {
    IN_OPERATOR.get()
}

/// Calls an operator. A panic becomes an error with its [message](panic_message).
pub(crate) fn contained<R>(call: impl FnOnce() -> R) -> Result<R, String> {
    let outer = IN_OPERATOR.replace(true);
    // An operator that keeps state between calls must keep it valid across panics itself.
    let result = catch_unwind(AssertUnwindSafe(call));
    IN_OPERATOR.set(outer);
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
