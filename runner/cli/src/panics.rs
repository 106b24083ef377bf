//! The panic hook.

use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::Exit;
use crate::failure::CommandError;
use crate::failure::Failure;
use crate::terminal;

/// Whether the process runs this command line and nothing else.
static IS_OWN_PROCESS: AtomicBool = AtomicBool::new(false);

/// Tells that the process runs this command line and nothing else, so that a command may end it, and panics are
/// reported in its own form.
pub(crate) fn own_process() {
    IS_OWN_PROCESS.store(true, Ordering::Relaxed);
    std::panic::set_hook(Box::new(|panic| {
        if gristmill_pipeline::is_contained() {
            tracing::debug!(%panic, "contained");
        } else {
            tracing::error!(%panic, "internal error");
        }
    }));
}

/// Runs a command. A panic becomes a failure.
pub(crate) fn caught(command: impl FnOnce() -> Result<Exit, CommandError>) -> Result<Exit, CommandError> {
    if !IS_OWN_PROCESS.load(Ordering::Relaxed) {
        return command();
    }
    catch_unwind(AssertUnwindSafe(command)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
        let failure = Failure::new(Exit::Failed, format!("internal error: {text}"));
        let help = "`gristmill status --verify` tells whether the index is damaged; if it is not, please report this";
        Err(failure.help(help).into())
    })
}

/// Silences panics of operators, which become diagnostics of their files.
pub(crate) fn silence_operator_panics() {
    if IS_OWN_PROCESS.load(Ordering::Relaxed) {
        // They are silent already.
        return;
    }
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if gristmill_pipeline::is_contained() {
            tracing::debug!(%panic, "contained");
        } else {
            usual(panic);
        }
    }));
}

/// Silences panics of operators, and ends the process on any other.
///
/// A thread that panics may be waited for by others that never learn of it: such a process would live
/// on, and hold the lock of the index. The index keeps the epoch before.
///
/// It may be damage to the index that made it panic: the next run on `index` verifies all checksums first.
pub(crate) fn end_on_panics(index: &Path) {
    let index = index.to_owned();
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if gristmill_pipeline::is_contained() {
            tracing::debug!(%panic, "contained");
        } else if IS_OWN_PROCESS.load(Ordering::Relaxed) {
            gristmill_pipeline::index::suspect(&index);
            end(panic);
        } else {
            usual(panic);
        }
    }));
}

#[allow(
    clippy::disallowed_methods,
    reason = "destructors may wait for the thread that panicked; the lock ends with the process"
)]
fn end(panic: &PanicHookInfo<'_>) -> ! {
    tracing::error!(%panic, "internal error");
    let message = panic.payload_as_str().unwrap_or("no message");
    let place = panic.location().map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
    let failure = Failure::new(Exit::Failed, format!("internal error: {message}{place}")).help(
        "the index holds the epoch before, and the next run verifies its checksums; if the system has threads, open \
         files and memory left, please report it",
    );
    terminal::print_error(&CommandError::from(failure).render(terminal::error_style()));
    std::process::exit(Exit::Failed.code().into())
}
