//! Server-sent events of an index.

use std::convert::Infallible;
use std::future::ready;
use std::time::Duration;

use axum::extract::State;
use axum::http::Uri;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, Stream, StreamExt as _};
use serde::Serialize;
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::sync::CancellationToken;

use super::access::Caller;
use super::problem::Problem;
use super::served::JobEvent;
use super::served_indexes::ServedIndexes;
use super::status::served_of;

/// How often a comment is sent on an idle stream, so that proxies keep it open.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// How long a stream lasts. Clients of server-sent events connect again by themselves; whoever forgot a stream does not
/// hold a connection for ever.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// `GET /v1/events`: the status, then events until the client disconnects or the server shuts
/// down. A client that reads too slowly misses events.
pub(super) async fn events(
    State(indexes): State<ServedIndexes>,
    State(shutdown): State<CancellationToken>,
    caller: Caller,
    uri: Uri,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let served = served_of(&indexes, &caller, &uri)?;
    let permit = caller.tenant().event_stream()?;
    // Subscribed before the status is taken: an event in between is sent twice rather than never.
    let later = BroadcastStream::new(served.subscribe());
    let status = event("status", &served.status(caller.desk().runner().load()));
    let later = later.filter_map(|received| {
        ready(match received {
            Ok(JobEvent::Epoch(epoch)) => Some(event("epoch", &*epoch)),
            Ok(JobEvent::Progress(progress)) => Some(event("progress", &*progress)),
            // The client was too slow: these events are lost.
            Err(_) => None,
        })
    });
    let events = stream::once(ready(status)).chain(later).take_until(shutdown.cancelled_owned());
    let events = events.take_until(tokio::time::sleep(MAX_AGE)).map(move |event| {
        // Released when the stream is dropped.
        let _held = &permit;
        Ok(event)
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE_INTERVAL)))
}

fn event(name: &str, data: &impl Serialize) -> Event {
    // Never fails: the types have no maps with keys that are not strings.
    Event::default().event(name).json_data(data).unwrap_or_default()
}
