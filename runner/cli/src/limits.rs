//! Limits of the system on this process.

use crate::failure::CommandError;

/// Open files without which no index can be read or written.
#[cfg(unix)]
const MIN_OPEN_FILES: u64 = 64;
/// Bytes of address space below which the allocator and the stacks of threads find no room.
#[cfg(unix)]
const MIN_ADDRESS_SPACE: u64 = 1 << 30;

/// Raises the limit of open files as far as the process may, and makes a write beyond the limit of file sizes an
/// error like any other, where it would end the process without a word.
///
/// Errors are ignored: what cannot be raised is [checked](check) when it is needed.
#[cfg(unix)]
pub(crate) fn raise() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    // Any handler will do.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)));
}

/// Refuses to begin where the limits let nothing work.
///
/// # Errors
/// If there are too few open files, or too little address space.
#[cfg(unix)]
pub(crate) fn check() -> Result<(), CommandError> {
    use crate::exit::Exit;
    use crate::failure::Failure;
    use gristmill_display::{bytes, thousands};
    use rustix::process::{Resource, getrlimit};

    let too_few = |limit: Resource, min: u64| getrlimit(limit).current.filter(|current| *current < min);
    if let Some(found) = too_few(Resource::Nofile, MIN_OPEN_FILES) {
        let message = format!("the limit of open files must be at least {MIN_OPEN_FILES}, got {}", thousands(found));
        return Err(Failure::new(Exit::Failed, message).help("raise it with `ulimit -n 1024`").into());
    }
    if let Some(found) = too_few(Resource::As, MIN_ADDRESS_SPACE) {
        let (min, found) = (bytes(MIN_ADDRESS_SPACE), bytes(found));
        let message = format!("the limit of address space must be at least {min}, got {found}");
        let help = "raise it with `ulimit -v unlimited`; `job.memory_limit` and `run --low-memory` bound the memory";
        return Err(Failure::new(Exit::Failed, message).help(help).into());
    }
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn raise() {}

#[cfg(not(unix))]
pub(crate) fn check() -> Result<(), CommandError> {
    Ok(())
}
