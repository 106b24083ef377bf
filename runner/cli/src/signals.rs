//! Signal handling.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gristmill_pipeline::run::Interrupt;

use crate::exit::Exit;
use crate::failure::{CommandError, Failure};

/// Interrupts the run on the first SIGINT or SIGTERM. A second signal kills the process, which is
/// safe: the previous epoch stays committed.
pub(crate) fn watch_signals(interrupt: &Interrupt) -> Result<Arc<AtomicBool>, CommandError> {
    let over = Arc::new(AtomicBool::new(false));
    let failed = |error: std::io::Error| Failure::new(Exit::Failed, "cannot handle signals").caused_by(error);
    let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM])
        .map_err(failed)?;
    let (interrupt, ended) = (interrupt.clone(), Arc::clone(&over));
    let handle = move || {
        let mut is_interrupted = false;
        for signal in signals.forever() {
            if is_interrupted || ended.load(Ordering::Relaxed) {
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
            is_interrupted = true;
            interrupt.request();
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(handle).map_err(failed)?;
    Ok(over)
}
