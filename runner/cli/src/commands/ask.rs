//! The subcommands of tools: each answers one query.

use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgMatches, Args as _, Command, FromArgMatches as _};
use gristmill_config::Registry;
use gristmill_pipeline::Epoch;
use gristmill_query::{AnswerNote, CallContext, ErasedTool, ErrorCode, QueriedIndex, RequestOptions, ToolError};

use super::job::JobArgs;
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::terminal;

/// The longest that a query may run. The user can interrupt it before.
const TIMEOUT: Duration = Duration::from_secs(3600);

/// Selects the index and epoch to query, and the output format.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct TargetArgs {
    /// Query the index of this job [default: `gristmill.toml` if it exists, else the index in
    /// `.gristmill`]
    #[arg(long, value_name = "JOB", help_heading = "Index", conflicts_with = "index")]
    pub job: Option<PathBuf>,
    /// Query the index in this folder
    #[arg(long, value_name = "DIR", help_heading = "Index")]
    pub index: Option<PathBuf>,
    /// Query an older epoch, if it is retained [default: the newest]
    #[arg(long, value_name = "N", help_heading = "Index")]
    pub epoch: Option<Epoch>,
    /// Query this branch or tag, if the index has several [default: its first]
    #[arg(long = "ref", value_name = "NAME", help_heading = "Index")]
    pub ref_name: Option<String>,
    /// Print one JSON object: the epoch, notes about the answer, and the answer
    #[arg(long)]
    pub json: bool,
}

impl TargetArgs {
    /// Opens the index.
    ///
    /// # Errors
    /// Every error in the job.
    pub fn open(&self, registry: &Registry) -> Result<QueriedIndex, CommandError> {
        let job =
            JobArgs { job: self.job.clone(), index: self.index.clone(), ..JobArgs::default() }.load(registry, false)?;
        Ok(QueriedIndex::new(job.name.clone(), Arc::new(job)))
    }

    /// The options of the request.
    #[must_use]
    pub fn options(&self) -> RequestOptions {
        RequestOptions { epoch: self.epoch, ref_name: self.ref_name.clone(), ..RequestOptions::default() }
    }
}

/// The name of a tool's subcommand.
#[must_use]
pub fn name(tool: &ErasedTool) -> String {
    tool.name.replace('_', "-")
}

/// The subcommand of a tool, with the tool's own flags and those of [`TargetArgs`].
#[must_use]
pub fn command(tool: &ErasedTool) -> Command {
    let command = TargetArgs::augment_args((tool.add_flags)(Command::new(name(tool))));
    command.about(tool.summary()).long_about(tool.about)
}

/// Answers the query of a subcommand, and prints the answer.
///
/// # Errors
/// If the flags are invalid, there is no index, or the tool fails.
pub fn execute(tool: &ErasedTool, matches: &ArgMatches, registry: &Registry) -> Result<Exit, CommandError> {
    let query = (tool.parse_flags)(matches)?;
    let args = TargetArgs::from_arg_matches(matches)?;
    // Never dropped: to free tables takes as long as to read them, and the process ends here.
    let index = ManuallyDrop::new(args.open(registry)?);
    let call = CallContext::new("command line", TIMEOUT);
    if args.json {
        terminal::print(&format!("{}\n", query.answer_json(&index, &args.options(), &call)?))?;
    } else {
        let answered = query.answer_text(&index, &args.options(), &call)?;
        print_notes(&answered.notes);
        terminal::print(&answered.answer)?;
    }
    Ok(Exit::Done)
}

/// Prints the notes about an answer to standard error.
fn print_notes(notes: &[AnswerNote]) {
    for note in notes {
        terminal::print_error(&format!("note: {}\n", note.full_message()));
    }
}

impl From<ToolError> for CommandError {
    fn from(error: ToolError) -> Self {
        let exit = if error.code == ErrorCode::BadInput { Exit::BadConfig } else { Exit::Failed };
        let mut failure = Failure::new(exit, error.message.as_str());
        if let Some(detail) = error.detail() {
            failure = failure.caused_by(detail);
        }
        match error.help {
            Some(help) => failure.help(help).into(),
            None => failure.into(),
        }
    }
}
