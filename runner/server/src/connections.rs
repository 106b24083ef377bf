//! Accepts connections within limits, and shuts down gracefully.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRef as _, Request};
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use gristmill_query::{ErrorCode, ToolError};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use metrics::Gauge;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use super::problem::Problem;
use super::routes::router;
use super::state::ServerState;
use super::telemetry::Telemetry;

/// How long requests may run on after the server was told to stop.
const SHUTDOWN_GRACE_PERIOD: Duration = Duration::from_secs(10);

/// Delay after a failed `accept`, such as when the process is out of file descriptors.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// How often histogram samples are drained.
const METRICS_UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Connections beyond the limit, for those who look after the server.
const RESERVED_CONNECTIONS: usize = 8;

/// Header fields of a request.
const MAX_HEADERS: usize = 64;

/// Size of a request's head, and of the read buffer of a connection.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// The signals SIGINT and SIGTERM, which stop a server.
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// Installs the signal handlers.
    ///
    /// # Errors
    /// If the system refuses to.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for one of the signals.
    pub async fn requested(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// A connection that is counted in the metrics while it is open.
struct OpenConnection(Gauge);

impl OpenConnection {
    fn new() -> Self {
        let open = metrics::gauge!("gristmill_open_connections");
        open.increment(1.0);
        Self(open)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// Serves until `stop` is requested, then accepts no more connections and waits for running
/// requests, for 10 seconds at most. A second request to stop ends the wait.
pub async fn serve(listener: TcpListener, state: ServerState, mut stop: Stop) {
    let graceful = GracefulShutdown::new();
    let shutdown = state.shutdown().clone();
    tokio::spawn(shutdown.clone().run_until_cancelled_owned(run_upkeep(Telemetry::from_ref(&state))));
    tokio::select! {
        () = accept(&listener, state, &graceful) => {}
        () = stop.requested() => {}
    }
    drop(listener);
    tracing::info!(connections = graceful.count(), "shutting down");
    shutdown.cancel();
    tokio::select! {
        _ = tokio::time::timeout(SHUTDOWN_GRACE_PERIOD, graceful.shutdown()) => {}
        () = stop.requested() => {}
    }
}

async fn accept(listener: &TcpListener, state: ServerState, graceful: &GracefulShutdown) {
    let limits = *state.limits();
    let slots = Arc::new(Semaphore::new(limits.max_connections));
    let reserve = Arc::new(Semaphore::new(RESERVED_CONNECTIONS));
    let router = router(state);
    let service = TowerToHyperService::new(router.clone());
    let reserved = TowerToHyperService::new(router.layer(middleware::from_fn(operators_only)));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout())
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES);
    // Ends never: the semaphores are not closed.
    while let Ok((slot, is_reserved)) = slot(&slots, &reserve).await {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // The peer has closed the connection already, or no file descriptor is free.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_BACKOFF).await;
                continue;
            }
        };
        // Responses are written in one piece: waiting for more data only delays them.
        let _ = stream.set_nodelay(true);
        let open = OpenConnection::new();
        let service = if is_reserved { reserved.clone() } else { service.clone() };
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            let (_slot, _open) = (slot, open);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection closed with an error");
            }
        });
    }
}

/// Waits for a slot of a connection; without one, for a reserved one.
async fn slot(slots: &Arc<Semaphore>, reserve: &Arc<Semaphore>) -> Result<(OwnedSemaphorePermit, bool), AcquireError> {
    tokio::select! {
        biased;
        slot = Arc::clone(slots).acquire_owned() => Ok((slot?, false)),
        slot = Arc::clone(reserve).acquire_owned() => Ok((slot?, true)),
    }
}

/// Middleware of reserved connections: answers those who look after the server, and refuses all others.
async fn operators_only(request: Request, next: Next) -> Response {
    let is_of_operators = ["/health", "/ready", "/metrics"].contains(&request.uri().path());
    let mut response = if is_of_operators {
        next.run(request).await
    } else {
        let error = ToolError::new(ErrorCode::Busy, "all connections of the server are taken");
        Problem::new(error.help("retry later, or raise `limits.max_connections`")).into_response()
    };
    // The slot is for the next one who asks.
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Drains histogram samples now and then, so that they do not pile up where nobody scrapes.
async fn run_upkeep(telemetry: Telemetry) {
    let mut interval = tokio::time::interval(METRICS_UPKEEP_INTERVAL);
    loop {
        interval.tick().await;
        telemetry.run_upkeep();
    }
}
