//! Errors of commands.

use std::error::Error;
use std::fmt;
use std::io;

use gristmill_config::ConfigErrors;
use gristmill_pipeline::index::IndexError;
use gristmill_pipeline::run::RunError;
use miette::Diagnostic;

use crate::diagnostic::Style;
use crate::exit::Exit;
use crate::terminal;

/// The error of a command.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The job is invalid.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// Standard output cannot be written. A closed pipe is not reported.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
    /// The command line is invalid, or requests help or the version.
    #[error(transparent)]
    Usage(#[from] clap::Error),
    /// Any other failure.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// A failure with its exit code, message, help and cause.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    message: String,
    help: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// Creates a failure. The message says what failed, and where.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), help: None, source: None }
    }

    /// Sets the help.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Sets the cause.
    #[must_use]
    pub fn caused_by(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| -> &(dyn Error + 'static) { source.as_ref() })
    }
}

impl Diagnostic for Failure {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }
}

impl CommandError {
    /// Creates a failure with this exit code.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Failure::new(exit, message).into()
    }

    /// Returns the exit code of the process.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Config(_) => Exit::BadConfig,
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Output(_) => Exit::Failed,
            Self::Usage(error) if !error.use_stderr() => Exit::Done,
            Self::Usage(_) => Exit::BadConfig,
            Self::Failure(failure) => failure.exit,
        }
    }

    /// Renders the error; empty for a closed pipe.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        match self {
            Self::Config(errors) => style.render_job_errors(errors),
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => String::new(),
            Self::Output(_) => style.render(&Failure::new(Exit::Failed, self.to_string())),
            Self::Usage(error) => error.to_string(),
            Self::Failure(failure) => style.render(failure),
        }
    }

    /// Prints the error to standard error; help and version to standard output.
    pub fn print(&self, style: Style) {
        match self {
            Self::Usage(error) => {
                // Fails only if the stream is closed.
                let _ = error.print();
            }
            _ => terminal::print_error(&self.render(style)),
        }
    }
}

impl From<RunError> for CommandError {
    fn from(error: RunError) -> Self {
        let exit = match &error {
            RunError::Interrupted => Exit::Interrupted,
            RunError::Index(IndexError::Locked { .. }) => Exit::Locked,
            RunError::Index(IndexError::NotAnIndex { .. })
            | RunError::Source(_)
            | RunError::NoPlaceForViews
            | RunError::OtherDimension { .. } => Exit::BadConfig,
            _ => Exit::Failed,
        };
        let failure = Failure::new(exit, error.to_string());
        match error {
            RunError::Sink(_) => failure
                .help("if the disk is not at fault, rebuild the sink beside its folder: `gristmill run --verify`"),
            _ => failure,
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_not_a_failure() {
        let error = CommandError::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((error.exit(), error.render(Style::Plain)), (Exit::Done, String::new()));
        let error = CommandError::from(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(error.exit(), Exit::Failed);
        assert!(error.render(Style::Plain).contains("cannot write to standard output"));
    }

    #[test]
    fn a_failure_shows_its_cause_and_help() {
        let failure = Failure::new(Exit::Locked, "the index is being written").help("wait").caused_by("pid 7");
        let error = CommandError::from(failure);
        assert_eq!(error.exit(), Exit::Locked);
        let text = error.render(Style::Plain);
        for part in ["the index is being written", "pid 7", "wait"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
