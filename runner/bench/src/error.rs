//! Why something could not be measured.

use std::path::PathBuf;

/// Why something could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A sweep is invalid.
    #[error("invalid sweep `{text}`: {reason}")]
    Sweep {
        /// The sweep as given.
        text: Box<str>,
        /// What is wrong.
        reason: Box<str>,
    },
    /// The plan of an experiment is invalid.
    #[error("{0}")]
    Plan(String),
    /// A file or folder cannot be used.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A program cannot be started.
    #[error("cannot start {}: {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A trial failed.
    #[error("variant `{variant}` failed with {how}: {message}")]
    Trial {
        /// The variant.
        variant: String,
        /// The exit code or the signal.
        how: String,
        /// The last of what it wrote to standard error.
        message: String,
    },
    /// A trial took too long.
    #[error("variant `{variant}` did not end within {seconds} s; allow more with --timeout")]
    Timeout {
        /// The variant.
        variant: String,
        /// The limit.
        seconds: u64,
    },
    /// A file does not have the form that it should have.
    #[error("{} is not valid: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A stage stopped working.
    #[error(transparent)]
    Operator(#[from] gristmill_pipeline::OperatorError),
    /// A run failed.
    #[error(transparent)]
    Run(#[from] gristmill_pipeline::run::RunError),
    /// The source cannot be scanned.
    #[error(transparent)]
    Source(#[from] gristmill_pipeline::source::SourceError),
    /// git failed.
    #[error("`git {arguments}` failed: {said}")]
    Git {
        /// What it was asked.
        arguments: String,
        /// What it said.
        said: String,
    },
    /// A thread could not be started.
    #[error("a thread cannot be started: {0}")]
    Thread(std::io::Error),
    /// It was asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl BenchError {
    /// For `map_err` of operations on files.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
