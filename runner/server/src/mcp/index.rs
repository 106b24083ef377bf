//! `index`: asks to update, rebuild or clear an index, for agents that have just changed the source.

use std::sync::Arc;
use std::time::Duration;

use gristmill_display::thousands;
use gristmill_indexing::{Indexed, IndexedEnding};
use rmcp::model::{JsonObject, ProgressNotificationParam, ProgressToken, Tool, ToolAnnotations};
use rmcp::{Peer, RoleServer};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::desk::Desk;
use super::super::request_ids::RequestIds;
use super::super::writers::{IndexAnswer, IndexInput, IndexState, MAX_WAIT_MS};
use gristmill_query::ToolError;

pub(super) const INDEX: &str = "index";

const ABOUT: &str = "Index the current state of the source, and wait for the epoch that holds it. Use it after files \
                     changed, unless the server watches the source. `rebuild` builds the index from nothing, `clear` \
                     deletes it. Takes milliseconds after small changes, and minutes for a first index.";

/// How often a client that asks for progress is told of it.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// The arguments.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Arguments {
    job: Option<String>,
    #[serde(flatten)]
    rest: JsonObject,
}

impl Arguments {
    /// Reads the arguments.
    ///
    /// # Errors
    /// If they have another form.
    fn of(arguments: JsonObject) -> Result<(Option<String>, IndexInput), ToolError> {
        let invalid = |error| ToolError::bad_input(format!("invalid input of `{INDEX}`: {error}"));
        let Self { job, rest } = serde_json::from_value(Value::Object(arguments)).map_err(invalid)?;
        Ok((job, serde_json::from_value(Value::Object(rest)).map_err(invalid)?))
    }
}

/// The tool, as MCP describes it.
pub(super) fn tool() -> Tool {
    let schema = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "job": { "type": "string", "description": "The job; required if there are several." },
            "task": {
                "type": "string",
                "enum": ["update", "rebuild", "clear"],
                "default": "update",
                "description": "What to do.",
            },
            "wait_ms": {
                "type": "integer",
                "minimum": 0,
                "maximum": MAX_WAIT_MS,
                "default": 25_000,
                "description": "How long to wait for the end, in milliseconds. What is not done then goes on.",
            },
        },
    });
    let schema = if let Value::Object(schema) = schema { schema } else { JsonObject::new() };
    let annotations = ToolAnnotations::new().read_only(false).destructive(true).idempotent(true).open_world(false);
    Tool::new(INDEX, ABOUT, Arc::new(schema)).with_annotations(annotations)
}

/// Asks to index. A client that gave a token for it is told of the progress.
///
/// # Errors
/// As for [`Desk::index`].
pub(super) async fn ask(
    desk: &Desk,
    arguments: JsonObject,
    ids: &RequestIds,
    told: Option<(&Peer<RoleServer>, ProgressToken)>,
) -> Result<IndexAnswer, ToolError> {
    let (job, input) = Arguments::of(arguments)?;
    let asked = desk.index(job.as_deref(), input, ids);
    let Some((client, token)) = told else { return asked.await };
    let telling = async {
        let mut ticks = tokio::time::interval(PROGRESS_INTERVAL);
        let mut last = -1.0;
        loop {
            ticks.tick().await;
            let Ok(progress) = desk.progress(job.as_deref()) else { continue };
            let done = progress.contents_done.unwrap_or_default() as f64;
            // It must increase.
            if done > last {
                last = done;
                let mut told = ProgressNotificationParam::new(token.clone(), done);
                told.total = progress.contents_total.map(|total| total as f64);
                told.message = Some(format!("{} contents read", thousands(progress.contents_done.unwrap_or_default())));
                // A client that is gone ends the call itself.
                let _ = client.notify_progress(told).await;
            }
        }
    };
    tokio::select! {
        answer = asked => answer,
        () = telling => Err(ToolError::new(gristmill_query::ErrorCode::Internal, "internal error: progress ended")),
    }
}

/// An answer as text.
pub(super) fn render(answer: &IndexAnswer) -> String {
    let IndexAnswer { job, state, done, progress, .. } = answer;
    match (state, done) {
        (_, Some(done)) => render_done(job, done),
        (IndexState::Queued, _) => format!("{job}: waits for its turn; call `{INDEX}` again to wait for it\n"),
        _ => {
            let count =
                progress.as_ref().and_then(|progress| Some((progress.contents_done?, progress.contents_total?)));
            let count = count.map(|(done, total)| format!(" ({} of {} contents)", thousands(done), thousands(total)));
            format!("{job}: goes on{}; call `{INDEX}` again to wait for it\n", count.unwrap_or_default())
        }
    }
}

fn render_done(job: &str, done: &Indexed) -> String {
    let Indexed { ending, epoch, files, changes, quarantined, took_ms, notice, .. } = done;
    let mut out = match (ending, epoch) {
        (IndexedEnding::Committed, Some(epoch)) => format!(
            "{job}: epoch {epoch} in {took_ms:.0} ms: {} files; {} added, {} modified, {} deleted\n",
            thousands(*files),
            thousands(changes.added),
            thousands(changes.modified),
            thousands(changes.deleted),
        ),
        (IndexedEnding::Unchanged, Some(epoch)) => format!("{job}: unchanged, epoch {epoch} holds it\n"),
        _ => format!("{job}: cleared\n"),
    };
    if *quarantined > 0 {
        out += &format!("{} files could not be indexed\n", thousands(*quarantined));
    }
    if let Some(notice) = notice {
        out += &format!("note: {notice}\n");
    }
    out
}
