//! Writes reports and traces to files.

use crate::exit::Exit;
use crate::failure::{CommandError, Failure};

/// Writes a report to the file that the user named by `option`, as JSON. `done` says, for the error, what has
/// succeeded all the same.
pub(crate) fn write_report(
    option: &str,
    path: &std::path::Path,
    report: &impl serde::Serialize,
    done: &str,
) -> Result<(), CommandError> {
    let json = serde_json::to_vec_pretty(report).map_err(std::io::Error::from);
    json.and_then(|json| std::fs::write(path, json)).map_err(|error| {
        let failure = Failure::new(Exit::Failed, format!("cannot write the report to {}", path.display()));
        failure.help(format!("{done}; pass another file to {option}")).caused_by(error).into()
    })
}

/// Writes a trace to a file as JSON.
pub(crate) fn write_trace(path: &std::path::Path, trace: &gristmill_pipeline::Trace) -> Result<(), CommandError> {
    std::fs::File::create(path).and_then(|file| trace.write_json(file)).map_err(|error| {
        let failure = Failure::new(Exit::Failed, format!("cannot write the trace to {}", path.display()));
        failure.help("the run itself has ended; pass another file to --trace").caused_by(error).into()
    })
}

/// Writes a file that the user asked for.
pub(crate) fn write_file(path: &std::path::Path, text: &str) -> Result<(), CommandError> {
    std::fs::write(path, text)
        .map_err(|error| Failure::new(Exit::Failed, format!("cannot write {}", path.display())).caused_by(error).into())
}
