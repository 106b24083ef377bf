//! The program: the command line with a registry and a set of tools.

use std::ffi::OsString;
use std::process::ExitCode;

use gristmill_config::{Params, Registry, SourceFactory, ViewFactory};
use gristmill_pipeline::{OperatorConfig, SinkConfig};
use gristmill_query::{Tool, ToolSet};

use crate::cli;
use crate::exit::Exit;

/// The command line of gristmill, with what a program adds to it.
///
/// Whatever is added has the rights of what comes with gristmill: job files name operators, sinks,
/// sources and views; `check` prints them, `schema` describes them, and `run`, `watch`, `serve` and
/// `mcp` run them. A tool is a subcommand, an HTTP route and an MCP tool. Of two with the same name,
/// the one that was added last counts.
///
/// ```no_run
/// use gristmill::query::{ToolContext, ToolError};
/// use gristmill::{Program, Tool};
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// /// Counts the files.
/// #[derive(Deserialize, JsonSchema, clap::Args)]
/// struct CountFiles {}
///
/// impl Tool for CountFiles {
///     const NAME: &'static str = "count_files";
///     const ABOUT: &'static str = "Count the files of the index.";
///     type Answer = u64;
///
///     fn answer(self, context: &ToolContext<'_>) -> Result<u64, ToolError> {
///         Ok(context.epoch.coverage().files)
///     }
///
///     fn render(answer: &u64) -> String {
///         format!("{answer} files\n")
///     }
/// }
///
/// fn main() -> std::process::ExitCode {
///     Program::standard().tool::<CountFiles>().main()
/// }
/// ```
#[derive(Default)]
#[must_use]
pub struct Program {
    registry: Registry,
    tools: ToolSet,
}

impl Program {
    /// Creates a program with the operators, sinks and tools that come with gristmill.
    pub fn standard() -> Self {
        Self::new(Registry::standard(), gristmill_tools::standard())
    }

    /// Creates a program whose jobs can name what is in `registry`, with these tools.
    pub const fn new(registry: Registry, tools: ToolSet) -> Self {
        Self { registry, tools }
    }

    /// Adds the operator that `C` configures; `summary` says in a sentence what it does.
    pub fn operator<C: OperatorConfig>(self, summary: &'static str) -> Self {
        Self { registry: self.registry.operator::<C>(summary), ..self }
    }

    /// Adds the sink that `C` configures; `summary` says in a sentence what it does.
    pub fn sink<C: SinkConfig + Params>(self, summary: &'static str) -> Self {
        Self { registry: self.registry.sink::<C>(summary), ..self }
    }

    /// Adds the source that `C` configures.
    pub fn source<C: SourceFactory>(self) -> Self {
        Self { registry: self.registry.source::<C>(), ..self }
    }

    /// Adds the view that `C` configures.
    pub fn view<C: ViewFactory>(self) -> Self {
        Self { registry: self.registry.view::<C>(), ..self }
    }

    /// Adds a tool.
    pub fn tool<T: Tool>(self) -> Self {
        Self { tools: self.tools.with::<T>(), ..self }
    }

    /// Returns what job files can name.
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Returns the tools.
    #[must_use]
    pub const fn tools(&self) -> &ToolSet {
        &self.tools
    }

    /// Parses the arguments of the process and runs the command. Errors are printed to standard error.
    ///
    /// Call it first in `main`: parse workers are this same program, and have to be known before
    /// anything else is done (see [`isolate`](gristmill_operators::parse::isolate)).
    #[must_use]
    pub fn main(self) -> ExitCode {
        gristmill_operators::parse::isolate();
        cli::main(&self).into()
    }

    /// Parses arguments, of which the first is the name of the program, and runs the command. Errors
    /// are printed to standard error.
    pub fn run(&self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Exit {
        cli::run(args.into_iter().map(Into::into), self)
    }
}
