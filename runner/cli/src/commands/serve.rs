//! `gristmill serve`: an HTTP server for programs, agents and people.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gristmill_config::{Job, Registry};
use gristmill_query::{QueriedIndex, Runner, ToolSet};
use gristmill_server::{
    CallMetrics, Desk, Limits, Live, Served, ServerState, Settings, SettingsError, Stop, Telemetry, Tenant, Tenants,
    TokenDigest, serve,
};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::job::JobArgs;
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::panics::{log_to, silence_operator_panics};
use crate::terminal;

/// Serve indexes over HTTP: an API, MCP at /mcp, and a search page.
///
/// Without `--config` it serves one job, to this machine only.
#[derive(Clone, Debug, clap::Args)]
pub struct ServeArgs {
    /// The job.
    #[command(flatten)]
    pub job: JobArgs,
    /// Server settings, a TOML file with tenants, their tokens and jobs, and limits.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Address to listen on; overrides the settings [default: 127.0.0.1:7878]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Watch the sources and commit a new epoch after every change.
    #[arg(long)]
    pub watch: bool,
}

/// How long to wait for running calls at shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(500);

/// Serves until stopped by a signal.
///
/// # Errors
/// Every error in the settings and the jobs, and if the address cannot be bound.
pub fn execute(args: ServeArgs, registry: &Registry, tools: ToolSet) -> Result<Exit, CommandError> {
    let settings = args.config.as_deref().map_or_else(|| Ok(Settings::default()), Settings::load).map_err(wrong)?;
    let listen = args.listen.unwrap_or(settings.listen);
    if settings.tenants.is_empty() && !listen.ip().is_loopback() {
        let failure = Failure::new(
            Exit::BadConfig,
            format!("refusing to listen on {listen}: it is reachable from other machines, and there are no tokens"),
        );
        return Err(failure
            .help("listen on 127.0.0.1, or configure tenants with tokens: gristmill serve --config FILE")
            .into());
    }
    let opened = Opened::of(&args, &settings, registry, tools)?;
    silence_operator_panics();
    if let Some(first) = opened.served.first() {
        log_to(&first.index().job().index);
    }
    let failed = |what: &str, error: std::io::Error| Failure::new(Exit::Failed, what.to_owned()).caused_by(error);
    let telemetry = Telemetry::install()
        .map_err(|error| Failure::new(Exit::Failed, "cannot install the metrics recorder").caused_by(error))?;
    let runtime = Runtime::new().map_err(|error| failed("cannot start threads", error))?;
    let served = runtime.block_on(async {
        let stop = Stop::new().map_err(|error| failed("cannot install signal handlers", error))?;
        let listener = TcpListener::bind(listen).await.map_err(|error| {
            failed(&format!("cannot listen on {listen}"), error)
                .help("stop the process that listens there, or choose another port with --listen")
        })?;
        let address = listener.local_addr().map_err(|error| failed("cannot determine the bound address", error))?;
        let live =
            Live::start(opened.served, settings.indexing.cpu).map_err(|error| failed("cannot start threads", error))?;
        // Standard output may be closed; the server runs all the same.
        let _ = terminal::print(&format!("listening on http://{address}\n"));
        let served = live.served().to_vec();
        let state =
            ServerState::new(settings.limits, settings.origins, opened.tenants, served, opened.runner, telemetry);
        let (ending, interrupt) = (state.shutdown().clone(), live.interrupt().clone());
        tokio::spawn(async move {
            ending.cancelled().await;
            // Calls may finish; epochs are abandoned at once.
            interrupt.request();
        });
        serve(listener, state, stop).await;
        Ok::<Live, Failure>(live)
    });
    served?.stop();
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
    Ok(Exit::Done)
}

fn wrong(error: SettingsError) -> CommandError {
    CommandError::new(Exit::BadConfig, error.to_string())
}

/// The served indexes and the tenants.
struct Opened {
    served: Vec<Arc<Served>>,
    tenants: Tenants,
    runner: Runner,
}

/// A job, its file, and whether it is watched.
struct Loaded {
    file: Option<PathBuf>,
    job: Arc<Job>,
    watched: bool,
}

impl Opened {
    fn of(args: &ServeArgs, settings: &Settings, registry: &Registry, tools: ToolSet) -> Result<Self, CommandError> {
        let limits = &settings.limits;
        if settings.tenants.is_empty() {
            let loaded = load(&args.job, None, registry, args.watch)?;
            let served = vec![Arc::new(served_of(&loaded))];
            let runner = runner_of(&served, tools, limits);
            let desk = Desk::new(runner.clone(), "local", limits.deadlines()).warning_after(limits.slow_call_ms);
            let desk = desk.writing(served.clone());
            let tenants = Tenants::new([Tenant::new(desk, None, limits.max_event_streams)]);
            return Ok(Self { served, tenants, runner });
        }
        if names_a_job(&args.job) {
            let failure = Failure::new(
                Exit::BadConfig,
                "a job on the command line cannot be combined with tenants in the settings",
            );
            return Err(failure.help("remove the job, or remove `[[tenant]]` from the settings").into());
        }
        let mut jobs: Vec<Loaded> = Vec::new();
        let mut tokens: Vec<(TokenDigest, Vec<Arc<str>>)> = Vec::new();
        for tenant in &settings.tenants {
            let token = tenant.token(|name| std::env::var(name).ok()).map_err(wrong)?;
            if tokens.iter().any(|(other, _)| *other == token) {
                let message =
                    format!("the tenant `{}` has the same token as another tenant; tokens must be unique", tenant.name);
                return Err(CommandError::new(Exit::BadConfig, message));
            }
            let mut names = Vec::new();
            for file in &tenant.jobs {
                names.push(add(&mut jobs, file, registry, tenant.watch || args.watch)?);
            }
            tokens.push((token, names));
        }
        let served: Vec<Arc<Served>> = jobs.iter().map(|loaded| Arc::new(served_of(loaded))).collect();
        let runner = runner_of(&served, tools, limits);
        let tenants = settings.tenants.iter().zip(tokens).map(|(tenant, (token, names))| {
            let desk = Desk::new(runner.only(&names), tenant.name.as_str(), limits.deadlines());
            let mut desk = desk.warning_after(limits.slow_call_ms);
            if tenant.may_index {
                let own = served.iter().filter(|served| names.contains(served.index().name()));
                desk = desk.writing(own.cloned().collect());
            }
            let admitted = Tenant::new(desk, Some(token), limits.max_event_streams);
            match tenant.requests_per_second {
                Some(limit) => admitted.limited_to(limit.get()),
                None => admitted,
            }
        });
        let tenants = Tenants::new(tenants);
        Ok(Self { served, tenants, runner })
    }
}

/// Adds the job of a file, unless another tenant has it already. Returns its name.
fn add(jobs: &mut Vec<Loaded>, file: &Path, registry: &Registry, watched: bool) -> Result<Arc<str>, CommandError> {
    let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    if let Some(known) = jobs.iter_mut().find(|known| known.file.as_ref() == Some(&file)) {
        if watched && !known.watched {
            gristmill_indexing::check(&known.job)?;
            known.watched = true;
        }
        return Ok(known.job.name.as_str().into());
    }
    let args = JobArgs { job: Some(file.clone()), ..JobArgs::default() };
    let loaded = load(&args, Some(file), registry, watched)?;
    let name: Arc<str> = loaded.job.name.as_str().into();
    if jobs.iter().any(|known| known.job.name == loaded.job.name) {
        let failure = Failure::new(Exit::BadConfig, format!("duplicate job name `{name}`"));
        return Err(failure.help("rename one of them: `name` under `[job]`").into());
    }
    jobs.push(loaded);
    Ok(name)
}

fn load(args: &JobArgs, file: Option<PathBuf>, registry: &Registry, watched: bool) -> Result<Loaded, CommandError> {
    let job = args.load(registry, watched)?;
    if watched {
        gristmill_indexing::check(&job)?;
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

fn runner_of(served: &[Arc<Served>], tools: ToolSet, limits: &Limits) -> Runner {
    let indexes = served.iter().map(|served| Arc::clone(served.index()));
    let runner = Runner::new(indexes, tools, limits.max_calls).observed_by(Arc::new(CallMetrics));
    runner.keeping_answers(limits.kept_answers.0)
}
