//! Forecasts a run within a call: it is cancelled with the call, and its errors name no paths of the
//! server.

use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use gristmill_pipeline::Meters;
use gristmill_pipeline::index::IndexError;
use gristmill_pipeline::run::{self, Forecast, Interrupt, RunError};
use gristmill_pipeline::source::{Source, SourceError};
use gristmill_query::{CallContext, ErrorCode, ToolContext, ToolError, quote};

/// Forecasts a run of the index's job over its source, or over a revision of it.
pub(super) fn forecast(context: &ToolContext<'_>, revision: Option<&str>) -> Result<Forecast, ToolError> {
    let Some(_lock) = context.index.try_begin_forecast() else {
        let error = ToolError::new(ErrorCode::Busy, "another forecast of this index is running");
        return Err(error.help("retry later"));
    };
    let job = context.index.job();
    let source = match revision {
        None => job.open_source(),
        Some(revision) => job.open_revision(revision).map(|source| Box::new(source) as Box<dyn Source>),
    };
    let source = source.map_err(source_error)?;
    if !is_indexed_source(&context.epoch.record().source, source.place()) {
        let error =
            ToolError::new(ErrorCode::MissingCapability, "the job has another source than the index was built from");
        return Err(error.help(match revision {
            None => "use the job that writes the index",
            Some(_) => "forecasts of revisions need a source that is the root of a git repository",
        }));
    }
    if context.index.newest_epoch() != Some(context.epoch.record().epoch) {
        context.note("newest_epoch", "the forecast starts from the newest epoch, not from the queried one");
    }
    let (interrupt, meters) = (Interrupt::default(), Meters::new(&job.graph));
    let plan = job.run_plan(&*source, &meters, false, &interrupt);
    let forecast = while_not_cancelled(context.call, &interrupt, || run::forecast(&plan));
    forecast.map_err(|error| run_error(context.call, error))
}

/// Returns whether a source is the folder that was indexed. The source of a job that only names an
/// index is the working directory.
fn is_indexed_source(indexed: &Path, source: &Path) -> bool {
    std::fs::canonicalize(source).is_ok_and(|source| source == indexed)
}

/// Runs `work`, and interrupts it when the call is cancelled or its deadline passes.
fn while_not_cancelled<T>(call: &CallContext, interrupt: &Interrupt, work: impl FnOnce() -> T) -> T {
    const POLL_INTERVAL: Duration = Duration::from_millis(20);
    let (working, ended) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(POLL_INTERVAL) {
                if call.check().is_err() {
                    interrupt.request();
                    return;
                }
            }
        });
        // Dropped when the work ends, even by a panic.
        let _working = working;
        work()
    })
}

fn run_error(call: &CallContext, error: RunError) -> ToolError {
    match error {
        RunError::Interrupted => match call.check() {
            Err(ended) => ended,
            Ok(()) => ToolError::new(ErrorCode::Cancelled, "the forecast was interrupted"),
        },
        RunError::Source(error) => source_error(error),
        RunError::ViewsOverRefs | RunError::NoPlaceForViews | RunError::OtherDimension { .. } => {
            ToolError::new(ErrorCode::MissingCapability, error.to_string())
        }
        RunError::Index(IndexError::NoEpoch { .. }) => {
            ToolError::new(ErrorCode::Busy, "a newer epoch was committed during the forecast").help("retry")
        }
        error => ToolError::unreadable("the forecast failed: the source or the index cannot be read", &error),
    }
}

fn source_error(error: SourceError) -> ToolError {
    match error {
        SourceError::NoRevision { revision, near, .. } => {
            let message = format!("unknown revision {} in the source's git repository", quote(&revision));
            ToolError::new(ErrorCode::NotFound, message).help(match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "pass a branch, a tag or a commit of the repository".to_owned(),
            })
        }
        SourceError::NoRepository { .. } => {
            ToolError::new(ErrorCode::MissingCapability, "the source is not in a git repository")
                .help("remove `revision`")
        }
        error => ToolError::unreadable("the source cannot be read", &error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gristmill_config::Job;
    use gristmill_query::QueriedIndex;

    #[test]
    fn work_is_interrupted_when_its_call_is_cancelled() {
        let call = CallContext::new("a", Duration::from_secs(600));
        let interrupt = Interrupt::default();
        let until_interrupted = || {
            call.cancel();
            while !interrupt.is_requested() {
                std::thread::yield_now();
            }
        };
        while_not_cancelled(&call, &interrupt, until_interrupted);
        assert_eq!(run_error(&call, RunError::Interrupted).code, ErrorCode::Cancelled);

        let (call, interrupt) = (CallContext::new("a", Duration::from_secs(600)), Interrupt::default());
        assert_eq!(while_not_cancelled(&call, &interrupt, || 7), 7);
        assert!(!interrupt.is_requested());
    }

    #[test]
    fn an_index_has_one_forecast_at_a_time() {
        let job =
            std::sync::Arc::new(Job::of_index(Path::new("nowhere"), &gristmill_config::Registry::standard()).unwrap());
        let index = QueriedIndex::new("a", job);
        let first = index.try_begin_forecast();
        assert!(first.is_some() && index.try_begin_forecast().is_none());
        drop(first);
        assert!(index.try_begin_forecast().is_some());
    }

    #[test]
    fn public_errors_name_no_paths() {
        let (repository, reason) = (std::path::PathBuf::from("/secret/place"), String::from("/secret/reason"));
        let (revision, near) = ("mian".to_owned(), Some("main".into()));
        let unreadable = || std::io::Error::other("/secret/reason");
        let errors = [
            SourceError::NoRevision { repository: repository.clone(), revision, reason: reason.clone(), near },
            SourceError::NoRepository { path: repository.clone(), reason },
            SourceError::Root { root: repository.clone(), reason: unreadable() },
        ];
        let of_index = IndexError::Io { action: "cannot read", path: repository, reason: unreadable() };
        let call = CallContext::new("a", Duration::from_secs(600));
        let errors = errors.map(RunError::Source).into_iter().chain([RunError::Index(of_index)]);
        let errors: Vec<ToolError> = errors.map(|error| run_error(&call, error)).collect();
        let public = serde_json::to_string(&errors).unwrap();
        assert!(!public.contains("secret"), "{public}");
        let codes: Vec<ErrorCode> = errors.iter().map(|error| error.code).collect();
        assert_eq!(
            codes,
            [ErrorCode::NotFound, ErrorCode::MissingCapability, ErrorCode::Unreadable, ErrorCode::Unreadable]
        );
        assert_eq!(errors[0].help.as_deref(), Some("did you mean `main`?"));
    }
}
