//! `gristmill mcp`: an index for an agent that starts this program itself.

use std::sync::Arc;
use std::time::Duration;

use gristmill_query::{QueriedIndex, Runner, ToolSet, default_threads};
use gristmill_server::{Desk, Limits, Live, Served, Stop, serve_stdio};
use tokio::runtime::Runtime;

use super::job::JobArgs;
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::panics::keep_quiet_about_contained_panics;

/// Speaks the Model Context Protocol on standard input and output, for an agent that starts
/// it. It ends when its input does.
#[derive(Clone, Debug, clap::Args)]
pub struct McpArgs {
    /// The job.
    #[command(flatten)]
    pub job: JobArgs,
    /// Keep the index up to date: whatever changes in the source is an epoch a moment later.
    #[arg(long)]
    pub watch: bool,
}

/// Calls that have not ended by then are left to the end of the process.
const LAST_CALLS: Duration = Duration::from_millis(500);

/// Answers until its input ends.
///
/// # Errors
/// Every error in the job, and if the protocol cannot be spoken.
pub fn execute(args: McpArgs, tools: ToolSet) -> Result<Exit, CommandError> {
    let job = Arc::new(args.job.load(args.watch)?);
    if args.watch {
        gristmill_watch::check(&job)?;
    }
    keep_quiet_about_contained_panics();
    let name: Arc<str> = job.name.as_str().into();
    let index = Arc::new(QueriedIndex::new(name, job).preloaded());
    let runner = Runner::new([Arc::clone(&index)], tools, default_threads());
    let desk = Desk::new(runner, "local", Limits::default().deadlines());
    let failed = |what: &str, error: std::io::Error| Failure::new(Exit::Failed, what.to_owned()).caused_by(error);
    let live = Live::start(vec![Arc::new(Served::new(index, args.watch))])
        .map_err(|error| failed("cannot start threads", error))?;
    let runtime = Runtime::new().map_err(|error| failed("cannot start threads", error))?;
    let ended = runtime.block_on(async {
        let stop = Stop::new().map_err(|error| failed("cannot watch for ctrl-c", error))?;
        serve_stdio(desk, stop)
            .await
            .map_err(|error| Failure::new(Exit::Failed, format!("the agent cannot be understood: {error}")))
    });
    live.stop();
    // A thread may wait for input that never comes.
    runtime.shutdown_timeout(LAST_CALLS);
    ended?;
    Ok(Exit::Done)
}
