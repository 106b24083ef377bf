//! `gristmill plan`: what a run would do.

use std::fmt::Write as _;

use gristmill_pipeline::Meters;
use gristmill_pipeline::run::{Forecast, Interrupt, forecast};

use crate::config::Job;
use crate::exit::Exit;
use crate::table::thousands;
use crate::terminal;

use super::CommandError;
use super::job::JobArgs;
use super::run::{failure, keep_quiet_about_contained_panics, plan, source};

/// Shows what a run would do, and writes nothing: files are scanned, and what is new is
/// parsed and cut, but not embedded.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The job.
    #[command(flatten)]
    pub job: JobArgs,
    /// What a run with `--full` would do.
    #[arg(long)]
    pub full: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Shows the plan.
///
/// # Errors
/// Every error in the job, and what a run would fail for.
pub fn execute(args: Args) -> Result<Exit, CommandError> {
    let job = args.job.load(false)?;
    let (interrupt, meters) = (Interrupt::default(), Meters::new(&job.graph));
    keep_quiet_about_contained_panics();
    let source = source(&job).map_err(|error| failure(error.into()))?;
    let forecast = forecast(&plan(&job, &*source, &meters, args.full, &interrupt)).map_err(failure)?;
    if args.json {
        terminal::print_json(&forecast)?;
    } else {
        terminal::print(&render(&job, &forecast))?;
    }
    Ok(Exit::Done)
}

fn render(job: &Job, forecast: &Forecast) -> String {
    let mut out = String::new();
    let (name, files) = (&job.name, thousands(forecast.files));
    let Some(epoch) = forecast.epoch else {
        return format!("{name}: nothing changed in {files} files; a run would do nothing\n");
    };
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{name}: a run would commit epoch {epoch} of {files} files");
    if let Some(reason) = &forecast.rebuilt_because {
        let _ = writeln!(out, "built from nothing: {reason}");
    }
    let (changes, work) = (&forecast.changes, &forecast.work);
    let _ = writeln!(
        out,
        "files     {} to add, {} modified, {} to delete, {} of them renamed",
        thousands(changes.added),
        thousands(changes.modified),
        thousands(changes.deleted),
        thousands(changes.renamed)
    );
    let _ = writeln!(
        out,
        "contents  {} to analyse, {} shared, {} known",
        thousands(work.contents_analysed),
        thousands(work.paths_shared),
        thousands(work.paths_recalled)
    );
    let _ = writeln!(
        out,
        "passages  {} to embed, {} known, {} shared",
        thousands(work.passages_embedded),
        thousands(work.passages_reused),
        thousands(work.passages_shared)
    );
    for (table, rows) in forecast.rows.iter().chain(&forecast.views) {
        let (added, deleted) = (thousands(rows.added), thousands(rows.deleted));
        let _ = writeln!(out, "rows      {table}: {added} to add, {deleted} to delete");
    }
    if forecast.quarantined > 0 {
        let _ = writeln!(out, "files that cannot be indexed: {}", thousands(forecast.quarantined));
    }
    let _ = match forecast.estimated_ms {
        Some(estimated) => writeln!(out, "about {:.2} s, by past runs", estimated / 1e3),
        None => writeln!(out, "no past run to tell how long it would take"),
    };
    out
}
