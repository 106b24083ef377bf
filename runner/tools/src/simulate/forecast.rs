//! A forecast of a run, made for a call: it ends when the call does, and tells nothing of the
//! machine that it is made on.

use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use gristmill_pipeline::Meters;
use gristmill_pipeline::index::IndexError;
use gristmill_pipeline::run::{self, Forecast, Interrupt, RunError};
use gristmill_pipeline::source::{Source, SourceError};
use gristmill_query::{At, Call, ErrorCode, ToolError};

/// What a run of the index's job would do, over its source or a revision of it.
pub(super) fn forecast(at: &At<'_>, revision: Option<&str>) -> Result<Forecast, ToolError> {
    let Some(_alone) = at.index.begin_forecast() else {
        let error = ToolError::new(ErrorCode::Busy, "another forecast of this index is being made");
        return Err(error.help("try again in a moment"));
    };
    let job = at.index.job();
    let source = match revision {
        None => job.open_source(),
        Some(revision) => job.open_revision(revision).map(|source| Box::new(source) as Box<dyn Source>),
    };
    let source = source.map_err(source_error)?;
    if !is_place_of(&at.epoch.record().source, source.place()) {
        let error = ToolError::new(ErrorCode::Lacking, "the index was not made of the source that the job names");
        return Err(error.help(match revision {
            None => "ask by the job that writes the index, after it has run",
            Some(_) => "a revision can be looked at where the source is the top of a git repository",
        }));
    }
    if at.index.newest() != Some(at.epoch.record().epoch) {
        at.note("newest_epoch", "a run goes on from the newest epoch, not from the one that was asked");
    }
    let (interrupt, meters) = (Interrupt::default(), Meters::new(&job.graph));
    let plan = job.run_plan(&*source, &meters, false, &interrupt);
    let forecast = while_asked(at.call, &interrupt, || run::forecast(&plan));
    forecast.map_err(|error| run_error(at.call, error))
}

/// Whether the folder that was indexed is that of a source: a job that only names an index has
/// whatever folder the process runs in.
fn is_place_of(indexed: &Path, source: &Path) -> bool {
    std::fs::canonicalize(source).is_ok_and(|source| source == indexed)
}

/// Does work that is interrupted when the call ends.
fn while_asked<T>(call: &Call, interrupt: &Interrupt, work: impl FnOnce() -> T) -> T {
    const LOOK: Duration = Duration::from_millis(20);
    let (working, ended) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(LOOK) {
                if call.check().is_err() {
                    interrupt.request();
                    return;
                }
            }
        });
        // Dropped when the work ends, however it does.
        let _working = working;
        work()
    })
}

fn run_error(call: &Call, error: RunError) -> ToolError {
    match error {
        RunError::Interrupted => match call.check() {
            Err(ended) => ended,
            Ok(()) => ToolError::new(ErrorCode::Cancelled, "the forecast was interrupted"),
        },
        RunError::Source(error) => source_error(error),
        RunError::ViewsOverRefs | RunError::NoPlaceForViews | RunError::OtherDimension { .. } => {
            ToolError::new(ErrorCode::Lacking, error.to_string())
        }
        RunError::Index(IndexError::NoEpoch { .. }) => {
            ToolError::new(ErrorCode::Busy, "the index moved on meanwhile").help("try again")
        }
        error => ToolError::unreadable("a forecast cannot be made: the source or the index cannot be read", &error),
    }
}

fn source_error(error: SourceError) -> ToolError {
    match error {
        SourceError::NoRevision { revision, near, .. } => {
            let message = format!("`{revision}` is no commit of the source's git repository");
            ToolError::new(ErrorCode::NotFound, message).help(match near {
                Some(near) => format!("was `{near}` meant?"),
                None => "name a branch, a tag or a commit that it has".to_owned(),
            })
        }
        SourceError::NoRepository { .. } => {
            ToolError::new(ErrorCode::Lacking, "the source lies in no git repository").help("leave `revision` out")
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
    fn work_is_interrupted_when_its_call_ends() {
        let call = Call::new("a", Duration::from_secs(600));
        let interrupt = Interrupt::default();
        let until_interrupted = || {
            call.cancel();
            while !interrupt.is_requested() {
                std::thread::yield_now();
            }
        };
        while_asked(&call, &interrupt, until_interrupted);
        assert_eq!(run_error(&call, RunError::Interrupted).code, ErrorCode::Cancelled);

        let (call, interrupt) = (Call::new("a", Duration::from_secs(600)), Interrupt::default());
        assert_eq!(while_asked(&call, &interrupt, || 7), 7);
        assert!(!interrupt.is_requested());
    }

    #[test]
    fn one_forecast_of_an_index_is_made_at_a_time() {
        let job = std::sync::Arc::new(Job::of_index(Path::new("nowhere")).unwrap());
        let index = QueriedIndex::new("a", job);
        let first = index.begin_forecast();
        assert!(first.is_some() && index.begin_forecast().is_none());
        drop(first);
        assert!(index.begin_forecast().is_some());
    }

    #[test]
    fn errors_name_no_place_of_the_machine() {
        let (repository, reason) = (std::path::PathBuf::from("/secret/place"), String::from("/secret/reason"));
        let (revision, near) = ("mian".to_owned(), Some("main".into()));
        let unreadable = || std::io::Error::other("/secret/reason");
        let errors = [
            SourceError::NoRevision { repository: repository.clone(), revision, reason: reason.clone(), near },
            SourceError::NoRepository { path: repository.clone(), reason },
            SourceError::Root { root: repository.clone(), reason: unreadable() },
        ];
        let of_index = IndexError::Io { action: "cannot read", path: repository, reason: unreadable() };
        let call = Call::new("a", Duration::from_secs(600));
        let errors = errors.map(RunError::Source).into_iter().chain([RunError::Index(of_index)]);
        let told: Vec<ToolError> = errors.map(|error| run_error(&call, error)).collect();
        let public = serde_json::to_string(&told).unwrap();
        assert!(!public.contains("secret"), "{public}");
        let codes: Vec<ErrorCode> = told.iter().map(|error| error.code).collect();
        assert_eq!(codes, [ErrorCode::NotFound, ErrorCode::Lacking, ErrorCode::Unreadable, ErrorCode::Unreadable]);
        assert_eq!(told[0].help.as_deref(), Some("was `main` meant?"));
    }
}
