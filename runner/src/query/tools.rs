//! The tools, one module each.

mod definition;
mod files;
mod graph;
mod names;
mod references;
mod search;
mod symbols;

pub use definition::{Definition, DefinitionAnswer, GotoDefinition};
pub use files::{File, FilesAnswer, GetFiles};
pub use graph::{GraphAnswer, GraphEdge, GraphExpand, GraphNode, GraphPath};
pub use names::Reason;
pub use references::{References, ReferencesAnswer, Use};
pub use search::{Search, SearchAnswer};
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
];
