//! The tools as commands: each asks the index one question.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gristmill_pipeline::Epoch;
use gristmill_query::{Call, ErrorCode, Note, Place, QueriedIndex, Tool, ToolError};

use super::job::JobArgs;
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::terminal;

/// The arguments of a tool's command.
#[derive(Clone, Debug, clap::Args)]
pub struct Args<T: clap::Args> {
    /// The question.
    #[command(flatten)]
    pub question: T,
    /// Where to ask it.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Which index to ask, and how to tell the answer.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct PlaceArgs {
    /// The job that writes the index. Default: `gristmill.toml` if it is there, else the
    /// index in `.gristmill`.
    #[arg(long, value_name = "JOB", help_heading = "Where", conflicts_with = "index")]
    pub job: Option<PathBuf>,
    /// The index folder.
    #[arg(long, value_name = "DIR", help_heading = "Where")]
    pub index: Option<PathBuf>,
    /// An older epoch that is still kept.
    #[arg(long, value_name = "N", help_heading = "Where")]
    pub epoch: Option<Epoch>,
    /// The branch or tag to ask, where the index holds several. Default: its first.
    #[arg(long = "ref", value_name = "NAME", help_heading = "Where")]
    pub of_ref: Option<String>,
    /// Print one JSON object: the epoch, notes about the answer, and the answer.
    #[arg(long)]
    pub json: bool,
}

impl PlaceArgs {
    /// The index.
    ///
    /// # Errors
    /// Every error in the job.
    pub fn open(&self) -> Result<QueriedIndex, CommandError> {
        let job = JobArgs { job: self.job.clone(), index: self.index.clone(), ..JobArgs::default() }.load(false)?;
        Ok(QueriedIndex::new(job.name.clone(), Arc::new(job)))
    }

    /// What a request says of the place.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { epoch: self.epoch, of_ref: self.of_ref.clone(), ..Place::default() }
    }
}

/// Asks, and prints the answer.
///
/// # Errors
/// If there is no index, it cannot be read, or the question is wrong.
pub fn execute<T: Tool + clap::Args>(args: Args<T>) -> Result<Exit, CommandError> {
    let Args { question, place } = args;
    let index = place.open()?;
    // Nobody waits beside the one who typed it, and ctrl-c is at hand.
    let call = Call::new("command line", Duration::from_secs(3600));
    let mut answered = index.answer(&place.place(), &call, question)?;
    if place.json {
        for note in &mut answered.notes {
            note.message = note.full_message();
        }
        terminal::print_json(&answered)?;
    } else {
        tell_notes(&answered.notes);
        terminal::print(&T::render(&answered.answer))?;
    }
    Ok(Exit::Done)
}

/// Tells on standard error what to know about an answer.
fn tell_notes(notes: &[Note]) {
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
