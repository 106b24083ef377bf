//! What happens to an index, as it happens.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State as Shared;
use axum::http::Uri;
use axum::response::sse::{Event, KeepAlive, Sse};
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};

use super::access::Caller;
use super::problem::Problem;
use super::served::JobEvent;
use super::state::State;
use super::status::served_of;

/// Between two signs of life.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Events that wait to be written.
const AHEAD: usize = 16;

/// `GET /v1/events`: the status, and then what happens until the caller leaves or the server
/// ends. A caller that is slow misses events.
pub(super) async fn events(
    Shared(state): Shared<Arc<State>>,
    caller: Caller,
    uri: Uri,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let served = served_of(&state, &caller, &uri)?;
    // Listened to before the status is taken: what happens in between is told twice, not never.
    let mut happening = served.events();
    let status = event("status", &served.status(caller.desk().runner().load()));
    let (sender, receiver) = mpsc::channel(AHEAD);
    let ending = state.ending.clone();
    tokio::spawn(async move {
        let mut next = Some(status);
        loop {
            if let Some(event) = next.take()
                && sender.send(event).await.is_err()
            {
                break;
            }
            tokio::select! {
                () = ending.cancelled() => break,
                () = sender.closed() => break,
                happened = happening.recv() => match happened {
                    Ok(JobEvent::Epoch(epoch)) => next = Some(event("epoch", &*epoch)),
                    Ok(JobEvent::Progress(progress)) => next = Some(event("progress", &*progress)),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => break,
                },
            }
        }
    });
    let events = ReceiverStream::new(receiver).map(Ok);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

fn event(name: &str, data: &impl Serialize) -> Event {
    // What is told has no maps with keys that are no texts, so that it can be written.
    Event::default().event(name).json_data(data).unwrap_or_default()
}
