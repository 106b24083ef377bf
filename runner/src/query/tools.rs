//! The tools, one module each.

mod files;
mod search;
mod symbols;

pub use files::{File, FilesAnswer, GetFiles};
pub use search::{Search, SearchAnswer};
pub use symbols::{GetSymbols, Symbol, SymbolsAnswer};

use super::tool::ErasedTool;

/// All tools, in the order that they are listed.
pub const TOOLS: &[ErasedTool] = &[ErasedTool::of::<Search>(), ErasedTool::of::<GetSymbols>(), ErasedTool::of::<GetFiles>()];
