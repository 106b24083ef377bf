//! The command line: the built-in subcommands, and one subcommand per tool.

use std::ffi::OsString;

use clap::{ArgMatches, Command, FromArgMatches as _, Subcommand};
use gristmill_config::Registry;
use gristmill_query::ToolSet;
use tracing_subscriber::EnvFilter;

use crate::commands::{self, ask};
use crate::diagnostic::Style;
use crate::exit::Exit;
use crate::failure::CommandError;
use crate::json_log::JsonLog;
use crate::limits;
use crate::panics::{caught, own_process};
use crate::program::Program;
use crate::terminal;

/// The environment variable that sets what is logged to standard error, such as `info`
/// or `gristmill=debug`.
pub const LOG_VARIABLE: &str = "GRISTMILL_LOG";

/// The environment variable that makes the log one JSON object a line, if it is `json`.
pub const LOG_FORMAT_VARIABLE: &str = "GRISTMILL_LOG_FORMAT";

const ABOUT: &str = "Index source code into searchable tables, and keep them up to date";

/// Commands that write indexes. In the help they come before those of the tools.
#[derive(Clone, Debug, Subcommand)]
enum Indexing {
    Init(commands::init::InitArgs),
    Check(commands::check::CheckArgs),
    Plan(commands::plan::PlanArgs),
    Run(commands::run::RunArgs),
    Watch(commands::watch::WatchArgs),
    Replay(commands::replay::ReplayArgs),
    Gc(commands::gc::GcArgs),
    Clear(commands::clear::ClearArgs),
}

/// Commands that serve, evaluate and inspect indexes. In the help they come after those of the
/// tools.
#[derive(Clone, Debug, Subcommand)]
enum Service {
    Serve(commands::serve::ServeArgs),
    Mcp(commands::mcp::McpArgs),
    Bench(commands::bench::BenchArgs),
    Eval(commands::eval::EvalArgs),
    Model(commands::model::ModelArgs),
    Status(commands::status::StatusArgs),
    History(commands::history::HistoryArgs),
    Digest(commands::digest::DigestArgs),
    Inspect(commands::inspect::InspectArgs),
    Schema(commands::schema::SchemaArgs),
}

/// Parses the process's arguments and runs the command, with logging to standard error.
pub(crate) fn main(program: &Program) -> Exit {
    own_process();
    limits::raise();
    start_log();
    run(std::env::args_os(), program)
}

/// Parses arguments, of which the first is the program's name, and runs the command. Errors are
/// printed to standard error.
pub(crate) fn run(args: impl IntoIterator<Item = OsString>, program: &Program) -> Exit {
    let executed = match command(program.tools()).try_get_matches_from(args) {
        Ok(matches) => caught(|| execute(&matches, program)),
        // `--help` and `--version` are errors too.
        Err(error) => Err(error.into()),
    };
    match executed {
        Ok(exit) => exit,
        Err(error) => {
            error.print(terminal::error_style());
            error.exit()
        }
    }
}

/// Defines the command line with one subcommand per tool. A tool with the name of a built-in command
/// gets none.
#[must_use]
pub fn command(tools: &ToolSet) -> Command {
    let command = Command::new("gristmill")
        .version(env!("GRISTMILL_VERSION"))
        .after_help(Exit::help())
        .max_term_width(100)
        .subcommand_required(true)
        .arg_required_else_help(true);
    let command = Indexing::augment_subcommands(command);
    let of_tools = tools.iter().filter(|tool| !is_built_in(&ask::name(tool))).map(ask::command);
    // Set last: the doc comments of the enums would override it.
    Service::augment_subcommands(command.subcommands(of_tools)).about(ABOUT)
}

fn is_built_in(name: &str) -> bool {
    Indexing::has_subcommand(name) || Service::has_subcommand(name)
}

fn execute(matches: &ArgMatches, program: &Program) -> Result<Exit, CommandError> {
    let Some((name, flags)) = matches.subcommand() else { return Ok(Exit::BadConfig) };
    limits::check()?;
    if Indexing::has_subcommand(name) {
        Indexing::from_arg_matches(matches)?.execute(program.registry())
    } else if Service::has_subcommand(name) {
        Service::from_arg_matches(matches)?.execute(program)
    } else {
        match program.tools().iter().find(|tool| ask::name(tool) == name) {
            Some(tool) => ask::execute(tool, flags, program.registry()),
            None => Ok(Exit::BadConfig),
        }
    }
}

impl Indexing {
    fn execute(self, registry: &Registry) -> Result<Exit, CommandError> {
        match self {
            Self::Init(args) => commands::init::execute(args),
            Self::Check(args) => commands::check::execute(args, registry),
            Self::Plan(args) => commands::plan::execute(args, registry),
            Self::Run(args) => commands::run::execute(args, registry),
            Self::Watch(args) => commands::watch::execute(args, registry),
            Self::Replay(args) => commands::replay::execute(args, registry),
            Self::Gc(args) => commands::gc::execute(args, registry),
            Self::Clear(args) => commands::clear::execute(args, registry),
        }
    }
}

impl Service {
    fn execute(self, program: &Program) -> Result<Exit, CommandError> {
        let registry = program.registry();
        match self {
            Self::Serve(args) => commands::serve::execute(args, registry, program.tools().clone()),
            Self::Mcp(args) => commands::mcp::execute(args, registry, program.tools().clone()),
            Self::Bench(args) => commands::bench::execute(args, registry),
            Self::Eval(args) => commands::eval::execute(args, registry),
            Self::Model(args) => commands::model::execute(args),
            Self::Status(args) => commands::status::execute(args, registry),
            Self::History(args) => commands::history::execute(args, registry),
            Self::Digest(args) => commands::digest::execute(args, registry),
            Self::Inspect(args) => commands::inspect::execute(args, registry),
            Self::Schema(args) => commands::schema::execute(args, registry),
        }
    }
}

fn start_log() {
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new("error"));
    let in_colour = terminal::error_style() == Style::Terminal;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(in_colour).with_writer(std::io::stderr);
    // Fails only if a subscriber is installed already.
    let _ = if std::env::var(LOG_FORMAT_VARIABLE).is_ok_and(|format| format == "json") {
        log.event_format(JsonLog).try_init()
    } else {
        log.try_init()
    };
}
