//! `gristmill init`: creates a job file.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use super::job::DEFAULT_JOB_FILE;
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::terminal::print;

/// The job file that `init` writes.
pub const TEMPLATE: &str = include_str!("init_template.toml");

/// Create a commented job file.
#[derive(Clone, Debug, clap::Args)]
pub struct InitArgs {
    /// Path of the job file.
    #[arg(value_name = "FILE", default_value = DEFAULT_JOB_FILE)]
    pub file: PathBuf,
    /// Overwrite an existing file.
    #[arg(long)]
    pub force: bool,
}

/// Writes the file.
///
/// # Errors
/// If the file exists already and is not to be overwritten, or it cannot be written.
pub fn execute(args: InitArgs) -> Result<Exit, CommandError> {
    let path = args.file.display();
    let mut options = OpenOptions::new();
    options.write(true);
    if args.force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    let written = options.open(&args.file).and_then(|mut file| file.write_all(TEMPLATE.as_bytes()));
    if let Err(error) = written {
        let (exit, help) = match error.kind() {
            ErrorKind::AlreadyExists => (Exit::BadConfig, "pass another path, or overwrite the file with --force"),
            _ => (Exit::Failed, "pass a path in an existing, writable folder"),
        };
        return Err(Failure::new(exit, format!("cannot write {path}")).help(help).caused_by(error).into());
    }
    print(&format!("wrote {path}\nnext: gristmill check {path}, then gristmill run {path}\n"))?;
    Ok(Exit::Done)
}
