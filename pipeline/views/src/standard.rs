//! The views that come with gristmill.

mod cycles;
mod edges;
mod ranks;
mod reachable;
mod rollups;
mod unresolved;

pub use cycles::ImportCycles;
pub use edges::Edges;
pub use ranks::SymbolRanks;
pub use reachable::Reachable;
pub use rollups::Rollups;
pub use unresolved::Unresolved;

use std::sync::Arc;

use gristmill_ids::{Fingerprint, Hash};

use crate::table::{ViewColumn, ViewSchema};

/// The schema of a view that comes with the plane.
fn schema(name: &str, version: u32, description: &str, columns: Vec<ViewColumn>) -> Arc<ViewSchema> {
    Arc::new(ViewSchema {
        name: name.into(),
        description: description.into(),
        columns,
        fingerprint: fingerprint(name, version, &[]),
    })
}

/// Hash of a view's name, the version of its code, and its parameters.
fn fingerprint(name: &str, version: u32, parameters: &[&str]) -> Fingerprint {
    let head: [&[u8]; 2] = [name.as_bytes(), &version.to_le_bytes()];
    Hash::of_parts(head.into_iter().chain(parameters.iter().map(|parameter| parameter.as_bytes())))
}

/// The words that views put into rows on their own account.
pub fn words() -> impl Iterator<Item = &'static str> {
    super::Evidence::ALL.into_iter().map(super::Evidence::as_str).chain(edges::USE_KINDS).chain(["import"])
}
