//! Filters as people write them: paths, languages and kinds, resolved to what the index has.
//!
//! What a filter does not match is never silent: a note names the value, and the nearest one that
//! would match.

mod kinds;
mod languages;
mod paths;

pub(crate) use kinds::Kinds;
pub(crate) use languages::Languages;
pub(crate) use paths::{Paths, nearest_folder};
