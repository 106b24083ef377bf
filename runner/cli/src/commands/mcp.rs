//! `gristmill mcp`: an MCP server on standard input and output.

use std::sync::Arc;
use std::time::Duration;

use gristmill_config::Registry;
use gristmill_query::{QueriedIndex, Runner, ToolSet, default_threads};
use gristmill_server::{Desk, Limits, Live, Served, Stop, serve_stdio};
use tokio::runtime::Runtime;

use super::job::JobArgs;
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::panics::{log_to, silence_operator_panics};

/// Serve the tools to an agent over the Model Context Protocol, on standard input and output.
///
/// Ends at the end of input.
#[derive(Clone, Debug, clap::Args)]
pub struct McpArgs {
    /// The job.
    #[command(flatten)]
    pub job: JobArgs,
    /// Watch the source and commit a new epoch after every change.
    #[arg(long)]
    pub watch: bool,
}

/// How long to wait for running calls at shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(500);

/// Serves until the end of input.
///
/// # Errors
/// Every error in the job, and errors of the protocol.
pub fn execute(args: McpArgs, registry: &Registry, tools: ToolSet) -> Result<Exit, CommandError> {
    let job = Arc::new(args.job.load(registry, args.watch)?);
    if args.watch {
        gristmill_indexing::check(&job)?;
    }
    silence_operator_panics();
    log_to(&job.index);
    let name: Arc<str> = job.name.as_str().into();
    let index = Arc::new(QueriedIndex::new(name, job).preloaded());
    let limits = Limits::default();
    let runner = Runner::new([Arc::clone(&index)], tools, default_threads()).keeping_answers(limits.kept_answers.0);
    let served = vec![Arc::new(Served::new(index, args.watch))];
    let desk = Desk::new(runner, "local", limits.deadlines()).writing(served.clone());
    let failed = |what: &str, error: std::io::Error| Failure::new(Exit::Failed, what.to_owned()).caused_by(error);
    let live = Live::start(served, 1.0).map_err(|error| failed("cannot start threads", error))?;
    let runtime = Runtime::new().map_err(|error| failed("cannot start threads", error))?;
    let ended = runtime.block_on(async {
        let stop = Stop::new().map_err(|error| failed("cannot install signal handlers", error))?;
        serve_stdio(desk, stop)
            .await
            .map_err(|error| Failure::new(Exit::Failed, format!("MCP protocol error: {error}")))
    });
    live.stop();
    // The thread that reads standard input may block for ever.
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
    ended?;
    Ok(Exit::Done)
}
