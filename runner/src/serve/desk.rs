//! Where every question of a tenant passes, whatever it came by.

use std::sync::Arc;

use crate::query::{AnswerOrError, Call, Note, Place, Request, Response, Runner, ToolError, new_request};

/// Asks for one tenant. Errors and notes leave it without their details, which may name paths
/// and hosts of this machine: the details go to the log, under the id of the request.
#[derive(Clone)]
pub struct Desk {
    runner: Runner,
    tenant: Arc<str>,
    deadlines: Deadlines,
}

/// How long answers may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Where the request does not say, in milliseconds.
    pub default_ms: u64,
    /// The longest that a request may ask for, in milliseconds.
    pub most_ms: u64,
}

/// What names a request in logs and answers.
#[derive(Clone, Debug)]
pub struct RequestName {
    /// The request's name.
    pub id: Arc<str>,
    /// The caller's trace, as W3C's `traceparent` gives it.
    pub trace: Option<Arc<str>>,
}

impl RequestName {
    /// A name of our own.
    #[must_use]
    pub fn new() -> Self {
        Self { id: new_request(), trace: None }
    }
}

impl Default for RequestName {
    fn default() -> Self {
        Self::new()
    }
}

impl Desk {
    /// A desk for a tenant, over a runner that has the tenant's indexes and no others.
    #[must_use]
    pub fn new(runner: Runner, tenant: impl Into<Arc<str>>, deadlines: Deadlines) -> Self {
        Self { runner, tenant: tenant.into(), deadlines }
    }

    /// The tenant's indexes.
    #[must_use]
    pub fn runner(&self) -> &Runner {
        &self.runner
    }

    /// The tenant's name.
    #[must_use]
    pub fn tenant(&self) -> &Arc<str> {
        &self.tenant
    }

    /// Asks. When the future is dropped, what it began is cancelled.
    ///
    /// # Errors
    /// Those of [`Runner::ask`], and if the request asks for more time than is given.
    pub async fn ask(&self, mut request: Request, name: &RequestName) -> Result<Response, ToolError> {
        let call = self.call(&mut request.place, name)?;
        let mut response = self.runner.ask(request, call).await.map_err(|error| public_error(error, &name.id))?;
        for outcome in &mut response.answers {
            if let AnswerOrError::Error(error) = &mut outcome.result {
                *error = public_error(error.clone(), &name.id);
            }
            for note in &mut outcome.notes {
                *note = public_note(note.clone(), &name.id);
            }
        }
        Ok(response)
    }

    fn call(&self, place: &mut Place, name: &RequestName) -> Result<Call, ToolError> {
        let Deadlines { default_ms, most_ms } = self.deadlines;
        let deadline = *place.deadline_ms.get_or_insert(default_ms);
        if deadline > most_ms {
            let message = format!("`deadline_ms` is {deadline}; this server gives at most {most_ms}");
            return Err(ToolError::bad_input(message));
        }
        let mut call = self.runner.call(Arc::clone(&self.tenant), place)?.named(Some(&name.id));
        call.trace.clone_from(&name.trace);
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
fn public_note(note: Note, request: &str) -> Note {
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
    use crate::query::ErrorCode;
    use crate::snapshot::SnapshotError;

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
            of_index(IndexError::NoEpoch { folder: folder.clone(), epoch: 3 }),
            of_index(IndexError::NotAnIndex { folder: folder.clone() }),
            of_index(IndexError::Damaged { path: folder.clone(), reason: format!("torn: {path}") }),
            of_index(IndexError::Io { action: "cannot read", path: folder, reason: io_error() }),
            ToolError::unreadable("the source cannot be read", &io_error()),
            ToolError::internal("the answer cannot be serialised", &io_error()),
            ToolError::new(ErrorCode::Lacking, "this job has no source").with_detail(io_error()),
        ];
        let errors = errors.map(|error| {
            assert!(error.full_message().contains(path), "{error:?}");
            let code = error.code;
            let public = public_error(error, "r-1");
            assert!(public.code == code && public.message.ends_with("; see request r-1 in the server log"), "{public}");
            serde_json::to_string(&public).unwrap() + &format!("{public:?}")
        });
        let note = Note::new("words_only", "lexical search only").with_detail(Some(&io_error().to_string()));
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
            let note = Note::new("corrected", message);
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
    fn a_server_gives_so_much_time() {
        let desk = Desk::new(Runner::new([], 1), "a", Deadlines { default_ms: 50, most_ms: 100 });
        let name = RequestName::new();
        let mut place = Place::default();
        let call = desk.call(&mut place, &name).unwrap();
        assert!(call.time_left().as_millis() <= 50);
        assert_eq!(call.request, name.id);
        place.deadline_ms = Some(101);
        assert_eq!(desk.call(&mut place, &name).unwrap_err().code, ErrorCode::BadInput);
    }
}
