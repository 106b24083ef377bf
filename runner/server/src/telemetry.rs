//! Prometheus metrics. Labels name tools, routes and status codes, never jobs or tenants:
//! `/metrics` needs no token.

use std::sync::OnceLock;

use metrics::{describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

/// Upper bounds of histogram buckets in seconds, from a key look-up to the longest default
/// deadline.
const BUCKETS_SECONDS: [f64; 16] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// The metrics of this process. Clones share them.
#[derive(Clone)]
pub struct Telemetry(PrometheusHandle);

/// Gauges that are read when metrics are scraped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gauges {
    /// Tool calls that may run at once.
    pub(super) max_calls: usize,
    /// Tool calls that run now.
    pub(super) running_calls: usize,
    /// Tool calls that wait for a free thread.
    pub(super) waiting_calls: usize,
    /// The epoch lag of the index that lags most.
    pub(super) epoch_lag: u64,
    /// Indexes without an open epoch.
    pub(super) indexes_without_epoch: usize,
    /// Resident memory of this process, where the system reports it.
    pub(super) resident_memory_bytes: Option<u64>,
}

impl Telemetry {
    /// Installs the process-wide metrics recorder. Later calls return the same metrics.
    ///
    /// # Errors
    /// If another metrics recorder is installed already.
    pub fn install() -> Result<Self, BuildError> {
        static INSTALLED: OnceLock<Telemetry> = OnceLock::new();
        if let Some(installed) = INSTALLED.get() {
            return Ok(installed.clone());
        }
        let handle = PrometheusBuilder::new().set_buckets(&BUCKETS_SECONDS)?.install_recorder()?;
        describe_counter!("gristmill_http_requests_total", "HTTP requests by route and status code.");
        describe_histogram!("gristmill_http_request_duration_seconds", "Duration of HTTP requests by route.");
        describe_histogram!("gristmill_tool_call_duration_seconds", "Duration of tool calls by tool.");
        describe_counter!("gristmill_tool_call_errors_total", "Failed tool calls by tool and error code.");
        describe_counter!("gristmill_kept_answers_total", "Calls whose answer was kept (hit) or not (miss), by tool.");
        describe_gauge!("gristmill_tool_calls_max", "Maximum number of concurrent tool calls.");
        describe_gauge!("gristmill_tool_calls_running", "Tool calls that are running.");
        describe_gauge!("gristmill_tool_calls_waiting", "Tool calls that are waiting for a free thread.");
        describe_gauge!("gristmill_open_connections", "Open HTTP connections.");
        describe_gauge!(
            "gristmill_epoch_lag",
            "Epochs that are committed but not served yet, for the index that lags most."
        );
        describe_gauge!("gristmill_indexes_without_epoch", "Indexes that cannot answer queries: no epoch is open.");
        describe_gauge!("gristmill_resident_memory_bytes", "Resident memory of the process.");
        Ok(INSTALLED.get_or_init(|| Self(handle)).clone())
    }

    /// Sets the gauges and renders all metrics in Prometheus' text format.
    pub(super) fn render(&self, gauges: &Gauges) -> String {
        gauge!("gristmill_tool_calls_max").set(gauges.max_calls as f64);
        gauge!("gristmill_tool_calls_running").set(gauges.running_calls as f64);
        gauge!("gristmill_tool_calls_waiting").set(gauges.waiting_calls as f64);
        gauge!("gristmill_epoch_lag").set(gauges.epoch_lag as f64);
        gauge!("gristmill_indexes_without_epoch").set(gauges.indexes_without_epoch as f64);
        if let Some(bytes) = gauges.resident_memory_bytes {
            gauge!("gristmill_resident_memory_bytes").set(bytes as f64);
        }
        self.0.render()
    }

    /// Drains histogram samples into buckets. Without it, samples pile up between two scrapes.
    pub(super) fn run_upkeep(&self) {
        self.0.run_upkeep();
    }
}
