//! Views: relations that follow from the facts of gristmill's fact plane, each kept as a table
//! of its own.
//!
//! A [`View`] is a differential program over [`FactCollections`]; a [`ViewSet`] is what a
//! plane runs. Those that come along are [`Edges`], [`Unresolved`], [`ImportCycles`],
//! [`Reachable`], [`SymbolRanks`] and [`Rollups`].
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod collections;
mod iterate;
mod resolution;
mod standard;
mod table;
mod view;

pub use collections::{FactCollections, ImportEdge, Resolved};
pub use resolution::Evidence;
#[doc(hidden)]
pub use standard::words;
pub use standard::{Edges, ImportCycles, Reachable, Rollups, SymbolRanks, Unresolved};
pub use table::{ViewColumn, ViewDelta, ViewRow, ViewSchema, ViewType, ViewValue};
pub use view::{View, ViewSet};
