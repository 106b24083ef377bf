//! `gristmill bench compare`: compares two experiments on record.

use std::path::PathBuf;

use gristmill_bench::render::{comparisons, csv, html, stages, summary};
use gristmill_bench::{Metric, Results};

use super::check_bound;
use super::experiment::{check_comparable, regressed};
use crate::exit::Exit;
use crate::failure::CommandError;
use crate::report_file::write_file;
use crate::terminal;

/// Compare two experiments on record, or show one.
///
/// Variants are compared with those of the same name. The experiments did not take turns, so a difference
/// may be the machine's: prefer `gristmill bench run --against`.
#[derive(Clone, Debug, clap::Args)]
pub struct CompareArgs {
    /// Results that `gristmill bench run --json` wrote.
    #[arg(value_name = "RESULTS")]
    pub results: PathBuf,
    /// The earlier results, which are the baseline; without them RESULTS are shown.
    #[arg(value_name = "BASELINE")]
    pub baseline: Option<PathBuf>,
    /// Exit with code 5 if a variant's wall time is shown to be more than this many times the baseline's.
    #[arg(long, value_name = "RATIO", requires = "baseline")]
    pub max_ratio: Option<f64>,
    /// Write every figure of every trial of RESULTS to this file as CSV.
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Write a page with charts of RESULTS to this file.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// Compares or shows the results.
///
/// # Errors
/// If results cannot be read, or a bound is exceeded.
pub(super) fn execute(args: &CompareArgs) -> Result<Exit, CommandError> {
    check_bound(args.max_ratio)?;
    let results = Results::read(&args.results)?;
    if let Some(path) = &args.csv {
        write_file(path, &csv(&results))?;
    }
    if let Some(path) = &args.html {
        write_file(path, &html(&results))?;
    }
    let Some(baseline) = &args.baseline else {
        let stages = results.variants.iter().map(|variant| format!("\n{}", stages(variant)));
        terminal::print(&[summary(&results), stages.collect()].concat())?;
        return Ok(Exit::Done);
    };
    let baseline = Results::read(baseline)?;
    let found = results.comparisons_with(&baseline);
    for difference in results.differences(&baseline) {
        terminal::print_error(&format!("warning: {difference}\n"));
    }
    if args.max_ratio.is_some() {
        let trials =
            |results: &Results| results.variants.iter().map(|variant| variant.samples.len()).min().unwrap_or(0);
        check_comparable(if found.is_empty() { 0 } else { 2 }, trials(&results).min(trials(&baseline)))?;
    }
    terminal::print(&comparisons(&found))?;
    let bound = args.max_ratio.unwrap_or(f64::INFINITY);
    let is_slower =
        |found: &&gristmill_bench::Comparison| found.metric == Metric::Wall.as_str() && found.exceeds(bound);
    let slower: Vec<String> = found.iter().filter(is_slower).map(|found| found.variant.clone()).collect();
    if slower.is_empty() { Ok(Exit::Done) } else { Err(regressed(&slower, bound)) }
}
