//! The exit codes, which scripts rely on.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All that was asked was done.
    Done = 0,
    /// It could not be done; nothing of an unfinished epoch shows.
    Failed = 1,
    /// The job or the arguments are wrong; nothing was run.
    BadConfig = 2,
    /// Done, but some files could not be indexed; the index lists them.
    Quarantined = 3,
    /// Another process is writing this index.
    Locked = 4,
    /// Stopped by a signal; the index is as it was before.
    Interrupted = 130,
}

impl Exit {
    /// Every exit code, in ascending order.
    pub const ALL: [Self; 6] =
        [Self::Done, Self::Failed, Self::BadConfig, Self::Quarantined, Self::Locked, Self::Interrupted];

    /// The code that the process ends with.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What it means, as shown by `--help`.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed; nothing of an unfinished epoch shows",
            Self::BadConfig => "bad job file or arguments; nothing was run",
            Self::Quarantined => "done, with files that could not be indexed",
            Self::Locked => "another process is writing this index",
            Self::Interrupted => "interrupted; the index is as it was before",
        }
    }

    /// The table of exit codes shown by `--help`.
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
