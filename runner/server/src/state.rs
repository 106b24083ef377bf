//! What every request of a server has in common.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_util::sync::CancellationToken;

use super::served::Served;
use super::settings::Limits;
use super::telemetry::Telemetry;
use super::tenants::Tenants;
use gristmill_query::Runner;

/// What every request of a server has in common.
pub struct State {
    /// What callers may take.
    pub limits: Limits,
    /// Sites whose pages may ask, beside the server's own.
    pub origins: Vec<String>,
    /// Who may ask.
    pub tenants: Tenants,
    /// All that is served.
    pub served: Vec<Arc<Served>>,
    /// All indexes; tenants have runners of their own with the same threads.
    pub runner: Runner,
    /// The measures.
    pub telemetry: Telemetry,
    /// Ends what would go on for ever.
    pub ending: CancellationToken,
    open: AtomicUsize,
}

/// A connection that is open.
pub(super) struct OpenConnection(Arc<State>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl State {
    /// A state of a server that has not begun.
    #[must_use]
    pub fn new(
        limits: Limits,
        origins: Vec<String>,
        tenants: Tenants,
        served: Vec<Arc<Served>>,
        runner: Runner,
        telemetry: Telemetry,
    ) -> Arc<Self> {
        let (ending, open) = (CancellationToken::new(), AtomicUsize::new(0));
        Arc::new(Self { limits, origins, tenants, served, runner, telemetry, ending, open })
    }

    pub(super) fn opened(self: &Arc<Self>) -> OpenConnection {
        self.open.fetch_add(1, Ordering::Relaxed);
        OpenConnection(Arc::clone(self))
    }

    pub(super) fn open_connections(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// What is served under the name of a job.
    pub(super) fn served(&self, job: &str) -> Option<&Arc<Served>> {
        self.served.iter().find(|served| **served.index().name() == *job)
    }
}
