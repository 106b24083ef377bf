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
    let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM])
        .map_err(|error| Failure::new(Exit::Failed, "cannot install signal handlers").caused_by(error))?;
    let (interrupt, ended) = (interrupt.clone(), Arc::clone(&over));
    std::thread::spawn(move || {
        let mut is_interrupted = false;
        for signal in signals.forever() {
            if is_interrupted || ended.load(Ordering::Relaxed) {
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
            is_interrupted = true;
            interrupt.request();
        }
    });
    Ok(over)
}
