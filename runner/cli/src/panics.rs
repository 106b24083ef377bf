//! The panic hook.

use std::backtrace::Backtrace;
use std::fs::File;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::exit::Exit;
use crate::failure::CommandError;
use crate::failure::Failure;
use crate::terminal;

/// Whether the process runs this command line and nothing else.
static IS_OWN_PROCESS: AtomicBool = AtomicBool::new(false);

/// Where panics are logged, once a command knows its index.
static LOG: OnceLock<PathBuf> = OnceLock::new();

/// A log that is larger begins anew.
const MAX_LOG_BYTES: u64 = 1 << 20;

/// Panics that a process logs: a grammar may panic on every file.
const MAX_LOGGED: usize = 50;

/// Logs panics to `panic.log` of this index, whatever becomes of them, on all threads.
pub(crate) fn log_to(index: &Path) {
    // A process that serves several indexes logs to the first.
    let _ = LOG.set(index.join("panic.log"));
}

/// Appends a panic to the log, with its thread and a backtrace.
fn log(panic: &PanicHookInfo<'_>) {
    static LOGGED: AtomicUsize = AtomicUsize::new(0);
    let Some(path) = LOG.get() else { return };
    if LOGGED.fetch_add(1, Ordering::Relaxed) >= MAX_LOGGED {
        return;
    }
    let is_large = std::fs::metadata(path).is_ok_and(|log| log.len() > MAX_LOG_BYTES);
    let mut options = File::options();
    let options = if is_large { options.write(true).truncate(true) } else { options.append(true) };
    // Nothing is created in a folder that is no index.
    let is_index = path.parent().is_some_and(|index| index.join("LOCK").exists());
    let Some(mut file) = is_index.then(|| options.create(true).open(path).ok()).flatten() else { return };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let time = gristmill_display::utc(u64::try_from(now.as_millis()).unwrap_or_default());
    let thread = std::thread::current();
    let (version, process) = (env!("GRISTMILL_VERSION"), std::process::id());
    let contained = if gristmill_pipeline::is_contained() { "contained" } else { "not contained" };
    let thread = thread.name().unwrap_or("unnamed");
    let backtrace = Backtrace::force_capture();
    // In one write, as threads may panic at once.
    let entry = format!(
        "{time} gristmill {version}, process {process}, thread {thread}, {contained}\n{panic}\n{backtrace}\n\n"
    );
    let _ = file.write_all(entry.as_bytes());
}

/// Tells that the process runs this command line and nothing else, so that a command may end it, and panics are
/// reported in its own form.
pub(crate) fn own_process() {
    IS_OWN_PROCESS.store(true, Ordering::Relaxed);
    std::panic::set_hook(Box::new(|panic| {
        log(panic);
        if !is_contained(panic) {
            tracing::error!(%panic, "internal error");
        }
    }));
}

/// Whether a panic becomes a diagnostic or an error, which is all that is said of it then.
fn is_contained(panic: &PanicHookInfo<'_>) -> bool {
    let is_contained = gristmill_pipeline::is_contained();
    if is_contained {
        tracing::debug!(%panic, "contained");
    }
    is_contained
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
        if !is_contained(panic) {
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
    log_to(index);
    let index = index.to_owned();
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if IS_OWN_PROCESS.load(Ordering::Relaxed) {
            log(panic);
        }
        if is_contained(panic) {
            return;
        }
        if IS_OWN_PROCESS.load(Ordering::Relaxed) {
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
         files and memory left, please report it with `panic.log` of the index folder",
    );
    terminal::print_error(&CommandError::from(failure).render(terminal::error_style()));
    std::process::exit(Exit::Failed.code().into())
}
