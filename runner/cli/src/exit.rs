//! The exit codes, which scripts rely on.

use std::process::ExitCode;

/// The outcome of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Success.
    Done = 0,
    /// Failure; an unfinished epoch is not visible.
    Failed = 1,
    /// The job file or the arguments are invalid; nothing was run.
    BadConfig = 2,
    /// Success, but some files were quarantined; the index lists them.
    Quarantined = 3,
    /// Another process holds the lock of the index.
    Locked = 4,
    /// A benchmark shows that a bound on a ratio is exceeded.
    Regressed = 5,
    /// Stopped by a signal; the index is unchanged.
    Interrupted = 130,
}

impl Exit {
    /// Every exit code, in ascending order.
    pub const ALL: [Self; 7] = [
        Self::Done,
        Self::Failed,
        Self::BadConfig,
        Self::Quarantined,
        Self::Locked,
        Self::Regressed,
        Self::Interrupted,
    ];

    /// Returns the exit code of the process.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Returns the meaning, as shown by `--help`.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "success",
            Self::Failed => "failure; an unfinished epoch is not visible",
            Self::BadConfig => "invalid job file or arguments; nothing was run",
            Self::Quarantined => "success, with quarantined files",
            Self::Locked => "the index is locked by another process",
            Self::Regressed => "a benchmark exceeds the bound of --max-ratio",
            Self::Interrupted => "interrupted; the index is unchanged",
        }
    }

    /// Renders the table of exit codes for `--help`.
    #[must_use]
    pub fn help() -> String {
        let lines = Self::ALL.map(|exit| format!("  {:>3}  {}", exit.code(), exit.meaning()));
        format!("Exit codes:\n{}", lines.join("\n"))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
