//! The tools, one module each.

mod aggregate;
mod definition;
mod files;
mod graph;
mod history_recent;
mod list_preview;
mod metric_aggregate;
mod metric_series;
mod names;
mod references;
mod runs;
mod search;
mod simulate;
mod symbols;

pub use aggregate::{Aggregate, AggregateAnswer, AggregateBy, Group};
pub use definition::{Definition, DefinitionAnswer, GotoDefinition};
pub use files::{File, FilesAnswer, GetFiles};
pub use graph::{GraphAnswer, GraphEdge, GraphExpand, GraphNode, GraphPath};
pub use history_recent::{ChangedPaths, EpochEntry, HistoryAnswer, HistoryRecent};
pub use list_preview::{EntryKind, ListAnswer, ListEntry, ListPreview, PreviewSymbol};
pub use metric_aggregate::{MetricAggregate, MetricAggregateAnswer, RunMeasures, Spread, StageMeasures};
pub use metric_series::{Metric, MetricSeries, Point, Series};
pub use names::Reason;
pub use references::{References, ReferencesAnswer, Use};
pub use search::{Search, SearchAnswer};
pub use simulate::{ChangeEstimate, FoundBy, Simulate, SimulateAnswer, UsingFile};
pub use symbols::{GetSymbols, Symbol, SymbolsAnswer};

use super::tool::ErasedTool;

/// All tools, in the order that they are listed.
pub const TOOLS: &[ErasedTool] = &[
    ErasedTool::of::<Search>(),
    ErasedTool::of::<GetSymbols>(),
    ErasedTool::of::<GetFiles>(),
    ErasedTool::of::<GotoDefinition>(),
    ErasedTool::of::<References>(),
    ErasedTool::of::<GraphExpand>(),
    ErasedTool::of::<GraphPath>(),
    ErasedTool::of::<Aggregate>(),
    ErasedTool::of::<ListPreview>(),
    ErasedTool::of::<HistoryRecent>(),
    ErasedTool::of::<MetricAggregate>(),
    ErasedTool::of::<MetricSeries>(),
    ErasedTool::of::<Simulate>(),
];
