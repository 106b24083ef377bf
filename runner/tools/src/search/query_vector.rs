//! The vector of a query, within a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use gristmill_query::At;

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
pub(super) fn query_vector(at: &At<'_>, text: &str) -> Result<Vec<f32>, String> {
    let tables = at.epoch.tables().map_err(|error| error.message)?;
    let Some(embedder) = &tables.embedder else {
        return Err(if at.epoch.has_vectors() {
            "the index was embedded by another model or with another header than this job has; name the job that wrote it".into()
        } else {
            "the index holds no vectors".into()
        });
    };
    let failed = |error: String| format!("the query could not be embedded: {error}");
    let embed = |embedder: &dyn gristmill_pipeline::ErasedOperator, text: &str| match embedder.embed_query(text) {
        Some(vector) => vector.map_err(|error| error.to_string()),
        None => Err(format!("the operator `{}` embeds no queries", embedder.name())),
    };
    // A table of tokens takes microseconds, and hands nothing to anybody.
    if embedder.name() == STATIC {
        return embed(embedder.as_ref(), text).map_err(failed);
    }
    let patience = PATIENCE.min(at.call.time_left() / 2);
    let waiting = Waiting::begin().ok_or_else(|| failed("too many queries wait for it".into()))?;
    let (sender, receiver) = sync_channel(1);
    let (embedder, text) = (Arc::clone(embedder), text.to_owned());
    std::thread::Builder::new()
        .name("embed-query".into())
        .spawn(move || {
            let _waiting = waiting;
            // Nobody listens any more if it took too long.
            let _ = sender.send(embed(embedder.as_ref(), &text));
        })
        .map_err(|error| failed(error.to_string()))?;
    let until = Instant::now() + patience;
    loop {
        match receiver.recv_timeout(LOOK.min(until.saturating_duration_since(Instant::now()))) {
            Ok(vector) => return vector.map_err(failed),
            Err(RecvTimeoutError::Disconnected) => return Err(failed("it panicked".into())),
            // A caller that left is not waited for.
            Err(RecvTimeoutError::Timeout) if at.call.check().is_err() => return Err(failed("nobody waits".into())),
            Err(RecvTimeoutError::Timeout) if Instant::now() < until => {}
            Err(RecvTimeoutError::Timeout) => {
                return Err(failed(format!("it took longer than {} ms", patience.as_millis())));
            }
        }
    }
}

/// The operator that embeds by a table.
const STATIC: &str = "embed";
