//! Connections: how many, how slow, and how they end.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Semaphore;

use super::routes::router;
use super::state::State;

/// How long calls may go on once the server is told to end.
const GRACE: Duration = Duration::from_secs(10);

/// Before connections are taken again when the system had no room for one.
const BREATH: Duration = Duration::from_millis(50);

/// Headers of a request.
const MOST_HEADERS: usize = 64;

/// Bytes of a request's head, and of what is buffered for a connection.
const MOST_HEAD: usize = 64 * 1024;

/// The signals that end a server.
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// Listens for them from now on.
    ///
    /// # Errors
    /// If the system does not let it.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for one.
    pub async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Serves until it is told to stop; then no connection is taken any more, and calls may end.
/// Told again, it ends at once.
pub async fn serve(listener: TcpListener, state: Arc<State>, mut stop: Stop) {
    let graceful = GracefulShutdown::new();
    let upkeep = tokio::spawn(keep_measures(Arc::clone(&state)));
    tokio::select! {
        () = accept(&listener, &state, &graceful) => {}
        () = stop.asked() => {}
    }
    drop(listener);
    tracing::info!(connections = state.open_connections(), "ending");
    state.ending.cancel();
    tokio::select! {
        _ = tokio::time::timeout(GRACE, graceful.shutdown()) => {}
        () = stop.asked() => {}
    }
    upkeep.abort();
}

async fn accept(listener: &TcpListener, state: &Arc<State>, graceful: &GracefulShutdown) {
    let limits = &state.limits;
    let slots = Arc::new(Semaphore::new(limits.max_connections));
    let service = TowerToHyperService::new(router(state));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout())
        .max_headers(MOST_HEADERS)
        .max_buf_size(MOST_HEAD);
    // Nobody closes the semaphore.
    while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // The peer is gone already, or there are no more file descriptors.
                tracing::warn!(%error, "cannot take a connection");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        // Answers are written whole; to wait for more only delays them.
        let _ = stream.set_nodelay(true);
        let open = state.opened();
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service.clone()));
        tokio::spawn(async move {
            let (_slot, _open) = (slot, open);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
}

/// Keeps the memory of the measures small where nobody asks for them.
async fn keep_measures(state: Arc<State>) {
    let mut every = tokio::time::interval(Duration::from_secs(5));
    loop {
        every.tick().await;
        state.telemetry.keep();
    }
}
