//! What ctrl-c does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gristmill_pipeline::run::Interrupt;

use crate::exit::Exit;
use crate::failure::{CommandError, Failure};

/// Turns the first ctrl-c (or SIGTERM) into an interruption of the run. A second one
/// ends the process at once, which loses nothing either: the epoch before it stands.
pub(crate) fn watch_signals(interrupt: &Interrupt) -> Result<Arc<AtomicBool>, CommandError> {
    let over = Arc::new(AtomicBool::new(false));
    let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM])
        .map_err(|error| Failure::new(Exit::Failed, "cannot watch for ctrl-c").caused_by(error))?;
    let (interrupt, ended) = (interrupt.clone(), Arc::clone(&over));
    std::thread::spawn(move || {
        let mut asked = false;
        for signal in signals.forever() {
            if asked || ended.load(Ordering::Relaxed) {
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
            asked = true;
            interrupt.request();
        }
    });
    Ok(over)
}
