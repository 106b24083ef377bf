//! The state of the router, assembled from parts that do not know of it.
//!
//! A handler asks for the part that it needs, such as `State<BodyLimits>`; axum takes it out of
//! [`ServerState`] through `FromRef`.

use std::sync::Arc;

use axum::extract::FromRef;
use tokio_util::sync::CancellationToken;

use super::access::Access;
use super::body::BodyLimits;
use super::openapi::OpenApi;
use super::served::Served;
use super::served_indexes::ServedIndexes;
use super::settings::Limits;
use super::telemetry::Telemetry;
use super::tenants::Tenants;
use gristmill_query::Runner;

/// All that requests share. Clones are of the same server.
#[derive(Clone)]
pub struct ServerState {
    limits: Limits,
    access: Arc<Access>,
    indexes: ServedIndexes,
    runner: Runner,
    openapi: OpenApi,
    telemetry: Telemetry,
    shutdown: CancellationToken,
}

impl ServerState {
    /// The state of a server that has not started. `runner` has all indexes; the runners of the
    /// tenants share its threads. `origins` are the web origins that may call the API besides the
    /// server's own.
    #[must_use]
    pub fn new(
        limits: Limits,
        origins: Vec<String>,
        tenants: Tenants,
        served: Vec<Arc<Served>>,
        runner: Runner,
        telemetry: Telemetry,
    ) -> Self {
        let access = Arc::new(Access::new(origins, tenants));
        let (indexes, shutdown) = (ServedIndexes::new(served), CancellationToken::new());
        let openapi = OpenApi::new(runner.tools());
        Self { limits, access, indexes, runner, openapi, telemetry, shutdown }
    }

    /// Cancelled when the server begins to shut down.
    #[must_use]
    pub fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// What clients may use.
    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }
}

macro_rules! parts {
    ($($part:ty: $get:expr,)*) => {$(
        impl FromRef<ServerState> for $part {
            fn from_ref(state: &ServerState) -> Self {
                let get: fn(&ServerState) -> $part = $get;
                get(state)
            }
        }
    )*};
}

parts! {
    Arc<Access>: |state| Arc::clone(&state.access),
    BodyLimits: |state| state.limits.body(),
    CancellationToken: |state| state.shutdown.clone(),
    OpenApi: |state| state.openapi.clone(),
    Runner: |state| state.runner.clone(),
    ServedIndexes: |state| state.indexes.clone(),
    Telemetry: |state| state.telemetry.clone(),
}
