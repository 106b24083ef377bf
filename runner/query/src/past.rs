//! What an index keeps of its past: epochs that can still be opened, and reports of runs.

use std::collections::BTreeMap;

use gristmill_pipeline::Epoch;
use gristmill_pipeline::index::{CommitRecord, IndexError, IndexFolder};
use gristmill_pipeline::run::{Ending, RunReport};

/// An epoch that is kept.
pub struct PastEpoch {
    /// Its record.
    pub record: CommitRecord,
    /// The report of the run that made it, while that is kept.
    pub run: Option<RunReport>,
}

/// A run.
pub struct PastRun {
    /// Its number: a later run has a higher one.
    pub number: u64,
    /// Its report.
    pub report: RunReport,
}

/// The runs whose reports are kept, oldest first, those that changed nothing included. A
/// report that does not read is left out: it may be written this very moment.
///
/// # Errors
/// If the reports cannot be read.
pub fn runs(folder: &IndexFolder) -> Result<Vec<PastRun>, IndexError> {
    let run = |(number, text): (u64, String)| Some(PastRun { number, report: serde_json::from_str(&text).ok()? });
    Ok(folder.runs()?.into_iter().filter_map(run).collect())
}

/// The epochs that are kept, oldest first.
///
/// # Errors
/// If their records or the reports cannot be read.
pub fn epochs(folder: &IndexFolder) -> Result<Vec<PastEpoch>, IndexError> {
    let records = folder.epochs()?;
    let mut reports: BTreeMap<Epoch, RunReport> = BTreeMap::new();
    // Runs that changed nothing name the epoch as well. An index that began again has
    // several epochs of a number, of which the last is there.
    for PastRun { report, .. } in runs(folder)?.into_iter().filter(|run| run.report.ending == Ending::Committed) {
        reports.insert(report.epoch, report);
    }
    let epoch = |record: CommitRecord| PastEpoch { run: reports.remove(&record.epoch), record };
    Ok(records.into_iter().map(epoch).collect())
}
