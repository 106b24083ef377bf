//! Reads that wait, as from a network mount: more threads read then than compute.
//!
//! A thread that waits for a read holds no core. Once reads turn out to wait, executors start [`READERS`]
//! threads more, and hand out as many permits to compute as there are workers.

use std::sync::Arc;
use std::time::Duration;

use crate::graph::Graph;
use crate::measure::{Meters, StageMeter};
use crate::port::Port;

/// Threads that read beside the workers, where reads wait.
pub(super) const READERS: usize = 16;

/// Tells whether reads wait, by the stages that take files.
pub(super) struct ReadWatch(Vec<Arc<StageMeter>>);

impl ReadWatch {
    pub(super) fn new(graph: &Graph, meters: &Meters) -> Self {
        let reads =
            |stage: &&crate::graph::Stage| stage.operator().is_some_and(|operator| operator.input() == Port::Files);
        Self(graph.analysis().filter(reads).map(|stage| Arc::clone(meters.stage(stage.id))).collect())
    }

    /// Whether a read waits for more than a millisecond on average. A worker that another one interrupts does
    /// not wait for so long.
    pub(super) fn waits(&self) -> bool {
        const MIN_READS: u32 = 8;
        const LONG: Duration = Duration::from_millis(1);
        self.0.iter().any(|meter| {
            let (items, ..) = meter.progress();
            let items = u32::try_from(items).unwrap_or(u32::MAX);
            items >= MIN_READS && meter.waiting() / items > LONG
        })
    }
}
