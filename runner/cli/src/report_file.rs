//! Writes reports to files.

use crate::exit::Exit;
use crate::failure::{CommandError, Failure};

/// Writes a report to a file as JSON. `done` says, for the error, what has succeeded all the same.
pub(crate) fn write_report(
    path: &std::path::Path,
    report: &impl serde::Serialize,
    done: &str,
) -> Result<(), CommandError> {
    let json = serde_json::to_vec_pretty(report).map_err(std::io::Error::from);
    json.and_then(|json| std::fs::write(path, json)).map_err(|error| {
        let failure = Failure::new(Exit::Failed, format!("cannot write the report to {}", path.display()));
        failure.help(format!("{done}; pass another file to --report")).caused_by(error).into()
    })
}
