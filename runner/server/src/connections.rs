//! Accepts connections within limits, and shuts down gracefully.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef as _;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use metrics::Gauge;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Semaphore;

use super::routes::router;
use super::state::ServerState;
use super::telemetry::Telemetry;

/// How long requests may run on after the server was told to stop.
const SHUTDOWN_GRACE_PERIOD: Duration = Duration::from_secs(10);

/// Delay after a failed `accept`, such as when the process is out of file descriptors.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// How often histogram samples are drained.
const METRICS_UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

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
    let service = TowerToHyperService::new(router(state));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout())
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES);
    // Ends never: the semaphore is not closed.
    while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
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
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service.clone()));
        tokio::spawn(async move {
            let (_slot, _open) = (slot, open);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection closed with an error");
            }
        });
    }
}

/// Drains histogram samples now and then, so that they do not pile up where nobody scrapes.
async fn run_upkeep(telemetry: Telemetry) {
    let mut interval = tokio::time::interval(METRICS_UPKEEP_INTERVAL);
    loop {
        interval.tick().await;
        telemetry.run_upkeep();
    }
}
