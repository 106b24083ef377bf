//! What happens when the system has no memory left for an allocation.

use std::io::{Cursor, Write as _};
use std::sync::atomic::{AtomicI32, Ordering};

/// The exit code that ends the process; 0 until one is set.
static EXIT_CODE: AtomicI32 = AtomicI32::new(0);

/// Larger requests are left to their callers: they may come from a length in a damaged file, and be tried only.
const MAX_BYTES: usize = 1 << 30;

/// Makes an allocation that fails end the process with a message and this exit code, rather than abort it. What holds
/// a lock of the system releases it so too.
pub fn exit_when_exhausted(code: u8) {
    EXIT_CODE.store(code.into(), Ordering::Relaxed);
}

/// Passes on what an allocation of so many bytes returned.
pub(crate) fn checked(pointer: *mut u8, bytes: usize) -> *mut u8 {
    if pointer.is_null() && bytes < MAX_BYTES {
        fail(bytes);
    }
    pointer
}

#[cold]
fn fail(bytes: usize) {
    let code = EXIT_CODE.load(Ordering::Relaxed);
    if code == 0 {
        return;
    }
    let mut message = [0; 256];
    let mut cursor = Cursor::new(message.as_mut_slice());
    let _ = writeln!(
        cursor,
        "  x out of memory: the system refused {bytes} bytes; the index holds the epoch before\n  help: lower \
         `job.memory_limit`, use `run --low-memory`, or raise the limit of the process"
    );
    let length = cursor.position() as usize;
    let message = message.get(..length).unwrap_or_default();
    #[cfg(unix)]
    // SAFETY: `write` reads `message.len()` bytes of a slice that lives; `_exit` takes any integer. Neither
    // allocates, and no destructor runs, which might.
    unsafe {
        libc::write(2, message.as_ptr().cast(), message.len());
        libc::_exit(code);
    }
    #[cfg(not(unix))]
    let _ = message;
}
