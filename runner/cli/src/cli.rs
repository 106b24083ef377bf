//! The command line.

use std::ffi::OsString;

use clap::{Parser, Subcommand};
use gristmill_tools as tools;
use tracing_subscriber::EnvFilter;

use crate::commands::{self, ask};
use crate::diagnostic::Style;
use crate::exit::Exit;
use crate::failure::CommandError;
use crate::terminal;

/// The environment variable that sets what is logged to standard error, such as `info`
/// or `gristmill=debug`.
pub const LOG_VARIABLE: &str = "GRISTMILL_LOG";

/// Turns source trees into searchable tables, and keeps them exact as the sources change.
#[derive(Clone, Debug, Parser)]
#[command(name = "gristmill", version, after_help = Exit::help(), max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    Init(commands::init::Args),
    Check(commands::check::Args),
    Plan(commands::plan::Args),
    Run(commands::run::Args),
    Watch(commands::watch::Args),
    Replay(commands::replay::Args),
    Gc(commands::gc::Args),
    Search(ask::Args<tools::Search>),
    GetSymbols(ask::Args<tools::GetSymbols>),
    GetFiles(ask::Args<tools::GetFiles>),
    GotoDefinition(ask::Args<tools::GotoDefinition>),
    References(ask::Args<tools::References>),
    GraphExpand(ask::Args<tools::GraphExpand>),
    GraphPath(ask::Args<tools::GraphPath>),
    Aggregate(ask::Args<tools::Aggregate>),
    ListPreview(ask::Args<tools::ListPreview>),
    HistoryRecent(ask::Args<tools::HistoryRecent>),
    MetricAggregate(ask::Args<tools::MetricAggregate>),
    MetricSeries(ask::Args<tools::MetricSeries>),
    Simulate(ask::Args<tools::Simulate>),
    Serve(commands::serve::Args),
    Mcp(commands::mcp::Args),
    Eval(commands::eval::Args),
    Model(commands::model::Args),
    Status(commands::status::Args),
    History(commands::history::Args),
    Digest(commands::digest::Args),
    Inspect(commands::inspect::Args),
    Schema(commands::schema::Args),
}

/// Parses the process's arguments and runs the command.
#[must_use]
pub fn main() -> Exit {
    start_log();
    run(std::env::args_os())
}

/// Parses arguments, of which the first is the program's name, and runs the command.
/// What goes wrong is told on standard error.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // `--help` and `--version` come this way too. Nobody is left to tell if the
            // message cannot be printed.
            let _ = error.print();
            return if error.use_stderr() { Exit::BadConfig } else { Exit::Done };
        }
    };
    match cli.execute() {
        Ok(exit) => exit,
        Err(error) => {
            terminal::print_error(&error.render(terminal::error_style()));
            error.exit()
        }
    }
}

impl Cli {
    fn execute(self) -> Result<Exit, CommandError> {
        match self.command {
            Command::Init(args) => commands::init::execute(args),
            Command::Check(args) => commands::check::execute(args),
            Command::Plan(args) => commands::plan::execute(args),
            Command::Run(args) => commands::run::execute(args),
            Command::Watch(args) => commands::watch::execute(args),
            Command::Gc(args) => commands::gc::execute(args),
            Command::Replay(args) => commands::replay::execute(args),
            Command::Search(args) => ask::execute(args),
            Command::GetSymbols(args) => ask::execute(args),
            Command::GetFiles(args) => ask::execute(args),
            Command::GotoDefinition(args) => ask::execute(args),
            Command::References(args) => ask::execute(args),
            Command::GraphExpand(args) => ask::execute(args),
            Command::GraphPath(args) => ask::execute(args),
            Command::Aggregate(args) => ask::execute(args),
            Command::ListPreview(args) => ask::execute(args),
            Command::HistoryRecent(args) => ask::execute(args),
            Command::MetricAggregate(args) => ask::execute(args),
            Command::MetricSeries(args) => ask::execute(args),
            Command::Simulate(args) => ask::execute(args),
            Command::Serve(args) => commands::serve::execute(args),
            Command::Mcp(args) => commands::mcp::execute(args),
            Command::Eval(args) => commands::eval::execute(args),
            Command::Model(args) => commands::model::execute(args),
            Command::Status(args) => commands::status::execute(args),
            Command::History(args) => commands::history::execute(args),
            Command::Digest(args) => commands::digest::execute(args),
            Command::Inspect(args) => commands::inspect::execute(args),
            Command::Schema(args) => commands::schema::execute(args),
        }
    }
}

fn start_log() {
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new("error"));
    let in_colour = terminal::error_style() == Style::Terminal;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(in_colour).with_writer(std::io::stderr);
    // Fails only where a log was started already, which then goes on.
    let _ = log.try_init();
}
