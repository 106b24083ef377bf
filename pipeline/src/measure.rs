//! What every stage is measured by, in every mode.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use gristmill_ids::StageId;

use crate::graph::Graph;
use crate::operator::TokenCount;
use crate::trace::{Trace, TraceKind};

/// The measures of one stage, written by whichever threads run it.
#[derive(Debug)]
pub struct StageMeter {
    /// The stage's name.
    pub name: Arc<str>,
    items: AtomicU64,
    bytes: AtomicU64,
    busy_ns: AtomicU64,
    cpu_ns: AtomicU64,
    starved_ns: AtomicU64,
    blocked_ns: AtomicU64,
    queued_items: AtomicU64,
    peak_items: AtomicU64,
    queued_bytes: AtomicU64,
    peak_bytes: AtomicU64,
    tokens: AtomicU64,
    padding: AtomicU64,
    /// The part of `cpu_ns` that processes of the operator took.
    outside_ns: AtomicU64,
    waited_ns: AtomicU64,
    /// Locked once a batch, never once an item.
    latency_ns: Mutex<Histogram<u64>>,
    trace: Option<StageTrace>,
}

/// Where a stage's spans and queue lengths are recorded.
#[derive(Debug)]
struct StageTrace {
    trace: Arc<Trace>,
    /// The name of the level of bytes that wait.
    queue: Arc<str>,
}

/// Latencies from a nanosecond to an hour, to two digits.
const LONGEST_NS: u64 = 3_600_000_000_000;

impl StageMeter {
    /// A meter that has seen nothing.
    #[must_use]
    pub fn new(name: Arc<str>) -> Self {
        Self::recording(name, None)
    }

    fn recording(name: Arc<str>, trace: Option<&Arc<Trace>>) -> Self {
        let trace = trace.map(|trace| StageTrace { trace: Arc::clone(trace), queue: format!("queue: {name}").into() });
        // The bounds are constants for which this cannot fail; if it did, a histogram
        // that grows by itself does as well.
        let histogram = Histogram::new_with_bounds(1, LONGEST_NS, 2).or_else(|_| Histogram::new(2));
        let zero = AtomicU64::default;
        Self {
            name,
            items: zero(),
            bytes: zero(),
            busy_ns: zero(),
            cpu_ns: zero(),
            starved_ns: zero(),
            blocked_ns: zero(),
            queued_items: zero(),
            peak_items: zero(),
            queued_bytes: zero(),
            peak_bytes: zero(),
            tokens: zero(),
            padding: zero(),
            outside_ns: zero(),
            waited_ns: zero(),
            latency_ns: Mutex::new(histogram.unwrap_or_else(|_| unreachable!("two digits are allowed"))),
            trace,
        }
    }

    /// Runs `work` on a batch and takes its time.
    pub fn measure<R>(&self, items: usize, bytes: u64, work: impl FnOnce() -> R) -> R {
        self.measure_action("", items, bytes, work)
    }

    /// Runs `work` on a batch and takes its time. `action` says in traces what the stage does.
    pub(crate) fn measure_action<R>(
        &self,
        action: &'static str,
        items: usize,
        bytes: u64,
        work: impl FnOnce() -> R,
    ) -> R {
        let (started, cpu_started) = (Instant::now(), thread_cpu());
        let result = work();
        let (busy, cpu) = (started.elapsed(), thread_cpu().saturating_sub(cpu_started));
        self.items.fetch_add(items as u64, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.busy_ns.fetch_add(nanoseconds(busy), Ordering::Relaxed);
        self.cpu_ns.fetch_add(nanoseconds(cpu), Ordering::Relaxed);
        if items > 0 {
            let each = (nanoseconds(busy) / items as u64).clamp(1, LONGEST_NS);
            self.latency_ns.lock().saturating_record_n(each, items as u64);
        }
        if let Some(StageTrace { trace, .. }) = &self.trace {
            trace.span(TraceKind::Work, Arc::clone(&self.name), action, started, items as u64, bytes);
        }
        result
    }

    /// Adds time in which the stage could have worked but had nothing to work on, over all its threads.
    pub(crate) fn starved(&self, time: Duration) {
        self.starved_ns.fetch_add(nanoseconds(time), Ordering::Relaxed);
    }

    /// The calling thread had nothing to work on since then.
    pub fn starved_since(&self, since: Instant) {
        self.starved(since.elapsed());
        self.trace_wait(TraceKind::Starved, since);
    }

    /// The calling thread had work of the stage since then, but nowhere to put the results.
    pub fn blocked_since(&self, since: Instant) {
        self.blocked_ns.fetch_add(nanoseconds(since.elapsed()), Ordering::Relaxed);
        self.trace_wait(TraceKind::Blocked, since);
    }

    fn trace_wait(&self, kind: TraceKind, since: Instant) {
        /// Shorter waits are no news, and as many as batches.
        const SHORTEST_WAIT: Duration = Duration::from_micros(20);
        if let Some(StageTrace { trace, .. }) = &self.trace
            && since.elapsed() >= SHORTEST_WAIT
        {
            trace.span(kind, Arc::clone(&self.name), "", since, 0, 0);
        }
    }

    fn trace_queue(&self, bytes: u64) {
        if let Some(StageTrace { trace, queue }) = &self.trace {
            trace.level(Arc::clone(queue), bytes);
        }
    }

    /// Something begins to wait for the stage.
    pub fn enqueued(&self, items: u64, bytes: u64) {
        let items = self.queued_items.fetch_add(items, Ordering::Relaxed) + items;
        let bytes = self.queued_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.peak_items.fetch_max(items, Ordering::Relaxed);
        self.peak_bytes.fetch_max(bytes, Ordering::Relaxed);
        self.trace_queue(bytes);
    }

    /// Something no longer waits for the stage.
    pub fn dequeued(&self, items: u64, bytes: u64) {
        self.queued_items.fetch_sub(items, Ordering::Relaxed);
        let before = self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.trace_queue(before.saturating_sub(bytes));
    }

    /// Adds tokens that the stage gave a model to compute.
    pub(crate) fn count_tokens(&self, counted: TokenCount) {
        self.tokens.fetch_add(counted.tokens, Ordering::Relaxed);
        self.padding.fetch_add(counted.padding, Ordering::Relaxed);
    }

    /// Adds CPU time that a process of an operator took.
    pub(crate) fn count_cpu(&self, more: Duration) {
        self.cpu_ns.fetch_add(nanoseconds(more), Ordering::Relaxed);
        self.outside_ns.fetch_add(nanoseconds(more), Ordering::Relaxed);
    }

    /// Time in which it worked, over all workers.
    pub(crate) fn busy(&self) -> Duration {
        Duration::from_nanos(self.busy_ns.load(Ordering::Relaxed))
    }

    /// Time in which its threads were in it without computing.
    pub(crate) fn waiting(&self) -> Duration {
        self.busy().saturating_sub(Duration::from_nanos(self.cpu_ns.load(Ordering::Relaxed)))
    }

    /// Adds time that requests of an operator took.
    pub(crate) fn count_wait(&self, more: Duration) {
        self.waited_ns.fetch_add(nanoseconds(more), Ordering::Relaxed);
    }

    /// Time that requests of the operator took, added up.
    pub(crate) fn waited(&self) -> Duration {
        Duration::from_nanos(self.waited_ns.load(Ordering::Relaxed))
    }

    /// CPU time that processes of the operator took.
    pub(crate) fn outside_cpu(&self) -> Duration {
        Duration::from_nanos(self.outside_ns.load(Ordering::Relaxed))
    }

    /// Items and bytes done so far, and items waiting.
    #[must_use]
    pub fn progress(&self) -> (u64, u64, u64) {
        let load = |value: &AtomicU64| value.load(Ordering::Relaxed);
        (load(&self.items), load(&self.bytes), load(&self.queued_items))
    }

    /// Bytes that wait for the stage.
    #[must_use]
    pub fn queued_bytes(&self) -> u64 {
        self.queued_bytes.load(Ordering::Relaxed)
    }

    /// Forgets what it has seen, but for what waits for the stage.
    fn reset(&self) {
        let counts = [&self.items, &self.bytes, &self.busy_ns, &self.cpu_ns, &self.starved_ns, &self.blocked_ns];
        let more = [&self.peak_items, &self.peak_bytes, &self.tokens, &self.padding, &self.outside_ns, &self.waited_ns];
        for count in counts.into_iter().chain(more) {
            count.store(0, Ordering::Relaxed);
        }
        self.latency_ns.lock().reset();
    }

    /// The measures so far.
    #[must_use]
    pub fn report(&self) -> StageReport {
        let load = |value: &AtomicU64| value.load(Ordering::Relaxed);
        let milliseconds = |value: &AtomicU64| load(value) as f64 / 1e6;
        let latency = self.latency_ns.lock();
        let percentile = |p: f64| latency.value_at_percentile(p) as f64 / 1e3;
        StageReport {
            name: self.name.to_string(),
            items: load(&self.items),
            bytes: load(&self.bytes),
            busy_ms: milliseconds(&self.busy_ns),
            cpu_ms: milliseconds(&self.cpu_ns),
            starved_ms: milliseconds(&self.starved_ns),
            blocked_ms: milliseconds(&self.blocked_ns),
            peak_queue_items: load(&self.peak_items),
            peak_queue_bytes: load(&self.peak_bytes),
            tokens: load(&self.tokens),
            padding_tokens: load(&self.padding),
            latency_us: Percentiles {
                p50: percentile(50.0),
                p90: percentile(90.0),
                p99: percentile(99.0),
                max: latency.max() as f64 / 1e3,
            },
        }
    }
}

/// The measures of one stage over a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageReport {
    /// The stage's name.
    pub name: String,
    /// Items it took.
    pub items: u64,
    /// Bytes of source text that they stand for.
    pub bytes: u64,
    /// Time that its threads spent in it, in milliseconds.
    pub busy_ms: f64,
    /// CPU time that its threads spent in it, in milliseconds. What a store does on
    /// threads of its own is not in it.
    pub cpu_ms: f64,
    /// Time in which it could have worked but had nothing to work on.
    pub starved_ms: f64,
    /// Time in which it had work but nowhere to put its results.
    pub blocked_ms: f64,
    /// The most items that waited for it at once.
    pub peak_queue_items: u64,
    /// The most bytes that waited for it at once.
    pub peak_queue_bytes: u64,
    /// Tokens of the texts that it gave a model to compute; 0 for what counts none.
    #[serde(default)]
    pub tokens: u64,
    /// Tokens that it computed beside them, only to make the texts of a batch equally
    /// long.
    #[serde(default)]
    pub padding_tokens: u64,
    /// Time in the stage per item, in microseconds.
    pub latency_us: Percentiles,
}

impl StageReport {
    /// The part of the computed tokens that was padding; nothing where none were counted.
    #[must_use]
    pub fn padding_share(&self) -> Option<f64> {
        let all = self.tokens + self.padding_tokens;
        (all > 0).then(|| self.padding_tokens as f64 / all as f64)
    }
}

/// Percentiles of a distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// The median.
    pub p50: f64,
    /// Nine of ten lie below.
    pub p90: f64,
    /// 99 of 100 lie below.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

/// The meters of all stages of a graph, in its order. Shared with whoever shows progress.
#[derive(Debug)]
pub struct Meters {
    stages: Vec<Arc<StageMeter>>,
    /// Files that the source named, once it is scanned.
    pub files: AtomicU64,
    /// Contents that this run has to analyse, as far as known.
    pub contents: AtomicU64,
    /// Requests to the indexer that wait, of whoever takes requests.
    pub queued_requests: AtomicU64,
    trace: Option<Arc<Trace>>,
}

impl Meters {
    /// A meter for each stage.
    #[must_use]
    pub fn new(graph: &Graph) -> Arc<Self> {
        Self::recording(graph, None)
    }

    /// A meter for each stage. What they measure is also recorded in `trace`, if there is one.
    #[must_use]
    pub fn recording(graph: &Graph, trace: Option<Arc<Trace>>) -> Arc<Self> {
        let meter = |name: &Arc<str>| Arc::new(StageMeter::recording(Arc::clone(name), trace.as_ref()));
        let stages = graph.stages().iter().map(|stage| meter(&stage.name)).collect();
        Arc::new(Self {
            stages,
            files: AtomicU64::default(),
            contents: AtomicU64::default(),
            queued_requests: AtomicU64::default(),
            trace,
        })
    }

    /// Records what the calling thread has done since then, if there is a trace.
    pub(crate) fn trace_since(&self, kind: TraceKind, name: &'static str, since: Instant) {
        if let Some(trace) = &self.trace {
            trace.span(kind, name, "", since, 0, 0);
        }
    }

    /// Records a quantity, if there is a trace.
    pub(crate) fn trace_level(&self, name: &'static str, value: u64) {
        if let Some(trace) = &self.trace {
            trace.level(name, value);
        }
    }

    /// The meters, in the order of the graph's stages.
    #[must_use]
    pub fn stages(&self) -> &[Arc<StageMeter>] {
        &self.stages
    }

    /// Forgets what was measured: another run begins.
    pub(crate) fn reset(&self) {
        self.stages.iter().for_each(|stage| stage.reset());
        self.files.store(0, Ordering::Relaxed);
        self.contents.store(0, Ordering::Relaxed);
    }

    pub(crate) fn stage(&self, id: StageId) -> &Arc<StageMeter> {
        &self.stages[id.index()]
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn clock(id: rustix::time::ClockId) -> Duration {
    let time = rustix::time::clock_gettime(id);
    Duration::new(time.tv_sec.try_into().unwrap_or_default(), time.tv_nsec.try_into().unwrap_or_default())
}

/// CPU time of the calling thread.
pub(crate) fn thread_cpu() -> Duration {
    clock(rustix::time::ClockId::ThreadCPUTime)
}

/// CPU time of the whole process, all threads and the kernel's work for them included.
pub(crate) fn process_cpu() -> Duration {
    clock(rustix::time::ClockId::ProcessCPUTime)
}

/// The most memory the process has held so far, in bytes, where the system tells.
pub(crate) fn peak_memory() -> Option<u64> {
    memory("self", "VmHWM:")
}

/// The memory that the process holds, in bytes, where the system tells.
#[must_use]
pub fn resident_memory() -> Option<u64> {
    memory("self", "VmRSS:")
}

/// Processes that work for this one.
static HELPERS: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// A process that works for this one: its memory counts as this one's.
#[derive(Debug)]
pub struct HelperProcess(u32);

impl HelperProcess {
    /// Counts the process of that id until this value is dropped.
    #[must_use]
    pub fn counted(id: u32) -> Self {
        HELPERS.lock().push(id);
        Self(id)
    }
}

impl Drop for HelperProcess {
    fn drop(&mut self) {
        let mut helpers = HELPERS.lock();
        if let Some(at) = helpers.iter().position(|id| *id == self.0) {
            helpers.swap_remove(at);
        }
    }
}

/// The memory that the process and its helpers hold for themselves alone, in bytes, where the system tells:
/// without the pages of files, which the system takes back when it needs them.
pub(crate) fn private_memory() -> Option<u64> {
    let own = memory("self", PRIVATE)?;
    let helpers = HELPERS.lock().clone();
    // One that has ended holds nothing.
    Some(own + helpers.iter().filter_map(|id| memory(&id.to_string(), PRIVATE)).sum::<u64>())
}

const PRIVATE: &str = "RssAnon:";

fn memory(process: &str, field: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_helpers_counts() {
        // This process twice: it holds much more than what may be freed meanwhile.
        let Some(alone) = private_memory() else { return };
        let helper = HelperProcess::counted(std::process::id());
        assert!(private_memory().is_some_and(|both| both > alone + alone / 2));
        drop(helper);
        assert!(HELPERS.lock().is_empty());
    }

    #[test]
    fn measures_batches_and_queues() {
        let meter = StageMeter::new("parse".into());
        meter.enqueued(3, 30);
        meter.dequeued(2, 20);
        meter.enqueued(1, 5);
        assert_eq!(meter.measure(2, 20, || 7), 7);
        let report = meter.report();
        assert_eq!((report.items, report.bytes), (2, 20));
        assert_eq!((report.peak_queue_items, report.peak_queue_bytes), (3, 30));
        assert_eq!(meter.progress(), (2, 20, 2));
        assert_eq!(report.padding_share(), None);
        meter.count_tokens(TokenCount { tokens: 30, padding: 10 });
        assert_eq!(meter.report().padding_share(), Some(0.25));
        meter.reset();
        assert_eq!(meter.report().tokens, 0);
        assert!(report.latency_us.p50 > 0.0 && report.latency_us.max >= report.latency_us.p50);
    }
}
