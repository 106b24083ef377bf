//! Records what every thread of a run did and when, for trace viewers.
//!
//! A trace is a list of spans and levels. A span says that a thread worked on something, or waited, from
//! one instant to another; a level is a quantity that changed, such as the bytes in a queue. Stages are
//! recorded by their [meters](crate::StageMeter), once a batch. Without a trace nothing is recorded.
//!
//! ```
//! use std::time::Instant;
//! use gristmill_pipeline::{Trace, TraceKind};
//!
//! let trace = Trace::start();
//! let since = Instant::now();
//! trace.span(TraceKind::Work, "parse", "", since, 1, 2_000);
//! trace.level("queue: parse", 0);
//! let mut json = Vec::new();
//! trace.write_json(&mut json)?;
//! assert!(json.starts_with(b"{\"displayTimeUnit\""));
//! # Ok::<(), std::io::Error>(())
//! ```

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::Serialize;
use serde_json::Value;

/// What a thread did in a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceKind {
    /// It worked.
    Work,
    /// It had nothing to work on.
    Starved,
    /// It had nowhere to put its results.
    Blocked,
    /// It is a part of the run, such as the scan, in which other spans lie.
    Phase,
}

impl TraceKind {
    /// The category in a trace file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Starved => "starved",
            Self::Blocked => "blocked",
            Self::Phase => "phase",
        }
    }
}

/// What a thread did, from one instant to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceSpan {
    /// What it did.
    pub kind: TraceKind,
    /// The stage or part of the run.
    pub name: Arc<str>,
    /// What the stage did, such as `publish`; empty where a stage has one thing to do.
    pub action: &'static str,
    /// The thread, as numbered in [`Trace::threads`].
    pub thread: u32,
    /// When it began, from the start of the trace.
    pub start: Duration,
    /// How long it took.
    pub duration: Duration,
    /// Items that it worked on.
    pub items: u64,
    /// Bytes of source text that they stand for.
    pub bytes: u64,
}

/// A quantity from an instant on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceLevel {
    /// The quantity.
    pub name: Arc<str>,
    /// Since when, from the start of the trace.
    pub at: Duration,
    /// Its value.
    pub value: u64,
}

/// Records spans and levels, from any thread.
#[derive(Debug)]
pub struct Trace {
    started: Instant,
    recorded: Mutex<Recorded>,
}

#[derive(Debug, Default)]
struct Recorded {
    spans: Vec<TraceSpan>,
    levels: Vec<TraceLevel>,
    /// Threads in the order of their first span, with their names.
    threads: Vec<(u32, Box<str>)>,
}

impl Trace {
    /// A trace that begins now.
    #[must_use]
    pub fn start() -> Arc<Self> {
        Arc::new(Self { started: Instant::now(), recorded: Mutex::default() })
    }

    /// Records that the calling thread did something from `since` until now. What began before the
    /// trace begins with it.
    pub fn span(
        &self,
        kind: TraceKind,
        name: impl Into<Arc<str>>,
        action: &'static str,
        since: Instant,
        items: u64,
        bytes: u64,
    ) {
        let since = since.max(self.started);
        let (start, duration) = (since - self.started, since.elapsed());
        let thread = this_thread();
        let span = TraceSpan { kind, name: name.into(), action, thread, start, duration, items, bytes };
        let mut recorded = self.recorded.lock();
        if recorded.threads.iter().all(|(known, _)| *known != thread) {
            let name = std::thread::current().name().unwrap_or("thread").into();
            recorded.threads.push((thread, name));
        }
        recorded.spans.push(span);
    }

    /// Records that a quantity has a value from now on.
    pub fn level(&self, name: impl Into<Arc<str>>, value: u64) {
        let level = TraceLevel { name: name.into(), at: self.started.elapsed(), value };
        self.recorded.lock().levels.push(level);
    }

    /// The spans so far, in the order in which they ended.
    #[must_use]
    pub fn spans(&self) -> Vec<TraceSpan> {
        self.recorded.lock().spans.clone()
    }

    /// The levels so far, in order of time.
    #[must_use]
    pub fn levels(&self) -> Vec<TraceLevel> {
        self.recorded.lock().levels.clone()
    }

    /// The threads that recorded spans, with their names.
    #[must_use]
    pub fn threads(&self) -> Vec<(u32, Box<str>)> {
        self.recorded.lock().threads.clone()
    }

    /// Writes the trace in the [Trace Event Format], which <https://ui.perfetto.dev> and
    /// `chrome://tracing` open. Times are in microseconds.
    ///
    /// # Errors
    /// If it cannot be written.
    ///
    /// [Trace Event Format]: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
    pub fn write_json(&self, out: impl io::Write) -> io::Result<()> {
        let recorded = self.recorded.lock();
        let threads = recorded.threads.iter().map(|(thread, name)| Event::thread(*thread, name));
        let events = std::iter::once(Event::process()).chain(threads);
        let events = events.chain(recorded.spans.iter().map(Event::span));
        let events = events.chain(recorded.levels.iter().map(Event::level));
        let mut out = io::BufWriter::new(out);
        out.write_all(b"{\"displayTimeUnit\":\"ms\",\"traceEvents\":[")?;
        for (index, event) in events.enumerate() {
            out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
            serde_json::to_writer(&mut out, &event)?;
        }
        out.write_all(b"\n]}\n")?;
        out.flush()
    }
}

/// A number that no other thread of the process has.
fn this_thread() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    thread_local! {
        static THIS: u32 = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    THIS.with(|number| *number)
}

/// An event of a trace file; see [`Trace::write_json`].
#[derive(Serialize)]
struct Event<'t> {
    name: Cow<'t, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    cat: &'static str,
    ph: &'static str,
    ts: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    pid: u32,
    tid: u32,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    args: BTreeMap<&'static str, Value>,
}

impl<'t> Event<'t> {
    const PROCESS: u32 = 1;

    fn new(ph: &'static str, name: impl Into<Cow<'t, str>>, at: Duration) -> Self {
        let (name, args) = (name.into(), BTreeMap::new());
        Self { name, cat: "", ph, ts: microseconds(at), dur: None, pid: Self::PROCESS, tid: 0, args }
    }

    fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.args.insert(key, value.into());
        self
    }

    fn process() -> Self {
        Self::new("M", "process_name", Duration::ZERO).with("name", "gristmill")
    }

    fn thread(thread: u32, name: &str) -> Self {
        Self { tid: thread, ..Self::new("M", "thread_name", Duration::ZERO).with("name", name) }
    }

    fn span(span: &'t TraceSpan) -> Self {
        let name: Cow<'t, str> = match (span.kind, span.action) {
            (TraceKind::Starved | TraceKind::Blocked, _) => format!("{}: {}", span.name, span.kind.as_str()).into(),
            (_, "") => (&*span.name).into(),
            (_, action) => format!("{}: {action}", span.name).into(),
        };
        let event = Self::new("X", name, span.start);
        let event = Self { cat: span.kind.as_str(), dur: Some(microseconds(span.duration)), tid: span.thread, ..event };
        if span.items == 0 { event } else { event.with("items", span.items).with("bytes", span.bytes) }
    }

    fn level(level: &'t TraceLevel) -> Self {
        Self::new("C", &*level.name, level.at).with("value", level.value)
    }
}

fn microseconds(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_events_that_viewers_read() {
        let trace = Trace::start();
        let since = Instant::now();
        trace.span(TraceKind::Work, "lance", "publish", since, 2, 10);
        std::thread::scope(|scope| {
            let waiting = || trace.span(TraceKind::Starved, "parse", "", since, 0, 0);
            let thread = std::thread::Builder::new().name("worker".into()).spawn_scoped(scope, waiting);
            thread.expect("starts").join().expect("ends");
        });
        trace.level("queue: parse", 7);
        let mut json = Vec::new();
        trace.write_json(&mut json).expect("writes");
        let file: Value = serde_json::from_slice(&json).expect("JSON");
        let events = file["traceEvents"].as_array().expect("a list");
        let names: Vec<&str> = events.iter().filter_map(|event| event["name"].as_str()).collect();
        let expected =
            ["process_name", "thread_name", "thread_name", "lance: publish", "parse: starved", "queue: parse"];
        assert_eq!(names, expected);
        assert_eq!((&events[2]["args"]["name"], &events[2]["tid"]), (&"worker".into(), &events[4]["tid"]));
        assert_ne!(events[3]["tid"], events[4]["tid"], "two threads");
        assert_eq!((&events[3]["args"]["items"], &events[3]["ph"]), (&2.into(), &"X".into()));
        assert_eq!(events[5]["args"]["value"], 7);
    }
}
