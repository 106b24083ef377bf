//! `gristmill search`: asks the index by text, by meaning, or both.

use std::fmt::Write as _;
use std::path::Path;

use crate::config::Job;
use crate::exit::Exit;
use crate::search::{Hit, Query, SearchError, SearchMode, search};
use crate::snapshot::Snapshot;
use crate::terminal;

use super::job::{IndexArgs, JobArgs};
use super::{CommandError, Failure};

/// Searches the index.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// What to look for.
    pub query: String,
    /// The index.
    #[command(flatten)]
    pub index: IndexArgs,
    /// By what to rank.
    #[arg(long, value_enum, default_value_t = SearchMode::Hybrid)]
    pub mode: SearchMode,
    /// How many results to give.
    #[arg(short = 'k', long = "limit", default_value_t = 10, value_name = "N")]
    pub limit: usize,
    /// Only files that one of these globs matches. One without `/` is matched with the
    /// file's name.
    #[arg(long = "path", value_name = "GLOB")]
    pub paths: Vec<String>,
    /// Only these languages.
    #[arg(long = "language", value_name = "NAME")]
    pub languages: Vec<String>,
    /// Rank by the scores alone: names and places of files do not count.
    #[arg(long)]
    pub plain: bool,
    /// The branch or tag to search, where the index holds several. Default: its first.
    #[arg(long = "ref", value_name = "NAME")]
    pub of_ref: Option<String>,
    /// Print a JSON array of objects.
    #[arg(long)]
    pub json: bool,
}

/// Searches.
///
/// # Errors
/// If there is no index, or it cannot be read.
pub fn execute(args: Args) -> Result<Exit, CommandError> {
    let (folder, job) = args.index.folder_and_job()?;
    let hits = ask(&args, &folder, &job).map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    if args.json {
        terminal::print_json(&hits)?;
    } else {
        terminal::print(&render(&hits))?;
    }
    Ok(Exit::Done)
}

fn ask(args: &Args, folder: &Path, job: &Job) -> Result<Vec<Hit>, SearchError> {
    let snapshot = Snapshot::open(folder, None)?;
    let query = Query {
        text: &args.query,
        mode: args.mode,
        limit: args.limit,
        paths: &args.paths,
        languages: &args.languages,
        plain: args.plain,
        of_ref: args.of_ref.as_deref(),
    };
    search(&snapshot, &job.graph, &query)
}

/// Lines of a hit's text that are shown.
const SHOWN_LINES: usize = 4;

fn render(hits: &[Hit]) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    for hit in hits {
        let _ = write!(out, "{}:{}-{}", hit.path, hit.start_line, hit.end_line);
        let _ = writeln!(out, "  {:.3}  {} {}", hit.score, hit.kind, hit.symbol);
        let text = hit.text.as_deref().unwrap_or_default();
        for line in text.lines().filter(|line| !line.trim().is_empty()).take(SHOWN_LINES) {
            let shown: String = line.chars().take(110).collect();
            let _ = writeln!(out, "    {shown}");
        }
    }
    if hits.is_empty() {
        out.push_str("nothing found\n");
    }
    out
}

impl IndexArgs {
    /// The index folder, and the job that tells how a query is embedded: the one named,
    /// or one with the default graph.
    fn folder_and_job(&self) -> Result<(std::path::PathBuf, Job), CommandError> {
        let job = JobArgs { job: self.job.clone(), index: self.index.clone(), ..JobArgs::default() }.load(false)?;
        Ok((job.index.clone(), job))
    }
}
