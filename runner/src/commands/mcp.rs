//! `gristmill mcp`: an index for an agent that starts this program itself.

use std::sync::Arc;
use std::time::Duration;

use rmcp::ServiceExt as _;
use rmcp::transport::io::stdio;
use tokio::runtime::Runtime;

use super::job::JobArgs;
use super::run::keep_quiet_about_contained_panics;
use super::{CommandError, Failure, watch};
use crate::exit::Exit;
use crate::query::{QueriedIndex, Runner, default_threads};
use crate::serve::{Desk, Limits, Live, McpServer, Served, Stop};

/// Speaks the Model Context Protocol on standard input and output, for an agent that starts
/// it. It ends when its input does.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
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
pub fn execute(args: Args) -> Result<Exit, CommandError> {
    let job = Arc::new(args.job.load(args.watch)?);
    if args.watch {
        watch::check(&job)?;
    }
    keep_quiet_about_contained_panics();
    let name: Arc<str> = job.name.as_str().into();
    let index = Arc::new(QueriedIndex::new(name, job).loaded_ahead());
    let runner = Runner::new([Arc::clone(&index)], default_threads());
    let desk = Desk::new(runner, "local", Limits::default().deadlines());
    let failed = |what: &str, error: std::io::Error| Failure::new(Exit::Failed, what.to_owned()).caused_by(error);
    let live = Live::start(vec![Arc::new(Served::new(index, args.watch))])
        .map_err(|error| failed("cannot start threads", error))?;
    let runtime = Runtime::new().map_err(|error| failed("cannot start threads", error))?;
    let ended = runtime.block_on(async {
        let mut stop = Stop::new().map_err(|error| failed("cannot watch for ctrl-c", error))?;
        let speaking = async {
            match McpServer::new(desk).serve(stdio()).await {
                Ok(running) => running.waiting().await.map(|_| ()).map_err(|error| error.to_string()),
                // Whoever started it went away before saying anything.
                Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => Ok(()),
                Err(error) => Err(error.to_string()),
            }
        };
        tokio::select! {
            ended = speaking => ended.map_err(|error| Failure::new(Exit::Failed, format!("the agent cannot be understood: {error}"))),
            () = stop.requested() => Ok(()),
        }
    });
    live.stop();
    // A thread may wait for input that never comes.
    runtime.shutdown_timeout(LAST_CALLS);
    ended?;
    Ok(Exit::Done)
}
