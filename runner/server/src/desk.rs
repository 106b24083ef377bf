//! Where every question of a tenant passes, whatever it came by.

use std::sync::Arc;

use gristmill_query::{AnswerOrError, Call, ErrorCode, Note, Place, Request, Response, Runner, ToolError, new_request};

/// Asks for one tenant. What it answers holds nothing of the machine: errors that may name
/// paths are told to the log, and the caller gets the request's name to find them by.
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
                let told = std::mem::replace(error, ToolError::bad_input(String::new()));
                *error = public_error(told, &name.id);
            }
            for note in &mut outcome.notes {
                make_public(note, &name.id);
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

/// The error as a caller may see it.
pub(super) fn public_error(error: ToolError, request: &str) -> ToolError {
    let what = match error.code {
        ErrorCode::Unreadable => "the index cannot be read as it should",
        ErrorCode::Internal => "the server failed",
        _ => return error,
    };
    tracing::error!(request, code = error.code.as_str(), detail = %error.message, "no answer");
    ToolError::new(error.code, format!("{what}; the server's log says more under request {request}"))
}

/// Takes from a note what may name places of the machine.
fn make_public(note: &mut Note, request: &str) {
    // Messages of stores and models come after what the note says itself.
    if let Some((said, detail)) = note.message.split_once(": ")
        && detail.contains('/')
    {
        tracing::warn!(request, code = note.code, detail, "a note of an answer");
        note.message = format!("{said}; the server's log says more under request {request}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_the_machine_to_itself() {
        let told = |code| public_error(ToolError::new(code, "cannot read /srv/secret/index").help("look"), "r-1");
        for code in [ErrorCode::Unreadable, ErrorCode::Internal] {
            let error = told(code);
            assert!(!format!("{error:?}").contains("/srv"), "{error:?}");
            assert!(error.message.contains("r-1"));
            assert_eq!(error.code, code);
        }
        assert_eq!(told(ErrorCode::BadInput).message, "cannot read /srv/secret/index");
    }

    #[test]
    fn a_note_keeps_the_machine_to_itself() {
        let public = |message: &str| {
            let mut note = Note { code: "words_only".into(), message: message.into() };
            make_public(&mut note, "r-1");
            note.message
        };
        assert_eq!(public("by words alone: the index holds no vectors"), "by words alone: the index holds no vectors");
        let shown = public("by words alone: cannot load /srv/models/x.onnx");
        assert!(shown.starts_with("by words alone; ") && !shown.contains("/srv"), "{shown}");
    }

    #[test]
    fn a_server_gives_so_much_time() {
        let desk = Desk::new(
            Runner::new([], gristmill_query::ToolSet::new(), 1),
            "a",
            Deadlines { default_ms: 50, most_ms: 100 },
        );
        let name = RequestName::new();
        let mut place = Place::default();
        let call = desk.call(&mut place, &name).unwrap();
        assert!(call.time_left().as_millis() <= 50);
        assert_eq!(call.request, name.id);
        place.deadline_ms = Some(101);
        assert_eq!(desk.call(&mut place, &name).unwrap_err().code, ErrorCode::BadInput);
    }
}
