//! `gristmill serve`: indexes over HTTP, for programs, agents and people.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gristmill_config::Job;
use gristmill_query::{QueriedIndex, Runner, ToolSet};
use gristmill_server::{
    CallMetrics, Desk, Live, Served, ServerState, Settings, SettingsError, Stop, Telemetry, Tenant, Tenants,
    TokenDigest, serve,
};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::job::JobArgs;
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::panics::keep_quiet_about_contained_panics;
use crate::terminal;

/// Serves indexes over HTTP: an API, the Model Context Protocol at /mcp, and a page to search
/// with. Without settings it serves one job, to this machine alone.
#[derive(Clone, Debug, clap::Args)]
pub struct ServeArgs {
    /// The job.
    #[command(flatten)]
    pub job: JobArgs,
    /// The server's settings, a TOML file: tenants with their tokens and jobs, and limits.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where to listen, in place of the settings' [default: 127.0.0.1:7878].
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Keep the indexes up to date: whatever changes in a source is an epoch a moment later.
    #[arg(long)]
    pub watch: bool,
}

/// Calls that have not ended by then are left to the end of the process.
const LAST_CALLS: Duration = Duration::from_millis(500);

/// Serves until it is told to stop.
///
/// # Errors
/// Every error in the settings and the jobs, and if it cannot listen.
pub fn execute(args: ServeArgs, tools: ToolSet) -> Result<Exit, CommandError> {
    let settings = args.config.as_deref().map_or_else(|| Ok(Settings::default()), Settings::load).map_err(wrong)?;
    let listen = args.listen.unwrap_or(settings.listen);
    if settings.tenants.is_empty() && !listen.ip().is_loopback() {
        let failure = Failure::new(
            Exit::BadConfig,
            format!("{listen} can be reached from other machines, and there are no tokens"),
        );
        return Err(failure
            .help("listen on 127.0.0.1, or name tenants with tokens in settings: gristmill serve --config FILE")
            .into());
    }
    let opened = Opened::of(&args, &settings, tools)?;
    keep_quiet_about_contained_panics();
    let failed = |what: &str, error: std::io::Error| Failure::new(Exit::Failed, what.to_owned()).caused_by(error);
    let telemetry =
        Telemetry::install().map_err(|error| Failure::new(Exit::Failed, "cannot begin to measure").caused_by(error))?;
    let runtime = Runtime::new().map_err(|error| failed("cannot start threads", error))?;
    let served = runtime.block_on(async {
        let stop = Stop::new().map_err(|error| failed("cannot watch for ctrl-c", error))?;
        let listener = TcpListener::bind(listen).await.map_err(|error| {
            failed(&format!("cannot listen on {listen}"), error)
                .help("end what listens there, or choose another port with --listen")
        })?;
        let address = listener.local_addr().map_err(|error| failed("cannot tell where it listens", error))?;
        let live = Live::start(opened.served).map_err(|error| failed("cannot start threads", error))?;
        // Whoever started it may have gone; it serves all the same.
        let _ = terminal::print(&format!("listening on http://{address}\n"));
        let served = live.served().to_vec();
        let state =
            ServerState::new(settings.limits, settings.origins, opened.tenants, served, opened.runner, telemetry);
        let (ending, interrupt) = (state.shutdown().clone(), live.interrupt().clone());
        tokio::spawn(async move {
            ending.cancelled().await;
            // Calls may end; epochs are given up at once.
            interrupt.request();
        });
        serve(listener, state, stop).await;
        Ok::<Live, Failure>(live)
    });
    served?.stop();
    runtime.shutdown_timeout(LAST_CALLS);
    Ok(Exit::Done)
}

fn wrong(error: SettingsError) -> CommandError {
    CommandError::new(Exit::BadConfig, error.to_string())
}

/// All that is served, and to whom.
struct Opened {
    served: Vec<Arc<Served>>,
    tenants: Tenants,
    runner: Runner,
}

/// A job, the file that it comes from, and whether it is watched.
struct Loaded {
    file: Option<PathBuf>,
    job: Arc<Job>,
    watched: bool,
}

impl Opened {
    fn of(args: &ServeArgs, settings: &Settings, tools: ToolSet) -> Result<Self, CommandError> {
        let limits = &settings.limits;
        if settings.tenants.is_empty() {
            let loaded = load(&args.job, None, args.watch)?;
            let served = vec![Arc::new(served_of(&loaded))];
            let runner = runner_of(&served, tools, limits.max_calls);
            let desk = Desk::new(runner.clone(), "local", limits.deadlines());
            let tenants = Tenants::new([Tenant::new(desk, None)]);
            return Ok(Self { served, tenants, runner });
        }
        if names_a_job(&args.job) {
            let failure = Failure::new(
                Exit::BadConfig,
                "the settings name tenants with their jobs, and so does the command line",
            );
            return Err(failure.help("leave the job out, or leave `[[tenant]]` out of the settings").into());
        }
        let mut jobs: Vec<Loaded> = Vec::new();
        let mut tokens: Vec<(TokenDigest, Vec<Arc<str>>)> = Vec::new();
        for tenant in &settings.tenants {
            let token = tenant.token(|name| std::env::var(name).ok()).map_err(wrong)?;
            if tokens.iter().any(|(other, _)| *other == token) {
                let message = format!("the tenant `{}` has the token of another; give each its own", tenant.name);
                return Err(CommandError::new(Exit::BadConfig, message));
            }
            let mut names = Vec::new();
            for file in &tenant.jobs {
                names.push(add(&mut jobs, file, tenant.watch || args.watch)?);
            }
            tokens.push((token, names));
        }
        let served: Vec<Arc<Served>> = jobs.iter().map(|loaded| Arc::new(served_of(loaded))).collect();
        let runner = runner_of(&served, tools, limits.max_calls);
        let tenants = settings.tenants.iter().zip(tokens).map(|(tenant, (token, names))| {
            let desk = Desk::new(runner.only(&names), tenant.name.as_str(), limits.deadlines());
            Tenant::new(desk, Some(token))
        });
        Ok(Self { served, tenants: Tenants::new(tenants), runner: runner.clone() })
    }
}

/// Adds the job of a file, unless another tenant has brought it along. Gives its name.
fn add(jobs: &mut Vec<Loaded>, file: &Path, watched: bool) -> Result<Arc<str>, CommandError> {
    let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    if let Some(known) = jobs.iter_mut().find(|known| known.file.as_ref() == Some(&file)) {
        if watched && !known.watched {
            gristmill_watch::check(&known.job)?;
            known.watched = true;
        }
        return Ok(known.job.name.as_str().into());
    }
    let args = JobArgs { job: Some(file.clone()), ..JobArgs::default() };
    let loaded = load(&args, Some(file), watched)?;
    let name: Arc<str> = loaded.job.name.as_str().into();
    if jobs.iter().any(|known| known.job.name == loaded.job.name) {
        let failure = Failure::new(Exit::BadConfig, format!("two jobs are named `{name}`"));
        return Err(failure.help("give one of them another name: `name` under `[job]`").into());
    }
    jobs.push(loaded);
    Ok(name)
}

fn load(args: &JobArgs, file: Option<PathBuf>, watched: bool) -> Result<Loaded, CommandError> {
    let job = args.load(watched)?;
    if watched {
        gristmill_watch::check(&job)?;
    }
    Ok(Loaded { file, job: Arc::new(job), watched })
}

fn names_a_job(args: &JobArgs) -> bool {
    args.job.is_some()
        || args.source.is_some()
        || args.index.is_some()
        || args.mode.is_some()
        || !args.settings.is_empty()
}

fn served_of(loaded: &Loaded) -> Served {
    let name = loaded.job.name.as_str();
    Served::new(Arc::new(QueriedIndex::new(name, Arc::clone(&loaded.job)).preloaded()), loaded.watched)
}

fn runner_of(served: &[Arc<Served>], tools: ToolSet, max_calls: usize) -> Runner {
    let indexes = served.iter().map(|served| Arc::clone(served.index()));
    Runner::new(indexes, tools, max_calls).observed_by(Arc::new(CallMetrics))
}
