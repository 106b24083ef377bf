//! The vector of a query, within a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use gristmill_pipeline::ErasedOperator;
use gristmill_query::{At, ErrorCode, ToolError};

/// What a query may wait for its embedder; after that it goes by words.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is looked whether the caller still listens.
const LOOK: Duration = Duration::from_millis(50);

/// Queries that may wait for embedders at once. An embedder that hangs holds a thread for
/// each, and more would do no good.
const MOST_WAITING: usize = 16;

static WAITING: AtomicUsize = AtomicUsize::new(0);

/// One that waits.
struct Waiting;

impl Waiting {
    fn begin() -> Option<Self> {
        let waiting = WAITING.fetch_add(1, Ordering::Relaxed);
        let this = Self;
        (waiting < MOST_WAITING).then_some(this)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The vector of a query, or why there is none.
pub(super) fn query_vector(at: &At<'_>, text: &str) -> Result<Vec<f32>, ToolError> {
    let tables = at.epoch.tables()?;
    let Some(embedder) = &tables.embedder else {
        let lacking = if at.epoch.has_vectors() {
            "the index was embedded by another model or with another header than this job has; name the job that wrote it"
        } else {
            "the index holds no vectors"
        };
        return Err(ToolError::new(ErrorCode::Lacking, lacking));
    };
    // A table of tokens takes microseconds, and hands nothing to anybody.
    if embedder.name() == STATIC {
        return embed(embedder.as_ref(), text);
    }
    let patience = PATIENCE.min(at.call.time_left() / 2);
    let waiting = Waiting::begin().ok_or_else(|| failed("too many queries are waiting to be embedded"))?;
    let (sender, receiver) = sync_channel(1);
    let (embedder, text) = (Arc::clone(embedder), text.to_owned());
    std::thread::Builder::new()
        .name("embed-query".into())
        .spawn(move || {
            let _waiting = waiting;
            // Nobody listens any more if it took too long.
            let _ = sender.send(embed(embedder.as_ref(), &text));
        })
        .map_err(|error| failed("cannot start a thread").with_detail(error))?;
    let until = Instant::now() + patience;
    loop {
        match receiver.recv_timeout(LOOK.min(until.saturating_duration_since(Instant::now()))) {
            Ok(vector) => return vector,
            Err(RecvTimeoutError::Disconnected) => return Err(failed("the embedder panicked")),
            // A caller that left is not waited for.
            Err(RecvTimeoutError::Timeout) if at.call.check().is_err() => return Err(failed("the call was cancelled")),
            Err(RecvTimeoutError::Timeout) if Instant::now() < until => {}
            Err(RecvTimeoutError::Timeout) => {
                return Err(failed(&format!("it took longer than {} ms", patience.as_millis())));
            }
        }
    }
}

fn embed(embedder: &dyn ErasedOperator, text: &str) -> Result<Vec<f32>, ToolError> {
    match embedder.embed_query(text) {
        Some(vector) => vector.map_err(|error| failed("the embedder failed").with_detail(error)),
        None => Err(failed(&format!("the operator `{}` embeds no queries", embedder.name()))),
    }
}

fn failed(why: &str) -> ToolError {
    ToolError::new(ErrorCode::Unreadable, format!("the query could not be embedded: {why}"))
}

/// The operator that embeds by a table.
const STATIC: &str = "embed";
