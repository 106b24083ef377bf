//! The standard tools: search, look-ups, graph walks, metrics and forecasts, one module each.
//!
//! [`standard`] returns them as the set that the `gristmill` binary uses for its subcommands, the
//! HTTP server and MCP. A program adds its own tools with
//! [`ToolSet::with`](gristmill_query::ToolSet::with). To call tools from Rust:
//!
//! ```no_run
//! use std::path::Path;
//!
//! use gristmill_config::Registry;
//! use gristmill_query::{BlockingRunner, CallContext, DEFAULT_DEADLINE, Request, RequestOptions, ToolCall, ToolError};
//! use serde_json::json;
//!
//! fn main() -> Result<(), ToolError> {
//!     let index = Path::new("/tmp/project-index");
//!     let runner = BlockingRunner::open(index, &Registry::standard(), gristmill_tools::standard())?;
//!     let calls = vec![ToolCall { tool: "references".into(), input: json!({ "symbol": "parse" }) }];
//!     let request = Request { calls, options: RequestOptions::default() };
//!     let response = runner.ask(request, CallContext::new("example", DEFAULT_DEADLINE))?;
//!     assert_eq!(response.answers.len(), 1);
//!     Ok(())
//! }
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod aggregate;
mod chunks;
mod definition;
mod evidence;
mod files;
mod filters;
mod graph;
mod history_recent;
mod links;
mod list_preview;
mod metric_aggregate;
mod metric_series;
mod names;
mod references;
mod runs;
mod search;
mod simulate;
mod symbols;
mod words;

pub use aggregate::{Aggregate, AggregateAnswer, AggregateBy, Group};
pub use chunks::{Chunk, ChunksAnswer, GetChunks};
pub use definition::{DefinitionAnswer, DefinitionMatch, GotoDefinition};
pub use files::{File, FilesAnswer, GetFiles};
pub use graph::{GraphAnswer, GraphEdge, GraphExpand, GraphNode, GraphPath};
pub use history_recent::{ChangedPaths, EpochEntry, HistoryAnswer, HistoryRecent};
pub use links::Direction;
pub use list_preview::{EntryKind, ListAnswer, ListEntry, ListPreview, PreviewSymbol};
pub use metric_aggregate::{Distribution, MetricAggregate, MetricAggregateAnswer, RunMetrics, StageMetrics};
pub use metric_series::{MetricSeries, Point, RunMetric, Series};
pub use names::Reason;
pub use references::{References, ReferencesAnswer, Use};
pub use search::{
    Matches, Search, SearchAnswer, SearchHit, SearchMode, SearchOrder, SearchQuery, Signals, Snippet, search,
};
pub use simulate::{ChangeEstimate, FoundBy, Simulate, SimulateAnswer, UsingFile, render_forecast};
pub use symbols::{GetSymbols, Symbol, SymbolsAnswer};

use gristmill_query::ToolSet;

/// Returns the tools of this crate, in the order in which they are listed.
#[must_use]
pub fn standard() -> ToolSet {
    ToolSet::new()
        .with::<Search>()
        .with::<GetSymbols>()
        .with::<GetFiles>()
        .with::<GetChunks>()
        .with::<GotoDefinition>()
        .with::<References>()
        .with::<GraphExpand>()
        .with::<GraphPath>()
        .with::<Aggregate>()
        .with::<ListPreview>()
        .with::<HistoryRecent>()
        .with::<MetricAggregate>()
        .with::<MetricSeries>()
        .with::<Simulate>()
}
