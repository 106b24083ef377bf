//! What parsing one text may cost.

use std::time::Duration;

/// Limits of one text. They are far above what any code takes, so that the same texts exceed them on
/// every machine and in every mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Budget {
    /// CPU time of the worker.
    pub cpu: Duration,
    /// Resident memory of the worker, in bytes.
    pub memory: u64,
}

impl Budget {
    const CPU: Duration = Duration::from_millis(500);
    /// Code takes a tenth of it.
    const CPU_PER_BYTE: Duration = Duration::from_micros(8);
    const MEMORY: u64 = 512 << 20;
    /// Code takes a tenth of it.
    const MEMORY_PER_BYTE: u64 = 512;

    /// The budget of a text of this many bytes.
    pub fn of(bytes: usize) -> Self {
        let per_byte = u32::try_from(bytes).unwrap_or(u32::MAX);
        Self {
            cpu: Self::CPU + Self::CPU_PER_BYTE * per_byte,
            memory: Self::MEMORY + Self::MEMORY_PER_BYTE * u64::from(per_byte),
        }
    }
}
