//! The history of an index: retained epochs and reports of runs.

use std::collections::BTreeMap;

use gristmill_pipeline::Epoch;
use gristmill_pipeline::index::{CommitRecord, IndexError, IndexFolder};
use gristmill_pipeline::run::{Ending, RunReport};

/// A retained epoch.
pub struct PastEpoch {
    /// The commit record.
    pub record: CommitRecord,
    /// The report of the run that committed it, if it is retained.
    pub run: Option<RunReport>,
}

/// A run with its report.
pub struct PastRun {
    /// The number of the run; it increases with every run.
    pub number: u64,
    /// The report.
    pub report: RunReport,
}

/// Returns the runs whose reports are retained, oldest first, including runs without changes. A
/// report that cannot be parsed is skipped: it may be incomplete.
///
/// # Errors
/// If the reports cannot be read.
pub fn runs(folder: &IndexFolder) -> Result<Vec<PastRun>, IndexError> {
    let run = |(number, text): (u64, String)| Some(PastRun { number, report: serde_json::from_str(&text).ok()? });
    Ok(folder.runs()?.into_iter().filter_map(run).collect())
}

/// Returns the retained epochs, oldest first. Those with damaged records are left out, with a warning in the log.
///
/// # Errors
/// If their records or the reports cannot be read.
pub fn epochs(folder: &IndexFolder) -> Result<Vec<PastEpoch>, IndexError> {
    let readable = |epoch: Result<CommitRecord, IndexError>| {
        epoch.inspect_err(|error| tracing::warn!("leaves out an epoch: {error}")).ok()
    };
    let records: Vec<CommitRecord> = folder.epochs()?.into_iter().filter_map(readable).collect();
    let mut reports: BTreeMap<Epoch, RunReport> = BTreeMap::new();
    // Runs without changes name the epoch too. A rebuilt index had several epochs with the same
    // number, of which the last one exists.
    for PastRun { report, .. } in runs(folder)?.into_iter().filter(|run| run.report.ending == Ending::Committed) {
        reports.insert(report.epoch, report);
    }
    let epoch = |record: CommitRecord| PastEpoch { run: reports.remove(&record.epoch), record };
    Ok(records.into_iter().map(epoch).collect())
}
