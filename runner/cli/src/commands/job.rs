//! Arguments that select a job or an index, shared by the commands.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use gristmill_config::{Job, JobRequest, Override, Registry};
use gristmill_pipeline::Mode;

use crate::exit::Exit;
use crate::failure::{CommandError, Failure};

/// The default job file.
pub const DEFAULT_JOB_FILE: &str = "gristmill.toml";

/// Selects a job and overrides its settings.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct JobArgs {
    /// Job file [default: `gristmill.toml` if it exists, else a job that indexes the working directory
    /// with the default graph]
    #[arg(value_name = "JOB")]
    pub job: Option<PathBuf>,
    /// Index this folder; overrides the job.
    #[arg(long, value_name = "DIR")]
    pub source: Option<PathBuf>,
    /// Store the index in this folder; overrides the job.
    #[arg(long, value_name = "DIR")]
    pub index: Option<PathBuf>,
    /// Execution mode; overrides the job and GRISTMILL_MODE.
    #[arg(long, value_parser = modes())]
    pub mode: Option<Mode>,
    /// Set a key of the job, such as `job.workers=4` or `stage.chunk.max_tokens=200`; repeatable.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
}

impl JobArgs {
    /// Loads and checks the job, with the overrides of the command line and the environment.
    /// `registry` is what the job may name.
    ///
    /// With `--source` and without a job file, the job has defaults only: a `gristmill.toml` in the
    /// working directory is about another source.
    ///
    /// # Errors
    /// Every error in the job.
    pub fn load(&self, registry: &Registry, check_places: bool) -> Result<Job, CommandError> {
        let folder = working_folder()?;
        let file = match &self.job {
            Some(file) => Some(file.clone()),
            None if self.source.is_some() => None,
            None => Some(PathBuf::from(DEFAULT_JOB_FILE)).filter(|file| file.exists()),
        };
        let overrides = self.overrides(&folder)?;
        let environment = |name: &str| std::env::var(name).ok();
        let request = JobRequest {
            file: file.as_deref(),
            overrides: &overrides,
            environment: &environment,
            folder: &folder,
            check_places,
        };
        Ok(gristmill_config::load(&request, registry)?)
    }

    /// Returns the settings of the command line. Paths are made absolute: they are relative to the
    /// working directory, not to the job file.
    fn overrides(&self, folder: &Path) -> Result<Vec<Override>, CommandError> {
        let mut overrides: Vec<Override> = self.settings.iter().cloned().map(Override::Assignment).collect();
        if let Some(mode) = self.mode {
            overrides.push(Override::Value { origin: "--mode", section: "job", key: "mode", value: mode.to_string() });
        }
        for (origin, section, path) in [("--source", "source", &self.source), ("--index", "index", &self.index)] {
            let Some(path) = path else { continue };
            let Some(value) = folder.join(path).to_str().map(ToOwned::to_owned) else {
                let failure = Failure::new(Exit::BadConfig, format!("{origin} {} is not UTF-8", path.display()));
                return Err(failure.help("rename the folder, or use a symbolic link with a UTF-8 name").into());
            };
            overrides.push(Override::Value { origin, section, key: "path", value });
        }
        Ok(overrides)
    }
}

/// Waits for another process that writes to the index.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct WaitArgs {
    /// Wait for another process that writes to the index, at most so many seconds [default: as long as it takes]
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "4294967295")]
    pub wait: Option<u32>,
}

impl WaitArgs {
    /// How long to wait; not at all without the flag.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.wait.unwrap_or_default().into())
    }
}

/// Selects an index: by the job that writes it, or by its folder.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct IndexArgs {
    /// Job of the index [default: `gristmill.toml` if it exists, else the index in `.gristmill`]
    #[arg(value_name = "JOB", conflicts_with = "index")]
    pub job: Option<PathBuf>,
    /// Index folder.
    #[arg(long, value_name = "DIR")]
    pub index: Option<PathBuf>,
}

impl IndexArgs {
    /// Returns the index folder as an absolute path. It need not exist.
    ///
    /// # Errors
    /// Every error in the job, if the index is selected by a job.
    pub fn folder(&self, registry: &Registry) -> Result<PathBuf, CommandError> {
        Ok(self.folders(registry)?.0)
    }

    /// Returns the index folder, and the folder of the vectors that it shares, if a job names one, as absolute paths.
    ///
    /// # Errors
    /// As for [`folder`](Self::folder).
    pub fn folders(&self, registry: &Registry) -> Result<(PathBuf, Option<PathBuf>), CommandError> {
        if let Some(index) = &self.index {
            return Ok((working_folder()?.join(index), None));
        }
        let args = JobArgs { job: self.job.clone(), ..JobArgs::default() };
        let job = args.load(registry, false)?;
        Ok((job.index, job.vectors))
    }
}

/// Parses a mode by name.
fn modes() -> impl TypedValueParser<Value = Mode> {
    let described = |mode: Mode| {
        PossibleValue::new(mode.as_str()).help(match mode {
            Mode::Sequential => "One thread processes one file after another, in path order",
            Mode::Parallel => "Each worker takes a file from read to chunk; sinks take batches",
            Mode::Pipeline => "All stages run concurrently, with bounded channels between them",
        })
    };
    PossibleValuesParser::new(Mode::ALL.map(described)).try_map(|name| name.parse::<Mode>())
}

fn working_folder() -> Result<PathBuf, CommandError> {
    std::env::current_dir().map_err(|error| {
        Failure::new(Exit::Failed, "cannot determine the working directory")
            .help("change to an existing directory")
            .caused_by(error)
            .into()
    })
}
