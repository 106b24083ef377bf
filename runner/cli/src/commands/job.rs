//! The arguments that name a job or an index, shared by the commands.

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use gristmill_config::{Job, JobRequest, Override, Registry};
use gristmill_pipeline::Mode;

use crate::exit::Exit;
use crate::failure::{CommandError, Failure};

/// The job file that is looked for where none is named.
pub const DEFAULT_JOB_FILE: &str = "gristmill.toml";

/// Names a job and changes its settings.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct JobArgs {
    /// The job file. Default: `gristmill.toml` if it is there, else a job that indexes
    /// the working folder with the default graph.
    #[arg(value_name = "JOB")]
    pub job: Option<PathBuf>,
    /// The folder to index, in place of the job's.
    #[arg(long, value_name = "DIR")]
    pub source: Option<PathBuf>,
    /// The index folder, in place of the job's.
    #[arg(long, value_name = "DIR")]
    pub index: Option<PathBuf>,
    /// How the stages are executed, in place of the job's mode and of GRISTMILL_MODE.
    #[arg(long, value_parser = modes())]
    pub mode: Option<Mode>,
    /// Sets one key of the job: `job.workers=4`, or `stage.chunk.max_tokens=200`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
}

impl JobArgs {
    /// Reads and checks the job, as the command line and the environment change it.
    ///
    /// With `--source` and without a job file, the job is one of defaults: a
    /// `gristmill.toml` that happens to lie in the working folder speaks of another
    /// source.
    ///
    /// # Errors
    /// Every error in the job.
    pub fn load(&self, check_places: bool) -> Result<Job, CommandError> {
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
        Ok(gristmill_config::load(&request, &Registry::standard())?)
    }

    /// The settings of the command line; paths are made absolute, because the shell's
    /// working folder is not that of the job file.
    fn overrides(&self, folder: &Path) -> Result<Vec<Override>, CommandError> {
        let mut overrides: Vec<Override> = self.settings.iter().cloned().map(Override::Assignment).collect();
        if let Some(mode) = self.mode {
            overrides.push(Override::Value { origin: "--mode", section: "job", key: "mode", value: mode.to_string() });
        }
        for (origin, section, path) in [("--source", "source", &self.source), ("--index", "index", &self.index)] {
            let Some(path) = path else { continue };
            let Some(value) = folder.join(path).to_str().map(ToOwned::to_owned) else {
                let failure = Failure::new(Exit::BadConfig, format!("{origin} {} is not UTF-8", path.display()));
                return Err(failure.help("rename the folder, or reach it by a link with a UTF-8 name").into());
            };
            overrides.push(Override::Value { origin, section, key: "path", value });
        }
        Ok(overrides)
    }
}

/// Names an index: by the job that writes it, or by its folder.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct IndexArgs {
    /// The job that writes the index. Default: `gristmill.toml` if it is there, else the
    /// index in `.gristmill`.
    #[arg(value_name = "JOB", conflicts_with = "index")]
    pub job: Option<PathBuf>,
    /// The index folder.
    #[arg(long, value_name = "DIR")]
    pub index: Option<PathBuf>,
}

impl IndexArgs {
    /// The index folder, as an absolute path. It need not exist.
    ///
    /// # Errors
    /// Every error in the job, if a job names the index.
    pub fn folder(&self) -> Result<PathBuf, CommandError> {
        if let Some(index) = &self.index {
            return Ok(working_folder()?.join(index));
        }
        let args = JobArgs { job: self.job.clone(), ..JobArgs::default() };
        Ok(args.load(false)?.index)
    }
}

/// The modes by name.
fn modes() -> impl TypedValueParser<Value = Mode> {
    let described = |mode: Mode| {
        PossibleValue::new(mode.as_str()).help(match mode {
            Mode::Sequential => "One thread, one file through all stages, in path order",
            Mode::Parallel => "Each worker takes a file from read to chunk; sinks take batches",
            Mode::Pipeline => "Every stage at once, with bounded channels between them",
        })
    };
    PossibleValuesParser::new(Mode::ALL.map(described)).try_map(|name| name.parse::<Mode>())
}

fn working_folder() -> Result<PathBuf, CommandError> {
    std::env::current_dir().map_err(|error| {
        Failure::new(Exit::Failed, "cannot tell the working folder")
            .help("change to a folder that exists")
            .caused_by(error)
            .into()
    })
}
