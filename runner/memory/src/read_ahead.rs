//! How far Lance reads ahead.

/// The environment variable that sets how many bytes Lance reads ahead of a scan. It is the only way to say
/// so for the scans that build a vector index.
const VARIABLE: &str = "LANCE_DEFAULT_IO_BUFFER_SIZE";

/// By default 2 GiB, by which Lance reads all vectors at once to build an index: 205 of the 293 MB that a
/// first build of 10,000 files had allocated at its peak.
const BYTES: &str = "33554432";

/// Has Lance read 32 MiB ahead of a scan, unless the environment says otherwise. To be called first in `main`:
/// it does nothing once the process has a second thread.
pub fn read_less_ahead() {
    if std::env::var_os(VARIABLE).is_none() && has_one_thread() {
        // SAFETY: no other thread reads the environment meanwhile, as there is none.
        unsafe { std::env::set_var(VARIABLE, BYTES) };
    }
}

/// Whether the process has no other thread than this one, as far as the system tells.
fn has_one_thread() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}
