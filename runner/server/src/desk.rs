//! The one way of every tenant to the query runner, whatever protocol a request came by.

use std::sync::Arc;

use super::progress::IndexingProgress;
use super::request_ids::RequestIds;
use super::schemas::ToolDescriptions;
use super::served::Served;
use super::writers::{IndexAnswer, IndexInput, Writers};
use gristmill_query::{
    AnswerNote, AnswerOrError, CallContext, Request, RequestOptions, Response, Runner, ToolCall, ToolError,
};

/// Runs the requests of one tenant on the indexes that it may query, within its deadlines.
///
/// Errors and notes leave a desk without their details, which may name paths and hosts of this
/// machine: the details go to the log, under the id of the request.
#[derive(Clone)]
pub struct Desk {
    runner: Runner,
    tools: ToolDescriptions,
    tenant: Arc<str>,
    deadlines: Deadlines,
    /// Calls that take longer are logged as warnings.
    slow_ms: u64,
    writers: Writers,
}

/// The default of [`Desk::warning_after`].
const SLOW_MS: u64 = 1_000;

/// Characters of a slow call's input in the log.
const LOGGED_INPUT_CHARS: usize = 400;

/// How long requests may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// The deadline of a request that sets none, in milliseconds.
    pub default_ms: u64,
    /// The longest deadline that a request may set, in milliseconds.
    pub max_ms: u64,
}

impl Desk {
    /// A desk for a tenant, over a runner that has the tenant's indexes and no others.
    #[must_use]
    pub fn new(runner: Runner, tenant: impl Into<Arc<str>>, deadlines: Deadlines) -> Self {
        let tools = ToolDescriptions::new(runner.tools());
        Self { runner, tools, tenant: tenant.into(), deadlines, slow_ms: SLOW_MS, writers: Writers::default() }
    }

    /// Lets the tenant ask to index these indexes, which are among those of the runner.
    #[must_use]
    pub fn writing(self, served: Vec<Arc<Served>>) -> Self {
        Self { writers: Writers::new(served), ..self }
    }

    /// Whether the tenant may ask to index anything.
    pub(super) fn may_index(&self) -> bool {
        !self.writers.is_empty()
    }

    /// Asks to index. Dropping the future takes it back.
    ///
    /// # Errors
    /// If the job does not exist, the tenant may not write its index, too many requests wait, or it fails.
    pub(super) async fn index(
        &self,
        job: Option<&str>,
        input: IndexInput,
        ids: &RequestIds,
    ) -> Result<IndexAnswer, ToolError> {
        let job = Arc::clone(self.runner.index(job)?.name());
        self.writers.ask(&job, input, &ids.id).await.map_err(|error| public_error(error, &ids.id))
    }

    /// The progress of indexing.
    ///
    /// # Errors
    /// As for [`index`](Self::index).
    pub(super) fn progress(&self, job: Option<&str>) -> Result<IndexingProgress, ToolError> {
        Ok(self.writers.of(self.runner.index(job)?.name())?.tracker().report())
    }

    /// Logs a warning for each call that takes longer, in milliseconds.
    #[must_use]
    pub fn warning_after(self, slow_ms: u64) -> Self {
        Self { slow_ms, ..self }
    }

    /// The runner over the tenant's indexes.
    #[must_use]
    pub fn runner(&self) -> &Runner {
        &self.runner
    }

    /// The descriptions of the runner's tools.
    pub(super) fn tools(&self) -> &ToolDescriptions {
        &self.tools
    }

    /// The tenant's name.
    #[must_use]
    pub fn tenant(&self) -> &Arc<str> {
        &self.tenant
    }

    /// Runs a request. Dropping the future cancels its calls.
    ///
    /// # Errors
    /// Those of [`Runner::ask`], and if `deadline_ms` is out of range.
    pub async fn ask(&self, mut request: Request, ids: &RequestIds) -> Result<Response, ToolError> {
        let call = self.call(&mut request.options, ids)?;
        let calls = request.calls.clone();
        let mut response = self.runner.ask(request, call).await.map_err(|error| public_error(error, &ids.id))?;
        self.warn_of_slow(&calls, &response, ids);
        for outcome in &mut response.answers {
            if let AnswerOrError::Error(error) = &mut outcome.result {
                *error = public_error(error.clone(), &ids.id);
            }
            for note in &mut outcome.notes {
                *note = public_note(note.clone(), &ids.id);
            }
        }
        Ok(response)
    }

    fn warn_of_slow(&self, calls: &[ToolCall], response: &Response, ids: &RequestIds) {
        for (call, outcome) in calls.iter().zip(&response.answers) {
            if outcome.took_ms > self.slow_ms as f64 {
                let input: String = call.input.to_string().chars().take(LOGGED_INPUT_CHARS).collect();
                tracing::warn!(
                    request = %ids.id,
                    tenant = &*self.tenant,
                    user = ids.user.as_deref(),
                    tool = outcome.tool,
                    took_ms = outcome.took_ms,
                    input,
                    "slow call"
                );
            }
        }
    }

    fn call(&self, options: &mut RequestOptions, ids: &RequestIds) -> Result<CallContext, ToolError> {
        let Deadlines { default_ms, max_ms } = self.deadlines;
        let deadline_ms = *options.deadline_ms.get_or_insert(default_ms);
        if !(1..=max_ms).contains(&deadline_ms) {
            let message = format!("`deadline_ms` must be between 1 and {max_ms}, got {deadline_ms}");
            return Err(ToolError::bad_input(message));
        }
        let mut call = self.runner.call(Arc::clone(&self.tenant), options)?.named(Some(&ids.id));
        call.trace.clone_from(&ids.trace);
        call.user.clone_from(&ids.user);
        Ok(call)
    }
}

/// Logs an error that has a detail or is no fault of the caller, and removes the detail.
fn public_error(error: ToolError, request: &str) -> ToolError {
    let (code, full_message) = (error.code, error.full_message());
    let public = error.into_public(request);
    if public.message != full_message {
        tracing::error!(request, code = code.as_str(), detail = full_message, "request failed");
    }
    public
}

/// Logs the detail of a note, and removes it.
fn public_note(note: AnswerNote, request: &str) -> AnswerNote {
    if let Some(detail) = note.detail() {
        tracing::warn!(request, code = note.code, detail, "answer with a note");
    }
    note.into_public(request)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use gristmill_pipeline::SinkError;
    use gristmill_pipeline::index::IndexError;

    use super::*;
    use gristmill_query::ErrorCode;
    use gristmill_query::SnapshotError;

    /// What a client reads of an error whose cause names a path.
    fn seen_by_client(path: &str) -> Vec<String> {
        let io_error = || std::io::Error::other(format!("{path}: permission denied"));
        let of_index = |error: IndexError| ToolError::from(SnapshotError::Index(error));
        let folder = PathBuf::from(path);
        let errors = [
            ToolError::from(SinkError {
                sink: "lance".into(),
                action: format!("cannot open {path}").into(),
                message: format!("no such file: {path}").into(),
            }),
            of_index(IndexError::Missing { folder: folder.clone() }),
            of_index(IndexError::NoEpoch { folder: folder.clone(), epoch: gristmill_pipeline::Epoch::new(3) }),
            of_index(IndexError::NotAnIndex { folder: folder.clone() }),
            of_index(IndexError::Damaged { path: folder.clone(), reason: format!("torn: {path}") }),
            of_index(IndexError::Io { action: "cannot read", path: folder, reason: io_error() }),
            ToolError::unreadable("the source cannot be read", &io_error()),
            ToolError::internal("the answer cannot be serialised", &io_error()),
            ToolError::new(ErrorCode::MissingCapability, "this job has no source").with_detail(io_error()),
        ];
        let errors = errors.map(|error| {
            assert!(error.full_message().contains(path), "{error:?}");
            let code = error.code;
            let public = public_error(error, "r-1");
            assert!(public.code == code && public.message.ends_with("; see request r-1 in the server log"), "{public}");
            serde_json::to_string(&public).unwrap() + &format!("{public:?}")
        });
        let note = AnswerNote::new("lexical_only", "lexical search only").with_detail(Some(&io_error().to_string()));
        let note = public_note(note, "r-1");
        assert_eq!(note.message, "lexical search only; see request r-1 in the server log");
        errors.into_iter().chain([serde_json::to_string(&note).unwrap() + &format!("{note:?}")]).collect()
    }

    #[test]
    fn errors_and_notes_name_no_absolute_path() {
        for seen in seen_by_client("/srv/secret/index") {
            assert!(!seen.contains("srv") && !seen.contains("secret"), "{seen}");
        }
    }

    #[test]
    fn errors_and_notes_name_no_path_with_spaces() {
        for seen in seen_by_client("/srv/secret index: old/HEAD of it") {
            assert!(!seen.contains("srv") && !seen.contains("secret") && !seen.contains("HEAD"), "{seen}");
        }
    }

    #[test]
    fn errors_and_notes_name_no_relative_path() {
        for path in ["secret", "secret/index", "../secret", r"secret\index"] {
            for seen in seen_by_client(path) {
                assert!(!seen.contains("secret") && !seen.contains(".."), "{seen}");
            }
        }
    }

    #[test]
    fn what_the_caller_sent_is_shown() {
        for message in ["no file matches `src/*.rs`", "invalid expression: `a/b: (`"] {
            let error = ToolError::bad_input(message).help("see a/b: c");
            assert_eq!(public_error(error.clone(), "r-1"), error);
            let note = AnswerNote::new("corrected", message);
            assert_eq!(public_note(note.clone(), "r-1"), note);
        }
    }

    #[test]
    fn internal_errors_without_detail_name_the_request() {
        let error = ToolError::new(ErrorCode::Internal, "internal error: the tool panicked");
        let public = public_error(error, "r-1");
        assert_eq!(public.message, "internal error: the tool panicked; see request r-1 in the server log");
    }

    #[test]
    fn deadlines_are_capped() {
        let desk = Desk::new(
            Runner::new([], gristmill_query::ToolSet::new(), 1),
            "a",
            Deadlines { default_ms: 50, max_ms: 100 },
        );
        let ids = RequestIds::new();
        let mut options = RequestOptions::default();
        let call = desk.call(&mut options, &ids).unwrap();
        assert!(call.time_left().as_millis() <= 50);
        assert_eq!(call.request, ids.id);
        for deadline_ms in [0, 101] {
            options.deadline_ms = Some(deadline_ms);
            let error = desk.call(&mut options, &ids).unwrap_err();
            assert_eq!(error.code, ErrorCode::BadInput);
            assert_eq!(error.message, format!("`deadline_ms` must be between 1 and 100, got {deadline_ms}"));
        }
    }
}
