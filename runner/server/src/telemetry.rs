//! Measures, as Prometheus reads them. They name tools and routes, and nobody's jobs.

use std::sync::OnceLock;

use metrics::{describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

use super::state::State;

/// The bounds of histograms, in seconds: from what a look-up takes to the longest deadline.
const SECONDS: [f64; 16] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// The measures of this process.
#[derive(Clone)]
pub struct Telemetry(PrometheusHandle);

impl Telemetry {
    /// Begins to measure. A process has one set of measures, however often it begins.
    ///
    /// # Errors
    /// If something else in the process measures already.
    pub fn begin() -> Result<Self, BuildError> {
        static BEGUN: OnceLock<Telemetry> = OnceLock::new();
        if let Some(begun) = BEGUN.get() {
            return Ok(begun.clone());
        }
        let handle = PrometheusBuilder::new().set_buckets(&SECONDS)?.install_recorder()?;
        describe_counter!("gristmill_http_requests_total", "Requests by route and status");
        describe_histogram!("gristmill_http_request_seconds", "Time from a request's head to its answer, by route");
        describe_histogram!("gristmill_call_seconds", "Time that calls took, by tool");
        describe_counter!("gristmill_call_errors_total", "Calls without an answer, by tool and code");
        describe_gauge!("gristmill_calls_most", "Calls that can run at once");
        describe_gauge!("gristmill_calls_running", "Calls that run");
        describe_gauge!("gristmill_calls_waiting", "Calls that wait for a free thread");
        describe_gauge!("gristmill_connections", "Connections that are open");
        describe_gauge!(
            "gristmill_epoch_lag",
            "Epochs that were committed and do not answer yet, of the index with most"
        );
        describe_gauge!("gristmill_indexes_without_epoch", "Indexes that cannot answer yet");
        describe_gauge!("gristmill_memory_bytes", "Memory that the process holds");
        Ok(BEGUN.get_or_init(|| Self(handle)).clone())
    }

    /// The measures as text.
    pub(super) fn render(&self, state: &State, [most, running, waiting]: [usize; 3]) -> String {
        gauge!("gristmill_calls_most").set(most as f64);
        gauge!("gristmill_calls_running").set(running as f64);
        gauge!("gristmill_calls_waiting").set(waiting as f64);
        gauge!("gristmill_connections").set(state.open_connections() as f64);
        let lag = state.served.iter().map(|served| served.lag()).max().unwrap_or_default();
        gauge!("gristmill_epoch_lag").set(lag as f64);
        let closed = state.served.iter().filter(|served| served.index().open_now().is_none()).count();
        gauge!("gristmill_indexes_without_epoch").set(closed as f64);
        if let Some(bytes) = gristmill_pipeline::resident_memory() {
            gauge!("gristmill_memory_bytes").set(bytes as f64);
        }
        self.0.render()
    }

    /// Sorts what was measured since the last time, so that it takes no memory.
    pub(super) fn keep(&self) {
        self.0.run_upkeep();
    }
}
