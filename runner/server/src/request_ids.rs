//! The identifiers of a request, as logs and answers carry them.

use std::sync::Arc;

use gristmill_query::new_request;

/// The identifiers of a request, as logs and answers carry them.
#[derive(Clone, Debug)]
pub struct RequestIds {
    /// The request id: the client's `x-request-id`, or a generated one.
    pub id: Arc<str>,
    /// The user for whom the client asks, from the header `x-user`.
    pub user: Option<Arc<str>>,
    /// The client's W3C trace context, from the header `traceparent`.
    pub trace: Option<Arc<str>>,
}

impl RequestIds {
    /// A generated id, and nothing else.
    #[must_use]
    pub fn new() -> Self {
        Self { id: new_request(), user: None, trace: None }
    }
}

impl Default for RequestIds {
    fn default() -> Self {
        Self::new()
    }
}

/// The tenant of a request, on its response: for the log.
#[derive(Clone)]
pub(super) struct TenantName(pub(super) Arc<str>);
