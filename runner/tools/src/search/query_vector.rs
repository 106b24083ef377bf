//! The embedding of a query, with a timeout.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use gristmill_pipeline::graph::QueryEmbedder;
use gristmill_pipeline::trace_context::within;
use gristmill_query::{ErrorCode, ToolContext, ToolError};

/// How long a search waits for the query's vector before it falls back to lexical scores.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How often the wait checks for cancellation.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The maximum number of queries that wait for embedders. A hanging embedder blocks one thread per
/// query.
const MAX_WAITING: usize = 16;

static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Counts as a waiting query until dropped.
struct Waiting;

impl Waiting {
    fn begin() -> Option<Self> {
        let waiting = WAITING.fetch_add(1, Ordering::Relaxed);
        let this = Self;
        (waiting < MAX_WAITING).then_some(this)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Embeds a query.
pub(super) fn query_vector(context: &ToolContext<'_>, text: &str) -> Result<Vec<f32>, ToolError> {
    let tables = context.epoch.tables()?;
    let Some(embedder) = &tables.embedder else {
        let missing = if context.epoch.has_vectors() {
            "the vectors of the index come from another model or another header than this job's; use the job that wrote the index"
        } else {
            "the index has no vectors"
        };
        return Err(ToolError::new(ErrorCode::MissingCapability, missing));
    };
    // The static model takes microseconds: no thread, no timeout.
    if embedder.name() == STATIC_EMBEDDER {
        return embed(embedder, text);
    }
    let timeout = TIMEOUT.min(context.call.time_left() / 2);
    let waiting = Waiting::begin().ok_or_else(|| failed("too many queries are waiting to be embedded"))?;
    let (sender, receiver) = sync_channel(1);
    let (embedder, text, trace) = (embedder.clone(), text.to_owned(), context.call.trace.clone());
    std::thread::Builder::new()
        .name("embed-query".into())
        .spawn(move || {
            let _waiting = waiting;
            // Fails if the search has timed out.
            let _ = sender.send(within(trace, || embed(&embedder, &text)));
        })
        .map_err(|error| failed("cannot start a thread").with_detail(error))?;
    let until = Instant::now() + timeout;
    loop {
        match receiver.recv_timeout(POLL_INTERVAL.min(until.saturating_duration_since(Instant::now()))) {
            Ok(vector) => return vector,
            Err(RecvTimeoutError::Disconnected) => return Err(failed("the embedder panicked")),
            Err(RecvTimeoutError::Timeout) if context.call.check().is_err() => {
                return Err(failed("the call was cancelled"));
            }
            Err(RecvTimeoutError::Timeout) if Instant::now() < until => {}
            Err(RecvTimeoutError::Timeout) => {
                return Err(failed(&format!("timeout after {} ms", timeout.as_millis())));
            }
        }
    }
}

fn embed(embedder: &QueryEmbedder, text: &str) -> Result<Vec<f32>, ToolError> {
    match embedder.embed(text) {
        Some(vector) => vector.map_err(|error| failed("the embedder failed").with_detail(error)),
        None => Err(failed(&format!("the operator `{}` cannot embed queries", embedder.name()))),
    }
}

fn failed(why: &str) -> ToolError {
    ToolError::new(ErrorCode::Unreadable, format!("the query could not be embedded: {why}"))
}

/// The operator of the static model.
const STATIC_EMBEDDER: &str = "embed";
